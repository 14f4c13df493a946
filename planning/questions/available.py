"""What may be taken out of an account, and how much may be added to it: exact to a lot.

The excess of a model without bits is concave in the holdings, so what may be withdrawn is an interval from nothing,
and its end is found by halving it. Under a model with bits the end of the first such interval is told that halving
finds; either way the engine says that it holds, and that one lot more does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from zkmargin.margin.arithmetic.decimals import canonical_decimal, nearest, scaled_decimal
from zkmargin.margin.units import Level
from zkmargin.planning.costs import Pricing
from zkmargin.planning.engine import Engine
from zkmargin.planning.trades import tradable_slot, traded

Reason = Literal["margin", "balance", "bound", "not covered"]
"""What stops it: margin, that there is no more, the instrument's bound, or that margin is not covered as it is."""


@dataclass(frozen=True)
class Most:
    """The greatest amount of one thing, in lots.

    Attributes:
        name: of the balance or instrument.
        lots: how much; 0 where nothing may be.
        quantity: the same as a canonical decimal.
        reason: what stops one lot more.
    """

    name: str
    lots: int
    quantity: str
    reason: Reason


@dataclass(frozen=True)
class Available:
    """What one account may withdraw, each asset by itself.

    Attributes:
        excess: ticks.
        utilisation: requirement over account value; None where the value is not positive.
        withdrawals: by balance.
    """

    model: str
    level: Level
    excess: int
    utilisation: Fraction | None
    withdrawals: tuple[Most, ...]
    quantum_decimals: int

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the utilisation is a share at six places."""
        share = None if self.utilisation is None else scaled_decimal(nearest(self.utilisation * 10**6), 6)
        return {
            "model": self.model,
            "level": self.level,
            "excess": scaled_decimal(self.excess, self.quantum_decimals),
            "utilisation": share,
            "withdrawals": [vars(most) for most in self.withdrawals],
        }


def available(
    pricing: Pricing, lots: Sequence[int], *, model: str = "grid", level: Level = "initial"
) -> Available:
    """Per balance the greatest withdrawal that keeps the excess at zero or more, and what is there at most."""
    engine = Engine(pricing.snapshot, model, level)
    found = engine.requirement(lots)
    instruments = pricing.snapshot.universe.instruments
    withdrawals = []
    for slot, instrument in enumerate(instruments):
        if instrument.kind == "balance":

            def left(amount: int, slot: int = slot) -> list[int]:
                held = list(lots)
                held[slot] -= amount
                return held

            withdrawals.append(_most(engine, slot, left, max(0, lots[slot]), "balance"))
    value = found.account_value
    share = found.assessment.amount / value if value > 0 else None
    return Available(
        model, level, found.excess_ticks, share, tuple(withdrawals), pricing.snapshot.quantum_decimals
    )


def largest_order(
    pricing: Pricing,
    lots: Sequence[int],
    instrument: str,
    *,
    buy: bool,
    model: str = "grid",
    level: Level = "initial",
) -> Most:
    """The greatest extra size of an order that keeps the excess at zero or more once it is filled, costs paid.

    Raises InputError for an instrument that cannot be traded.
    """
    slot = tradable_slot(pricing.snapshot, instrument, "available")
    engine, sign = Engine(pricing.snapshot, model, level), 1 if buy else -1
    room = pricing.snapshot.universe.instruments[slot].bound - sign * lots[slot]
    room = min(room, pricing.ladder(slot, buy=buy).most)

    def filled(amount: int) -> list[int]:
        return traded(pricing, lots, {slot: sign * amount})

    return _most(engine, slot, filled, room, "bound")


def _most(engine: Engine, slot: int, held: Callable[[int], list[int]], room: int, end: Reason) -> Most:
    """The end of the interval from nothing, found by doubling and halving."""
    instrument = engine.snapshot.universe.instruments[slot]

    def holds(amount: int) -> bool:
        return engine.excess(held(amount)) >= 0

    def told(amount: int, reason: Reason) -> Most:
        return Most(instrument.name, amount, canonical_decimal(amount * instrument.lot), reason)

    if not holds(0):
        return told(0, "not covered")
    low, high = 0, 1
    while high <= room and holds(high):
        low, high = high, 2 * high
    if high > room:
        if holds(room):
            return told(room, end)
        high = room
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return told(low, "margin")
