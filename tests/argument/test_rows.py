"""Committed rows: anyone can recompute them, and a wrong one is found."""

from copy import copy
from dataclasses import replace

import pytest

from tests.argument.toys import Toy, setups
from zkmargin.algebra import Setup
from zkmargin.argument.rows import RowsError, check_rows, commit_rows, require_rows
from zkmargin.circuits.matrix import IntMatrix
from zkmargin.circuits.statement import CommittedRows

TOY = Toy(columns=2)


@pytest.fixture(params=setups())
def setup(request: pytest.FixtureRequest) -> Setup:
    return setups()[request.param]


def put(rows: CommittedRows, column: int, equation: int, point: bytes) -> CommittedRows:
    """The rows with one commitment replaced."""
    points = [list(column) for column in rows.points]
    points[column][equation] = point
    return replace(rows, points=tuple(tuple(column) for column in points))


def test_committed_rows_are_those_of_the_relation(setup: Setup) -> None:
    relation = TOY.relation()
    rows = commit_rows(setup, relation)
    check_rows(setup, relation, rows)
    assert commit_rows(setup, relation).digest == rows.digest
    # The threshold is a constant, and no part of a row.
    check_rows(setup, TOY.relation(threshold=5), rows)


def test_every_wrong_row_is_found(setup: Setup) -> None:
    relation, generator = TOY.relation(), setup.backend.encode(setup.backend.generator())
    rows = commit_rows(setup, relation)
    for column in range(2):
        for equation in range(relation.equations):
            wrong = put(rows, column, equation, generator)
            assert wrong.digest != rows.digest
            with pytest.raises(RowsError, match=f"holdings column {column} are not those"):
                check_rows(setup, relation, wrong)


def test_rows_that_cancel_in_a_sum_are_found(setup: Setup) -> None:
    backend, relation = setup.backend, TOY.relation()
    rows = commit_rows(setup, relation)
    first, second = (backend.decode(point) for point in rows.points[0][:2])
    moved = [backend.msm([p, backend.generator()], [1, sign]) for p, sign in ((first, 1), (second, -1))]
    wrong = put(put(rows, 0, 0, backend.encode(moved[0])), 0, 1, backend.encode(moved[1]))
    with pytest.raises(RowsError, match="are not those of the relation"):
        check_rows(setup, relation, wrong)


def test_wrong_counts_tables_and_points_are_found(setup: Setup) -> None:
    relation = TOY.relation()
    rows = commit_rows(setup, relation)
    with pytest.raises(RowsError, match="one commitment for each equation"):
        check_rows(setup, relation, replace(rows, points=rows.points[:1]))
    with pytest.raises(RowsError, match="one commitment for each equation"):
        check_rows(setup, relation, replace(rows, points=(rows.points[0], rows.points[1][:-1])))
    with pytest.raises(RowsError, match="table is not that of 0"):
        check_rows(setup, relation, replace(rows, table=rows.points[0][0]))
    with pytest.raises(RowsError, match="no point"):
        check_rows(setup, relation, put(rows, 0, 0, bytes([255] * 48)))


def test_the_digest_covers_every_point(setup: Setup) -> None:
    rows = commit_rows(setup, TOY.relation())
    others = [
        replace(rows, table=rows.points[0][0]),
        replace(rows, points=rows.points[::-1]),
        put(rows, 1, 0, setup.backend.encode(setup.backend.generator())),
    ]
    assert len({rows.digest, *(other.digest for other in others)}) == 4


def test_rows_that_were_checked_for_one_relation_are_checked_again_for_another(setup: Setup) -> None:
    """What is remembered is that these rows are those of this matrix, under this setup, and nothing more."""
    relation = TOY.relation()
    rows = commit_rows(setup, relation)
    require_rows(setup, relation, rows)
    require_rows(setup, relation, rows)
    others = [dict(row) for row in relation.holdings.mappings]
    others[0][0] = others[0].get(0, 0) + 1
    other = copy(relation)
    vars(other)["holdings"] = IntMatrix.from_rows(others, relation.holdings.cols)
    for _ in range(2):
        with pytest.raises(RowsError, match="are not those of the relation"):
            require_rows(setup, other, rows)
    require_rows(setup, relation, rows)
