"""Exact sums by floating-point products against sums term by term."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from zkmargin.margin.scenarios.profits import Profits, plain_profits

LARGEST = (1 << 63) - 1
ENTRIES = st.one_of(
    st.integers(-5, 5), st.integers(-(10**11), 10**11), st.sampled_from([LARGEST, -LARGEST, -LARGEST - 1])
)
WEIGHTS = st.one_of(st.integers(-5, 5), st.integers(-(1 << 75), 1 << 75))


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.data())
def test_sums_are_exact(rows: int, columns: int, data: st.DataObject) -> None:
    risk = data.draw(
        st.lists(st.lists(ENTRIES, min_size=columns, max_size=columns), min_size=rows, max_size=rows)
    )
    weights = data.draw(st.lists(WEIGHTS, min_size=columns, max_size=columns))
    assert Profits(np.array(risk, np.int64)).of(weights) == plain_profits(risk, weights)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_widest_sums_are_exact(sign: int) -> None:
    """All slots of the largest universe at the greatest entry and weight: nothing passes 53 bits on the way."""
    row: NDArray[np.int64] = np.full((2, 2048), sign * LARGEST, np.int64)
    weight = (1 << 90) - 1
    assert Profits(row).of([weight] * 2048) == [2048 * sign * LARGEST * weight] * 2
    assert Profits(row).of([0] * 2048) == [0, 0]
