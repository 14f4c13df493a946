"""A relation as bytes: the program, which statements bind by its digest and a contract reads as it is.

A program says all that is proven, but for the threshold: the statement binds that beside it, and it enters as
``- step * threshold`` in the last equation's constant. Every matrix is written by columns, as *runs* of neighbouring
equations, so that whoever verifies weighs a run by Horner's rule in beta. All numbers are big-endian.

    head            128 bytes, see `_head`
    row headers     8 bytes a row: limbs (1), its own equation + 1 or 0 (3), runs of its coefficients (4)
    constants       runs over equations, variable 0
    row terms       runs, variable = row, without the -1 by which a defined row enters its own equation
    u, v            runs, variable = square cell
    holdings        runs, variable = holdings column * n + slot; none in a frame

    run             variable (3), first equation (3), width code and number of entries (2), then the entries
                    from the last equation to the first, of 8, 16 or 32 bytes each (code 0, 1 or 2 in the top 2 bits)

An entry v of w bytes is written as v + 2^(8 w - 1). Runs are ordered by variable, then by equation. A run starts and
ends with an entry that is not zero, goes on over at most `LONGEST_GAP` zeros in a row, and has at most `LONGEST_RUN`
entries; its width is the least that all its entries fit. Range rows stand first in every relation of a snapshot,
equation i on slot i alone with coefficient 1: the head counts these leading equations, and they have no runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zkmargin.circuits.errors import RelationError
from zkmargin.circuits.matrix import IntMatrix

if TYPE_CHECKING:
    from zkmargin.circuits.relation import Relation

MAGIC = b"zkm1"
DIRECT, FRAME = 0, 1
LONGEST_GAP = 3
LONGEST_RUN = (1 << 14) - 1
_SIGN = np.uint64(1 << 63)

_Run = tuple[int, int, list[int]]
"""Variable, first equation, entries from the first equation to the last."""


def encode_program(relation: Relation, *, frame: bool = False) -> bytes:
    """The program of a relation.

    Args:
        relation: what is proven; its own threshold leaves no trace.
        frame: leave out the coefficients on the holdings, for which commitments stand.

    Raises:
        RelationError: an index or a number does not fit its place.
    """
    single = 0 if frame else leading_singles(relation.holdings)
    own = _own(relation)
    rows, runs_of_row = _matrix_runs(relation.row_terms, own=own)
    squares = [_matrix_runs(relation.u_terms), _matrix_runs(relation.v_terms)]
    holdings = [] if frame else [_matrix_runs(relation.holdings, skip=single)]
    matrices = [(rows, runs_of_row), *squares, *holdings]
    counts = [int(runs.sum()) for _, runs in matrices] + [0] * frame
    constants = plain_runs({0: dict(enumerate(relation.constants_at_zero))})
    places = {row: equation + 1 for equation, row in enumerate(own.tolist()) if row >= 0}
    headers = b"".join(
        bytes([row.limbs]) + places.get(place, 0).to_bytes(3, "big") + runs.to_bytes(4, "big")
        for place, (row, runs) in enumerate(zip(relation.rows, runs_of_row.tolist(), strict=True))
    )
    head = _head(relation, frame, single, [len(constants), *counts])
    return head + headers + b"".join(map(encode_run, constants)) + b"".join(data for data, _ in matrices)


def _head(relation: Relation, frame: bool, single: int, runs: Sequence[int]) -> bytes:
    """The first 128 bytes.

    Magic (4), mode (1), t (1), g (2), holdings columns (2), square cells (2), equations (4), rows (4), leading
    equations of one slot (4); the numbers of runs of constants, row terms, u, v and holdings (4 each); zeros (20);
    step and reach (32 each).
    """
    numbers = (
        (FRAME if frame else DIRECT, 1),
        (relation.bits, 1),
        (relation.group, 2),
        (relation.columns, 2),
        (relation.squares, 2),
        (relation.equations, 4),
        (len(relation.rows), 4),
        (single, 4),
        *((count, 4) for count in runs),
        (0, 20),
        (relation.step, 32),
        (relation.reach, 32),
    )
    if max(relation.equations, len(relation.rows), relation.columns * relation.domain) >= 1 << 24:
        raise RelationError("a program has fewer than 2^24 equations, rows and variables")
    return MAGIC + b"".join(number.to_bytes(size, "big") for number, size in numbers)


def _own(relation: Relation) -> NDArray[np.int64]:
    """For each equation the row that it defines and has with -1, or else -1."""
    matrix, defines = relation.row_terms, np.array(relation.defines, np.int64)
    equations = np.repeat(np.arange(matrix.rows), np.diff(matrix.indptr))
    entered = (
        (defines[equations] == matrix.indices) & (matrix.high == -1) & (matrix.low == np.uint64(2**64 - 1))
    )
    own = np.full(matrix.rows, -1, np.int64)
    own[equations[entered]] = matrix.indices[entered]
    return own


def leading_singles(matrix: IntMatrix) -> int:
    """How many equations from the first on have the variable of their own number alone, with coefficient 1."""
    most = min(matrix.rows, matrix.cols)
    sizes, starts = np.diff(matrix.indptr)[:most], matrix.indptr[:-1][:most]
    alone = sizes == 1
    at = np.where(alone, starts, 0)
    if matrix.nonzeros:
        entries = (matrix.indices[at], matrix.low[at], matrix.high[at])
        wanted = (np.arange(most), np.uint64(1), 0)
        for found, value in zip(entries, wanted, strict=True):
            alone &= found == value
    return most if alone.all() else int(np.argmin(alone))


def plain_runs(columns: Mapping[int, Mapping[int, int]]) -> list[_Run]:
    """The runs of coefficients given as {variable: {equation: value}}, one by one."""
    runs: list[_Run] = []
    for variable in sorted(columns):
        last = -1
        for equation in sorted(columns[variable]):
            value = columns[variable][equation]
            if not value:
                continue
            gap = equation - last - 1
            if runs and last >= 0 and gap <= LONGEST_GAP and len(runs[-1][2]) + gap < LONGEST_RUN:
                runs[-1][2].extend([0] * gap + [value])
            else:
                runs.append((variable, equation, [value]))
            last = equation
    return runs


def encode_run(run: _Run) -> bytes:
    """A run's header and entries. Raises RelationError if an entry needs more than 256 bits."""
    variable, equation, entries = run
    for code, size in enumerate((8, 16, 32)):
        half = 1 << (8 * size - 1)
        if all(-half <= entry < half for entry in entries):
            head = variable << 40 | equation << 16 | code << 14 | len(entries)
            return head.to_bytes(8, "big") + b"".join(
                (entry + half).to_bytes(size, "big") for entry in reversed(entries)
            )
    raise RelationError("a constant of a program needs more than 256 bits")


