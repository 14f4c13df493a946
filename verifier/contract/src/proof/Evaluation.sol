// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {R} from "./Field.sol";

/// @title Powers of beta, and the Lagrange basis at zeta
library Evaluation {
    /// @notice 1, x, x^2 .. in memory.
    /// @param count how many.
    function powers(uint256 x, uint256 count) internal pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := mload(0x40)
            let end := add(place, shl(5, count))
            mstore(0x40, add(end, 64))
            let y := 1
            for { let p := place } lt(p, end) { p := add(p, 64) } {
                mstore(p, y)
                y := mulmod(y, x, R)
                mstore(add(p, 32), y)
                y := mulmod(y, x, R)
            }
        }
    }

    /// @notice x^e.
    function power(uint256 x, uint256 e) internal pure returns (uint256 y) {
        assembly ("memory-safe") {
            y := 1
            for {} e { e := shr(1, e) } {
                if and(e, 1) { y := mulmod(y, x, R) }
                x := mulmod(x, x, R)
            }
        }
    }

    /// @notice L_0(zeta) .. L_(n-1)(zeta), and what the table t = 0 .. n-1 is at zeta.
    /// @dev Without an inversion: L_i(zeta) = 1/n prod_j (1 + (zeta w^-i)^(2^j)), as a tree. Of m values P_i, which are
    /// n/m-th powers' Lagrange values, each gives P_i + y_i and P_i - y_i at i and i + m, with y_i = zeta^e w^(-i e) P_i and
    /// e = n / 2m. With S = sum P_i, Y = sum y_i and T = sum i P_i the next T is 2 T + m (S - Y), and the last is t(zeta).
    /// @param t log2 n.
    /// @param unroot 1/w.
    /// @param unorder 1/n.
    /// @param used how many of the values are wanted; the others may be left out.
    /// @return place where the values lie.
    /// @return table t(zeta).
    /// @return vanishing zeta^n - 1.
    function lagrange(uint256 t, uint256 zeta, uint256 unroot, uint256 unorder, uint256 used)
        internal
        pure
        returns (uint256 place, uint256 table, uint256 vanishing)
    {
        assembly ("memory-safe") {
            let n := shl(t, 1)
            place := mload(0x40)
            let f := add(place, shl(5, n))
            mstore(0x40, add(f, mul(t, 64)))
            // zeta^e and w^-e for e = 1, 2, 4 .. n / 2
            vanishing := zeta
            for { let end := add(f, mul(t, 64)) } lt(f, end) { f := add(f, 64) } {
                mstore(f, vanishing)
                mstore(add(f, 32), unroot)
                vanishing := mulmod(vanishing, vanishing, R)
                unroot := mulmod(unroot, unroot, R)
            }
            vanishing := addmod(vanishing, sub(R, 1), R)
            mstore(place, unorder)
            let sum := unorder
            for { let m := 1 } lt(m, n) { m := shl(1, m) } {
                f := sub(f, 64)
                let u := mload(f)
                let step := mload(add(f, 32))
                let off := shl(5, m)
                let p := place
                let Y := 0
                // from here to there both children are wanted, afterwards the first alone
                let both := add(place, off)
                let end := both
                if and(eq(shl(1, m), n), lt(used, n)) {
                    both := place
                    if gt(used, m) { both := add(place, shl(5, and(add(sub(used, m), 3), not(3)))) }
                    if gt(both, end) { both := end }
                }
                if gt(m, 2) {
                    for {} lt(p, both) {} {
                        let v := mload(p)
                        let y := mulmod(u, v, R)
                        mstore(p, addmod(v, y, R))
                        mstore(add(p, off), addmod(v, sub(R, y), R))
                        u := mulmod(u, step, R)
                        p := add(p, 32)
                        v := mload(p)
                        let z := mulmod(u, v, R)
                        mstore(p, addmod(v, z, R))
                        mstore(add(p, off), addmod(v, sub(R, z), R))
                        Y := addmod(Y, add(y, z), R)
                        u := mulmod(u, step, R)
                        p := add(p, 32)
                        v := mload(p)
                        y := mulmod(u, v, R)
                        mstore(p, addmod(v, y, R))
                        mstore(add(p, off), addmod(v, sub(R, y), R))
                        u := mulmod(u, step, R)
                        p := add(p, 32)
                        v := mload(p)
                        z := mulmod(u, v, R)
                        mstore(p, addmod(v, z, R))
                        mstore(add(p, off), addmod(v, sub(R, z), R))
                        Y := addmod(Y, add(y, z), R)
                        u := mulmod(u, step, R)
                        p := add(p, 32)
                    }
                    for {} lt(p, end) {} {
                        let v := mload(p)
                        let y := mulmod(u, v, R)
                        mstore(p, addmod(v, y, R))
                        u := mulmod(u, step, R)
                        p := add(p, 32)
                        v := mload(p)
                        let z := mulmod(u, v, R)
                        mstore(p, addmod(v, z, R))
                        Y := addmod(Y, add(y, z), R)
                        u := mulmod(u, step, R)
                        p := add(p, 32)
                        v := mload(p)
                        y := mulmod(u, v, R)
                        mstore(p, addmod(v, y, R))
                        u := mulmod(u, step, R)
                        p := add(p, 32)
                        v := mload(p)
                        z := mulmod(u, v, R)
                        mstore(p, addmod(v, z, R))
                        Y := addmod(Y, add(y, z), R)
                        u := mulmod(u, step, R)
                        p := add(p, 32)
                    }
                }
                for {} lt(p, end) { p := add(p, 32) } {
                    let v := mload(p)
                    let y := mulmod(u, v, R)
                    mstore(p, addmod(v, y, R))
                    mstore(add(p, off), addmod(v, sub(R, y), R))
                    Y := addmod(Y, y, R)
                    u := mulmod(u, step, R)
                }
                table := addmod(addmod(table, table, R), mulmod(m, addmod(sum, sub(R, Y), R), R), R)
                sum := addmod(sum, sum, R)
            }
        }
    }
}
