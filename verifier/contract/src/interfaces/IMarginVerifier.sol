// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Checks proofs that committed holdings satisfy a program
/// @notice Knows no policy: who calls it has to have formed the statement, and to trust the program.
interface IMarginVerifier {
    /// @notice The proof does not have the length that the program's shape asks for.
    /// @param found its bytes.
    /// @param wanted the bytes of a proof of this shape.
    error ProofLength(uint256 found, uint256 wanted);
    /// @notice There is no commitment, or the bytes are not a number of points.
    error CommitmentLength(uint256 found);
    /// @notice A scalar of the proof is not below the field's order.
    error ScalarOutOfRange();
    /// @notice The threshold is of a greater magnitude than the program allows.
    error ThresholdBeyondReach(int256 threshold, uint256 reach);
    /// @notice A challenge fell on a value for which the argument is not defined, with a probability below 2^-240.
    error ChallengeUndefined();
    /// @notice The proof does not show the statement.
    error NotShown();

    /// @notice Returns if the proof shows the statement, and reverts otherwise.
    /// @param statement its digest.
    /// @param chunks accounts whose code is a zero byte and a part of the program each.
    /// @param threshold in ticks, the one in the statement.
    /// @param commitments the statement's commitments in order, 128 bytes each, all of one holdings column.
    /// @param proof the proof's points in order, 128 bytes each, then its scalars, 32 bytes each.
    function verify(
        bytes32 statement,
        address[] calldata chunks,
        int256 threshold,
        bytes calldata commitments,
        bytes calldata proof
    ) external view;

    /// @notice Checks that the code of some accounts holds a program whose proofs can be verified, and nothing else.
    /// @return digest of the program.
    /// @return bits log2 of the domain's size.
    function checkProgram(address[] calldata chunks) external view returns (bytes32 digest, uint256 bits);

    /// @notice The digest of the powers of tau whose proofs are checked.
    function SETUP() external view returns (bytes32);
}
