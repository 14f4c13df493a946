"""Profit and loss of an account over thousands of scenarios, exactly and at once.

Weights (lots times scale) and table entries are cut into limbs small enough that products of limbs, added over
all slots, are exact in double precision; BLAS multiplies them, and the pieces are joined as integers.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# What a double holds exactly: the bits of a limb, of a digit, and of the number of slots stay within it together.
_EXACT_BITS = 53

# Shorter digits than these cost more products than cutting the entries in two.
_FEWEST_DIGIT_BITS = 8

# Sums are collected in words of 27 bits: half a product, shifted by less than a word, stays below 2^54.
_WORD_BITS = 27
_WORD_MASK = (1 << _WORD_BITS) - 1


class Profits:
    """sum_i risk[s, i] * weight_i for each row s of a matrix, with |entries| < 2^63 and at most 2^11 columns."""

    def __init__(self, risk: NDArray[np.int64]) -> None:
        self._rows, slots = risk.shape
        widest = max(1, *(max(x, ~x).bit_length() for x in (int(risk.min()), int(risk.max()))))
        room = _EXACT_BITS - slots.bit_length()
        count = 1 if room - widest >= _FEWEST_DIGIT_BITS else 2
        self._limb_bits = -(-widest // count)
        self._digit_bits = room - self._limb_bits
        self._limbs = _limbs(risk, self._limb_bits, count)

    def of(self, weights: Sequence[int]) -> list[int]:
        """The sums, as exact integers, for weights of any size."""
        if not any(weights):
            return [0] * self._rows
        digits = _digits(weights, self._digit_bits)
        top = self._limb_bits * len(self._limbs) + self._digit_bits * digits.shape[1]
        words = [np.zeros(self._rows, np.int64) for _ in range(top // _WORD_BITS + 3)]
        for place, limb in enumerate(self._limbs):
            products = (limb @ digits).astype(np.int64).T
            for power, product in enumerate(products):
                word, shift = divmod(self._limb_bits * place + self._digit_bits * power, _WORD_BITS)
                words[word] += (product & _WORD_MASK) << shift
                words[word + 1] += (product >> _WORD_BITS) << shift
        return _joined(words)


def _joined(words: list[NDArray[np.int64]]) -> list[int]:
    """sum of word_k * 2^(27 k): carries are passed on, then words are joined two and two."""
    for k in range(len(words) - 1):
        words[k + 1] += words[k] >> _WORD_BITS
        words[k] &= _WORD_MASK
    pairs = [
        (words[k] + (words[k + 1] << _WORD_BITS) if k + 1 < len(words) else words[k]).tolist()
        for k in range(0, len(words), 2)
    ]
    total: list[int] = pairs.pop()
    while pairs:
        total = [(high << 2 * _WORD_BITS) + low for high, low in zip(total, pairs.pop(), strict=True)]
    return total


def plain_profits(risk: Sequence[Sequence[int]], weights: Sequence[int]) -> list[int]:
    """What `Profits` gives, term by term."""
    return [sum(entry * weight for entry, weight in zip(row, weights, strict=True)) for row in risk]


def _limbs(risk: NDArray[np.int64], bits: int, count: int) -> list[NDArray[np.float64]]:
    """risk = sum over k of limb_k * 2^(bits k); the last limb carries the sign."""
    if count == 1:
        return [risk.astype(np.float64)]
    return [(risk & ((1 << bits) - 1)).astype(np.float64), (risk >> bits).astype(np.float64)]


def _digits(weights: Sequence[int], bits: int) -> NDArray[np.float64]:
    """(N, k): weight = sum over j of digit_j * 2^(bits j), the digits of one sign."""
    size = -(-max(abs(weight) for weight in weights).bit_length() // bits)
    mask = (1 << bits) - 1
    rows = [
        [(1 if weight > 0 else -1) * (abs(weight) >> (bits * j) & mask) for j in range(size)]
        for weight in weights
    ]
    return np.array(rows, dtype=np.float64)
