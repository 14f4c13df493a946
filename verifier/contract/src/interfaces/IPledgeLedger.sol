// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Pledges on accounts whose solvency was proven
interface IPledgeLedger {
    /// @notice What a pledge is. A stale or lapsed one is found by the clock.
    enum Status {
        None,
        Active,
        Stale,
        Called,
        Released,
        Lapsed
    }

    /// @notice A venue's word for a commitment, as far as the ledger does not know it already.
    /// @dev Texts travel as the keccak256 by which they are signed.
    /// @param venue, account, source, holdAudience of the texts; holdAudience of the empty text without a hold.
    /// @param evidence, contractMap digests, zero for none.
    /// @param bound greatest quantity in lots.
    /// @param asOf, expiry, holdUntil Unix seconds.
    /// @param sequence rises from one attestation of the account to the next.
    /// @param reserved whether open orders are reserved for; else there are none.
    /// @param r, s, v the venue's signature.
    struct Attestation {
        bytes32 venue;
        bytes32 account;
        bytes32 source;
        bytes32 evidence;
        bytes32 contractMap;
        bytes32 holdAudience;
        uint64 bound;
        uint64 asOf;
        uint64 expiry;
        uint64 sequence;
        uint64 holdUntil;
        bool reserved;
        bytes32 r;
        bytes32 s;
        uint8 v;
    }

    /// @notice What a trader submits. The nonce is not in it: it is the subject's next.
    /// @param snapshot id of the snapshot.
    /// @param threshold the excess that is shown, in ticks.
    /// @param amount the pledge, in ticks.
    /// @param expiry Unix seconds after which proof and pledge no longer count.
    /// @param subject whose accounts these are.
    /// @param r, s, v the subject's signature over statement, amount, audience, nonce and expiry.
    /// @param attestations one for each account.
    /// @param commitments their commitments in the same order, 128 bytes each.
    /// @param proof points and scalars.
    struct Submission {
        bytes32 snapshot;
        uint256 threshold;
        uint256 amount;
        uint64 expiry;
        address subject;
        bytes32 r;
        bytes32 s;
        uint8 v;
        Attestation[] attestations;
        bytes commitments;
        bytes proof;
    }

    /// @notice The receipt of a pledge, or of its renewal.
    event Proven(
        uint256 indexed pledge,
        address indexed subject,
        bytes32 indexed snapshot,
        bool renewal,
        bytes32 statement,
        uint256 threshold,
        uint256 amount,
        bool secured,
        uint256 nonce,
        uint64 expiry,
        bytes32[] attestations
    );
    event Called(uint256 indexed pledge);
    event Released(uint256 indexed pledge);

    error NewPledgesArePaused();
    error AmountIsZero();
    error AmountTooLarge(uint256 amount, uint256 most);
    error ThresholdTooLow(uint256 threshold, uint256 wanted);
    error Expired(uint64 expiry);
    error ExpiryTooFar(uint64 expiry, uint256 latest);
    error AttestationCount(uint256 found, uint256 most);
    error CommitmentCount(uint256 bytesFound, uint256 attestations);
    error CommitmentRepeated(uint256 index);
    error AccountRepeated(uint256 index);
    error AttestationFromFuture(uint256 index, uint64 asOf);
    error AttestationExpired(uint256 index, uint64 expiry);
    error AttestationTooOld(uint256 index, uint64 asOf);
    error AttestationsApart(uint256 seconds_, uint256 most);
    error SourceNotAccepted(uint256 index);
    error VenueKeyUnknown(uint256 index, address signer);
    error SequenceOld(uint256 index, uint64 sequence, uint64 newest);
    error HoldMissing();
    error SubjectSignature(address signer);
    error AccountFull(uint256 index);
    error NotLender(address caller);
    error PledgeStatus(uint256 pledge, Status status);
    error RenewalDiffers(uint256 pledge);

    /// @notice Records a pledge if the proof shows an excess of at least the amount and all live pledges on its accounts.
    /// @return pledge its number.
    function pledge(Submission calldata submission) external returns (uint256 pledge);

    /// @notice Proves a pledge again: same subject, accounts and amount, snapshot and expiry not earlier.
    function renew(uint256 pledge, Submission calldata submission) external;

    /// @notice A lender claims a pledge; it no longer lapses.
    function call(uint256 pledge) external;

    /// @notice A lender lets a pledge go.
    function release(uint256 pledge) external;

    /// @notice What a pledge is now.
    function statusOf(uint256 pledge) external view returns (Status);

    /// @notice Whose pledge it is, how much in ticks, and until when it counts if it is renewed in time.
    function pledgeOf(uint256 pledge) external view returns (address subject, uint256 amount, uint64 expiry);

    /// @notice The sum of live pledges that share an account with these, in ticks: what a threshold must reach beside the amount.
    function covered(bytes32[] calldata accounts) external view returns (uint256);
}
