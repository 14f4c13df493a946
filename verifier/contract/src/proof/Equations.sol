// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {R} from "./Field.sol";
import {Program} from "./Program.sol";

/// @title The equations of a program, weighted by powers of beta, at zeta
/// @dev A run is weighed by Horner's rule. Its entries are biased by half their range H: with k = H / (beta - 1) a sum that
/// starts at -k and ends with k added comes to sum beta^i (entry - H), since sum beta^i H = k (beta^m - 1). Programs were
/// checked when they were published (`ProgramCheck`): what a run speaks of is there.
library Equations {
    uint256 private constant HEAD = 128;

    /// @dev What all runs need.
    /// @param powers where the powers of beta lie.
    /// @param lagrange where the Lagrange values at zeta lie.
    /// @param beta the challenge.
    /// @param bias 2^63 / (beta - 1).
    struct Weights {
        uint256 powers;
        uint256 lagrange;
        uint256 beta;
        uint256 bias;
    }

    /// @dev The sum of a run's entries without the power of its first equation, and where the next run starts.
    function _horner(uint256 place, uint256 head, uint256 beta, uint256 k)
        private
        pure
        returns (uint256 next, uint256 sum)
    {
        assembly ("memory-safe") {
            let size := and(shr(192, head), 0x3fff)
            place := add(place, 8)
            switch and(shr(206, head), 3)
            case 0 {
                sum := sub(R, k)
                // The words of 4 entries, two at a time, and one that may be left.
                for { next := add(place, shl(3, and(size, 0x3ff8))) } lt(place, next) { place := add(place, 64) } {
                    let w := mload(place)
                    sum :=
                        add(
                            mulmod(
                                add(
                                    mulmod(
                                        add(
                                            mulmod(
                                                add(mulmod(sum, beta, R), shr(192, w)), beta, R
                                            ),
                                            and(shr(128, w), 0xffffffffffffffff)
                                        ),
                                        beta,
                                        R
                                    ),
                                    and(shr(64, w), 0xffffffffffffffff)
                                ),
                                beta,
                                R
                            ),
                            and(w, 0xffffffffffffffff)
                        )
                    w := mload(add(place, 32))
                    sum :=
                        add(
                            mulmod(
                                add(
                                    mulmod(
                                        add(
                                            mulmod(
                                                add(mulmod(sum, beta, R), shr(192, w)), beta, R
                                            ),
                                            and(shr(128, w), 0xffffffffffffffff)
                                        ),
                                        beta,
                                        R
                                    ),
                                    and(shr(64, w), 0xffffffffffffffff)
                                ),
                                beta,
                                R
                            ),
                            and(w, 0xffffffffffffffff)
                        )
                }
                for { next := add(place, shl(3, and(size, 7))) } lt(place, next) { place := add(place, 8) } {
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
                // The bias is 2^255.
                k := mulmod(k, 0x1000000000000000000000000000000000000000000000000, R)
                sum := sub(R, k)
                for { next := add(place, shl(5, size)) } lt(place, next) { place := add(place, 32) } {
                    sum := addmod(mulmod(sum, beta, R), mload(place), R)
                }
            }
            // The sum is below r + 2^128, and k below r.
            sum := add(sum, k)
        }
    }

    /// @notice The weighted sum of runs, each times the Lagrange value of its variable.
    function column(Weights memory w, uint256 place, uint256 count)
        internal
        pure
        returns (uint256 next, uint256 sum)
    {
        uint256 powers = w.powers;
        uint256 lagrange = w.lagrange;
        uint256 beta = w.beta;
        uint256 bias = w.bias;
        for (next = place; count != 0;) {
            uint256 head;
            uint256 one;
            assembly ("memory-safe") {
                head := mload(next)
            }
            if ((head >> 192) & 0xffff == 1) {
                // one entry of 8 bytes
                assembly ("memory-safe") {
                    one := add(shr(192, mload(add(next, 8))), sub(R, 0x8000000000000000))
                    next := add(next, 16)
                }
            } else {
                (next, one) = _horner(next, head, beta, bias);
            }
            assembly ("memory-safe") {
                one := mulmod(one, mload(add(powers, and(shr(203, head), 0x1fffffe0))), R)
                one := mulmod(one, mload(add(lagrange, and(shr(227, head), 0x1fffffe0))), R)
                sum := addmod(sum, one, R)
                count := sub(count, 1)
            }
        }
    }

    /// @notice The weighted sum of runs without regard to their variables.
    function total(Weights memory w, uint256 place, uint256 count)
        internal
        pure
        returns (uint256 next, uint256 sum)
    {
        return _total(w.powers, w.beta, w.bias, place, count);
    }

    function _total(uint256 powers, uint256 beta, uint256 bias, uint256 place, uint256 count)
        private
        pure
        returns (uint256 next, uint256 sum)
    {
        for (next = place; count != 0;) {
            uint256 head;
            uint256 one;
            assembly ("memory-safe") {
                head := mload(next)
            }
            if ((head >> 192) & 0xffff == 1) {
                assembly ("memory-safe") {
                    one := add(shr(192, mload(add(next, 8))), sub(R, 0x8000000000000000))
                    next := add(next, 16)
                }
            } else {
                (next, one) = _horner(next, head, beta, bias);
            }
            assembly ("memory-safe") {
                one := mulmod(one, mload(add(powers, and(shr(203, head), 0x1fffffe0))), R)
                sum := addmod(sum, one, R)
                count := sub(count, 1)
            }
        }
    }

    /// @notice The leading equations, the i-th of which has slot i alone: sum beta^i L_i.
    function singles(Weights memory w, uint256 count) internal pure returns (uint256 sum) {
        assembly ("memory-safe") {
            let p := mload(w)
            let off := sub(mload(add(w, 32)), p)
            for { let end := add(p, shl(5, count)) } lt(p, end) { p := add(p, 32) } {
                sum := addmod(sum, mulmod(mload(p), mload(add(p, off)), R), R)
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
        next = place;
        uint256 d;
        while (header < end) {
            uint256 word;
            uint256 weight;
            assembly ("memory-safe") {
                word := mload(header)
                header := add(header, 8)
            }
            if ((word >> 192) & 0xffffffff != 0) {
                (next, weight) = _total(w.powers, w.beta, w.bias, next, (word >> 192) & 0xffffffff);
            }
            uint256 last;
            assembly ("memory-safe") {
                // the -1 by which a defined row enters its own equation
                let own := and(shr(219, word), 0x1fffffe0)
                if own { weight := addmod(weight, sub(R, mload(sub(add(mload(w), own), 32))), R) }
                last := add(cell, shl(5, shr(248, word)))
            }
            if (last < top) {
                d = _limbs(d, weight, cell, last, n);
                cell = last;
                continue;
            }
            // The column is full; the row may go on in the next, with n to the limbs that it has had.
            d = _limbs(d, weight, cell, top, n);
            assembly ("memory-safe") {
                mstore(out, d)
                out := add(out, 32)
                d := 0
                for {} lt(cell, top) { cell := add(cell, 32) } { weight := mulmod(weight, n, R) }
                cell := mload(add(w, 32))
                last := add(cell, sub(last, top))
            }
            if (last > cell) d = _limbs(0, weight, cell, last, n);
            cell = last;
        }
        assembly ("memory-safe") {
            if lt(out, mload(0x40)) { mstore(out, d) }
        }
    }

    /// @dev d + weight (L_c + n L_(c+1) + n^2 L_(c+2) ..) for the cells from p to last, of which there is one at least.
    function _limbs(uint256 d, uint256 weight, uint256 p, uint256 last, uint256 n) private pure returns (uint256 sum) {
        assembly ("memory-safe") {
            let acc := 0
            for { let low := add(p, 64) } gt(last, low) { last := sub(last, 96) } {
                acc := add(mulmod(acc, n, R), mload(sub(last, 32)))
                acc := add(mulmod(acc, n, R), mload(sub(last, 64)))
                acc := add(mulmod(acc, n, R), mload(sub(last, 96)))
            }
            for {} gt(last, p) {} {
                last := sub(last, 32)
                acc := add(mulmod(acc, n, R), mload(last))
            }
            sum := addmod(d, mulmod(weight, acc, R), R)
        }
    }
}
