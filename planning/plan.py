"""Plans: the least-cost trades that bring an account to a target, confirmed by the exact engine."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.units import Level
from zkmargin.planning.bands import Band
from zkmargin.planning.costs import Pricing
from zkmargin.planning.engine import Engine
from zkmargin.planning.limits import InfeasibleError, Limits
from zkmargin.planning.outcome import Plan, decimal_of
from zkmargin.planning.planner import Planner

__all__ = ["Band", "InfeasibleError", "Limits", "Plan", "plan_hedge", "plan_liquidation", "plan_release"]

ANY = Limits()


def plan_liquidation(
    pricing: Pricing,
    lots: Sequence[int],
    *,
    model: str = "grid",
    level: Level = "maintenance",
    target: int = 0,
    hedges: bool = False,
    limits: Limits = ANY,
) -> Plan:
    """The least-cost trades that bring the excess to a target, in ticks: closing ones, or with hedges any.

    Raises:
        InfeasibleError: no allowed trade reaches it.
        InputError: see `Limits` and `build_relation`.
    """
    return Planner(pricing, lots, model, level, limits, hedges=hedges).plan(target)


def plan_hedge(
    pricing: Pricing,
    lots: Sequence[int],
    *,
    model: str = "grid",
    level: Level = "initial",
    target: int | None = None,
    bands: Sequence[Band] = (),
    limits: Limits = ANY,
) -> Plan:
    """The cheapest trades to a target excess, in ticks, and into bands of delta or vega.

    Without a target the excess may fall, but not below zero, nor further if it is below. Raises as `plan_liquidation`.
    """
    if target is None:
        target = min(0, Engine(pricing.snapshot, model, level).excess(lots))
    return Planner(pricing, lots, model, level, limits, hedges=True, bands=bands).plan(target)


def plan_release(
    pricing: Pricing,
    lots: Sequence[int],
    budget: Fraction,
    *,
    model: str = "grid",
    level: Level = "initial",
    limits: Limits = ANY,
) -> Plan:
    """The trades that raise the excess most for a budget in USD.

    The bound of the plan is its cost: what is bounded is the excess, and the plan's target is the bound on it.
    """
    if budget < 0:
        raise InputError("plan", "budget", canonical_decimal(decimal_of(budget)), "write USD, zero or more")
    return Planner(pricing, lots, model, level, limits, hedges=True).release(budget)
