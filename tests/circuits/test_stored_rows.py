"""Rows that are kept in a matrix: taken over exactly, multiplied exactly, and bounded as those of mappings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkmargin.circuits.builder import RelationBuilder
from zkmargin.circuits.errors import RelationError
from zkmargin.circuits.matrix import IntMatrix, MatrixRow
from zkmargin.circuits.relation import Relation, Unit
from zkmargin.circuits.witness import assign

COLS = 5
MONEY = Unit("money")
LARGEST = (1 << 63) - 1

tables = st.lists(
    st.lists(
        st.one_of(st.integers(-9, 9), st.sampled_from([LARGEST, -LARGEST - 1])), min_size=COLS, max_size=COLS
    ),
    min_size=1,
    max_size=6,
)


def dense(row: list[int]) -> dict[int, int]:
    return {column: value for column, value in enumerate(row) if value}


@settings(max_examples=60, deadline=None)
@given(tables, st.lists(st.sampled_from([0, 1, -7, 10**7, 10**15]), min_size=COLS, max_size=COLS))
def test_scaled_tables_are_exact(table: list[list[int]], factors: list[int]) -> None:
    matrix = IntMatrix.scaled(np.array(table, np.int64), factors)
    for index, row in enumerate(table):
        wanted = [value * factor for value, factor in zip(row, factors, strict=True)]
        found = matrix.row(index)
        assert [found.get(column, 0) for column in range(COLS)] == wanted


def test_a_scaled_entry_beyond_128_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="needs more than 128 bits"):
        IntMatrix.scaled(np.array([[LARGEST]], np.int64), [1 << 65])


@settings(max_examples=60, deadline=None)
@given(tables, st.lists(st.integers(0, 20), max_size=12))
def test_stored_rows_are_taken_over_among_others(table: list[list[int]], picks: list[int]) -> None:
    """Runs, jumps, repetitions and mappings in between give the matrix that mappings alone give."""
    matrix = IntMatrix.scaled(np.array(table, np.int64), [1] * COLS)
    mixed: list[dict[int, int] | MatrixRow] = []
    plain = []
    for pick in picks:
        if pick < len(table):
            mixed.append(MatrixRow(matrix, pick))
            plain.append(dense(table[pick]))
        else:
            mixed.append({pick % COLS: pick})
            plain.append({pick % COLS: pick})
    assert IntMatrix.from_rows(mixed, COLS).mappings == IntMatrix.from_rows(plain, COLS).mappings


@settings(max_examples=60, deadline=None)
@given(tables, st.integers(0, COLS), st.integers(0, COLS))
def test_columns_are_cut_out(table: list[list[int]], one: int, other: int) -> None:
    start, stop = sorted((one, other))
    matrix = IntMatrix.scaled(np.array(table, np.int64), [1] * COLS).columns(start, stop)
    assert [matrix.row(index) for index in range(len(table))] == [dense(row[start:stop]) for row in table]


def relation(table: list[list[int]], stored: bool) -> Relation:
    """A slack over forms of five variables, as stored rows or as mappings."""
    builder = RelationBuilder(64)
    for variable in range(COLS):
        builder.ranged(f"slot {variable}", variable, 1000)
    matrix = IntMatrix.scaled(np.array(table, np.int64), [1] * COLS)
    slack = builder.free("worst", MONEY)
    for index, row in enumerate(table):
        form = MatrixRow(matrix, index) if stored else dense(row)
        builder.row(f"cell {index}", MONEY, form, {slack: 1}, closes=slack)
    builder.row("close", MONEY, {0: 5}, {slack: -1})
    return builder.build()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(-(10**9), 10**9), min_size=COLS, max_size=COLS), min_size=1, max_size=5))
def test_a_relation_is_the_same_either_way(table: list[list[int]]) -> None:
    assert relation(table, stored=True).digest == relation(table, stored=False).digest


def test_a_stored_row_of_an_unbounded_variable_is_refused() -> None:
    builder = RelationBuilder(64)
    builder.bounded(0, 10)
    builder.row("row", MONEY, MatrixRow(IntMatrix.scaled(np.array([[1, 1]]), [1, 1]), 0))
    with pytest.raises(RelationError, match="nothing bounds"):
        builder.build()


def test_rows_chosen_together_are_filled_at_once() -> None:
    """The first of them asks; the others are there already."""
    calls = []

    def both(q: object, rows: object) -> dict[int, int]:
        calls.append(1)
        return {0: 3, 1: 4}

    builder = RelationBuilder(64)
    first = builder.free("one", MONEY, choice=both, limit=10)
    second = builder.free("two", MONEY, choice=both, limit=10)
    builder.row("sum", MONEY, {}, {first: 1, second: 1})
    assert assign(builder.build(), []).rows == (3, 4, 7)
    assert len(calls) == 1
