"""Many rows committed to at once, on both backends, against one row at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkmargin.algebra import Backend, Setup, get_backend
from zkmargin.algebra.backend import CompressedRows

ENTRIES = st.one_of(
    st.sampled_from([0, 1, -1, 2**63, -(2**63), 2**64, -(2**64), 2**127 - 1, -(2**127)]),
    st.integers(-(2**70), 2**70),
)
ROWS = st.lists(st.dictionaries(st.integers(0, 8), ENTRIES, max_size=9), max_size=6)


def compressed(rows: list[dict[int, int]]) -> CompressedRows:
    entries = [(column, row[column]) for row in rows for column in sorted(row)]
    return (
        np.cumsum([0, *map(len, rows)], dtype=np.int64),
        np.array([column for column, _ in entries], dtype=np.int32),
        np.array([value % 2**64 for _, value in entries], dtype=np.uint64),
        np.array([value >> 64 for _, value in entries], dtype=np.int64),
    )


@given(ROWS)
@settings(max_examples=20, deadline=None)
@pytest.mark.usefixtures("native")
def test_rows_agree_on_both_backends(rows: list[dict[int, int]]) -> None:
    for backend in (get_backend("native"), get_backend("reference")):
        g = backend.generator()
        table = backend.table([backend.msm([g], [k]) for k in range(-4, 5)])
        wanted = [backend.msm([g], [sum((c - 4) * v for c, v in row.items())]) for row in rows]
        assert backend.commit_rows(table, compressed(rows)) == wanted


def test_long_rows_are_committed_to_as_single_ones(native: Backend, setups: tuple[Setup, Setup]) -> None:
    """Rows of 60 entries go through the batched buckets, those of 3 do not."""
    setup, n = setups[0], 64
    rng = np.random.default_rng(7)
    rows = [
        {int(c): int(rng.integers(-(2**62), 2**62)) for c in sorted(rng.choice(n, size, replace=False))}
        for size in (60, 3, 0, 64, 24, 23)
    ]
    found = setup.commit_rows(n, compressed(rows))
    for row, point in zip(rows, found, strict=True):
        column = native.vector([row.get(slot, 0) for slot in range(n)])
        assert point == setup.commit_evaluations(n, column)


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("name", ["native", "reference"])
def test_rows_beyond_the_table_are_refused(name: str) -> None:
    backend = get_backend(name)
    table = backend.table([backend.generator()] * 3)
    with pytest.raises(ValueError, match="outside"):
        backend.commit_rows(table, compressed([{3: 1}]))
    other = get_backend("reference" if name == "native" else "native")
    with pytest.raises(TypeError, match="another backend"):
        other.commit_rows(table, compressed([{0: 1}]))
