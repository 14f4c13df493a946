"""Correlation matrices: exact checks, and factors that multiply back."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkmargin.margin.arithmetic.cholesky import check_correlation, cholesky
from zkmargin.margin.arithmetic.fixed import ONE
from zkmargin.margin.errors import InputError

NAMES = ("A", "B", "C", "D", "E")


def decimals(rows: list[list[str]]) -> list[list[Decimal]]:
    return [[Decimal(entry) for entry in row] for row in rows]


def product(lower: list[list[int]]) -> list[list[float]]:
    dense = [[entry / ONE for entry in row] + [0.0] * (len(lower) - len(row)) for row in lower]
    return [[sum(a * b for a, b in zip(left, right, strict=True)) for right in dense] for left in dense]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(0, 1 << 32))
def test_factors_multiply_back(size: int, seed: int) -> None:
    factors = np.random.default_rng(seed).normal(size=(size, 3))
    unit = factors / np.linalg.norm(factors, axis=1)[:, None]
    # Mixed with the identity, a rounded correlation matrix stays positive definite.
    rows = [
        [Decimal(1) if i == j else Decimal(f"{0.9 * float(unit[i] @ unit[j]):.6f}") for j in range(size)]
        for i in range(size)
    ]
    exact = check_correlation("test", NAMES[:size], rows)
    found = product(cholesky("test", NAMES[:size], exact))
    assert np.allclose(found, [[float(entry) for entry in row] for row in rows], atol=1e-15)


def test_a_singular_matrix_is_semi_definite() -> None:
    for rows in ([["1", "1"], ["1", "1"]], [["1", "-1", "0"], ["-1", "1", "0"], ["0", "0", "1"]]):
        matrix = decimals(rows)
        names = NAMES[: len(rows)]
        lower = cholesky("test", names, check_correlation("test", names, matrix))
        assert product(lower) == [[float(entry) for entry in row] for row in matrix]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["1", "0.5"]], "correlation: 1 rows: write 2 rows, one for each of A, B"),
        ([["1", "0.5"], ["0.5"]], "correlation: 1 numbers: write 2 numbers in the row of B"),
        ([["1", "0.5"], ["0.4", "1"]], "correlation of B with A: 0.4: the matrix is not symmetric"),
        ([["1", "0.5"], ["0.5", "0.9"]], "correlation of B with itself: 0.9: write 1"),
        ([["1", "1.1"], ["1.1", "1"]], "correlation: 'B': .*not positive semi-definite"),
        (
            [["1", "0.9", "-0.9"], ["0.9", "1", "0.9"], ["-0.9", "0.9", "1"]],
            "correlation: 'C': .*not positive semi-definite",
        ),
        (
            [["1", "1", "0.5"], ["1", "1", "0.4"], ["0.5", "0.4", "1"]],
            "correlation: 'B': .*not positive semi-definite",
        ),
    ],
)
def test_bad_matrices_are_refused_by_entry(rows: list[list[str]], message: str) -> None:
    names = NAMES[: max(2, len(rows))]
    with pytest.raises(InputError, match=message):
        check_correlation("test", names, decimals(rows))
