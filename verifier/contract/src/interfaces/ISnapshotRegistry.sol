// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Snapshots that oracles vouch for, and the keys that are trusted
interface ISnapshotRegistry {
    /// @notice An EIP-712 signature: s in the lower half of the group's order, v 27 or 28.
    struct Signature {
        bytes32 r;
        bytes32 s;
        uint8 v;
    }

    /// @notice What an oracle signs about a snapshot, for this ledger's model and level.
    /// @param id the snapshot's id.
    /// @param universe digest of its slots and lots.
    /// @param valuationTime Unix microseconds.
    /// @param program digest of the program that it comes to; anyone can form it again from the snapshot.
    struct Snapshot {
        bytes32 id;
        bytes32 universe;
        uint64 valuationTime;
        bytes32 program;
    }

    event ChunkStored(address indexed chunk, bytes32 digest);
    event SnapshotPublished(bytes32 indexed id, bytes32 indexed universe, uint64 valuationTime, bytes32 program);
    event OracleSet(address indexed key, bool trusted);
    event QuorumSet(uint256 quorum);
    event VenueKeySet(string venue, address indexed key, bool trusted);
    event SourceSet(string source, bool accepted);
    event LenderSet(address indexed lender, bool trusted);
    event NewPledgesPaused(bool paused);

    /// @notice There are more bytes than the call asks for, or fewer.
    error CalldataLength(uint256 found, uint256 wanted);
    /// @notice A chunk has no byte, or more than an account's code can hold.
    error ChunkLength(uint256 found);
    /// @notice The chunks' digest is not that of the program that was signed.
    error ProgramDiffers(bytes32 found, bytes32 signed);
    /// @notice There is such a snapshot already.
    error SnapshotKnown(bytes32 id);
    /// @notice No such snapshot was published here.
    error SnapshotUnknown(bytes32 id);
    /// @notice A snapshot must be newer than the newest.
    error SnapshotNotNewer(uint64 found, uint64 newest);
    /// @notice The snapshot is older than the policy takes.
    error SnapshotTooOld(uint256 age, uint256 most);
    /// @notice The snapshot is ahead of the chain's clock.
    error SnapshotFromFuture(uint256 valuationSecond);
    /// @notice Fewer oracles signed than the quorum.
    error QuorumMissed(uint256 found, uint256 quorum);
    /// @notice Somebody who is no oracle signed.
    error OracleUnknown(address signer);
    /// @notice Signatures must stand in ascending order of their signers, each once.
    error SignersNotAscending(address signer);
    /// @notice The quorum must be at least one, and not more than there are oracles.
    error QuorumImpossible(uint256 quorum, uint256 oracles);
    /// @notice The key signs for another venue.
    error KeyTaken(address key);
    /// @notice The zero address has no key.
    error NoAddress();
    /// @notice Nothing would change.
    error Unchanged();

    /// @notice Puts a part of a program into the code of an account of its own. Anyone may.
    function store(bytes calldata chunk) external returns (address account);

    /// @notice Takes a snapshot in. Anyone may hand it in; the oracles' signatures decide.
    /// @param snapshot what they signed.
    /// @param chunks where its program lies.
    /// @param signatures of at least `quorum` oracles, in ascending order of their addresses.
    function publish(Snapshot calldata snapshot, address[] calldata chunks, Signature[] calldata signatures) external;
}
