"""The rows of correlation margin against the engine, and against a prover who fills the free rows as he likes."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.circuits.law import at_the_bounds, bound_rows, free_rows, law, refilled
from tests.margin.coins import COINS, coin_accounts, coin_snapshot, wide_market
from zkmargin.algebra import get_backend
from zkmargin.algebra.field import MODULUS
from zkmargin.algebra.setup import ceremony
from zkmargin.circuits import (
    CommitmentTerm,
    RelationError,
    Statement,
    WitnessError,
    build_relation,
)
from zkmargin.circuits.relation import SQUARE_BOUND
from zkmargin.circuits.witness import assign, check
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.models.correlation.tables import CorrelationTables, ceil_root
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level
from zkmargin.prover import Opening, commit, prove, random_blinder
from zkmargin.verifier import verify

LOSS = "correlated loss"


@st.composite
def sections(draw: st.DrawFn, coins: int) -> dict[str, Any]:
    """Volatilities, and correlations that all coins have with a common factor: always positive semi-definite."""
    names = list(COINS)[:coins]

    def matrix() -> list[list[str]]:
        loads = [draw(st.integers(-10, 10)) for _ in names]
        return [["1" if i == j else f"{a * b}e-2" for j, b in enumerate(loads)] for i, a in enumerate(loads)]

    percent = st.integers(0, 250)
    section: dict[str, Any] = {
        "source": "given",
        "coins": names,
        "volatilities": [f"{draw(percent)}e-2" for _ in names],
        "correlation": matrix(),
        "undiversified": {"initial": f"{draw(st.integers(10, 40))}e-1", "maintenance": "0.5"},
    }
    if draw(st.booleans()):
        section["stressed_correlation"] = matrix()
    return section


def tables_of(made: Snapshot) -> CorrelationTables:
    tables = made.models["correlation"]
    assert isinstance(tables, CorrelationTables)
    return tables


GIVEN: Mapping[str, Any] = {
    "source": "given",
    "coins": ["BTC", "ETH", "SOL"],
    "volatilities": ["0.5", "0.7", "0.9"],
    "correlation": [["1", "0.8", "0.6"], ["0.8", "1", "0.7"], ["0.6", "0.7", "1"]],
    "stressed_correlation": [["1", "0.2", "0"], ["0.2", "1", "-0.4"], ["0", "-0.4", "1"]],
}


@cache
def wide() -> Snapshot:
    parameters = parse_parameters({"correlation": dict(GIVEN)}, "test")
    return Snapshot.build(wide_market(), parameters, domain=128)


@settings(max_examples=20, deadline=None)
@given(st.data(), st.integers(1, 4), st.sampled_from(LEVELS))
def test_the_law(data: st.DataObject, coins: int, level: Level) -> None:
    made = coin_snapshot(list(COINS)[:coins], {"correlation": data.draw(sections(coins))})
    law(made, data.draw(coin_accounts(made)), "correlation", level)


@settings(max_examples=10, deadline=None)
@given(st.data(), st.sampled_from(LEVELS))
def test_the_law_for_sixty_positions(data: st.DataObject, level: Level) -> None:
    law(wide(), data.draw(coin_accounts(wide())), "correlation", level)


@pytest.mark.fuzz
@settings(max_examples=500, deadline=None)
@given(st.data(), st.integers(1, 4), st.sampled_from(LEVELS))
def test_the_law_at_length(data: st.DataObject, coins: int, level: Level) -> None:
    made = coin_snapshot(list(COINS)[:coins], {"correlation": data.draw(sections(coins))})
    law(made, data.draw(coin_accounts(made)), "correlation", level)


def test_an_account_at_its_bounds_fits_the_rows() -> None:
    at_the_bounds(wide(), "correlation")
    at_the_bounds(
        coin_snapshot(["XRP"], {"correlation": {**GIVEN, "coins": ["XRP", "ETH", "SOL"]}}), "correlation"
    )


# A prover who fills the free rows as he likes -------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.data(), st.integers(0, 10**40))
def test_no_smaller_loss_can_be_written(data: st.DataObject, upper: int) -> None:
    """Whatever the other free rows are: more of them only makes it worse."""
    lots = data.draw(coin_accounts(wide()))
    relation = build_relation(wide(), model="correlation")
    honest, free = assign(relation, lots), free_rows(relation)
    loss = honest.rows[free[LOSS]]
    if not loss:
        return
    highs = [index for name, index in free.items() if name.endswith("upper bits")]
    smaller = data.draw(st.sampled_from((loss - 1, loss // 2, 0)))
    for high in (0, 1, upper, honest.rows[highs[0]]):
        chosen = {free[LOSS]: smaller, **dict.fromkeys(highs, high)}
        with pytest.raises(WitnessError, match=LOSS):
            check(relation, refilled(relation, lots, chosen))


def test_no_square_wraps_around_in_the_field() -> None:
    """Every loss that the rows can hold has a square that is the same in the field as among integers."""
    relation, tables = build_relation(wide(), model="correlation"), tables_of(wide())
    widest = 1 << relation.bits * relation.rows[free_rows(relation)[LOSS]].limbs
    assert widest <= SQUARE_BOUND
    assert (widest << max(0, tables.bits)) ** 2 < MODULUS


def test_a_larger_slack_only_harms() -> None:
    lots = [10**13] + [(-1) ** slot * (3 + slot % 5) for slot in range(1, len(wide().universe))]
    relation = build_relation(wide(), model="correlation")
    honest = assign(relation, lots)
    for name, index in free_rows(relation).items():
        if "upper bits" not in name:
            greedy = refilled(relation, lots, {index: honest.rows[index] + 10**6})
            assert greedy.rows[-1] <= honest.rows[-1], name


def test_a_smaller_size_of_an_exposure_leaves_a_row_below_zero() -> None:
    lots = [10**13, 5 * 10**8, -7 * 10**9, 10**9, *[0] * (len(wide().universe) - 4)]
    relation = build_relation(wide(), model="correlation")
    honest = assign(relation, lots)
    sizes = {name: index for name, index in free_rows(relation).items() if "size" in name}
    assert len(sizes) == 3
    for index in sizes.values():
        with pytest.raises(WitnessError, match="covers a"):
            check(relation, refilled(relation, lots, {index: honest.rows[index] - 1}))


def test_numbers_that_could_wrap_around_are_refused() -> None:
    """A snapshot that claims more bits than its bounds allow has no relation."""
    tables = tables_of(wide())
    factors = tuple(
        replace(factor, lower={level: matrix << 22 for level, matrix in factor.lower.items()})
        for factor in tables.factors
    )
    forged = replace(wide(), models={**wide().models, "correlation": replace(tables, factors=factors)})
    with pytest.raises(RelationError, match=r"2\^121|wrap around|too many"):
        build_relation(forged, model="correlation")


# Shape ----------------------------------------------------------------------------------------------


def test_how_many_rows_and_squares_it_takes() -> None:
    """Rows: the loss, two for each matrix, three for each exposure, two for the stress, two for each strike and one
    for each haircut, and the last; squares: one for each exposure and matrix, and that of the loss.
    """
    relation, tables = build_relation(wide(), model="correlation"), tables_of(wide())
    units = len(tables.units)
    own = 1 + 2 * 2 + 3 * units + 2 + 2 * len(tables.strikes) + 2 * len(tables.collaterals) + 1
    assert len(relation.rows) == bound_rows(relation) + own
    assert relation.squares == 2 * units + 1


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1 << 240))
def test_roots_are_the_least(square: int) -> None:
    root = ceil_root(square)
    assert root * root >= square
    assert root == 0 or (root - 1) ** 2 < square


# The whole way --------------------------------------------------------------------------------------


@pytest.mark.skipif(get_backend().name != "native", reason="a proof on plain Python takes long")
def test_a_proof_with_squares() -> None:
    setup = ceremony(get_backend())
    lots = [10**13, 5 * 10**8, -7 * 10**9, 10**9, *[3] * (len(wide().universe) - 4)]
    excess = requirement(wide(), lots, model="correlation").excess_ticks
    opening = Opening(tuple(lots), random_blinder())
    point = setup.backend.encode(commit(setup, wide().universe.domain, lots, opening.blinder))
    statement = Statement.about(
        wide(), (CommitmentTerm(point),), audience="bank", nonce="1", model="correlation", threshold=excess
    )
    verify(statement, prove(statement, [opening], setup), setup)
    with pytest.raises(WitnessError):
        prove(
            replace(statement, relation=statement.relation.at(excess + 1), threshold=excess + 1),
            [opening],
            setup,
        )
