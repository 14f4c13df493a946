"""Arrays of integers of up to 116 bits in pairs of 64-bit words, and exact linear forms by floating-point
products.

A product of matrices in double precision is exact as long as no partial sum passes 2^53. Lots and table
entries are therefore cut into limbs small enough for that, the limbs are multiplied by BLAS, and the
pieces are put together again in integers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_DIGIT = 27
_DIGITS = 6
_DIGIT_MASK = (1 << _DIGIT) - 1
_LOW_BITS = 2 * _DIGIT

# Limbs of 21 and 20 bits over at most 2^11 slots keep every partial sum below 2^53.
_LOT_BITS = 21
_TABLE_BITS = 20


@dataclass(frozen=True)
class Wide:
    """Integers high * 2^54 + low with 0 <= low < 2^54, |value| < 2^116; both words of one shape."""

    high: NDArray[np.int64]
    low: NDArray[np.int64]

    def __add__(self, other: "Wide") -> "Wide":
        low = self.low + other.low
        return Wide(self.high + other.high + (low >> _LOW_BITS), low & ((1 << _LOW_BITS) - 1))

    def __neg__(self) -> "Wide":
        low = -self.low
        return Wide(-self.high + (low >> _LOW_BITS), low & ((1 << _LOW_BITS) - 1))

    def positive(self) -> "Wide":
        """max(0, value)."""
        keep = self.high >= 0
        return Wide(np.where(keep, self.high, 0), np.where(keep, self.low, 0))

    def least(self) -> "Wide":
        """The minimum along the last axis."""
        high = self.high.min(axis=-1)
        low = np.where(self.high == high[..., None], self.low, 1 << _LOW_BITS).min(axis=-1)
        return Wide(high, low)

    def integers(self) -> list[int]:
        """A one-dimensional array as Python integers."""
        words = zip(self.high.tolist(), self.low.tolist(), strict=True)
        return [(high << _LOW_BITS) + low for high, low in words]


def zeros(shape: tuple[int, ...]) -> Wide:
    """An array of zeros."""
    return Wide(np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64))


def linear(lots: NDArray[np.int64], table: NDArray[np.int64], scale: Sequence[int]) -> Wide:
    """out[a, k] = sum_i lots[a, i] * table[i, k] * scale[i], exactly.

    lots: (A, N), |.| < 2^62. table: (N, K), |.| < 2^63. N <= 2048, scale <= 10^15, and all sums of absolute
    values below 2^115, as the snapshot's bounds ensure.
    """
    digits = np.zeros((_DIGITS, lots.shape[0], table.shape[1]), dtype=np.int64)
    factors = np.array(scale, dtype=np.int64)
    for factor in np.unique(factors).tolist():
        slots = np.flatnonzero((factors == factor) & lots.any(axis=0))
        for lot_shift, lot_limb in _limbs(lots[:, slots], _LOT_BITS):
            for table_shift, table_limb in _limbs(table[slots], _TABLE_BITS):
                product = lot_limb @ table_limb
                # A weight is only as large as some slot's money, and fits the digits, where a product is
                # not zero.
                if product.any():
                    _accumulate(digits, product, factor << (lot_shift + table_shift))
    return _normalised(digits)


def _limbs(values: NDArray[np.int64], bits: int) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """values = sum of limb * 2^shift, limbs within (-2^bits, 2^bits)."""
    sign, rest, shift = np.sign(values), np.abs(values), 0
    while rest.any():
        yield shift, (sign * (rest & ((1 << bits) - 1))).astype(np.float64)
        rest, shift = rest >> bits, shift + bits


def _accumulate(digits: NDArray[np.int64], product: NDArray[np.float64], weight: int) -> None:
    """digits += product * weight in base 2^27; no digit passes 2^63, as fewer than 2^8 products are added."""
    whole = product.astype(np.int64)
    for place, part in enumerate((whole & _DIGIT_MASK, whole >> _DIGIT)):
        rest, position = weight, place
        while rest:
            if rest & _DIGIT_MASK:
                digits[position] += part * (rest & _DIGIT_MASK)
            rest, position = rest >> _DIGIT, position + 1


def _normalised(digits: NDArray[np.int64]) -> Wide:
    for position in range(_DIGITS - 1):
        digits[position + 1] += digits[position] >> _DIGIT
        digits[position] &= _DIGIT_MASK
    # Sums below 2^116 leave nothing but a sign in the last digits, so that the shifts cannot overflow.
    high = digits[2] + (digits[3] << _DIGIT) + (digits[4] << 2 * _DIGIT)
    return Wide(high, digits[0] + (digits[1] << _DIGIT))
