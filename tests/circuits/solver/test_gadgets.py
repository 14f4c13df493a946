"""What each gadget's rows say, checked for every filling by a solver; and that each row of it is needed.

The widths are small, so that a solver ends; the rows are those that the product writes.
"""

from __future__ import annotations

from typing import Any

import pytest
import z3

from tests.circuits.solver.rows import implied, largest, stated, without
from zkmargin.algebra.field import MODULUS
from zkmargin.circuits.builder import RelationBuilder
from zkmargin.circuits.models.span.pools import Amount, PoolRows
from zkmargin.circuits.models.span.risk import Scenarios, _rounded, price_risk_rows
from zkmargin.circuits.relation import Unit, most_limbs
from zkmargin.margin.models.span.tables import PAIRED

LOTS, USD = Unit("lots"), Unit("USD")


def builder(**bounds: int) -> RelationBuilder:
    made = RelationBuilder(64)
    for variable, bound in enumerate(bounds.values()):
        made.bounded(variable, bound)
    return made


# Bounds and slacks ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "limit", [0, 5, 31, 63, 127, 2047, (1 << 21) - 1, (1 << 32) - 1, (1 << 54) - 1, 10**12]
)
@pytest.mark.parametrize("domain", [64, 256, 1024, 2048])
def test_a_quantity_is_within_its_bound(domain: int, limit: int) -> None:
    made = RelationBuilder(domain)
    made.ranged("range", 0, limit)
    relation = made.build()
    found = stated(relation)
    (q,) = found.q.values()
    assert implied(found.facts, z3.And(q >= -relation.holding_bounds[0], q <= limit))
    assert relation.holding_bounds[0] in (limit, limit + 1)
    assert not implied(found.facts, q <= limit - 1)
    assert not implied(found.facts, q >= 1 - relation.holding_bounds[0])


def test_a_slack_is_at_least_its_forms() -> None:
    made = builder(a=60, b=60)
    slack = made.free("worst", USD)
    for number, (a, b) in enumerate(((1, 2), (-3, 1), (0, 0))):
        made.row(f"loss {number}", USD, {0: a, 1: b}, {slack: 1}, closes=slack)
    relation = made.build()
    found = stated(relation)
    a, b = found.q[0], found.q[1]
    claim = found.rows[slack] >= largest([-a - 2 * b, 3 * a - b, z3.IntVal(0)])
    assert implied(found.facts, claim)
    for number in (0, 1):
        assert not implied(without(relation, found, f"loss {number}"), claim)


# Deltas and spreads -------------------------------------------------------------------------------------


def test_a_net_delta_is_either_long_or_short() -> None:
    made = builder(delta=50)
    pool = PoolRows(made).split("x", LOTS, {0: 1}, {}, 50)
    relation = made.build()
    found = stated(relation)
    q = found.q[0]
    (long,), (short,) = pool.long.rows, pool.short.rows
    long_side = found.rows[long] == z3.If(q > 0, q, 0)
    claim = z3.And(long_side, found.rows[short] == z3.If(q < 0, -q, 0))
    assert implied([*found.facts, q >= -50, q <= 50], claim)
    for ending in ("long only if net long", "short only if not"):
        assert not implied([*without(relation, found, ending), q >= -50, q <= 50], claim)


def _amounts(made: RelationBuilder, count: int, bound: int) -> list[Amount]:
    """Amounts that are variables: rows that say what a holding is."""
    found = []
    for variable in range(count):
        made.bounded(variable, bound)
        found.append(Amount({made.row(f"amount {variable}", LOTS, {variable: 1}): 1}, bound))
    return found


def test_a_spread_takes_all_it_can_from_one_place_after_the_other() -> None:
    made = RelationBuilder(64)
    one, two, other = _amounts(made, 3, 20)
    steps, left = PoolRows(made).spread("x", LOTS, (2, 3), ((one, two), (other,)))
    relation = made.build()
    found = stated(relation)
    a, b, c = found.rows[:3]
    small = [value <= 20 for value in (a, b, c)]
    (step,) = steps.rows
    first, second = (a + b) / 2, c / 3
    least = z3.If(first < second, first, second)
    taken = 2 * least
    (place,) = left[0][0].rows
    claim = z3.And(found.rows[step] == least, found.rows[place] == z3.If(a > taken, a - taken, 0))
    assert implied([*found.facts, *small], claim)
    for ending in (
        "goes on only if empty",
        "empty if it goes on",
        "taken from the last place",
        "no further spread for want of leg 1",
        "no further spread for want of leg 2",
        "leg 2: left",
    ):
        assert not implied([*without(relation, found, ending), *small], claim), ending


