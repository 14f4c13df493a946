"""Plans: the engine confirms them, nothing smaller does, and enumeration finds nothing cheaper."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.margin.securities import snapshot as securities_snapshot
from tests.margin.securities import wide_market
from tests.planning.books import CONVEX, SECTIONS, book, example, model_of, pricing, short_books, short_by
from zkmargin.margin.errors import InputError
from zkmargin.planning.bands import Band, account_greeks
from zkmargin.planning.costs import CostModel, Pricing
from zkmargin.planning.engine import Engine
from zkmargin.planning.plan import InfeasibleError, Limits, Plan, plan_hedge, plan_liquidation, plan_release
from zkmargin.planning.rounding import WORTH
from zkmargin.planning.trades import changes_of, traded

FEW = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def excess_after(costs: Pricing, lots: Sequence[int], plan: Plan, model: str) -> int:
    held = traded(costs, lots, changes_of(costs.snapshot, plan.trades))
    return Engine(costs.snapshot, model, plan.level).excess(held)


def check_least(costs: Pricing, lots: Sequence[int], plan: Plan, model: str) -> None:
    """One lot less of any trade misses the target."""
    changes = changes_of(costs.snapshot, plan.trades)
    engine = Engine(costs.snapshot, model, plan.level)
    for slot, amount in changes.items():
        less = changes | {slot: amount - (1 if amount > 0 else -1)}
        assert engine.excess(traded(costs, lots, less)) < plan.target


@pytest.mark.parametrize("name", CONVEX)
@FEW
@given(data=st.data())
def test_the_engine_confirms_a_plan_and_nothing_smaller(name: str, data: st.DataObject) -> None:
    costs, model = pricing(name), model_of(name)
    lots = data.draw(short_books(costs.snapshot, model))
    try:
        plan = plan_liquidation(costs, lots, model=model, hedges=data.draw(st.booleans()))
    except InfeasibleError:
        return
    assert plan.after == excess_after(costs, lots, plan, model) >= 0
    assert plan.bound is not None
    assert plan.bound <= float(plan.cost) + 1e-6
    check_least(costs, lots, plan, model)


@pytest.mark.parametrize("name", SECTIONS)
def test_every_model_has_plans(name: str) -> None:
    costs, model = pricing(name), model_of(name)
    lots = short_by(costs.snapshot, example(costs.snapshot), 8000, model)
    for hedges in (False, True):
        plan = plan_liquidation(costs, lots, model=model, hedges=hedges, limits=Limits(time_limit=0.5))
        assert plan.before < 0 <= plan.after == excess_after(costs, lots, plan, model)
        assert plan.cost > 0
        assert plan.steps[-1].excess == plan.after
        if plan.rising:
            rises = [plan.before, *(step.excess for step in plan.steps)]
            assert rises == sorted(set(rises))


def test_tims_has_plans() -> None:
    made = securities_snapshot(wide_market(4))
    costs = Pricing(made)
    shares = next(i.name for i in made.universe.instruments if i.kind == "share")
    options = [i.name for i in made.universe.instruments if i.kind == "option"]
    lots = book(made, {shares: 500, options[0]: -10, options[1]: 4, "USD": 10**11})
    lots = short_by(made, lots, 2000, "tims")
    plan = plan_liquidation(costs, lots, model="tims")
    assert plan.after == excess_after(costs, lots, plan, "tims") >= 0


@pytest.mark.parametrize("name", [*CONVEX, "pmrm2", "var"])
@pytest.mark.parametrize("seed", range(3))
def test_enumeration_finds_nothing_cheaper(name: str, seed: int) -> None:
    """Every closing of three small option positions, one by one."""
    costs, model = pricing(name), model_of(name)
    made = costs.snapshot
    sizes = [{"BTC-9JAN26-84000-P": -6, "BTC-9JAN26-93000-C": -5, "BTC-9JAN26-75000-P": 4},
             {"BTC-30JAN26-88000-C": -4, "ETH-30JAN26-3150-C": -7, "ETH-30JAN26-3450-C": 7},
             {"BTC-27MAR26-66000-P": -5, "ETH-9JAN26-2850-P": -6, "BTC-30JAN26-101000-C": -5}][seed]  # fmt: skip
    lots = book(made, {**sizes, "USD": 10**11})
    required = Engine(made, model, "maintenance").requirement(lots).requirement_ticks
    lots = short_by(made, lots, required / 10**6 * 0.4, model)
    limits = Limits(time_limit=20, gap=0)
    engine = Engine(made, model, "maintenance")
    slots = [made.universe.slot(instrument) for instrument in sizes]
    ways = [range(min(0, -held), max(0, -held) + 1) for held in sizes.values()]
    trials = [dict(zip(slots, amounts, strict=True)) for amounts in product(*ways)]
    found = engine.excesses([traded(costs, lots, trial) for trial in trials])
    prices = [
        sum((costs.cost(slot, amount) for slot, amount in trial.items()), Fraction(0))
        for trial, excess in zip(trials, found, strict=True)
        if excess >= 0
    ]
    if not prices:
        with pytest.raises(InfeasibleError):
            plan_liquidation(costs, lots, model=model, limits=limits)
        return
    plan = plan_liquidation(costs, lots, model=model, limits=limits)
    assert plan.cost <= min(prices) + len(sizes) * WORTH
    assert plan.bound is not None
    assert plan.bound <= float(min(prices)) * (1 + 1e-4)


@pytest.mark.parametrize(
    ("usd", "closing", "hedged"), [(5_000, 11.0, 11.0), (15_000, 45.3, 44.0), (30_000, 1830, 735)]
)
def test_the_example_account_is_mended_at_known_costs(usd: int, closing: float, hedged: float) -> None:
    costs = pricing()
    lots = short_by(costs.snapshot, example(costs.snapshot), usd)
    assert plan_liquidation(costs, lots).cost < closing
    assert plan_liquidation(costs, lots, hedges=True).cost < hedged


def test_limits_are_kept() -> None:
    costs = pricing()
    lots = short_by(costs.snapshot, example(costs.snapshot), 12_000)
    limits = Limits(
        ["BTC-PERPETUAL", "BTC_USD-PERPETUAL", "ETH-PERPETUAL"], largest={"BTC_USD-PERPETUAL": 400}, legs=2
    )
    plan = plan_liquidation(costs, lots, hedges=True, limits=limits)
    assert plan.after >= 0
    assert len(plan.trades) <= 2
    assert {trade.instrument for trade in plan.trades} <= set(limits.instruments or ())
    assert all(abs(t.lots) <= 400 for t in plan.trades if t.instrument == "BTC_USD-PERPETUAL")


def test_a_target_out_of_reach_says_how_near_it_is_and_what_is_in_the_way() -> None:
    costs = pricing()
    lots = short_by(costs.snapshot, example(costs.snapshot), 60_000)
    with pytest.raises(
        InfeasibleError, match=r"cannot be reached: the best is -\d+.*in the way are the limits of"
    ):
        plan_liquidation(costs, lots)


def test_an_account_that_is_covered_needs_no_plan() -> None:
    costs = pricing()
    plan = plan_liquidation(costs, example(costs.snapshot))
    assert not plan.trades
    assert not plan.steps
    assert plan.cost == plan.bound == 0


def test_bands_are_reached_and_kept() -> None:
    costs = pricing()
    lots = example(costs.snapshot)
    bands = (
        Band("BTC", "delta", Fraction(-1, 10), Fraction(1, 10)),
        Band("ETH", "vega", Fraction(50), Fraction(60)),
    )
    plan = plan_hedge(costs, lots, bands=bands, limits=Limits(time_limit=5))
    greeks = account_greeks(costs.snapshot, traded(costs, lots, changes_of(costs.snapshot, plan.trades)))
    assert abs(greeks["BTC"].delta) <= Fraction(1, 10)
    assert 50 <= greeks["ETH"].vega <= 60
    assert plan.after >= 0


def test_a_budget_buys_the_most_margin() -> None:
    costs = pricing()
    lots = example(costs.snapshot)
    plan = plan_release(costs, lots, Fraction(50))
    assert plan.cost <= 50
    assert plan.before < plan.after <= plan.target
    # What the budget buys is what a plan to that excess costs.
    again = plan_hedge(costs, lots, target=plan.after)
    assert math.isclose(float(again.cost), 50, rel_tol=0.01)


def test_a_cost_that_nothing_says_is_asked_for() -> None:
    costs = Pricing(pricing().snapshot, CostModel(option_spread=None))
    lots = short_by(costs.snapshot, example(costs.snapshot), 5_000)
    with pytest.raises(InputError, match="option_spread"):
        plan_liquidation(costs, lots)


@pytest.mark.parametrize(
    ("limits", "match"),
    [
        (Limits(["BTC-9JAN26-1-C"]), "not listed"),
        (Limits(["USD"]), "what trades are paid in"),
        (Limits(legs=0), "legs"),
        (Limits(largest={"BTC-PERPETUAL": -1}), "largest trade"),
    ],
)
def test_limits_that_cannot_be_are_refused(limits: Limits, match: str) -> None:
    costs = pricing()
    lots = short_by(costs.snapshot, example(costs.snapshot), 5_000)
    with pytest.raises(InputError, match=match):
        plan_liquidation(costs, lots, limits=limits)
