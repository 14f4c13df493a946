"""Relations for many thresholds out of one: equal to those that are built from their beginning."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.circuits.law import LAST, free_rows, refilled
from tests.margin.accounts import lots_of
from zkmargin.algebra import MODULUS
from zkmargin.circuits import RelationError, Thresholds, WitnessError, build_relation
from zkmargin.circuits.witness import assign, check
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.market import example_market
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level

FACTORS = {"initial": "0.999999999999", "maintenance": "0.333333333333"}
TIERS = parse_parameters({"tiered": {"threshold": {"initial": "100000", "maintenance": "80000"}}}, "test")
SNAPSHOT = Snapshot.build(example_market(), TIERS)
FINE = parse_parameters({"tiered": {"threshold": "1"}, "grid": {"loss_factor": FACTORS}}, "test")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("model", ["grid", "cross", "tiered", "span"])
def test_each_equals_the_relation_built_from_its_beginning(model: str, level: Level) -> None:
    family = Thresholds(SNAPSHOT, model=model, level=level)
    for threshold in (0, 1, -1, 250_000_000_000, 10**18, -(10**18), 1 << 64, -1 << 64, 0):
        built = build_relation(SNAPSHOT, model=model, level=level, threshold=threshold)
        made = family.at(threshold)
        assert made.digest == built.digest
        assert made.frame_digest == built.frame_digest
        assert made.rows == built.rows
        assert made.constants == built.constants
        assert made.threshold == built.threshold == threshold


def test_relations_share_their_matrices_but_not_their_constants() -> None:
    family = Thresholds(SNAPSHOT, model="cross")
    one, other = family.at(1), family.at(2)
    assert one.holdings is other.holdings
    assert one.limb_weights is other.limb_weights
    assert one.constants[:-1] == other.constants[:-1]
    assert one.constants[-1] != other.constants[-1]
    assert one.digest == other.digest
    assert one.constants_at_zero == other.constants_at_zero


@settings(max_examples=15, deadline=None)
@given(
    st.data(), st.sampled_from(LEVELS), st.sampled_from((SNAPSHOT, Snapshot.build(example_market(), FINE)))
)
def test_tiered_margin_of_any_threshold(data: st.DataObject, level: Level, made: Snapshot) -> None:
    """One family serves both tiers: the excess proves, a tick more does not, and the other tier cannot be chosen."""
    lots = data.draw(lots_of(made, 10**9))
    lots[0] = data.draw(st.integers(-(10**12), 10**12))
    family = Thresholds(made, model="tiered", level=level)
    excess = requirement(made, lots, model="tiered", level=level).excess_ticks
    relation = family.at(excess)
    honest = assign(relation, lots)
    check(relation, honest)
    with pytest.raises(WitnessError) as short:
        check(family.at(excess + 1), assign(family.at(excess + 1), lots))
    assert short.value.row == LAST.format(level)
    free = free_rows(relation)
    bit, counted = free["portfolio margin"], free["requirement of the tier"]
    for wrong in {0, 1, 2} - {honest.rows[bit]}:
        with pytest.raises(WitnessError, match=r"threshold|or cross margin"):
            check(relation, refilled(relation, lots, {bit: wrong}))
    if honest.rows[counted]:
        with pytest.raises(WitnessError, match="margin,"):
            check(relation, refilled(relation, lots, {counted: honest.rows[counted] - 1}))


def test_a_threshold_beyond_the_reach_is_refused() -> None:
    family = Thresholds(SNAPSHOT, model="cross")
    reach = family.at(0).reach
    for threshold in (reach, -reach):
        assert build_relation(SNAPSHOT, model="cross", threshold=threshold).threshold == threshold
    for threshold in (reach + 1, -reach - 1, 1 << 260):
        with pytest.raises(RelationError, match="lies beyond"):
            family.at(threshold)
        with pytest.raises(RelationError, match="lies beyond"):
            build_relation(SNAPSHOT, model="cross", threshold=threshold)


def test_no_threshold_within_reach_can_wrap_around() -> None:
    """The relation counts the farthest threshold; one that reached farther could not be made."""
    relation = build_relation(SNAPSHOT, model="cross")
    most = (MODULUS - 1 - relation._totals[-1]) // relation.step + relation.reach
    assert replace(relation, reach=most).reach == most
    with pytest.raises(RelationError, match="could wrap around"):
        replace(relation, reach=most + 1)
    for step, reach in ((-1, 1), (1, -1), (1, MODULUS)):
        with pytest.raises(RelationError, match="not negative"):
            replace(relation, step=step, reach=reach)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("model", ["grid", "cross", "tiered", "span"])
def test_the_closing_row_holds_every_excess_at_every_threshold(model: str, level: Level) -> None:
    relation = build_relation(SNAPSHOT, model=model, level=level)
    top = 1 << relation.bits * relation.rows[-1].limbs
    assert top > 2 * relation.step * relation.reach
