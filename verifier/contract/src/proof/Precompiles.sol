// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {POINT, R} from "./Field.sol";
import {Points} from "./Points.sol";

/// @notice A precompile that this contract needs is missing, or does not compute what its specification says.
/// @param place the precompile's address.
error PrecompileMissing(uint256 place);
/// @notice A point of the proof or of a commitment is not on the curve, not in the subgroup, or not written canonically.
error MalformedPoint();

/// @title What EIP-2537 (sums of points) and EIP-4844 (the pairing, as a point evaluation) compute, with every answer checked
/// @dev A precompile that fails takes all gas that it was given. Each is given a few times its price of Prague.
library Precompiles {
    uint256 internal constant SHA256 = 0x02;
    uint256 internal constant MODEXP = 0x05;
    uint256 internal constant POINT_EVALUATION = 0x0a;
    uint256 internal constant G1_ADD = 0x0b;
    uint256 internal constant G1_MSM = 0x0c;
    uint256 private constant MSM_GAS = 40_000;
    uint256 private constant EVALUATION_GAS = 200_000;

    uint256 internal constant G_X_HIGH = 0x17f1d3a73197d7942695638c4fa9ac0f;
    uint256 internal constant G_X_LOW = 0xc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb;
    uint256 internal constant G_Y_HIGH = 0x08b3f481e3aaa0f1a09e30ed741d8ae4;
    uint256 internal constant G_Y_LOW = 0xfcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1;

    /// @notice Writes the generator of G1 at a place in memory.
    function generator(uint256 to) internal pure {
        assembly ("memory-safe") {
            mstore(to, G_X_HIGH)
            mstore(add(to, 32), G_X_LOW)
            mstore(add(to, 64), G_Y_HIGH)
            mstore(add(to, 96), G_Y_LOW)
        }
    }

    /// @notice The sum of scalars times points, each 160 bytes: checks that every point is one of the subgroup.
    /// @param from where the terms lie in memory.
    /// @param count how many there are, at least one.
    /// @param to where the sum goes.
    function msm(uint256 from, uint256 count, uint256 to) internal view {
        bool done;
        uint256 size;
        assembly ("memory-safe") {
            done := staticcall(mul(count, MSM_GAS), G1_MSM, from, mul(count, 160), to, POINT)
            size := returndatasize()
        }
        if (!done) revert MalformedPoint();
        if (size != POINT) revert PrecompileMissing(G1_MSM);
    }

    /// @notice The sum of two points that lie one after the other. Checks no subgroup: both must come from `msm`, or have been in one.
    function add(uint256 from, uint256 to) internal view {
        bool done;
        uint256 size;
        assembly ("memory-safe") {
            done := staticcall(MSM_GAS, G1_ADD, from, 256, to, POINT)
            size := returndatasize()
        }
        if (!done) revert MalformedPoint();
        if (size != POINT) revert PrecompileMissing(G1_ADD);
    }

    /// @notice Whether e(left - y [1], [1]) = e(right, [tau - z]) under the ceremony of EIP-4844: its point evaluation.
    /// @dev It answers with two constants; an EVM without it answers with nothing, as an account without code. It takes
    /// points of the subgroup only.
    /// @param left where one point lies.
    /// @param z below r.
    /// @param y below r.
    /// @param right where the other point lies.
    /// @param room 224 bytes of memory.
    function opens(uint256 left, uint256 z, uint256 y, uint256 right, uint256 room)
        internal
        view
        returns (bool good)
    {
        // versioned hash, z, y, commitment, proof
        Points.compress(left, room + 96);
        Points.compress(right, room + 144);
        uint256 size;
        assembly ("memory-safe") {
            if iszero(staticcall(gas(), SHA256, add(room, 96), 48, room, 32)) { revert(0, 0) }
            mstore8(room, 1)
            mstore(add(room, 32), z)
            mstore(add(room, 64), y)
            good := staticcall(EVALUATION_GAS, POINT_EVALUATION, room, 192, room, 64)
            size := returndatasize()
        }
        if (good && size != 64) revert PrecompileMissing(POINT_EVALUATION);
        assembly ("memory-safe") {
            good := and(good, and(eq(mload(room), 4096), eq(mload(add(room, 32)), R)))
        }
    }

    /// @notice 1/x modulo r, for 0 < x < r.
    function inverse(uint256 x) internal view returns (uint256 y) {
        assembly ("memory-safe") {
            let place := mload(0x40)
            mstore(place, 32)
            mstore(add(place, 32), 32)
            mstore(add(place, 64), 32)
            mstore(add(place, 96), x)
            mstore(add(place, 128), sub(R, 2))
            mstore(add(place, 160), R)
            y := staticcall(gas(), MODEXP, place, 192, place, 32)
            y := mul(mload(place), and(y, eq(returndatasize(), 32)))
        }
        if (mulmod(x, y, R) != 1) revert PrecompileMissing(MODEXP);
    }

    /// @notice Refuses an EVM whose precompiles do not compute: G + G is 2 G, and a constant opens to itself alone.
    function test() internal view {
        uint256 place;
        assembly ("memory-safe") {
            place := mload(0x40)
            mstore(0x40, add(place, 1024))
        }
        generator(place);
        generator(place + 128);
        add(place, place + 256);
        assembly ("memory-safe") {
            mstore(add(place, 128), 2)
        }
        msm(place, 1, place + 384);
        bool same;
        assembly ("memory-safe") {
            same := eq(keccak256(add(place, 256), POINT), keccak256(add(place, 384), POINT))
            same := and(same, iszero(eq(mload(add(place, 288)), G_X_LOW)))
            // infinity
            calldatacopy(add(place, 512), calldatasize(), POINT)
        }
        if (!same) revert PrecompileMissing(G1_MSM);
        // 2 G opens to 2 with infinity as its opening, and to nothing else
        if (!opens(place + 256, 5, 2, place + 512, place + 640)) revert PrecompileMissing(POINT_EVALUATION);
        if (opens(place + 256, 5, 3, place + 512, place + 640)) revert PrecompileMissing(POINT_EVALUATION);
        inverse(2);
    }
}
