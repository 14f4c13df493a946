"""Sparse integer matrices: the linear part of a relation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from zkmargin.circuits.errors import RelationError
from zkmargin.circuits.matrix_products import row_sums

_WORD = (1 << 64) - 1
_LIMIT = 1 << 127


@dataclass(frozen=True)
class MatrixRow:
    """One row of a matrix that is there already: what stands for a mapping where thousands would be slow."""

    matrix: IntMatrix
    index: int


@dataclass(frozen=True, eq=False)
class IntMatrix:
    """A matrix of signed 128-bit integers in compressed sparse rows.

    Row ``r`` holds the entries ``indptr[r] : indptr[r + 1]``; an entry is ``high * 2**64 + low``.

    Attributes:
        cols: the number of columns.
        indptr: int64, shape (rows + 1,).
        indices: int32, shape (nonzeros,), ascending within a row.
        low: uint64, shape (nonzeros,).
        high: int64, shape (nonzeros,).
    """

    cols: int
    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    low: NDArray[np.uint64]
    high: NDArray[np.int64]

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[int, int] | MatrixRow], cols: int) -> IntMatrix:
        """Build from one ``{column: value}`` mapping, or row of another matrix, a row; zeros are left out.

        Raises:
            ValueError: a column lies outside ``0 <= column < cols``.
            RelationError: a value needs more than 128 bits.

        >>> IntMatrix.from_rows([{2: -5}, {}, {0: 1 << 70}], 3).row(2)
        {0: 1180591620717411303424}
        """
        parts = [
            _copied(list(group)) if stored else _listed(group)
            for stored, group in groupby(rows, key=lambda row: isinstance(row, MatrixRow))
        ]
        sizes, indices, low, high = (
            np.concatenate([part[k] for part in parts]) if parts else np.zeros(0, np.int64) for k in range(4)
        )
        if len(indices) and not (indices.min() >= 0 and indices.max() < cols):
            raise ValueError(f"a matrix column lies outside 0..{cols - 1}")
        indptr = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)))
        return cls(
            cols, indptr, indices.astype(np.int32), low.astype(np.uint64), high.astype(np.int64, copy=False)
        )

    @classmethod
    def scaled(cls, table: NDArray[np.int64], factors: Sequence[int]) -> IntMatrix:
        """The rows of ``table`` with column c multiplied by ``factors[c]``; zeros are left out.

        Raises:
            RelationError: a product needs more than 128 bits.
        """
        used = table != 0
        indptr = np.concatenate((np.zeros(1, np.int64), np.cumsum(used.sum(axis=1), dtype=np.int64)))
        indices = np.broadcast_to(np.arange(table.shape[1], dtype=np.int32), table.shape)[used]
        largest = np.maximum(table.max(axis=0), -1 - table.min(axis=0)).tolist() if len(table) else []
        if all((size + 1) * abs(factor) < 1 << 63 for size, factor in zip(largest, factors, strict=True)):
            words = (table * np.array(factors, np.int64))[used]
            return cls(table.shape[1], indptr, indices, words.view(np.uint64), words >> np.int64(63))
        pairs = zip(table[used].tolist(), indices.tolist(), strict=True)
        low, high = _split([value * factors[column] for value, column in pairs])
        return cls(table.shape[1], indptr, indices, low, high)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.indptr) - 1

    @property
    def nonzeros(self) -> int:
        """The number of stored entries."""
        return len(self.indices)

    def values(self) -> list[int]:
        """All stored entries as Python integers, row by row."""
        pairs = zip(self.high.tolist(), self.low.tolist(), strict=True)
        return [(high << 64) + low for high, low in pairs]

    def row(self, index: int) -> dict[int, int]:
        """The entries of one row."""
        span = slice(int(self.indptr[index]), int(self.indptr[index + 1]))
        pairs = zip(self.high[span].tolist(), self.low[span].tolist(), strict=True)
        return dict(zip(self.indices[span].tolist(), ((h << 64) + w for h, w in pairs), strict=True))

    def times(self, vector: Sequence[int]) -> list[int]:
        """The exact product with a column of integers; only its non-zero places are visited."""
        return row_sums(self.indptr, self.indices, self.low, self.high, vector)

    @cached_property
    def mappings(self) -> tuple[Mapping[int, int], ...]:
        """All rows as ``{column: value}``, made once."""
        ends, columns, values = self.indptr.tolist(), self.indices.tolist(), self.values()
        return tuple(
            dict(zip(columns[start:end], values[start:end], strict=True)) for start, end in pairwise(ends)
        )

    def columns(self, start: int, stop: int) -> IntMatrix:
        """The matrix of the columns ``start <= column < stop`` alone."""
        chosen = (self.indices >= start) & (self.indices < stop)
        indptr = np.concatenate((np.zeros(1, np.int64), np.cumsum(chosen, dtype=np.int64)))[self.indptr]
        indices = self.indices[chosen] - np.int32(start)
        return IntMatrix(stop - start, indptr, indices, self.low[chosen], self.high[chosen])

    @cached_property
    def magnitudes(self) -> IntMatrix:
        """The matrix of absolute values.

        Raises:
            RelationError: an entry is -2**127, whose absolute value needs more than 128 bits.
        """
        negative = self.high < 0
        # The complement of both words and one more; the carry passes where the low word is 0.
        low = np.where(negative, ~self.low + np.uint64(1), self.low)
        high = np.where(negative, ~self.high + (self.low == 0), self.high)
        if (high < 0).any():
            raise RelationError(f"a matrix entry needs more than 128 bits: {_LIMIT}")
        return IntMatrix(self.cols, self.indptr, self.indices, low, high)


_Parts = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64]]
"""Of several rows: how many entries each has, their columns, low words and high words."""


def _listed(rows: Iterable[Mapping[int, int] | MatrixRow]) -> _Parts:
    sizes: list[int] = []
    indices: list[int] = []
    values: list[int] = []
    for row in rows:
        assert not isinstance(row, MatrixRow)  # the caller has told them apart
        before = len(indices)
        for column in sorted(row):
            if row[column]:
                indices.append(column)
                values.append(row[column])
        sizes.append(len(indices) - before)
    return np.array(sizes, np.int64), np.array(indices, np.int64), *_split(values)


def _copied(rows: Sequence[Mapping[int, int] | MatrixRow]) -> _Parts:
    """Rows of other matrices: runs of neighbours are copied at once."""
    stored = [row for row in rows if isinstance(row, MatrixRow)]
    starts = [k for k, row in enumerate(stored) if k == 0 or not _follows(stored[k - 1], row)]
    parts: list[_Parts] = []
    for start, end in pairwise([*starts, len(stored)]):
        matrix, first, last = stored[start].matrix, stored[start].index, stored[end - 1].index + 1
        span = slice(int(matrix.indptr[first]), int(matrix.indptr[last]))
        sizes = np.diff(matrix.indptr[first : last + 1])
        parts.append((sizes, matrix.indices[span].astype(np.int64), matrix.low[span], matrix.high[span]))
    return (
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
        np.concatenate([part[3] for part in parts]),
    )


def _follows(before: MatrixRow, row: MatrixRow) -> bool:
    return before.matrix is row.matrix and before.index + 1 == row.index


def _split(values: Sequence[int]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The low words and the signed high words of 128-bit integers."""
    try:
        words = np.array(values, np.int64)
    except OverflowError:
        for value in values:
            if not -_LIMIT <= value < _LIMIT:
                raise RelationError(f"a matrix entry needs more than 128 bits: {value}") from None
        low = np.array([value & _WORD for value in values], np.uint64)
        return low, np.array([value >> 64 for value in values], np.int64)
    return words.view(np.uint64), words >> np.int64(63)
