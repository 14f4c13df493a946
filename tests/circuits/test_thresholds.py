"""Relations for many thresholds out of one: equal to those that are built from their beginning."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.circuits.law import LAST, free_rows, refilled
from tests.margin.accounts import lots_of
from zkmargin.algebra.field import MODULUS
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
    for threshold in (0, 1, -1, 250_000_000_000, 10**18, -(10**18), 10**24, 10**21, -(10**45), -(10**46), 0):
        built = build_relation(SNAPSHOT, model=model, level=level, threshold=threshold)
        made = family.at(threshold)
        assert made.digest == built.digest
        assert made.frame_digest == built.frame_digest
        assert made.rows == built.rows


def test_relations_share_their_matrices_but_not_their_constants() -> None:
    family = Thresholds(SNAPSHOT, model="cross")
    one, other = family.at(1), family.at(2)
    assert one.holdings is other.holdings
    assert one.limb_weights is other.limb_weights
    assert one.constants[:-1] == other.constants[:-1]
    assert one.constants[-1] != other.constants[-1]
    assert one.digest != other.digest


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


def test_a_threshold_that_could_wrap_around_is_refused() -> None:
    with pytest.raises(RelationError, match="too many"):
        Thresholds(SNAPSHOT, model="cross").at(-(1 << 235))
    with pytest.raises(RelationError, match="could wrap around"):
        Thresholds(SNAPSHOT, model="cross").at(1 << 260)


@pytest.mark.parametrize("model", ["cross", "isolated", "grid"])
def test_a_family_refuses_a_constant_that_could_wrap_around_at_any_width_it_knows(model: str) -> None:
    """The threshold that the field takes for less than nothing: an empty account would have met it."""
    family = Thresholds(SNAPSHOT, model=model)
    known = family.at(10**40)
    step = abs(known.constants[-1]) // 10**40
    for threshold in (MODULUS // step, MODULUS // step + 1, (MODULUS + 10**30) // step, 2 * MODULUS // step):
        with pytest.raises(RelationError, match="could wrap around"):
            family.at(threshold)
        with pytest.raises(RelationError, match="could wrap around"):
            known.with_constant(known.equations - 1, -step * threshold)
    with pytest.raises(WitnessError, match="short by"):
        check(known, assign(known, [0] * len(SNAPSHOT.universe)))
