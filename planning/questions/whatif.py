"""What if: requirement, excess and sensitivities before and after some trades, and candidates by what they release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from zkmargin.margin.account.greeks import Greeks
from zkmargin.margin.account.requirement import Requirement
from zkmargin.margin.arithmetic.decimals import nearest, scaled_decimal
from zkmargin.margin.units import Level
from zkmargin.planning.bands import account_greeks
from zkmargin.planning.costs import Pricing, whole_usd
from zkmargin.planning.engine import Engine
from zkmargin.planning.trades import Trade, after, changes_of, traded

_GREEK_DECIMALS = 6


@dataclass(frozen=True)
class Side:
    """An account before or after: its requirement, and sensitivities by underlying."""

    requirement: Requirement
    greeks: dict[str, Greeks]

    def to_json(self) -> dict[str, Any]:
        """Decimal strings of USD, and sensitivities at six places."""
        found = self.requirement
        return {
            "account_value": found.show(found.account_value_ticks),
            "requirement": found.show(found.requirement_ticks),
            "excess": found.show(found.excess_ticks),
            "greeks": {name: _shown(greeks) for name, greeks in self.greeks.items()},
        }


@dataclass(frozen=True)
class WhatIf:
    """Some trades under one model: before, after, and what they cost in USD."""

    model: str
    level: Level
    trades: tuple[Trade, ...]
    cost: Fraction
    before: Side
    after: Side

    @property
    def released(self) -> int:
        """Ticks by which the excess rises."""
        return self.after.requirement.excess_ticks - self.before.requirement.excess_ticks

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        decimals = self.before.requirement.quantum_decimals
        return {
            "model": self.model,
            "level": self.level,
            "trades": [trade.to_json() for trade in self.trades],
            "cost": scaled_decimal(whole_usd(self.cost, decimals), decimals),
            "released": scaled_decimal(self.released, decimals),
            "before": self.before.to_json(),
            "after": self.after.to_json(),
        }


def whatif(
    pricing: Pricing,
    lots: Sequence[int],
    trades: Sequence[Trade],
    *,
    model: str = "grid",
    level: Level = "initial",
) -> WhatIf:
    """What trades do to an account. Raises InputError where it would hold more than a bound, or lacks the model."""
    engine = Engine(pricing.snapshot, model, level)
    then = after(pricing, lots, trades)
    sides = [Side(engine.requirement(held), account_greeks(pricing.snapshot, held)) for held in (lots, then)]
    # Trades in one instrument are one trade: impact and rounding follow the whole of it.
    changes = changes_of(pricing.snapshot, trades)
    cost = sum((pricing.cost(slot, change) for slot, change in changes.items()), Fraction(0))
    return WhatIf(model, level, tuple(trades), cost, sides[0], sides[1])


@dataclass(frozen=True)
class Candidate:
    """One trade by itself: ticks of excess that it releases, and how many USD for each USD of its cost."""

    trade: Trade
    released: int
    per_dollar: Fraction | None
    """None where it costs nothing."""

    def to_json(self, decimals: int) -> dict[str, Any]:
        """Plain JSON values."""
        rate = None if self.per_dollar is None else scaled_decimal(nearest(self.per_dollar * 100), 2)
        return {
            **self.trade.to_json(),
            "released": scaled_decimal(self.released, decimals),
            "per_dollar": rate,
        }


def rank(
    pricing: Pricing,
    lots: Sequence[int],
    trades: Sequence[Trade],
    *,
    model: str = "grid",
    level: Level = "initial",
) -> list[Candidate]:
    """Candidate trades, each by itself, those that release most for a dollar first."""
    engine = Engine(pricing.snapshot, model, level)
    now = engine.excess(lots)
    held = [traded(pricing, lots, changes_of(pricing.snapshot, [trade])) for trade in trades]
    found = []
    for trade, excess in zip(trades, engine.excesses(held), strict=True):
        released = excess - now
        usd = Fraction(released, 10**pricing.snapshot.quantum_decimals)
        found.append(Candidate(trade, released, usd / trade.cost if trade.cost else None))
    return sorted(found, key=_value, reverse=True)


def _value(candidate: Candidate) -> tuple[bool, Fraction]:
    free = candidate.per_dollar is None
    return free and candidate.released > 0, Fraction(
        candidate.released
    ) if free else candidate.per_dollar or Fraction(0)


def _shown(greeks: Greeks) -> dict[str, str]:
    return {
        name: scaled_decimal(nearest(value * 10**_GREEK_DECIMALS), _GREEK_DECIMALS)
        for name, value in vars(greeks).items()
    }
