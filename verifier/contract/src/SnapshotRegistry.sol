// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IMarginVerifier} from "./interfaces/IMarginVerifier.sol";
import {ISnapshotRegistry} from "./interfaces/ISnapshotRegistry.sol";

/// @title Whom the owner trusts, and the snapshots that the oracles signed
/// @notice The owner names keys and cannot touch a pledge. Ownership passes in two steps.
abstract contract SnapshotRegistry is ISnapshotRegistry, Ownable2Step {
    /// @dev A published snapshot, in three words if one account holds its program.
    /// @param number in the order of valuation, from 1.
    /// @param bits log2 of the domain's size.
    /// @param many whether `more` has the further chunks.
    /// @param first where the program's first part lies.
    struct Record {
        bytes32 universe;
        bytes32 program;
        uint56 valuationTime;
        uint24 number;
        uint8 bits;
        bool many;
        address first;
        address[] more;
    }

    bytes32 private constant _DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant _PROGRAM = keccak256(
        "Program(bytes32 snapshot,bytes32 universe,uint64 valuationTime,string model,string level,uint8 quantumDecimals,bytes32 program)"
    );
    bytes32 private constant _NAME = keccak256("zkmargin");
    bytes32 private constant _VERSION = keccak256("1");

    /// @notice Checks proofs.
    IMarginVerifier public immutable VERIFIER;
    /// @notice A tick is 10^-this USD.
    uint8 public immutable QUANTUM_DECIMALS;
    /// @notice Seconds from a snapshot's valuation within which it counts.
    uint256 public immutable SNAPSHOT_AGE;
    /// @notice Seconds by which another clock may be ahead of the chain's.
    uint256 public immutable CLOCK_SKEW;
    bytes32 private immutable _MODEL;
    bytes32 private immutable _LEVEL;

    /// @notice Whose signatures count for snapshots.
    mapping(address => bool) public isOracle;
    /// @notice How many of them there are.
    uint256 public oracles;
    /// @notice How many of them have to sign a snapshot.
    uint256 public quorum;
    /// @notice keccak256 of the name of the venue that a key signs for.
    mapping(address => bytes32) public venueOf;
    /// @notice Whether holdings may come from a source, by keccak256 of its name.
    mapping(bytes32 => bool) public isSource;
    /// @notice Who may call and release pledges.
    mapping(address => bool) public isLender;
    /// @notice Whether no new pledges are taken. Renewals, calls and releases go on.
    bool public paused;
    /// @notice The newest snapshot.
    bytes32 public newest;
    /// @notice When a newer snapshot than this was taken in, by number; 0 for the newest.
    mapping(uint256 => uint256) public supersededAt;

    mapping(bytes32 => Record) internal _records;

    constructor(
        address owner_,
        IMarginVerifier verifier,
        string memory model,
        string memory level,
        uint8 quantumDecimals,
        uint256 snapshotAge,
        uint256 clockSkew
    ) Ownable(owner_) {
        VERIFIER = verifier;
        QUANTUM_DECIMALS = quantumDecimals;
        SNAPSHOT_AGE = snapshotAge;
        CLOCK_SKEW = clockSkew;
        _MODEL = keccak256(bytes(model));
        _LEVEL = keccak256(bytes(level));
        quorum = 1;
        isSource[keccak256("ledger")] = true;
        emit SourceSet("ledger", true);
        emit QuorumSet(1);
    }

    /// @notice Trusts an oracle's key, or no longer.
    function setOracle(address key, bool trusted) external onlyOwner {
        if (key == address(0)) revert NoAddress();
        if (isOracle[key] == trusted) revert Unchanged();
        isOracle[key] = trusted;
        oracles = trusted ? oracles + 1 : oracles - 1;
        // With too few oracles left nothing is published; lower the quorum by name if that is wanted.
        emit OracleSet(key, trusted);
    }

    /// @notice How many oracles have to sign.
    function setQuorum(uint256 wanted) external onlyOwner {
        if (wanted == 0 || wanted > oracles) revert QuorumImpossible(wanted, oracles);
        quorum = wanted;
        emit QuorumSet(wanted);
    }

    /// @notice Trusts a key for a venue, or no longer. A key signs for one venue only.
    function setVenueKey(string calldata venue, address key, bool trusted) external onlyOwner {
        if (key == address(0)) revert NoAddress();
        bytes32 name = keccak256(bytes(venue));
        bytes32 found = venueOf[key];
        if (found != 0 && found != name) revert KeyTaken(key);
        if ((found != 0) == trusted) revert Unchanged();
        venueOf[key] = trusted ? name : bytes32(0);
        emit VenueKeySet(venue, key, trusted);
    }

    /// @notice Accepts a source of holdings, or no longer.
    function setSource(string calldata source, bool accepted) external onlyOwner {
        bytes32 name = keccak256(bytes(source));
        if (isSource[name] == accepted) revert Unchanged();
        isSource[name] = accepted;
        emit SourceSet(source, accepted);
    }

    /// @notice Lets somebody call and release pledges, or no longer.
    function setLender(address lender, bool trusted) external onlyOwner {
        if (lender == address(0)) revert NoAddress();
        if (isLender[lender] == trusted) revert Unchanged();
        isLender[lender] = trusted;
        emit LenderSet(lender, trusted);
    }

    /// @notice Takes no new pledges, or takes them again.
    function setPaused(bool wanted) external onlyOwner {
        if (paused == wanted) revert Unchanged();
        paused = wanted;
        emit NewPledgesPaused(wanted);
    }

    /// @inheritdoc ISnapshotRegistry
    function store(bytes calldata chunk) external returns (address account) {
        uint256 size = chunk.length;
        if (size == 0 || size > 24_575) revert ChunkLength(size);
        // returns the code after its own ten bytes: a zero byte, at which execution ends, and the chunk
        bytes memory code = abi.encodePacked(hex"61", uint16(size + 1), hex"80600a3d393df300", chunk);
        assembly ("memory-safe") {
            account := create(0, add(code, 32), mload(code))
        }
        if (account == address(0)) revert ChunkLength(size);
        emit ChunkStored(account, sha256(chunk));
    }

    /// @inheritdoc ISnapshotRegistry
    function publish(Snapshot calldata snapshot, address[] calldata chunks, Signature[] calldata signatures)
        external
    {
        uint256 wanted = 4 + 32 * 8 + 32 * chunks.length + 96 * signatures.length;
        if (msg.data.length != wanted) revert CalldataLength(msg.data.length, wanted);
        if (_records[snapshot.id].number != 0) revert SnapshotKnown(snapshot.id);
        Record storage last = _records[newest];
        if (snapshot.valuationTime <= last.valuationTime) {
            revert SnapshotNotNewer(snapshot.valuationTime, last.valuationTime);
        }
        _checkAge(snapshot.valuationTime);
        _checkOracles(snapshot, signatures);
        (bytes32 found, uint256 bits) = VERIFIER.checkProgram(chunks);
        if (found != snapshot.program) revert ProgramDiffers(found, snapshot.program);
        uint24 number = last.number;
        if (number != 0) supersededAt[number] = block.timestamp;
        newest = snapshot.id;
        Record storage record = _records[snapshot.id];
        record.universe = snapshot.universe;
        record.program = found;
        // Below 2^56: it is not ahead of the chain's clock.
        record.valuationTime = uint56(snapshot.valuationTime);
        record.number = number + 1;
        record.bits = uint8(bits);
        record.many = chunks.length > 1;
        record.first = chunks[0];
        for (uint256 i = 1; i < chunks.length; ++i) record.more.push(chunks[i]);
        emit SnapshotPublished(snapshot.id, snapshot.universe, snapshot.valuationTime, found);
    }

    /// @notice What was published about a snapshot.
    function snapshotOf(bytes32 id) external view returns (Record memory) {
        return _records[id];
    }

    /// @notice The EIP-712 domain's separator: it follows the chain, should that fork.
    function domainSeparator() public view returns (bytes32) {
        return keccak256(abi.encode(_DOMAIN, _NAME, _VERSION, block.chainid, address(this)));
    }

    function _typedDigest(bytes32 message) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domainSeparator(), message));
    }

    function _chunks(Record storage record) internal view returns (address[] memory chunks) {
        uint256 further = record.many ? record.more.length : 0;
        chunks = new address[](1 + further);
        chunks[0] = record.first;
        for (uint256 i = 0; i < further; ++i) chunks[i + 1] = record.more[i];
    }

    /// @dev Seconds, rounded down.
    function _checkAge(uint64 valuationTime) internal view {
        uint256 second = valuationTime / 1_000_000;
        if (second > block.timestamp + CLOCK_SKEW) revert SnapshotFromFuture(second);
        if (block.timestamp > second + SNAPSHOT_AGE) revert SnapshotTooOld(block.timestamp - second, SNAPSHOT_AGE);
    }

    function _checkOracles(Snapshot calldata snapshot, Signature[] calldata signatures) private view {
        bytes32 digest = _typedDigest(
            keccak256(
                abi.encode(
                    _PROGRAM,
                    snapshot.id,
                    snapshot.universe,
                    snapshot.valuationTime,
                    _MODEL,
                    _LEVEL,
                    QUANTUM_DECIMALS,
                    snapshot.program
                )
            )
        );
        if (signatures.length < quorum) revert QuorumMissed(signatures.length, quorum);
        address before;
        for (uint256 i = 0; i < signatures.length; ++i) {
            address signer = ECDSA.recover(digest, signatures[i].v, signatures[i].r, signatures[i].s);
            if (signer <= before) revert SignersNotAscending(signer);
            if (!isOracle[signer]) revert OracleUnknown(signer);
            before = signer;
        }
    }
}
