"""The rows of isolated margin under the rules of SRM: against the engine, and against a prover who fills them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.circuits.law import at_the_bounds, free_rows, law, refilled
from tests.circuits.models.test_grid import most
from tests.margin.accounts import lots_of, tiny, tiny_market
from tests.margin.derive_cases import account
from tests.margin.manager_accounts import srm_accounts
from tests.margin.published_srm import IN_DOLLARS, WITH_A_SMILE, Published, document
from zkmargin.circuits import WitnessError, build_relation
from zkmargin.circuits.witness import assign, check
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.market.derive import parse_derive_case
from zkmargin.margin.parameters.document import preset
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.rate_additions import ExpiryCap, SizeCharge
from zkmargin.margin.tables.rates import RateTables
from zkmargin.margin.units import LEVELS, Level

levels = st.sampled_from(LEVELS)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("case", [*WITH_A_SMILE, *IN_DOLLARS], ids=lambda case: case.name)
def test_the_published_cases_prove_what_they_leave_over(case: Published, level: Level) -> None:
    made, lots = account(parse_derive_case(document(case, dollars=case in IN_DOLLARS), "case.json"))
    law(made, lots, "isolated", level)


@settings(max_examples=60, deadline=None)
@given(srm_accounts(), levels)
def test_the_law(case: dict[str, Any], level: Level) -> None:
    law(*account(parse_derive_case(case, "case.json")), "isolated", level)


@pytest.mark.fuzz
@settings(max_examples=1500, deadline=None)
@given(srm_accounts(largest=30), levels)
def test_the_law_at_length(case: dict[str, Any], level: Level) -> None:
    law(*account(parse_derive_case(case, "case.json")), "isolated", level)


@settings(max_examples=15, deadline=None)
@given(data=st.data(), level=levels)
def test_the_law_in_any_market(data: st.DataObject, level: Level) -> None:
    made = Snapshot.build(tiny_market(), preset("srm"), domain=64)
    law(made, data.draw(lots_of(made)), "isolated", level)


def test_an_account_at_its_bounds_fits_the_rows() -> None:
    at_the_bounds(Snapshot.build(tiny_market(), preset("srm"), domain=64), "isolated")


# A prover who fills the free rows as he likes -------------------------------------------------------


def small(seed: int) -> Snapshot:
    """A snapshot of a few slots with small tables: two expiries, three strikes with two options at one of them."""
    draw = np.random.default_rng(seed)
    made = tiny()
    instruments = tuple(
        replace(i, lot_exponent=0, contract_exponent=0, bound=7) for i in made.universe.instruments[:7]
    )

    def amounts(count: int, highest: int) -> dict[Level, Any]:
        return {level: draw.integers(0, highest, count) for level in LEVELS}

    def listed(count: int, highest: int) -> dict[Level, Any]:
        return {level: tuple(column.tolist()) for level, column in amounts(count, highest).items()}

    near = ExpiryCap(
        "near", (2, 3, 4, 5), ("0", "1", "2", "3"), draw.integers(0, 30, (4, 4)), (1, 3, 2, 3), listed(4, 25)
    )
    far = ExpiryCap("far", (6,), ("0", "5"), draw.integers(0, 30, (2, 1)), (1,), dict.fromkeys(LEVELS, (0,)))
    tables = RateTables(
        amounts(7, 30),
        amounts(7, 40),
        (),
        (near, far),
        (SizeCharge("confidence", "near", (1, 2, 3), listed(3, 5), listed(3, 9)),),
    )
    universe = replace(made.universe, instruments=instruments)
    return replace(
        made, universe=universe, marks=draw.integers(-30, 60, 7), models={"isolated": tables}, id="small"
    )


def free_choice(made: Snapshot, lots: Sequence[int], level: Level) -> None:
    relation = build_relation(made, model="isolated", level=level)
    honest = assign(relation, lots)
    assert honest.rows[-1] == requirement(made, lots, model="isolated", level=level).excess
    assert most(relation, lots) == honest.rows[-1]


holdings = st.lists(st.integers(-7, 7), min_size=7, max_size=7)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), holdings, levels)
def test_no_choice_of_free_rows_proves_more(seed: int, lots: list[int], level: Level) -> None:
    """The optimum of the integer program is what the engine finds: bits and slacks give nothing away."""
    free_choice(small(seed), lots, level)


@pytest.mark.fuzz
@settings(max_examples=1500, deadline=None)
@given(st.integers(0, 10**6), holdings, levels)
def test_no_choice_of_free_rows_proves_more_at_length(seed: int, lots: list[int], level: Level) -> None:
    free_choice(small(seed), lots, level)


def test_a_strike_that_is_held_cannot_be_said_not_to_be() -> None:
    made, lots = small(3), [3, 0, 3, -2, 0, 1, 0]
    relation = build_relation(made, model="isolated")
    rows = free_rows(relation)
    with pytest.raises(WitnessError, match="near: 3 or more held: nothing at it unless so"):
        check(relation, refilled(relation, lots, {rows["near: 3 or more held"]: 0}))
    with pytest.raises(WitnessError, match="near: 3 or more held: so is every lower strike"):
        check(relation, refilled(relation, lots, {rows["near: 2 or more held"]: 0}))


def test_nothing_is_taken_off_without_the_cap_and_no_more_than_it_gives() -> None:
    case = next(case for case in WITH_A_SMILE if case.name == "22")
    made, lots = account(parse_derive_case(document(case), "case.json"))
    lots[0] += 2000 * 10**9
    relation = build_relation(made, model="isolated")
    honest, rows = assign(relation, lots), free_rows(relation)
    capped = next(row for name, row in rows.items() if name.endswith(": capped"))
    relief = next(row for name, row in rows.items() if name.endswith(": relief of the cap"))
    assert honest.rows[capped] == 1
    with pytest.raises(WitnessError, match="no relief unless capped"):
        check(relation, refilled(relation, lots, {capped: 0}))
    more = honest.rows[relief] + 1
    with pytest.raises(WitnessError, match="no more relief than the cap gives"):
        check(relation, refilled(relation, lots, {relief: more}))


def test_how_many_rows_it_takes() -> None:
    """For an expiry one for each price and seven; three for each strike but the lowest; two for each option's side."""
    case = next(case for case in WITH_A_SMILE if case.name == "22")
    made, _ = account(parse_derive_case(document(case), "case.json"))
    rows = [row.name for row in build_relation(made, model="isolated").rows]
    assert len([name for name in rows if "expiry" in name]) == 3 + 7 + 2
