// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {R} from "./Field.sol";
import {Program, ProgramUnsupported} from "./Program.sol";

/// @title The equations of a program, weighted by powers of beta, at zeta
/// @dev A run is weighed by Horner's rule. Its entries are biased by half their range H: with k = H / (beta - 1) a sum that
/// starts at -k and ends with k added comes to sum beta^i (entry - H), since sum beta^i H = k (beta^m - 1).
library Equations {
    uint256 private constant HEAD = 128;
    uint256 private constant ENTRY = 0xffffffffffffffff;

    /// @dev What all runs need.
    /// @param powers where the powers of beta lie.
    /// @param lagrange where the Lagrange values at zeta lie.
    /// @param beta the challenge.
    /// @param bias 2^63 / (beta - 1).
    /// @param used how many Lagrange values there are.
    struct Weights {
        uint256 powers;
        uint256 lagrange;
        uint256 beta;
        uint256 bias;
        uint256 used;
    }

    /// @notice A run at `place`: its sum with the weights of its equations, and where the next one starts.
    function run(Weights memory w, uint256 place) internal pure returns (uint256 next, uint256 variable, uint256 sum) {
        assembly ("memory-safe") {
            let head := mload(place)
            let beta := mload(add(w, 64))
            let k := mload(add(w, 96))
            let size := and(shr(192, head), 0x3fff)
            variable := shr(232, head)
            place := add(place, 8)
            switch and(shr(206, head), 3)
            case 0 {
                sum := sub(R, k)
                for { next := add(place, shl(3, and(size, 0x3ffc))) } lt(place, next) { place := add(place, 32) } {
                    let word := mload(place)
                    sum := add(mulmod(sum, beta, R), shr(192, word))
                    sum := add(mulmod(sum, beta, R), and(shr(128, word), ENTRY))
                    sum := add(mulmod(sum, beta, R), and(shr(64, word), ENTRY))
                    sum := add(mulmod(sum, beta, R), and(word, ENTRY))
                }
                for { next := add(place, shl(3, and(size, 3))) } lt(place, next) { place := add(place, 8) } {
                    sum := add(mulmod(sum, beta, R), shr(192, mload(place)))
                }
            }
            case 1 {
                k := mulmod(k, 0x10000000000000000, R)
                sum := sub(R, k)
                for { next := add(place, shl(4, size)) } lt(place, next) { place := add(place, 16) } {
                    sum := add(mulmod(sum, beta, R), shr(128, mload(place)))
                }
            }
            default {
                // 2^192: the bias is 2^255
                k := mulmod(k, 0x1000000000000000000000000000000000000000000000000, R)
                sum := sub(R, k)
                for { next := add(place, shl(5, size)) } lt(place, next) { place := add(place, 32) } {
                    sum := addmod(mulmod(sum, beta, R), mload(place), R)
                }
            }
            // The sum is below r + 2^128, and k below r.
            let first := and(shr(208, head), 0xffffff)
            sum := mulmod(add(sum, k), mload(add(mload(w), shl(5, first))), R)
        }
    }

    /// @notice The weighted sum of runs without regard to their variables.
    function total(Weights memory w, uint256 place, uint256 count) internal pure returns (uint256 next, uint256 sum) {
        for (next = place; count != 0; --count) {
            uint256 one;
            (next,, one) = run(w, next);
            sum = addmod(sum, one, R);
        }
    }

    /// @notice The weighted sum of runs, each times the Lagrange value of its variable, which must be among those that there are.
    function column(Weights memory w, uint256 place, uint256 count) internal pure returns (uint256 next, uint256 sum) {
        uint256 lagrange = w.lagrange;
        uint256 used = w.used;
        for (next = place; count != 0; --count) {
            uint256 one;
            uint256 variable;
            (next, variable, one) = run(w, next);
            if (variable >= used) revert ProgramUnsupported();
            assembly ("memory-safe") {
                sum := addmod(sum, mulmod(one, mload(add(lagrange, shl(5, variable))), R), R)
            }
        }
    }

    /// @notice The leading equations, the i-th of which has slot i alone: sum beta^i L_i.
    function singles(Weights memory w, uint256 count) internal pure returns (uint256 sum) {
        assembly ("memory-safe") {
            let p := mload(w)
            let l := mload(add(w, 32))
            for { let end := add(p, shl(5, count)) } lt(p, end) { p := add(p, 32) } {
                sum := addmod(sum, mulmod(mload(p), mload(l), R), R)
                l := add(l, 32)
            }
        }
    }

    /// @notice d_k at zeta for each limb column: row s weighs W_s = sum_i beta^i E[i, s], and its limb j 2^(t j) as much.
    /// @param s the program's shape.
    /// @param place where the runs of the row terms start.
    /// @return next where they end.
    /// @return columns where the values lie.
    function rows(Weights memory w, Program.Shape memory s, uint256 place)
        internal
        pure
        returns (uint256 next, uint256 columns)
    {
        uint256 header = s.place + HEAD;
        uint256 end = header + 8 * s.rows;
        uint256 n = 1 << s.t;
        uint256 out;
        assembly ("memory-safe") {
            columns := mload(0x40)
            out := columns
            mstore(0x40, add(columns, shl(5, mload(add(s, 96)))))
        }
        uint256 cell = w.lagrange;
        uint256 top = cell + 32 * n;
        uint256 d;
        next = place;
        for (; header < end; header += 8) {
            uint256 word;
            uint256 weight;
            assembly ("memory-safe") {
                word := mload(header)
            }
            for (uint256 count = (word >> 192) & 0xffffffff; count != 0; --count) {
                uint256 one;
                (next,, one) = run(w, next);
                weight = addmod(weight, one, R);
            }
            assembly ("memory-safe") {
                // L_c + n L_(c+1) + n^2 L_(c+2) .. for the cells from p to last
                function horner(p, last, order) -> acc {
                    let f := sub(last, 32)
                    for { let low := add(p, 63) } gt(f, low) { f := sub(f, 96) } {
                        acc := add(mulmod(acc, order, R), mload(f))
                        acc := add(mulmod(acc, order, R), mload(sub(f, 32)))
                        acc := add(mulmod(acc, order, R), mload(sub(f, 64)))
                    }
                    for { p := sub(p, 1) } gt(f, p) { f := sub(f, 32) } {
                        acc := add(mulmod(acc, order, R), mload(f))
                    }
                }
                // the -1 by which a defined row enters its own equation
                let own := and(shr(224, word), 0xffffff)
                if own { weight := addmod(weight, sub(R, mload(add(mload(w), shl(5, sub(own, 1))))), R) }
                let last := add(cell, shl(5, shr(248, word)))
                if iszero(lt(last, top)) {
                    // The column is full; the row may go on in the next, with n to the limbs that it has had.
                    d := addmod(d, mulmod(weight, horner(cell, top, n), R), R)
                    mstore(out, d)
                    out := add(out, 32)
                    d := 0
                    for {} lt(cell, top) { cell := add(cell, 32) } { weight := mulmod(weight, n, R) }
                    cell := mload(add(w, 32))
                    last := add(cell, sub(last, top))
                }
                if gt(last, cell) { d := addmod(d, mulmod(weight, horner(cell, last, n), R), R) }
                cell := last
            }
        }
        assembly ("memory-safe") {
            if lt(out, mload(0x40)) { mstore(out, d) }
        }
    }
}
