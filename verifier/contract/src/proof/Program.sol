// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The bytes are no program that this contract can verify proofs of.
error ProgramUnsupported();

/// @title A relation as packed bytes: what a snapshot, a model and a level come to, without the threshold
/// @dev 128 bytes of head, 8 bytes a row, then runs of coefficients: variable (3), first equation (3), width code and
/// number of entries (2), entries from the last equation to the first, of 8, 16 or 32 bytes, biased by half their range.
library Program {
    /// @dev What the head says, and what follows from it at once.
    /// @param place where the program lies in memory.
    /// @param t log2 of the domain's size n.
    /// @param group how many limb columns share a lookup helper, and in how many chunks the quotient comes.
    /// @param limbs how many limb columns.
    /// @param helpers how many lookup helpers.
    /// @param squares whether there is a square column.
    /// @param equations how many equations.
    /// @param rows how many rows.
    /// @param cells how many limb cells.
    struct Shape {
        uint256 place;
        uint256 t;
        uint256 group;
        uint256 limbs;
        uint256 helpers;
        bool squares;
        uint256 equations;
        uint256 rows;
        uint256 cells;
    }

    uint256 private constant HEAD = 128;
    uint256 private constant MAGIC = 0x7a6b6d3100; // "zkm1", and direct mode

    /// @notice Puts a program into memory whose parts lie in the code of several accounts, each after one zero byte.
    function load(address[] memory chunks) internal view returns (uint256 place, uint256 size) {
        assembly ("memory-safe") {
            place := mload(0x40)
            let end := place
            let from := add(chunks, 32)
            for { let limit := add(from, shl(5, mload(chunks))) } lt(from, limit) { from := add(from, 32) } {
                let account := mload(from)
                let length := extcodesize(account)
                if length {
                    length := sub(length, 1)
                    extcodecopy(account, end, 1, length)
                    end := add(end, length)
                }
            }
            size := sub(end, place)
            // A word beyond the last is read, and must not be counted on.
            mstore(end, 0)
            mstore(0x40, and(add(end, 95), not(31)))
        }
    }

    /// @notice The shape of a program in memory.
    function shape(uint256 place, uint256 size) internal pure returns (Shape memory s) {
        uint256 head;
        assembly ("memory-safe") {
            head := mload(place)
        }
        s.place = place;
        s.t = (head >> 208) & 0xff;
        s.group = (head >> 192) & 0xffff;
        s.squares = (head >> 160) & 0xffff != 0;
        s.equations = (head >> 128) & 0xffffffff;
        s.rows = (head >> 96) & 0xffffffff;
        bool good = size >= HEAD && head >> 216 == MAGIC && s.t >= 6 && s.t <= 11 && s.group != 0;
        // one holdings column
        good = good && (head >> 176) & 0xffff == 1 && s.equations != 0 && HEAD + 8 * s.rows <= size;
        if (!good) revert ProgramUnsupported();
        s.cells = _cells(place + HEAD, s.rows);
        s.limbs = (s.cells + (1 << s.t) - 1) >> s.t;
        s.helpers = (s.limbs + s.group - 1) / s.group;
        if (s.limbs == 0 || s.limbs > 64) revert ProgramUnsupported();
    }

    /// @notice What one tick of threshold takes off the last constant, and the greatest magnitude of a threshold.
    function closing(uint256 place) internal pure returns (uint256 step, uint256 reach) {
        assembly ("memory-safe") {
            step := mload(add(place, 64))
            reach := mload(add(place, 96))
        }
    }

    /// @dev The limbs of all rows: the first byte of each header, four at a time.
    function _cells(uint256 from, uint256 rows) private pure returns (uint256 cells) {
        assembly ("memory-safe") {
            let mask := 0xff00000000000000ff00000000000000ff00000000000000ff00000000000000
            let sum := 0
            let limit := add(from, shl(3, and(rows, not(3))))
            for {} lt(from, limit) { from := add(from, 32) } {
                sum := add(sum, shr(56, and(mload(from), mask)))
            }
            for { limit := add(limit, shl(3, and(rows, 3))) } lt(from, limit) { from := add(from, 8) } {
                cells := add(cells, shr(248, mload(from)))
            }
            let lane := 0xffffffffffffffff
            cells := add(cells, and(sum, lane))
            cells := add(cells, and(shr(64, sum), lane))
            cells := add(cells, and(shr(128, sum), lane))
            cells := add(cells, shr(192, sum))
        }
    }
}
