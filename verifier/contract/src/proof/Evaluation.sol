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
    /// @return place where the values lie.
    /// @return table t(zeta).
    /// @return vanishing zeta^n - 1.
    function lagrange(uint256 t, uint256 zeta, uint256 unroot, uint256 unorder)
        internal
        pure
        returns (uint256 place, uint256 table, uint256 vanishing)
    {
        assembly ("memory-safe") {
            // m values from p on; the sum of what is added to and taken from all parents
            function quadruple(p, off, u, step, quarter) -> Y {
                for { let end := add(p, off) } lt(p, end) { p := add(p, 32) } {
                    let a := mload(p)
                    let y := mulmod(mulmod(u, u, R), a, R)
                    Y := addmod(Y, y, R)
                    let b := sub(add(a, R), y)
                    a := add(a, y)
                    y := mulmod(u, a, R)
                    Y := addmod(Y, y, R)
                    mstore(p, addmod(a, y, R))
                    mstore(add(p, shl(1, off)), addmod(a, sub(R, y), R))
                    y := mulmod(mulmod(u, quarter, R), b, R)
                    Y := addmod(Y, y, R)
                    mstore(add(p, off), addmod(b, y, R))
                    mstore(add(p, mul(3, off)), addmod(b, sub(R, y), R))
                    u := mulmod(u, step, R)
                }
            }
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
            // An odd number of levels starts with one by itself.
            let m := 1
            if and(t, 1) {
                f := sub(f, 64)
                let y := mulmod(mload(f), unorder, R)
                mstore(place, addmod(unorder, y, R))
                mstore(add(place, 32), addmod(unorder, sub(R, y), R))
                table := addmod(sum, sub(R, y), R)
                sum := addmod(sum, sum, R)
                m := 2
            }
            // Two levels at once: of P four children, at i, i + m, i + 2 m and i + 3 m. With u = zeta^e w^(-i e) of the
            // finer level, y = u^2 P, A = P + y and B = P - y, they are A + u A, B + u' B, A - u A, B - u' B, where
            // u' = u w^(-m e) = u w^(-n/4). A and B stay below 2 r.
            let quarter := mload(add(sub(add(place, add(shl(5, n), shl(6, t))), 128), 32))
            for {} lt(m, n) { m := shl(2, m) } {
                f := sub(f, 128)
                let Y := quadruple(place, shl(5, m), mload(f), mload(add(f, 32)), quarter)
                // 2 (2 T + m (S - Y)) + 2 m (2 S - Z), with both sums in one
                table := addmod(table, table, R)
                table := addmod(table, table, R)
                Y := addmod(mulmod(3, sum, R), sub(R, Y), R)
                table := addmod(table, mulmod(shl(1, m), Y, R), R)
                sum := mulmod(4, sum, R)
            }
        }
    }
}
