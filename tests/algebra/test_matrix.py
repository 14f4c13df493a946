from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkmargin.algebra import MODULUS, Backend, Matrix, get_backend

pytestmark = pytest.mark.usefixtures("native")

COLUMNS = 6
EDGES = [0, 1, -1, 2**63, -(2**63), 2**64 - 1, -(2**64) + 1, 2**64, -(2**64), 2**127 - 1, -(2**127)]
ENTRIES = st.one_of(
    st.sampled_from(EDGES), st.integers(-(2**63), 2**63 - 1), st.integers(-(2**127), 2**127 - 1)
)
ROWS = st.lists(st.lists(st.tuples(st.integers(0, COLUMNS - 1), ENTRIES), max_size=8), max_size=8)


def matrix(backend: Backend, rows: Sequence[Sequence[tuple[int, int]]]) -> Matrix:
    entries = [entry for row in rows for entry in row]
    return backend.matrix(
        np.cumsum([0, *map(len, rows)], dtype=np.int64),
        np.array([column for column, _ in entries], dtype=np.int32),
        np.array([value % 2**64 for _, value in entries], dtype=np.uint64),
        np.array([value >> 64 for _, value in entries], dtype=np.int64),
        COLUMNS,
    )


@given(ROWS, st.data())
@settings(max_examples=80, deadline=None)
def test_fold_is_the_weighted_sum_of_rows(rows: list[list[tuple[int, int]]], data: st.DataObject) -> None:
    weight = st.one_of(st.sampled_from([0, 1, MODULUS - 1]), st.integers(0, MODULUS - 1))
    weights = data.draw(st.lists(weight, min_size=len(rows), max_size=len(rows)))
    expected = [0] * COLUMNS
    for w, row in zip(weights, rows, strict=True):
        for column, value in row:
            expected[column] += w * value
    for backend in (get_backend("native"), get_backend("reference")):
        m = matrix(backend, rows)
        assert (m.rows, m.columns) == (len(rows), COLUMNS)
        folded = backend.integers(backend.fold(m, backend.vector(weights)))
        assert folded == [value % MODULUS for value in expected]


def test_a_long_column_does_not_overflow(backend: Backend) -> None:
    rows = [[(0, -(2**127)), (1, 2**127 - 1), (2, 2**64 - 1)]] * 3000
    folded = backend.integers(backend.fold(matrix(backend, rows), backend.vector([-1] * 3000)))
    assert folded[:3] == [x * 3000 % MODULUS for x in (2**127, 1 - 2**127, 1 - 2**64)]


def test_one_weight_a_row(backend: Backend) -> None:
    with pytest.raises(ValueError):
        backend.fold(matrix(backend, [[(0, 1)]]), backend.vector([1, 2]))


def test_arrays_that_are_no_matrix_are_refused(backend: Backend) -> None:
    good: dict[str, Any] = {
        "indptr": np.array([0, 1, 2], dtype=np.int64),
        "indices": np.array([0, 1], dtype=np.int32),
        "low": np.array([1, 2], dtype=np.uint64),
        "high": np.array([0, 0], dtype=np.int64),
    }
    wrong: list[dict[str, Any]] = [
        {"indptr": np.array([0, 1, 3], dtype=np.int64)},
        {"indptr": np.array([1, 1, 2], dtype=np.int64)},
        {"indptr": np.array([0, 3, 2], dtype=np.int64)},
        {"indptr": np.array([], dtype=np.int64)},
        {"indptr": np.array([0, 1, 2], dtype=np.int32)},
        {"indices": np.array([0, 2], dtype=np.int32)},
        {"indices": np.array([-1, 0], dtype=np.int32)},
        {"indices": np.array([0], dtype=np.int32)},
        {"low": np.array([1, 2], dtype=np.int64)},
        {"high": np.array([[0, 0]], dtype=np.int64)},
    ]
    backend.matrix(**good, cols=2)
    for change in wrong:
        with pytest.raises(ValueError):
            backend.matrix(**(good | change), cols=2)
