"""Profit and loss of an account over thousands of scenarios, exactly and at once.

Weights (lots times scale) and table entries are cut into limbs small enough that products of limbs, added over
all slots, are exact in double precision; BLAS multiplies them, and the pieces are joined as integers.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# 22 + 20 bits, over at most 2^11 slots, stay within the 53 bits that a double holds exactly.
_ENTRY_BITS = 22
_WEIGHT_BITS = 20


class Profits:
    """sum_i risk[s, i] * weight_i for each row s of a matrix, with |entries| < 2^63 and at most 2^11 columns."""

    def __init__(self, risk: NDArray[np.int64]) -> None:
        self._limbs = _limbs(risk)
        self._rows = len(risk)

    def of(self, weights: Sequence[int]) -> list[int]:
        """The sums, as exact integers, for weights of any size."""
        if not any(weights):
            return [0] * self._rows
        digits = _digits(weights)
        total = np.zeros(self._rows, dtype=object)
        for place, limb in enumerate(self._limbs):
            products = (limb @ digits).astype(np.int64)
            for power in range(products.shape[1]):
                column = products[:, power].astype(object)
                total += column << (_ENTRY_BITS * place + _WEIGHT_BITS * power)
        return list(total)


def plain_profits(risk: Sequence[Sequence[int]], weights: Sequence[int]) -> list[int]:
    """What `Profits` gives, term by term."""
    return [sum(entry * weight for entry, weight in zip(row, weights, strict=True)) for row in risk]


def _limbs(risk: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    """risk = sum over k of limb_k * 2^(22 k); the last limb carries the sign."""
    limbs: list[NDArray[np.float64]] = []
    rest, reach = risk, 1 << _ENTRY_BITS
    while not -reach < rest.min() <= rest.max() < reach:
        limbs.append((rest & (reach - 1)).astype(np.float64))
        rest = rest >> _ENTRY_BITS
    return [*limbs, rest.astype(np.float64)]


def _digits(weights: Sequence[int]) -> NDArray[np.float64]:
    """(N, k): weight = sum over j of digit_j * 2^(20 j), the digits of one sign."""
    size = -(-max(abs(weight) for weight in weights).bit_length() // _WEIGHT_BITS)
    mask = (1 << _WEIGHT_BITS) - 1
    rows = [
        [(1 if weight > 0 else -1) * (abs(weight) >> (_WEIGHT_BITS * j) & mask) for j in range(size)]
        for weight in weights
    ]
    return np.array(rows, dtype=np.float64)
