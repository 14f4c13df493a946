// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {R} from "./Field.sol";

/// @title The Fiat-Shamir transcript: a chain of SHA-256
/// @dev Its buffer holds the state (32 bytes), a tag (1), and room for a framed label (8 and up to 24) and framed data.
///     append     state = SHA-256(state || 1 || enc(label) || enc(data))
///     challenge  high = SHA-256(state || 2 || enc(label)), low = SHA-256(state || 3 || enc(label)),
///                state = SHA-256(state || 4 || enc(label) || high || low), c = high 2^256 + low modulo r
/// with enc(x) the length of x in 8 bytes, and x. Labels are given as literals, with their length.
library Transcript {
    uint256 internal constant ROOM = 160;
    // 2^256 modulo r
    uint256 private constant WRAP = 0x1824b159acc5056f998c4fefecbc4ff55884b7fa0003480200000001fffffffe;
    // (p - 1) / 2, above which a y coordinate is the larger of the two
    uint256 private constant HALF_HIGH = 0x0d0088f51cbff34d258dd3db21a5d66b;
    uint256 private constant HALF_LOW = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;

    /// @notice A transcript that goes on from a state.
    function start(bytes32 state) internal pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := mload(0x40)
            mstore(0x40, add(place, ROOM))
            mstore(place, state)
        }
    }

    /// @notice Absorbs 32 bytes: a digest, or a scalar below r.
    function word(uint256 place, bytes32 label, uint256 size, uint256 value) internal view {
        assembly ("memory-safe") {
            mstore8(add(place, 32), 1)
            mstore(add(place, 33), shl(192, size))
            mstore(add(place, 41), label)
            let d := add(add(place, 41), size)
            mstore(d, shl(192, 32))
            mstore(add(d, 8), value)
            if iszero(staticcall(gas(), 2, place, add(81, size), place, 32)) { revert(0, 0) }
        }
    }

    /// @notice Absorbs points, each by its compressed encoding.
    /// @param from where their padded coordinates lie in memory, one after another.
    /// @param count how many.
    /// @return next where the following point lies.
    function points(uint256 place, bytes32 label, uint256 size, uint256 from, uint256 count)
        internal
        view
        returns (uint256 next)
    {
        assembly ("memory-safe") {
            next := add(from, shl(7, count))
            let d := add(add(place, 41), size)
            for {} lt(from, next) { from := add(from, 128) } {
                let xh := mload(from)
                let xl := mload(add(from, 32))
                let yh := mload(add(from, 64))
                let yl := mload(add(from, 96))
                let larger := or(gt(yh, HALF_HIGH), and(eq(yh, HALF_HIGH), gt(yl, HALF_LOW)))
                let flags := or(or(0x80, shl(5, larger)), shl(6, iszero(or(or(xh, xl), or(yh, yl)))))
                mstore8(add(place, 32), 1)
                mstore(add(place, 33), shl(192, size))
                mstore(add(place, 41), label)
                mstore(d, shl(192, 48))
                mstore(add(d, 8), or(shl(248, flags), or(shl(128, xh), shr(128, xl))))
                mstore(add(d, 40), shl(128, xl))
                if iszero(staticcall(gas(), 2, place, add(97, size), place, 32)) { revert(0, 0) }
            }
        }
    }

    /// @notice Draws a challenge.
    function challenge(uint256 place, bytes32 label, uint256 size) internal view returns (uint256 c) {
        assembly ("memory-safe") {
            mstore(add(place, 33), shl(192, size))
            mstore(add(place, 41), label)
            mstore8(add(place, 32), 2)
            let good := staticcall(gas(), 2, place, add(41, size), 0x00, 32)
            mstore8(add(place, 32), 3)
            good := and(good, staticcall(gas(), 2, place, add(41, size), 0x20, 32))
            mstore8(add(place, 32), 4)
            let high := mload(0x00)
            let low := mload(0x20)
            let tail := add(add(place, 41), size)
            mstore(tail, high)
            mstore(add(tail, 32), low)
            good := and(good, staticcall(gas(), 2, place, add(105, size), place, 32))
            if iszero(good) { revert(0, 0) }
            c := addmod(mulmod(high, WRAP, R), low, R)
        }
    }
}
