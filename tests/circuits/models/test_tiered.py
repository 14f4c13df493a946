"""The rows of tiered margin against the engine, and against a prover who would rather be in the other tier."""

from functools import cache
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.circuits.law import at_the_bounds, bound_rows, free_rows, law, refilled
from tests.margin.coins import coin_accounts, coin_snapshot, wide_market
from zkmargin.algebra import get_backend
from zkmargin.algebra.setup import ceremony
from zkmargin.circuits import CommitmentTerm, Statement, WitnessError, build_relation
from zkmargin.circuits.witness import assign, check
from zkmargin.margin.account.requirement import account_value, requirement
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level
from zkmargin.prover import Opening, commit, prove, random_blinder
from zkmargin.verifier import verify

SECTION: dict[str, Any] = {"tiered": {"threshold": {"initial": "100000", "maintenance": "80000"}}}
BIT, COUNTED = "portfolio margin", "requirement of the tier"


@cache
def wide(rules: str = "own") -> Snapshot:
    """Three coins, under the grid's own parameters or the rules of a venue."""
    document = SECTION | ({"pmrm2": {}} if rules == "pmrm2" else {})
    return Snapshot.build(wide_market(), parse_parameters(document, "test"), domain=128)


@cache
def small() -> Snapshot:
    return coin_snapshot(("BTC", "ETH"), SECTION)


def with_value(made: Snapshot, lots: list[int], level: Level, off: int) -> list[int]:
    """The account with as much cash as brings its value `off` steps of cash from the threshold, rounded down."""
    threshold = {"initial": 100_000, "maintenance": 80_000}[level] * 10**made.money_decimals
    step = int(made.marks[0]) * made.scale[0]
    missing = (threshold - account_value(made, [0, *lots[1:]])) // step + off
    bound = made.universe.instruments[0].bound
    return [max(-bound, min(bound, missing)), *lots[1:]]


@settings(max_examples=20, deadline=None)
@given(st.data(), st.sampled_from(LEVELS), st.sampled_from(("own", "pmrm2")))
def test_the_law(data: st.DataObject, level: Level, rules: str) -> None:
    made = wide(rules)
    law(made, data.draw(coin_accounts(made)), "tiered", level)


@settings(max_examples=20, deadline=None)
@given(st.data(), st.sampled_from(LEVELS), st.integers(-1, 2))
def test_the_law_around_the_threshold(data: st.DataObject, level: Level, off: int) -> None:
    lots = with_value(small(), data.draw(coin_accounts(small())), level, off)
    law(small(), lots, "tiered", level)


@pytest.mark.fuzz
@settings(max_examples=400, deadline=None)
@given(st.data(), st.sampled_from(LEVELS), st.integers(-1, 2), st.sampled_from(("own", "pmrm2")))
def test_the_law_at_length(data: st.DataObject, level: Level, off: int, rules: str) -> None:
    made = wide(rules)
    law(made, with_value(made, data.draw(coin_accounts(made)), level, off), "tiered", level)


@pytest.mark.parametrize("rules", ["own", "pmrm2"])
def test_an_account_at_its_bounds_fits_the_rows(rules: str) -> None:
    at_the_bounds(wide(rules), "tiered")


def test_the_value_decides_to_the_tick() -> None:
    """Cash alone: at the threshold it has portfolio margin, a millionth of a dollar below it does not."""
    for level, dollars in (("initial", 100_000), ("maintenance", 80_000)):
        relation = build_relation(small(), model="tiered", level=level)  # type: ignore[arg-type]
        bit = free_rows(relation)[BIT]
        for cash, expected in ((dollars * 10**6, 1), (dollars * 10**6 - 1, 0), (-(10**12), 0)):
            assert assign(relation, [cash]).rows[bit] == expected


# A prover who fills the free rows as he likes -------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.data(), st.sampled_from(LEVELS), st.integers(-1, 2))
def test_the_other_tier_cannot_be_chosen(data: st.DataObject, level: Level, off: int) -> None:
    """A flipped bit leaves the row of the threshold below zero, whatever else is written."""
    lots = with_value(small(), data.draw(coin_accounts(small())), level, off)
    relation = build_relation(small(), model="tiered", level=level)
    free, honest = free_rows(relation), assign(relation, lots)
    for wrong in {0, 1, 2} - {honest.rows[free[BIT]]}:
        with pytest.raises(WitnessError, match=r"threshold|or cross margin"):
            check(relation, refilled(relation, lots, {free[BIT]: wrong}))


@settings(max_examples=20, deadline=None)
@given(st.data(), st.sampled_from(LEVELS), st.integers(-1, 2))
def test_no_smaller_requirement_can_be_written(data: st.DataObject, level: Level, off: int) -> None:
    """With every slack of both branches as small as its rows allow, the requirement is that of the engine."""
    lots = with_value(small(), data.draw(coin_accounts(small())), level, off)
    relation = build_relation(small(), model="tiered", level=level)
    counted = free_rows(relation)[COUNTED]
    honest = assign(relation, lots)
    found = requirement(small(), lots, model="tiered", level=level)
    least = honest.rows[counted]
    assert least == ceil(found.requirement)
    assert honest.rows[-1] == floor(found.excess)
    for smaller in {least - 1, least // 2, 0} - {least, -1}:
        with pytest.raises(WitnessError, match="margin,"):
            check(relation, refilled(relation, lots, {counted: smaller}))


def test_a_larger_slack_only_harms() -> None:
    lots = [10**13] + [(-1) ** slot * (3 + slot % 5) for slot in range(1, len(small().universe))]
    relation = build_relation(small(), model="tiered")
    honest = assign(relation, lots)
    for name, index in free_rows(relation).items():
        if name != BIT:
            greedy = refilled(relation, lots, {index: honest.rows[index] + 10**6})
            assert greedy.rows[-1] <= honest.rows[-1], name


def test_how_many_rows_it_takes() -> None:
    """Those of both models, four for the bit, and three for the requirement; the slots' and the last are shared."""
    made, shared = small(), bound_rows(build_relation(small())) + 1
    counts = {model: len(build_relation(made, model=model).rows) for model in ("tiered", "cross", "grid")}
    own = {model: count - shared for model, count in counts.items()}
    # A perpetual's size is one row for both.
    names = [row.name for row in build_relation(made, model="tiered").rows]
    both = sum(": long side" in name for model in ("cross", "grid") for name in names_of(made, model))
    assert own["tiered"] == own["cross"] + own["grid"] + 7 - (both - sum(": long side" in n for n in names))


def names_of(made: Snapshot, model: str) -> list[str]:
    return [row.name for row in build_relation(made, model=model).rows]


@pytest.mark.skipif(get_backend().name != "native", reason="a proof on plain Python takes long")
@pytest.mark.parametrize("cash", [10**9, 10**12])
def test_a_proof_in_either_tier(cash: int) -> None:
    setup, made = ceremony(get_backend()), small()
    lots = [cash, 10**4, *[1] * (len(made.universe) - 2)]
    excess = requirement(made, lots, model="tiered").excess_ticks
    opening = Opening(tuple(lots), random_blinder())
    point = setup.backend.encode(commit(setup, made.universe.domain, lots, opening.blinder))
    statement = Statement.about(
        made, (CommitmentTerm(point),), audience="bank", nonce="1", model="tiered", threshold=excess
    )
    verify(statement, prove(statement, [opening], setup), setup)
