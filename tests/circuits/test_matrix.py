"""Sparse integer matrices are exact, up to the last of 128 bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkmargin.circuits.matrix import IntMatrix

COLS = 7
LOWEST, HIGHEST = -(1 << 127), (1 << 127) - 1

entries = st.one_of(
    st.sampled_from([0, 1, -1, LOWEST, HIGHEST, -(1 << 63), (1 << 63) - 1, 1 << 63, 1 << 64, -(1 << 64)]),
    st.integers(LOWEST, HIGHEST),
)
sparse_rows = st.lists(st.dictionaries(st.integers(0, COLS - 1), entries, max_size=COLS), max_size=6)
vectors = st.lists(st.integers(-(1 << 200), 1 << 200) | st.just(0), min_size=COLS, max_size=COLS)


def without_zeros(row: dict[int, int]) -> dict[int, int]:
    return {column: value for column, value in row.items() if value}


@settings(max_examples=80, deadline=None)
@given(sparse_rows)
def test_entries_are_kept_exactly(rows: list[dict[int, int]]) -> None:
    matrix = IntMatrix.from_rows(rows, COLS)
    assert matrix.rows == len(rows)
    assert matrix.nonzeros == sum(len(without_zeros(row)) for row in rows)
    assert [matrix.row(index) for index in range(len(rows))] == [without_zeros(row) for row in rows]
    assert list(matrix.mappings) == [without_zeros(row) for row in rows]
    for index in range(len(rows)):
        assert list(matrix.row(index)) == sorted(matrix.row(index))


@settings(max_examples=80, deadline=None)
@given(sparse_rows, vectors)
def test_products_are_exact(rows: list[dict[int, int]], vector: list[int]) -> None:
    matrix = IntMatrix.from_rows(rows, COLS)
    assert matrix.times(vector) == [sum(a * vector[c] for c, a in row.items()) for row in rows]


@settings(max_examples=40, deadline=None)
@given(sparse_rows.filter(lambda rows: all(LOWEST not in row.values() for row in rows)))
def test_magnitudes_are_exact(rows: list[dict[int, int]]) -> None:
    matrix = IntMatrix.from_rows(rows, COLS).magnitudes
    wanted = [{c: abs(a) for c, a in without_zeros(row).items()} for row in rows]
    assert [matrix.row(index) for index in range(len(rows))] == wanted


@pytest.mark.parametrize(
    "values",
    [[1 << 127], [LOWEST - 1], [LOWEST, 1 << 127], [1 << 127, LOWEST], [1, 1 << 200], [HIGHEST, LOWEST - 1]],
)
def test_more_than_128_bits_are_refused(values: list[int]) -> None:
    with pytest.raises(ValueError, match="needs more than 128 bits"):
        IntMatrix.from_rows([dict(enumerate(values))], COLS)


def test_the_magnitude_of_the_lowest_entry_is_refused() -> None:
    with pytest.raises(ValueError, match="needs more than 128 bits"):
        _ = IntMatrix.from_rows([{0: LOWEST}], COLS).magnitudes


@pytest.mark.parametrize("column", [-1, COLS, COLS + 100])
def test_a_column_outside_is_refused(column: int) -> None:
    with pytest.raises(ValueError, match=r"outside 0\.\.6"):
        IntMatrix.from_rows([{0: 1}, {column: 1}], COLS)


def test_the_arrays_have_the_types_that_the_backends_take() -> None:
    for values in ([], [1, -1], [1 << 100, -(1 << 100)]):
        matrix = IntMatrix.from_rows([dict(enumerate(values))], COLS)
        arrays = (matrix.indptr, matrix.indices, matrix.low, matrix.high)
        assert [array.dtype for array in arrays] == [np.int64, np.int32, np.uint64, np.int64]
