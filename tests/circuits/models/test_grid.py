"""The rows of the grid with buckets and gates: against the engine, and against a prover who fills them as he likes."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import floor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp

from tests.circuits.law import bound_rows
from tests.margin.accounts import lots_of, tiny, tiny_market
from tests.margin.derive_cases import (
    EXTREMES,
    RARE,
    account,
    cases,
    document,
    extreme,
    feed,
    option,
    parse,
    published,
)
from zkmargin.circuits import WitnessError, build_relation
from zkmargin.circuits.relation import Relation
from zkmargin.circuits.witness import assign, check
from zkmargin.margin.account.derive_case import import_derive_case
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.parameters.document import parse_parameters, preset
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import Cell, GridTables, VolatilityMove
from zkmargin.margin.tables.grid_additions import (
    ConfidenceCharge,
    Coverage,
    Currency,
    ExpiryBucket,
    ExposureCharge,
    HedgeCharge,
    Leg,
    MinimumCharge,
)
from zkmargin.margin.units import LEVELS, Level

LAST = "account value less the {} requirement and the threshold"
levels = st.sampled_from(LEVELS)


def prove(made: Snapshot, lots: Sequence[int], level: Level, threshold: int) -> None:
    relation = build_relation(made, level=level, threshold=threshold)
    check(relation, assign(relation, lots))


def law(made: Snapshot, lots: Sequence[int], level: Level) -> None:
    """The excess proves; one tick more is short by at most that tick."""
    excess = requirement(made, lots, level=level).excess_ticks
    prove(made, lots, level, excess)
    with pytest.raises(WitnessError) as refused:
        prove(made, lots, level, excess + 1)
    assert refused.value.row == LAST.format(level)
    assert refused.value.shortage


@settings(max_examples=60, deadline=None)
@given(cases(), levels)
def test_the_law(case: dict[str, Any], level: Level) -> None:
    law(*account(parse(case)), level)


@pytest.mark.fuzz
@settings(max_examples=1500, deadline=None)
@given(cases(), levels)
def test_the_law_at_length(case: dict[str, Any], level: Level) -> None:
    law(*account(parse(case)), level)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("section", EXTREMES)
@pytest.mark.parametrize("side", [0, 1], ids=["least", "most"])
def test_the_law_at_the_ends_of_the_parameters(section: str, side: int, level: Level) -> None:
    law(*account(parse(extreme(section, side))), level)


@pytest.mark.parametrize("scenario", RARE)
def test_the_law_for_what_is_rare(scenario: dict[str, Any]) -> None:
    for level in LEVELS:
        law(*account(parse(document(**scenario))), level)


@pytest.mark.parametrize("name", ["pmrm2", "deribit", "okx", "bybit", "binance"])
@settings(max_examples=15, deadline=None)
@given(data=st.data(), level=levels)
def test_the_law_for_the_rules_of_venues(name: str, data: st.DataObject, level: Level) -> None:
    made = Snapshot.build(tiny_market(), preset(name), domain=64)
    law(made, data.draw(lots_of(made)), level)


@settings(max_examples=10, deadline=None)
@given(data=st.data(), level=levels)
def test_the_law_for_a_cross_account(data: st.DataObject, level: Level) -> None:
    rules = {"deribit": {"collateral": "cross", "gain_offset": "0.6", "delta_threshold": "100"}}
    made = Snapshot.build(tiny_market(), parse_parameters(rules, "x"), domain=64)
    law(made, data.draw(lots_of(made)), level)


@settings(max_examples=10, deadline=None)
@given(data=st.data(), level=levels)
def test_the_law_under_a_fine_factor_with_coverage(data: st.DataObject, level: Level) -> None:
    factors = {"initial": "0.987654321", "maintenance": "0.123456789"}
    rules = {"deribit": {"loss_factor": factors, "delta_threshold": "100", "delta_increment": "0.01"}}
    made = Snapshot.build(tiny_market(), parse_parameters(rules, "x"), domain=64)
    law(made, data.draw(lots_of(made)), level)


@settings(max_examples=8, deadline=None)
@given(cases(largest=12), levels, st.sampled_from((-1, 0, 1)))
def test_collateral_at_above_and_one_tick_below_the_requirement(
    case: dict[str, Any], level: Level, step: int
) -> None:
    """A lot of cash is a tick, so cash can be brought to leave exactly nothing over."""
    made, lots = account(parse(case))
    lots[0] += step - requirement(made, lots, level=level).excess_ticks
    assert requirement(made, lots, level=level).excess_ticks == step
    if step >= 0:
        prove(made, lots, level, 0)
    else:
        with pytest.raises(WitnessError):
            prove(made, lots, level, 0)


@pytest.mark.parametrize("level", LEVELS)
def test_the_published_cases_prove_what_they_leave_over(level: Level) -> None:
    for path in published():
        made, holdings = import_derive_case(path)
        law(made, holdings.vector(made), level)


@pytest.mark.parametrize("sign", [1, -1])
def test_an_account_at_its_bounds_fits_the_rows(sign: int) -> None:
    """No honest account is refused for want of bits."""
    strikes = ("2600", "2700", "2800")
    options = [option(794852, strike, "1", call=call) for strike in strikes for call in (True, False)]
    case = document(options, [feed(794852, confidence="0.1")], NumPerps="1", PerpConfidence="0")
    made, _ = account(parse(case))
    bounds = [instrument.bound for instrument in made.universe.instruments]
    for lots in ([sign * bound for bound in bounds], [sign * (-1) ** i * b for i, b in enumerate(bounds)]):
        for level in LEVELS:
            law(made, lots, level)


# A prover who fills the free rows as he likes -------------------------------------------------------

MOVES: tuple[VolatilityMove, ...] = ("up", "down", "linear", "absolute")
CELLS = tuple(Cell(move, "0", move, "1", tail=False) for move in MOVES)


def small(seed: int, *, greater: bool) -> Snapshot:
    """A snapshot of a few slots with small tables: every feature of the rows, and no number above a million."""
    draw = np.random.default_rng(seed)
    made = tiny()
    count = 6
    instruments = tuple(
        replace(i, lot_exponent=0, contract_exponent=0, bound=15) for i in made.universe.instruments[:count]
    )
    tables = made.models["grid"]
    assert isinstance(tables, GridTables)

    def table(*shape: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        return draw.integers(-40, 41, shape)

    def amounts(low: int, high: int) -> dict[Level, int]:
        return {"initial": high, "maintenance": low}

    marks = draw.integers(-30, 60, count)
    grid = replace(
        tables,
        cells=CELLS,
        unit_of=np.array([-1, 0, 0, 0, 0, 0], dtype=np.int32),
        risk=table(len(CELLS), count),
        perpetuals=(),
        strikes=(),
        collaterals=(),
        loss_factor={"initial": (3, 2), "maintenance": (4, 5)},
        buckets=(
            ExpiryBucket("near", 0, (2, 3), table(len(CELLS), 2), greater, table(2, 2)),
            ExpiryBucket("far", 0, (4, 5), table(len(CELLS), 2), not greater, table(2, 2)),
        ),
        confidences=(
            ConfidenceCharge("near", (2, 3), amounts(0, 2), (1,), amounts(1, 5)),
            ConfidenceCharge("far", (4, 5), amounts(1, 1), (), amounts(1, 1)),
        ),
        exposures=(
            ExposureCharge("roll shock", "near", 0, (2, 3), tuple(table(2).tolist())),
            ExposureCharge("delta shock", "all", 0, (1, 2, 4), (3, -2, 5), ((1, 0), (3, 70)), cap=2),
        ),
        minimums=(MinimumCharge("all", 0, (1, 3), (9, 0), (9, 30), ((1, 0), (2, 200), (5, 900))),),
        hedges=(
            HedgeCharge(
                "vega spread",
                "all",
                0,
                (Leg("a", (1,), (7,)), Leg("b", (2, 3), (5, -3)), Leg("c", (4, 5), (4, 6))),
                ((1, 0), (2, 40)),
            ),
        ),
        allowances=(0, 150, 0, 20),
        coverage=Coverage((Currency("A", (0,), (1, 3, 4)), Currency("B", (0,), (0, 2, 5))), marks),
    )
    universe = replace(made.universe, instruments=instruments)
    return replace(made, universe=universe, marks=marks, models={"grid": grid}, id="small")


def most(relation: Relation, lots: Sequence[int]) -> int:
    """The greatest value of the last row over all choices of the free rows that leave every row in its range."""
    free = [index for index, row in enumerate(relation.rows) if row.free]
    place = {index: column for column, index in enumerate(free)}
    padded = [*lots, *([0] * (relation.domain - len(lots)))]
    sums = zip(relation.holdings.times(padded), relation.constants, strict=True)
    base = [held + constant for held, constant in sums]
    tops = [(1 << (relation.bits * row.limbs)) - 1 for row in relation.rows]
    forms, lows, highs = [], [], []
    for equation, target in enumerate(relation.defines):
        form = np.zeros(len(free))
        for row, factor in relation.row_terms.mappings[equation].items():
            if row != target:
                form[place[row]] = factor
        forms.append(form)
        lows.append(-base[equation])
        highs.append(tops[target] - base[equation])
    found = milp(
        -forms[-1],
        constraints=LinearConstraint(np.array(forms[:-1]), lows[:-1], highs[:-1]),
        integrality=np.ones(len(free)),
        bounds=([0] * len(free), [float(tops[index]) for index in free]),
    )
    assert found.status == 0, found.message
    return round(float(-found.fun)) + base[-1]


def free_choice(made: Snapshot, lots: Sequence[int], level: Level) -> None:
    relation = build_relation(made, level=level)
    found = requirement(made, lots, level=level)
    honest = assign(relation, lots)
    denominator = found.assessment.factor.denominator
    assert honest.rows[-1] == denominator * found.excess
    assert most(relation, lots) == honest.rows[-1]


accounts = st.lists(st.integers(-15, 15), min_size=6, max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), accounts, levels)
def test_no_choice_of_free_rows_proves_more(seed: int, greater: bool, lots: list[int], level: Level) -> None:
    """The optimum of the integer program is what the engine finds: bits and slacks give nothing away."""
    free_choice(small(seed, greater=greater), lots, level)


@pytest.mark.fuzz
@settings(max_examples=1000, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), accounts, levels)
def test_no_choice_of_free_rows_proves_more_at_length(
    seed: int, greater: bool, lots: list[int], level: Level
) -> None:
    free_choice(small(seed, greater=greater), lots, level)


@pytest.mark.parametrize("greater", [False, True])
def test_a_smaller_slack_leaves_a_row_below_zero(greater: bool) -> None:
    """Every slack is as small as it can be: worst losses, discounts, changes of skews, contingencies."""
    made, lots = small(7, greater=greater), [10, 3, 5, -3, -2, 4]
    relation = build_relation(made)
    honest = assign(relation, lots)
    for index, row in enumerate(relation.rows):
        if row.free and row.choice is None and honest.rows[index]:
            rows = [replace(r, closes=None if r.closes == index else r.closes) for r in relation.rows]
            rows[index] = replace(row, choice=partial(_chosen, honest.rows[index] - 1))
            with pytest.raises(WitnessError):
                check(relation, assign(replace(relation, rows=tuple(rows)), lots))


def _chosen(value: int, _q: object, _rows: object) -> int:
    return value


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), accounts, st.sampled_from([(1009, 1031), (1, 1033), (4091, 2053)]))
def test_no_choice_of_free_rows_proves_more_under_a_fine_factor(
    seed: int, lots: list[int], factor: tuple[int, int]
) -> None:
    """What the losses count is a row of its own, and no filling makes it less than the engine's, rounded up."""
    made = small(seed, greater=False)
    grid = made.models["grid"]
    assert isinstance(grid, GridTables)
    fine = replace(grid, loss_factor={"initial": factor, "maintenance": factor})
    made = replace(made, models={"grid": fine})
    relation = build_relation(made)
    assert "losses, as often as they count" in {row.name for row in relation.rows}
    found = requirement(made, lots)
    assert most(relation, lots) == assign(relation, lots).rows[-1] == floor(found.excess)


