"""Exact products of large sparse matrices with columns of integers of any size.

Entries are cut into digits of 32 bits and the column into shorter ones, so that sums of products over a whole row
fit signed 64-bit words; each pair of digits is one pass of numpy, and the passes are joined as Python integers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

_DIGIT = 32
_LOW_HALF = np.uint64((1 << _DIGIT) - 1)


def row_sums(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    low: NDArray[np.uint64],
    high: NDArray[np.int64],
    vector: Sequence[int],
) -> list[int]:
    """out[r] = sum of (high * 2^64 + low)[k] * vector[indices[k]] over indptr[r] <= k < indptr[r + 1]."""
    active = np.array([value != 0 for value in vector], np.bool_)
    starts, used = indptr, active[indices]
    if not used.all():
        places = np.flatnonzero(used)
        starts = np.concatenate(([0], np.cumsum(used)))[indptr]
        indices, low, high = indices[places], low[places], high[places]
    rows, filled = len(indptr) - 1, np.flatnonzero(np.diff(starts))
    out = [0] * rows
    if not len(filled):
        return out
    longest = int(np.diff(starts).max())
    digits = [(shift, digit[indices]) for shift, digit in _column_digits(vector, longest)]
    total = [0] * len(filled)
    for place, entry in _entry_digits(low, high):
        for shift, digit in digits:
            sums = np.add.reduceat(entry * digit, starts[filled]).tolist()
            total = [t + (s << (place + shift)) for t, s in zip(total, sums, strict=True)]
    for row, value in zip(filled.tolist(), total, strict=True):
        out[row] = value
    return out


def _entry_digits(
    low: NDArray[np.uint64], high: NDArray[np.int64]
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """(shift, digit) with entry = sum of digit * 2^shift; all digits lie in [-2^31, 2^32)."""
    words = low.view(np.int64)
    yield 0, (low & _LOW_HALF).view(np.int64)
    if np.array_equal(high, words >> np.int64(63)):
        # The entries fit 64 bits: the upper half of the low word carries the sign.
        yield _DIGIT, words >> np.int64(_DIGIT)
        return
    yield _DIGIT, (low >> np.uint64(_DIGIT)).view(np.int64)
    yield 2 * _DIGIT, (high.view(np.uint64) & _LOW_HALF).view(np.int64)
    yield 3 * _DIGIT, high >> np.int64(_DIGIT)


def _column_digits(vector: Sequence[int], longest: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """(shift, digit) with value = sum of digit * 2^shift, short enough for sums of `longest` products.

    A product is below 2^(32 + width), and the sum of `longest` of them below 2^63.
    """
    width = 63 - _DIGIT - longest.bit_length()
    mask = (1 << width) - 1
    signs = [-1 if value < 0 else 1 for value in vector]
    sizes = [abs(value) for value in vector]
    top = max(sizes).bit_length()
    for shift in range(0, top, width):
        cut = [sign * (size >> shift & mask) for sign, size in zip(signs, sizes, strict=True)]
        yield shift, np.array(cut, np.int64)