def _matrix_runs(
    matrix: IntMatrix, *, skip: int = 0, own: NDArray[np.int64] | None = None
) -> tuple[bytes, NDArray[np.int64]]:
    """The runs of a matrix, all at once, and how many each variable has.

    Args:
        matrix: equations x variables.
        skip: leading equations that are left out.
        own: for each equation the variable whose entry is left out, or -1.
    """
    equations = np.repeat(np.arange(matrix.rows), np.diff(matrix.indptr))
    kept = equations >= skip
    if own is not None:
        kept &= own[equations] != matrix.indices
    order = np.flatnonzero(kept)
    order = order[np.argsort(matrix.indices[order], kind="stable")]
    variables, equations = matrix.indices[order].astype(np.int64), equations[order]
    if not len(order):
        return b"", np.zeros(matrix.cols, np.int64)
    low, high = matrix.low[order], matrix.high[order]
    starts = _starts(variables, equations)
    ends = np.append(starts[1:], len(order)) - 1
    first, last = equations[starts], equations[ends]
    wide = np.logical_or.reduceat(low.view(np.int64) >> np.int64(63) != high, starts).astype(np.int64)
    counts = last - first + 1
    sizes = 1 + counts * (1 + wide)
    offsets = np.cumsum(sizes) - sizes
    words = np.full(int(sizes.sum()), _SIGN)
    for run in np.flatnonzero(wide).tolist():
        words[offsets[run] + 2 : offsets[run] + sizes[run] : 2] = 0
    words[offsets] = (variables[starts] << 40 | first << 16 | wide << 14 | counts).view(np.uint64)
    run_of = np.repeat(np.arange(len(starts)), ends - starts + 1)
    places = offsets[run_of] + 1 + (last[run_of] - equations) * (1 + wide[run_of])
    is_wide = wide[run_of].astype(bool)
    words[places] = np.where(is_wide, high.view(np.uint64), low) ^ _SIGN
    words[places[is_wide] + 1] = low[is_wide]
    return words.astype(">u8").tobytes(), np.bincount(variables[starts], minlength=matrix.cols)


def _starts(variables: NDArray[np.int64], equations: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where runs start among entries ordered by variable, then equation."""
    breaks = (np.diff(variables) != 0) | (np.diff(equations) > LONGEST_GAP + 1)
    starts = np.concatenate((np.zeros(1, np.int64), np.flatnonzero(breaks) + 1))
    ends = np.append(starts[1:], len(equations))
    parts = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        parts.append(start)
        while equations[end - 1] - equations[parts[-1]] >= LONGEST_RUN:
            limit = equations[parts[-1]] + LONGEST_RUN
            parts.append(start + int(np.searchsorted(equations[start:end], limit)))
    return np.array(parts, np.int64)
