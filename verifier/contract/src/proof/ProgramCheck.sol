// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Program, ProgramUnsupported} from "./Program.sol";

/// @title A program's form, checked once when it is published
/// @dev Verification relies on it: counts of runs are right, every run speaks of an equation and a variable that are there,
/// and the runs end where the program ends.
library ProgramCheck {
    uint256 private constant HEAD = 128;

    /// @notice Reverts unless the bytes are a program whose proofs can be verified.
    /// @return bits log2 of the domain's size.
    function check(uint256 place, uint256 size) internal pure returns (uint256 bits) {
        Program.Shape memory s = Program.shape(place, size);
        bits = s.t;
        uint256 head = _word(place);
        uint256 counts = _word(place + 32);
        bool good = counts << 96 == 0;
        uint256 end = place + size;
        uint256 squares = (head >> 160) & 0xffff;
        uint256 n = 1 << s.t;
        good = good && squares <= n && (head >> 64) & 0xffffffff <= _least(n, s.equations);
        uint256 next = place + HEAD;
        uint256 runs;
        for (uint256 i = 0; i < s.rows; ++i) {
            uint256 word = _word(next);
            runs += (word >> 192) & 0xffffffff;
            good = good && word >> 248 != 0 && (word >> 224) & 0xffffff <= s.equations;
            next += 8;
        }
        good = good && runs == head & 0xffffffff;
        bool fine;
        (next, fine) = _runs(next, end, (head >> 32) & 0xffffffff, 1, s.equations);
        good = good && fine;
        (next, fine) = _rows(place, next, end, s);
        good = good && fine;
        (next, fine) = _runs(next, end, counts >> 224, squares, s.equations);
        good = good && fine;
        (next, fine) = _runs(next, end, (counts >> 192) & 0xffffffff, squares, s.equations);
        good = good && fine;
        (next, fine) = _runs(next, end, (counts >> 160) & 0xffffffff, n, s.equations);
        if (!good || !fine || next != end) revert ProgramUnsupported();
    }

    /// @dev The runs of the row terms: as many for each row as its header says, each of that row.
    function _rows(uint256 place, uint256 next, uint256 end, Program.Shape memory s)
        private
        pure
        returns (uint256, bool good)
    {
        good = true;
        for (uint256 i = 0; i < s.rows; ++i) {
            uint256 count = (_word(place + HEAD + 8 * i) >> 192) & 0xffffffff;
            for (; count != 0 && next < end; --count) {
                bool fine;
                good = good && _word(next) >> 232 == i;
                (next, fine) = _runs(next, end, 1, s.rows, s.equations);
                good = good && fine;
            }
            good = good && count == 0;
        }
        return (next, good);
    }

    function _runs(uint256 next, uint256 end, uint256 count, uint256 variables, uint256 equations)
        private
        pure
        returns (uint256, bool good)
    {
        good = true;
        for (; count != 0 && next + 8 <= end; --count) {
            uint256 word = _word(next);
            uint256 code = (word >> 206) & 3;
            uint256 entries = (word >> 192) & 0x3fff;
            good = good && code < 3 && entries != 0 && word >> 232 < variables
                && ((word >> 208) & 0xffffff) + entries <= equations;
            next += 8 + entries * (8 << code);
        }
        return (next, good && count == 0 && next <= end);
    }

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    function _word(uint256 place) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(place)
        }
    }
}
