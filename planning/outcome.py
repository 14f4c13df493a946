"""A plan as it is told: trades in whole lots and in order, their cost, and what is known of the least cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.units import Level
from zkmargin.planning.costs import whole_usd
from zkmargin.planning.order import Step
from zkmargin.planning.trades import Trade


@dataclass(frozen=True)
class Plan:
    """Trades that reach a target, and what is known of their cost.

    Attributes:
        model, level: of the margin.
        target: ticks of excess that were asked for.
        before, after: the excess as the account stands, and once all is traded, in ticks.
        trades: in whole lots.
        cost: USD.
        bound: USD below which no plan within the limits costs; None where the model gives none.
        steps: the order of the trades.
        rising: whether the excess rises with every step.
        searched: whether whole lots were searched for, or the linear program rounded.
        quantum_decimals: of ticks.
    """

    model: str
    level: Level
    target: int
    before: int
    after: int
    trades: tuple[Trade, ...]
    cost: Fraction
    bound: float | None
    steps: tuple[Step, ...]
    rising: bool
    searched: bool
    quantum_decimals: int

    @property
    def gap(self) -> float | None:
        """How much of its cost the plan could be from the least, at most."""
        if self.bound is None:
            return None
        return max(0.0, float(self.cost) - self.bound) / float(self.cost) if self.cost else 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; money as decimal strings of USD, costs rounded up to a tick."""
        decimals = self.quantum_decimals

        def usd(ticks: int) -> str:
            return canonical_decimal(_scaled(ticks, decimals))

        return {
            "model": self.model,
            "level": self.level,
            "target": usd(self.target),
            "excess_before": usd(self.before),
            "excess_after": usd(self.after),
            "cost": usd(whole_usd(self.cost, decimals)),
            "bound": None if self.bound is None else f"{self.bound:.6f}",
            "gap": None if self.gap is None else f"{self.gap:.6f}",
            "method": "search over whole lots" if self.searched else "linear program in whole lots",
            "rising": self.rising,
            "trades": [trade.to_json() for trade in self.trades],
            "steps": [
                {"trades": [t.to_json() for t in step.trades], "excess": usd(step.excess)}
                for step in self.steps
            ],
        }


def _scaled(ticks: int, decimals: int) -> Decimal:
    return decimal_of(Fraction(ticks, 10**decimals))


def decimal_of(value: Fraction) -> Decimal:
    """A ratio as a decimal number, to 28 digits."""
    return Decimal(value.numerator) / Decimal(value.denominator)
