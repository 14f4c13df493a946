// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {IMarginVerifier} from "./interfaces/IMarginVerifier.sol";
import {IPledgeLedger} from "./interfaces/IPledgeLedger.sol";
import {SnapshotRegistry} from "./SnapshotRegistry.sol";
import {Points} from "./proof/Points.sol";

/// @title The pledge ledger: a verifier with a policy, on a chain
/// @notice Policy, model and level are fixed when it is deployed; keys and sources are the owner's to name.
contract PledgeLedger is IPledgeLedger, SnapshotRegistry {
    /// @notice What the ledger takes.
    /// @param audience whom proofs and holds are for.
    /// @param model, level what proofs are under.
    /// @param quantumDecimals a tick is 10^-this USD.
    /// @param snapshotAge, attestationAge, asOfWindow, clockSkew, longestExpiry, renewTime seconds.
    /// @param maxPledge the greatest amount of one pledge, in ticks.
    /// @param maxAttestations of one submission.
    /// @param requireHold whether every account must be held for the audience until the expiry.
    struct Policy {
        string audience;
        string model;
        string level;
        uint8 quantumDecimals;
        uint32 snapshotAge;
        uint32 attestationAge;
        uint32 asOfWindow;
        uint32 clockSkew;
        uint32 longestExpiry;
        uint32 renewTime;
        uint96 maxPledge;
        uint8 maxAttestations;
        bool requireHold;
    }

    /// @dev One pledge in two words, with the number of the snapshot that it was proven under. Accounts are 160 bits of a keccak256 over their keys in order.
    struct Pledge {
        address subject;
        uint48 expiry;
        uint8 status;
        uint40 snapshot;
        uint96 amount;
        uint160 accounts;
    }

    /// @dev An account's newest attestation (sequence and 192 bits of its digest), and its pledges, eight numbers of 32 bits.
    struct Account {
        uint64 sequence;
        uint192 digest;
        uint256 pledges;
    }

    bytes32 private constant _ATTESTATION = keccak256(
        "Attestation(bytes32 setup,bytes32 universe,uint32 slots,bytes commitment,uint64 bound,string venue,string account,address subject,bool complete,string source,bytes32 evidence,string openOrders,bytes32 contractMap,uint64 asOf,uint64 expiry,uint64 sequence,uint64 holdUntil,string holdAudience)"
    );
    bytes32 private constant _PROOF =
        keccak256("Proof(bytes32[] statements,uint256 amount,string audience,string nonce,uint64 expiry)");
    bytes32 private constant _STATEMENT = sha256("zkmargin/statement/2");
    bytes32 private constant _EMPTY = keccak256("");
    bytes32 private constant _NONE = keccak256("none");
    bytes32 private constant _RESERVED = keccak256("reserved");
    uint256 private constant _POINT = 128;
    uint256 private constant _HEAD = 11 * 32;
    uint256 private constant _ATTESTATION_WORDS = 15 * 32;

    uint256 private immutable _ATTESTATION_AGE;
    uint256 private immutable _AS_OF_WINDOW;
    uint256 private immutable _LONGEST_EXPIRY;
    uint256 private immutable _RENEW_TIME;
    uint256 private immutable _MAX_PLEDGE;
    uint256 private immutable _MAX_ATTESTATIONS;
    bool private immutable _REQUIRE_HOLD;
    bytes32 private immutable _SETUP;
    bytes32 private immutable _AUDIENCE;
    bytes32 private immutable _AUDIENCE_SHA;
    bytes32 private immutable _MODEL_SHA;
    bytes32 private immutable _LEVEL_SHA;

    Policy private _policy;

    /// @notice How many pledges there were; they are numbered from 1.
    uint256 public pledges;
    /// @notice The next nonce of a subject. Statements name it in decimal digits.
    mapping(address => uint256) public nonces;
    mapping(uint256 => Pledge) private _pledges;
    mapping(bytes32 => Account) private _accounts;

    constructor(address owner_, IMarginVerifier verifier, Policy memory p)
        SnapshotRegistry(owner_, verifier, p.model, p.level, p.quantumDecimals, p.snapshotAge, p.clockSkew)
    {
        _policy = p;
        _ATTESTATION_AGE = p.attestationAge;
        _AS_OF_WINDOW = p.asOfWindow;
        _LONGEST_EXPIRY = p.longestExpiry;
        _RENEW_TIME = p.renewTime;
        _MAX_PLEDGE = p.maxPledge;
        _MAX_ATTESTATIONS = p.maxAttestations;
        _REQUIRE_HOLD = p.requireHold;
        _SETUP = verifier.SETUP();
        _AUDIENCE = keccak256(bytes(p.audience));
        _AUDIENCE_SHA = sha256(bytes(p.audience));
        _MODEL_SHA = sha256(bytes(p.model));
        _LEVEL_SHA = sha256(bytes(p.level));
    }

    /// @notice What this ledger takes.
    function policy() external view returns (Policy memory) {
        return _policy;
    }

    /// @inheritdoc IPledgeLedger
    function pledge(Submission calldata submission) external returns (uint256 number) {
        if (paused) revert NewPledgesArePaused();
        _checkLength(submission, 36);
        if (submission.amount == 0) revert AmountIsZero();
        if (submission.amount > _MAX_PLEDGE) revert AmountTooLarge(submission.amount, _MAX_PLEDGE);
        number = ++pledges;
        (uint160 accounts, uint256 others) = _accept(submission, number, 0);
        if (submission.threshold < submission.amount + others) {
            revert ThresholdTooLow(submission.threshold, submission.amount + others);
        }
        _pledges[number] = Pledge({
            subject: submission.subject,
            expiry: uint48(submission.expiry),
            status: uint8(Status.Active),
            snapshot: _records[submission.snapshot].number,
            amount: uint96(submission.amount),
            accounts: accounts
        });
    }

    /// @inheritdoc IPledgeLedger
    function renew(uint256 number, Submission calldata submission) external {
        _checkLength(submission, 68);
        Status status = statusOf(number);
        if (status != Status.Active && status != Status.Stale && status != Status.Called) {
            revert PledgeStatus(number, status);
        }
        Pledge storage found = _pledges[number];
        uint24 snapshot = _records[submission.snapshot].number;
        bool same = found.subject == submission.subject && found.amount == submission.amount;
        if (!same || snapshot < found.snapshot || submission.expiry < found.expiry) revert RenewalDiffers(number);
        (uint160 accounts, uint256 others) = _accept(submission, number, number);
        if (accounts != found.accounts) revert RenewalDiffers(number);
        if (submission.threshold < submission.amount + others) {
            revert ThresholdTooLow(submission.threshold, submission.amount + others);
        }
        found.expiry = uint48(submission.expiry);
        found.snapshot = snapshot;
    }

    /// @inheritdoc IPledgeLedger
    function call(uint256 number) external {
        if (!isLender[msg.sender]) revert NotLender(msg.sender);
        Status status = statusOf(number);
        if (status != Status.Active && status != Status.Stale) revert PledgeStatus(number, status);
        _pledges[number].status = uint8(Status.Called);
        emit Called(number);
    }

    /// @inheritdoc IPledgeLedger
    function release(uint256 number) external {
        if (!isLender[msg.sender]) revert NotLender(msg.sender);
        Status status = statusOf(number);
        if (status != Status.Active && status != Status.Stale && status != Status.Called) {
            revert PledgeStatus(number, status);
        }
        _pledges[number].status = uint8(Status.Released);
        emit Released(number);
    }

    /// @inheritdoc IPledgeLedger
    function statusOf(uint256 number) public view returns (Status) {
        Pledge storage found = _pledges[number];
        Status status = Status(found.status);
        if (status != Status.Active) return status;
        if (block.timestamp > uint256(found.expiry) + CLOCK_SKEW) return Status.Lapsed;
        uint256 since = supersededAt[found.snapshot];
        return since != 0 && block.timestamp > since + _RENEW_TIME ? Status.Stale : Status.Active;
    }

    /// @inheritdoc IPledgeLedger
    function pledgeOf(uint256 number) external view returns (address subject, uint256 amount, uint64 expiry) {
        Pledge storage found = _pledges[number];
        return (found.subject, found.amount, found.expiry);
    }

    /// @inheritdoc IPledgeLedger
    function covered(bytes32[] calldata accounts) external view returns (uint256 sum) {
        uint256[] memory seen = new uint256[](8 * accounts.length);
        uint256 count;
        for (uint256 i = 0; i < accounts.length; ++i) {
            uint256 one;
            (one, count,) = _live(_accounts[accounts[i]].pledges, seen, count, 0);
            sum += one;
        }
    }

    /// @notice The key of an account: keccak256 of the two hashes of venue and pseudonym.
    function accountKey(bytes32 venue, bytes32 account) public pure returns (bytes32) {
        return keccak256(abi.encode(venue, account));
    }

    /// @dev Everything that a submission must be, but for how much it must show.
    /// @param number of the pledge.
    /// @param renewing the same number if it is proven again, else 0.
    /// @return accounts what the accounts hash to.
    /// @return others the sum of the other live pledges on any of the accounts.
    function _accept(Submission calldata s, uint256 number, uint256 renewing)
        private
        returns (uint160 accounts, uint256 others)
    {
        Record storage record = _records[s.snapshot];
        if (record.number == 0) revert SnapshotUnknown(s.snapshot);
        _checkAge(record.valuationTime);
        if (block.timestamp > s.expiry) revert Expired(s.expiry);
        if (s.expiry > block.timestamp + _LONGEST_EXPIRY) {
            revert ExpiryTooFar(s.expiry, block.timestamp + _LONGEST_EXPIRY);
        }
        (bytes32[] memory digests, bytes memory terms, bool secured) = _attested(s, record);
        if (_REQUIRE_HOLD && !secured) revert HoldMissing();
        (accounts, others) = _occupy(s, digests, number, renewing);
        uint256 nonce = nonces[s.subject]++;
        bytes32 statement = _consented(s, record, sha256(terms), bytes(Strings.toString(nonce)));
        VERIFIER.verify(statement, _chunks(record), int256(s.threshold), s.commitments, s.proof);
        emit Proven(
            number,
            s.subject,
            s.snapshot,
            renewing != 0,
            statement,
            s.threshold,
            s.amount,
            secured,
            nonce,
            s.expiry,
            digests
        );
    }

    /// @dev Every attestation by itself, and all as terms of one sum.
    /// @return digests what the venues signed.
    /// @return terms the statement's commitment terms, 84 bytes each: point, column (0), digest.
    /// @return secured whether all are held for this audience until the submission expires.
    function _attested(Submission calldata s, Record storage record)
        private
        view
        returns (bytes32[] memory digests, bytes memory terms, bool secured)
    {
        uint256 count = s.attestations.length;
        if (count == 0 || count > _MAX_ATTESTATIONS) revert AttestationCount(count, _MAX_ATTESTATIONS);
        if (s.commitments.length != count * _POINT) revert CommitmentCount(s.commitments.length, count);
        digests = new bytes32[](count);
        terms = new bytes(84 * count);
        secured = true;
        bytes32 universe = record.universe;
        uint256 slots = 1 << record.bits;
        bytes32 separator = domainSeparator();
        uint256 oldest = type(uint256).max;
        uint256 latest;
        for (uint256 i = 0; i < count; ++i) {
            Attestation calldata a = s.attestations[i];
            _checkClock(a, i);
            if (!isSource[a.source]) revert SourceNotAccepted(i);
            if (a.asOf < oldest) oldest = a.asOf;
            if (a.asOf > latest) latest = a.asOf;
            secured = secured && a.holdAudience == _AUDIENCE && a.holdUntil >= s.expiry;
            bytes32 commitment = _term(s.commitments[i * _POINT:(i + 1) * _POINT], terms, i);
            for (uint256 j = 0; j < i; ++j) if (_point(terms, j) == commitment) revert CommitmentRepeated(i);
            digests[i] = keccak256(
                abi.encodePacked(hex"1901", separator, _attestation(a, universe, slots, commitment, s.subject))
            );
            address signer = ECDSA.recover(digests[i], a.v, a.r, a.s);
            if (venueOf[signer] != a.venue) revert VenueKeyUnknown(i, signer);
            bytes32 digest = digests[i];
            assembly ("memory-safe") {
                mstore(add(add(terms, 84), mul(84, i)), digest)
            }
        }
        if (latest - oldest > _AS_OF_WINDOW) revert AttestationsApart(latest - oldest, _AS_OF_WINDOW);
    }

    /// @dev Writes point and column of a term; returns keccak256 of the compressed point.
    function _term(bytes calldata coordinates, bytes memory terms, uint256 i) private pure returns (bytes32) {
        uint256 room;
        uint256 to;
        assembly ("memory-safe") {
            room := mload(0x40)
            calldatacopy(room, coordinates.offset, 128)
            to := add(add(terms, 32), mul(84, i))
        }
        Points.compress(room, room + 128);
        assembly ("memory-safe") {
            mcopy(to, add(room, 128), 48)
        }
        return _point(terms, i);
    }

    function _point(bytes memory terms, uint256 i) private pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            digest := keccak256(add(add(terms, 32), mul(84, i)), 48)
        }
    }

    function _checkClock(Attestation calldata a, uint256 i) private view {
        if (a.asOf > block.timestamp + CLOCK_SKEW) revert AttestationFromFuture(i, a.asOf);
        if (block.timestamp > a.expiry) revert AttestationExpired(i, a.expiry);
        if (block.timestamp > a.asOf + _ATTESTATION_AGE) revert AttestationTooOld(i, a.asOf);
    }

    /// @dev hashStruct of what the venue signed; whole accounts only, and this very setup, universe and subject.
    function _attestation(Attestation calldata a, bytes32 universe, uint256 slots, bytes32 commitment, address subject)
        private
        view
        returns (bytes32)
    {
        bytes memory first =
            abi.encode(_ATTESTATION, _SETUP, universe, slots, commitment, a.bound, a.venue, a.account, subject, true);
        bytes memory second = abi.encode(
            a.source,
            a.evidence,
            a.reserved ? _RESERVED : _NONE,
            a.contractMap,
            a.asOf,
            a.expiry,
            a.sequence,
            a.holdUntil,
            a.holdAudience
        );
        return keccak256(bytes.concat(first, second));
    }

    /// @dev Takes the attestations as the newest of their accounts, and puts the pledge on them.
    function _occupy(Submission calldata s, bytes32[] memory digests, uint256 number, uint256 renewing)
        private
        returns (uint160 accounts, uint256 others)
    {
        uint256 count = digests.length;
        bytes32[] memory keys = new bytes32[](count);
        uint256[] memory seen = new uint256[](8 * count);
        uint256 known;
        for (uint256 i = 0; i < count; ++i) {
            Attestation calldata a = s.attestations[i];
            keys[i] = accountKey(a.venue, a.account);
            for (uint256 j = 0; j < i; ++j) if (keys[j] == keys[i]) revert AccountRepeated(i);
            Account storage account = _accounts[keys[i]];
            uint192 digest = uint192(uint256(digests[i]));
            uint64 sequence = account.sequence;
            if (a.sequence > sequence) {
                account.sequence = a.sequence;
                account.digest = digest;
            } else if (a.sequence < sequence || account.digest != digest) {
                revert SequenceOld(i, a.sequence, sequence);
            }
            uint256 sum;
            uint256 kept;
            (sum, known, kept) = _live(account.pledges, seen, known, renewing);
            others += sum;
            if (kept >> 224 != 0) revert AccountFull(i);
            account.pledges = kept << 32 | number;
        }
        accounts = uint160(uint256(keccak256(abi.encodePacked(keys))));
    }

    /// @dev The pledges of an account that count, but for one.
    /// @param list their numbers, 32 bits each; one that no longer counts gives its place up.
    /// @param seen pledges that were counted already.
    /// @param known how many of them.
    function _live(uint256 list, uint256[] memory seen, uint256 known, uint256 except)
        private
        view
        returns (uint256 sum, uint256, uint256 kept)
    {
        for (; list != 0; list >>= 32) {
            uint256 number = list & 0xffffffff;
            if (number == 0 || number == except) continue;
            Status status = statusOf(number);
            if (status == Status.Released || status == Status.Lapsed) continue;
            kept = kept << 32 | number;
            bool fresh = true;
            for (uint256 j = 0; j < known; ++j) if (seen[j] == number) fresh = false;
            if (!fresh) continue;
            seen[known++] = number;
            sum += _pledges[number].amount;
        }
        return (sum, known, kept);
    }

    /// @dev The statement's digest, after the subject's signature over it was checked.
    function _consented(Submission calldata s, Record storage record, bytes32 terms, bytes memory nonce)
        private
        view
        returns (bytes32 statement)
    {
        bytes memory first = abi.encode(
            _STATEMENT, record.program, bytes32(0), s.snapshot, record.universe, _MODEL_SHA, _LEVEL_SHA, s.threshold
        );
        bytes memory second = abi.encode(
            terms, _AUDIENCE_SHA, sha256(nonce), s.expiry, s.subject, block.chainid, address(this)
        );
        statement = sha256(bytes.concat(first, second));
        bytes32 message = keccak256(
            abi.encode(
                _PROOF, keccak256(abi.encode(statement)), s.amount, _AUDIENCE, keccak256(nonce), s.expiry
            )
        );
        address signer = ECDSA.recover(_typedDigest(message), s.v, s.r, s.s);
        if (signer != s.subject) revert SubjectSignature(signer);
    }

    /// @dev The call is its arguments' one encoding long: nothing is missing, and nothing trails.
    function _checkLength(Submission calldata s, uint256 before) private pure {
        uint256 wanted = before + _HEAD + 32 + s.attestations.length * _ATTESTATION_WORDS;
        wanted += 64 + s.commitments.length + s.proof.length;
        if (msg.data.length != wanted) revert CalldataLength(msg.data.length, wanted);
    }
}