def test_a_fine_factor_is_rounded_up_to_a_money_unit_and_no_further() -> None:
    """The factor of 12 decimals keeps the last row narrow; one unit less leaves its row below zero."""
    made, lots = account(parse(extreme("Margin", 0)))
    relation = build_relation(made)
    honest = assign(relation, lots)
    names = [row.name for row in relation.rows]
    counted = names.index("losses, as often as they count")
    denominator = requirement(made, lots).assessment.factor.denominator
    assert denominator > 10**9
    assert 0 <= honest.rows[counted + 1] < denominator
    rows = list(relation.rows)
    rows[counted] = replace(rows[counted], choice=partial(_chosen, honest.rows[counted] - 1))
    with pytest.raises(WitnessError, match="losses, as often as they count, in full"):
        check(relation, assign(replace(relation, rows=tuple(rows)), lots))


def test_a_gate_cannot_stay_shut_on_what_is_held() -> None:
    case = document(
        [option(794852, "2700", "-2")], [feed(794852)], NumPerps="1", PerpConfidence="0.1", Cash="5000"
    )
    made, lots = account(parse(case))
    relation = build_relation(made)
    honest = assign(relation, lots)
    gate = next(k for k, row in enumerate(relation.rows) if row.name == "BASE-PERP: held")
    assert honest.rows[gate] == 1
    shut = list(relation.rows)
    shut[gate] = replace(shut[gate], choice=partial(_chosen, 0))
    with pytest.raises(WitnessError, match="BASE-PERP: no long position unless held"):
        check(relation, assign(replace(relation, rows=tuple(shut)), lots))
    lots[made.universe.slot("BASE-PERP")] = 0
    assert assign(relation, lots).rows[gate] == 0


# Shape ----------------------------------------------------------------------------------------------


def test_how_many_rows_it_takes() -> None:
    """Two for each expiry and cell, seven for each skew, three for basis; two for each strike and slot."""
    options = [option(expiry, "2700", "1") for expiry in (794852, 3214052)]
    made, _ = account(parse(document(options, [feed(794852), feed(3214052)])))
    tables = made.models["grid"]
    assert isinstance(tables, GridTables)
    relation = build_relation(made)
    cells, skews = len(tables.cells), 2
    account_rows = bound_rows(relation) + 1 + len(tables.strikes) * 2 + 2
    assert len(relation.rows) == (
        account_rows + 2 + cells + len(tables.buckets) * (2 * (cells - skews) + 7 * skews + 3)
    )
