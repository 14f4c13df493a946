"""The normal distribution in 64.64 fixed point, by Taylor polynomials about tabulated centres.

With c a multiple of 1/16, |d| <= 1/32 and Q(x) = 1 - N(x) the upper tail:

    phi(c + d) = phi(c) sum_n b_n d^n,     b_0 = 1, b_1 = -c, (n + 1) b_(n+1) = -(c b_n + b_(n-1))
    Q(c + d)   = Q(c) - phi(c) sum_n b_n d^(n+1) / (n + 1)

The recurrence is phi' = -x phi written for coefficients. The table of Q(c) starts from Q(0) = 1/2 and
steps from centre to centre so that neighbouring polynomials meet half-way between them. All of it is
integers at the wide scale.

N is monotone. Within a piece the inner sum, at 104 bits, rises by about 2^40 units for each unit of d
while its roundings stay within some thousands of units, and what follows (a product with a constant, a
difference, a floor) keeps the order. At the finitely many borders between pieces a test checks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zkmargin.margin.arithmetic.fixed import (
    GUARD_BITS,
    ONE,
    ONE_BITS,
    WIDE,
    WIDE_BITS,
    exp,
    exp_wide,
    mul,
    nearest_shift,
)

SPACING_BITS: Final = 4
TERMS: Final = 15
# Q(9.25) is below 2^-65, so from here on it rounds to zero.
TAIL_ENDS: Final = 37 << (ONE_BITS - 2)
# 1 / sqrt(2 pi) at the wide scale.
PHI_0: Final = 0x662114CF50D942343F2CF1402F


@dataclass(frozen=True, slots=True)
class Piece:
    """One centre: Q(c) and phi(c) at the wide scale, and the coefficients b_n / (n + 1), n < TERMS."""

    tail: int
    density: int
    coefficients: tuple[int, ...]


def _coefficients(j: int) -> tuple[int, ...]:
    """b_n / (n + 1) about c = j / 16, each division rounded down."""
    b = [WIDE, -(j * WIDE >> SPACING_BITS)]
    for n in range(1, TERMS - 1):
        b.append(-((j * b[n] >> SPACING_BITS) + b[n - 1]) // (n + 1))
    return tuple(b_n // (n + 1) for n, b_n in enumerate(b))


def _density_at_centre(j: int) -> int:
    """phi(j / 16) at the wide scale; c^2 / 2 = j^2 / 512 is exact."""
    y, k = exp_wide(-(j * j << (ONE_BITS - 9)))
    return (y * PHI_0 >> WIDE_BITS) >> -k


def _drop(density: int, coefficients: tuple[int, ...], d: int) -> int:
    """Q(c) - Q(c + d) at the wide scale, for d in Q64."""
    total = 0
    for coefficient in reversed(coefficients):
        total = coefficient + (total * d >> ONE_BITS)
    return density * (total * d >> ONE_BITS) >> WIDE_BITS


def _pieces() -> tuple[Piece, ...]:
    reach = ONE >> (SPACING_BITS + 1)
    tail, pieces = WIDE >> 1, []
    for j in range((TAIL_ENDS >> (ONE_BITS - SPACING_BITS)) + 1):
        density, coefficients = _density_at_centre(j), _coefficients(j)
        if j > 0:
            tail += _drop(density, coefficients, -reach)
        pieces.append(Piece(tail, density, coefficients))
        tail -= _drop(density, coefficients, reach)
    return tuple(pieces)


PIECES: Final = _pieces()


def tail(x: int) -> int:
    """Q(x) = 1 - N(x) for x >= 0; |error| < 2^-64."""
    if x >= TAIL_ENDS:
        return 0
    shift = ONE_BITS - SPACING_BITS
    j = (x + (1 << (shift - 1))) >> shift
    piece = PIECES[j]
    return nearest_shift(piece.tail - _drop(piece.density, piece.coefficients, x - (j << shift)), GUARD_BITS)


def distribution(x: int) -> int:
    """N(x), the probability below x; |error| < 2^-64, never falling, exactly 0 or 1 beyond 9.25.

    N(-x) = 1 - N(x) holds exactly.
    """
    return tail(-x) if x < 0 else ONE - tail(x)


def density(x: int) -> int:
    """phi(x) = e^(-x^2 / 2) / sqrt(2 pi); |error| < 2^-62. Exactly even."""
    half_square = nearest_shift(x * x, ONE_BITS + 1)
    return mul(exp(-half_square), nearest_shift(PHI_0, GUARD_BITS))