# Price risk ---------------------------------------------------------------------------------------------


def _scenarios(used: tuple[int, ...], bound: int) -> tuple[RelationBuilder, Scenarios]:
    """Sixteen scenarios, of which those that are used have profits of their own, all others none."""
    made = RelationBuilder(64)
    for variable in range(len(used)):
        made.bounded(variable, bound)
    profits = tuple({used.index(s): 1} if s in used else {} for s in range(16))
    worst = made.free("scanning risk", USD)
    rows = tuple(
        made.row(f"loss {s}", USD, profit, {worst: 1}, closes=worst) for s, profit in enumerate(profits)
    )
    return made, Scenarios("x", USD, profits, rows, bound)


@pytest.mark.parametrize(
    ("used", "needed"),
    [
        ((0, 1, 2, 3), ("worst only if it loses most", "its price risk")),
        ((2, 3, 4), ("loses less if a later one is worst", "its price risk")),
    ],
)
def test_price_risk_is_that_of_the_first_worst_scenario(
    used: tuple[int, ...], needed: tuple[str, ...]
) -> None:
    made, scenarios = _scenarios(used, 9)
    twice = price_risk_rows(made, scenarios)
    relation = made.build()
    found = stated(relation)
    small = [z3.And(q >= -9, q <= 9) for q in found.q.values()]
    profits = [found.q[used.index(s)] if s in used else z3.IntVal(0) for s in range(16)]
    risks = [profits[0] + profits[1] - profits[s] - profits[PAIRED[s]] for s in range(16)]
    least = -largest([-profit for profit in profits])
    risk: Any = z3.IntVal(0)
    for s in range(15, -1, -1):
        risk = z3.If(profits[s] == least, risks[s], risk)
    # The scanning risk is the worst loss or more: with more, no bit can be set.
    (row,) = twice.rows
    claim = found.rows[row] <= z3.If(risk > 0, risk, 0)
    assert implied([*found.facts, *small], claim)
    for ending in needed:
        assert not implied([*without(relation, found, ending), *small], claim), ending


@pytest.mark.parametrize("step", [1, 2, 3, 4, 7])
def test_a_net_delta_is_rounded_exactly(step: int) -> None:
    made = RelationBuilder(64)
    (delta,) = _amounts(made, 1, 40)
    count = _rounded(made, "x", delta, step)
    relation = made.build()
    found = stated(relation)
    claim = found.rows[count] == (found.rows[0] + step // 2) / step
    assert implied([*found.facts, found.rows[0] <= 40], claim)
    for ending in ("not rounded too far up", "not rounded too far down"):
        assert not implied([*without(relation, found, ending), found.rows[0] <= 40], claim)


# From the field to the integers -------------------------------------------------------------------------


def test_no_sum_below_the_order_wraps_around() -> None:
    """|x| < r and x = 0 modulo r is x = 0, at the full width of the field."""
    x, turns = z3.Ints("x turns")
    assert implied([x < MODULUS, x > -MODULUS, x == turns * MODULUS], x == 0)
    assert not implied([x <= MODULUS, x > -MODULUS, x == turns * MODULUS], x == 0)


@pytest.mark.parametrize("bits", range(6, 12))
def test_limbs_of_the_table_are_a_row_in_its_range(bits: int) -> None:
    """At every domain and for the widest row: limbs below n make a value below 2^(t l), and any such value."""
    limbs = [z3.Int(f"l{j}") for j in range(most_limbs(bits))]
    row = z3.Sum([limb * (1 << bits * j) for j, limb in enumerate(limbs)])
    within = [z3.And(limb >= 0, limb < 1 << bits) for limb in limbs]
    top = 1 << bits * len(limbs)
    assert top < MODULUS
    assert implied(within, z3.And(row >= 0, row < top))
    assert not implied(within, row < top - 1)
