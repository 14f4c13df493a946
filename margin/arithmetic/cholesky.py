"""Correlation matrices: checked exactly, and factored into integers.

The factorisation L D L' is taken in exact fractions, where a matrix is positive semi-definite exactly if no
pivot is negative and below every pivot of zero there is nothing but zeros. The factor of Cholesky, L sqrt(D),
is then rounded once, entry by entry.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import isqrt

from zkmargin.margin.arithmetic.fixed import ONE
from zkmargin.margin.errors import Finding, InputError

Square = tuple[tuple[Fraction, ...], ...]


def check_correlation(where: str, names: Sequence[str], matrix: Sequence[Sequence[Decimal]]) -> Square:
    """The matrix as exact fractions.

    Raises InputError naming the entry unless it is square, symmetric, with ones on the diagonal, and
    positive semi-definite.
    """
    size = len(names)
    if len(matrix) != size:
        remedy = f"write {size} rows, one for each of {', '.join(names)}"
        raise InputError(where, "correlation", Finding(f"{len(matrix)} rows"), remedy)
    for name, row in zip(names, matrix, strict=True):
        if len(row) != size:
            remedy = f"write {size} numbers in the row of {name}"
            raise InputError(where, "correlation", Finding(f"{len(row)} numbers"), remedy)
    for i, left in enumerate(names):
        if matrix[i][i] != 1:
            raise InputError(where, f"correlation of {left} with itself", matrix[i][i], "write 1")
        for j, right in enumerate(names[:i]):
            if matrix[i][j] != matrix[j][i]:
                remedy = f"the matrix is not symmetric; the other way round it says {matrix[j][i]}"
                raise InputError(where, f"correlation of {left} with {right}", matrix[i][j], remedy)
    exact = tuple(tuple(map(Fraction, row)) for row in matrix)
    factor(where, names, exact)
    return exact


def factor(where: str, names: Sequence[str], matrix: Square) -> tuple[list[list[Fraction]], list[Fraction]]:
    """L and D with L D L' = matrix, L having ones on the diagonal.

    Raises InputError naming the first underlying at which the matrix is not positive semi-definite.
    """
    size = len(names)
    rest = [list(row) for row in matrix]
    lower = [[Fraction(i == j) for j in range(size)] for i in range(size)]
    pivots: list[Fraction] = []
    for k in range(size):
        pivot = rest[k][k]
        pivots.append(pivot)
        if pivot < 0 or (pivot == 0 and any(rest[i][k] for i in range(k + 1, size))):
            remedy = "the correlations contradict each other: the matrix is not positive semi-definite"
            raise InputError(where, "correlation", names[k], remedy)
        if pivot:
            for i in range(k + 1, size):
                lower[i][k] = rest[i][k] / pivot
            for i in range(k + 1, size):
                for j in range(k + 1, i + 1):
                    rest[i][j] -= lower[i][k] * lower[j][k] * pivot
                    rest[j][i] = rest[i][j]
    return lower, pivots


def cholesky(where: str, names: Sequence[str], matrix: Square) -> list[list[int]]:
    """The lower factor in Q64, every entry rounded towards zero. Raises InputError as `factor`."""
    lower, pivots = factor(where, names, matrix)
    return [
        [_root(entry, pivot) for entry, pivot in zip(row[: i + 1], pivots, strict=False)]
        for i, row in enumerate(lower)
    ]


def _root(entry: Fraction, pivot: Fraction) -> int:
    """entry * sqrt(pivot) in Q64, towards zero: the root of entry^2 * pivot, with its sign."""
    square = entry * entry * pivot
    size = isqrt(square.numerator * ONE * ONE // square.denominator)
    return size if entry >= 0 else -size
