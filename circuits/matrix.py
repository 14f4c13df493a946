"""Sparse integer matrices: the linear part of a relation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_WORD = (1 << 64) - 1
_LIMIT = 1 << 127


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
    def from_rows(cls, rows: Iterable[Mapping[int, int]], cols: int) -> IntMatrix:
        """Build from one ``{column: value}`` mapping a row; zero values are left out.

        Raises:
            ValueError: a column lies outside ``0 <= column < cols`` or a value needs more than 128 bits.

        >>> IntMatrix.from_rows([{2: -5}, {}, {0: 1 << 70}], 3).row(2)
        {0: 1180591620717411303424}
        """
        indptr, indices, values = [0], [], []
        for row in rows:
            for column in sorted(row):
                if row[column]:
                    indices.append(column)
                    values.append(row[column])
            indptr.append(len(indices))
        if indices and not (min(indices) >= 0 and max(indices) < cols):
            raise ValueError(f"a matrix column lies outside 0..{cols - 1}")
        low, high = _split(values)
        return cls(cols, np.array(indptr, np.int64), np.array(indices, np.int32), low, high)

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
        active = np.zeros(self.cols, np.bool_)
        active[[i for i, value in enumerate(vector) if value]] = True
        places = np.flatnonzero(active[self.indices])
        owners = np.searchsorted(self.indptr, places, side="right") - 1
        out = [0] * self.rows
        entries = zip(
            owners.tolist(),
            self.indices[places].tolist(),
            self.high[places].tolist(),
            self.low[places].tolist(),
            strict=True,
        )
        for owner, column, high, low in entries:
            out[owner] += ((high << 64) + low) * vector[column]
        return out

    @cached_property
    def mappings(self) -> tuple[Mapping[int, int], ...]:
        """All rows as ``{column: value}``, made once."""
        ends, columns, values = self.indptr.tolist(), self.indices.tolist(), self.values()
        return tuple(
            dict(zip(columns[start:end], values[start:end], strict=True)) for start, end in pairwise(ends)
        )

    def magnitudes(self) -> IntMatrix:
        """The matrix of absolute values."""
        low, high = _split([abs(value) for value in self.values()])
        return IntMatrix(self.cols, self.indptr, self.indices, low, high)

    def encode(self) -> bytes:
        """Canonical bytes: the shape, then the four arrays in little-endian order."""
        head = f"{self.rows}x{self.cols}:{self.nonzeros};".encode()
        arrays = (
            self.indptr.astype("<i8"),
            self.indices.astype("<i4"),
            self.low.astype("<u8"),
            self.high.astype("<i8"),
        )
        return head + b"".join(array.tobytes() for array in arrays)


def _split(values: Sequence[int]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The low words and the signed high words of 128-bit integers."""
    try:
        words = np.array(values, np.int64)
    except OverflowError:
        for value in values:
            if not -_LIMIT <= value < _LIMIT:
                raise ValueError(f"a matrix entry needs more than 128 bits: {value}") from None
        low = np.array([value & _WORD for value in values], np.uint64)
        return low, np.array([value >> 64 for value in values], np.int64)
    return words.view(np.uint64), words >> np.int64(63)
