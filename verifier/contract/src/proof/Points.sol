// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Points of BLS12-381 between their two forms
library Points {
    // (p - 1) / 2, above which a y coordinate is the larger of the two
    uint256 private constant HALF_HIGH = 0x0d0088f51cbff34d258dd3db21a5d66b;
    uint256 private constant HALF_LOW = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;

    /// @notice The compressed encoding, 48 bytes, of the point whose padded coordinates lie in memory.
    /// @dev Whether they are those of a point is not checked here: all points go through the multiplication.
    /// @param from where the coordinates lie, 128 bytes.
    /// @param to where the encoding goes; 64 bytes are written.
    function compress(uint256 from, uint256 to) internal pure {
        assembly ("memory-safe") {
            let xh := mload(from)
            let xl := mload(add(from, 32))
            let yh := mload(add(from, 64))
            let yl := mload(add(from, 96))
            let larger := or(gt(yh, HALF_HIGH), and(eq(yh, HALF_HIGH), gt(yl, HALF_LOW)))
            let flags := or(or(0x80, shl(5, larger)), shl(6, iszero(or(or(xh, xl), or(yh, yl)))))
            mstore(to, or(shl(248, flags), or(shl(128, xh), shr(128, xl))))
            mstore(add(to, 32), shl(128, xl))
        }
    }
}
