"""Trades in whole lots, and what an account holds after them.

A trade at the mark changes the account value by nothing but its rounding: what it takes in one slot it gives in the
balance that the instrument settles in. Its cost is paid from that balance, too, and every leg is rounded down to a
lot of the balance, so that the account never gains by rounding.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.instruments.instrument import CASH
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.planning.costs import Pricing


@dataclass(frozen=True)
class Trade:
    """One instrument bought or sold.

    Attributes:
        instrument: its name.
        lots: positive is bought.
        quantity: the same in coins, contracts, or USD for inverse futures.
        cost: USD, from the mark.
    """

    instrument: str
    lots: int
    quantity: Decimal
    cost: Fraction

    @classmethod
    def of(cls, pricing: Pricing, slot: int, lots: int) -> Trade:
        """The trade of so many lots, with what it costs."""
        instrument = pricing.snapshot.universe.instruments[slot]
        return cls(instrument.name, lots, lots * instrument.lot, pricing.cost(slot, lots))

    def to_json(self) -> dict[str, str]:
        """Decimal strings; the cost to the cent of a cent."""
        return {
            "instrument": self.instrument,
            "quantity": canonical_decimal(self.quantity),
            "cost": f"{float(self.cost):.4f}",
        }


def parse_trade(text: str, pricing: Pricing, where: str = "--trade") -> Trade:
    """A trade written as "INSTRUMENT QUANTITY", such as "BTC-PERPETUAL -5000".

    Raises InputError for an unknown, settled or cash instrument, and for a quantity that is not whole lots.
    """
    name, _, written = text.strip().rpartition(" ")
    if not name:
        raise InputError(where, "trade", text, 'write "INSTRUMENT QUANTITY", such as "BTC-PERPETUAL +5000"')
    slot = tradable_slot(pricing.snapshot, name.strip(), where)
    instrument = pricing.snapshot.universe.instruments[slot]
    quantity = parse_decimal(written, where, f"quantity of {instrument.name}")
    lots = quantity / instrument.lot
    if lots != lots.to_integral_value() or not lots:
        remedy = (
            f"write a multiple of the lot of {instrument.name}, {canonical_decimal(instrument.lot)}, not 0"
        )
        raise InputError(where, f"quantity of {instrument.name}", written, remedy)
    if abs(lots) > 2 * instrument.bound:
        raise InputError(
            where, f"quantity of {instrument.name}", written, "is beyond what an account may hold"
        )
    return Trade.of(pricing, slot, int(lots))


def tradable_slot(snapshot: Snapshot, name: str, where: str) -> int:
    """The slot of an instrument that can be traded; raises InputError naming what is near, or why it cannot."""
    if name not in snapshot.universe:
        listed = [instrument.name for instrument in snapshot.universe.instruments]
        close = difflib.get_close_matches(name[:100].upper(), listed, n=1)
        guess = f"is {close[0]} meant? " if close else ""
        raise InputError(where, "instrument", name, f"not listed by the snapshot; {guess}use a listed name")
    slot = snapshot.universe.slot(name)
    instrument = snapshot.universe.instruments[slot]
    if instrument.kind == "balance" and instrument.underlying == CASH:
        raise InputError(where, "instrument", name, "USD is what trades are paid in; name another instrument")
    if snapshot.inputs.quotes[slot].settled is not None:
        raise InputError(where, "instrument", name, Finding("has expired and settled; it cannot be traded"))
    return slot


def traded(pricing: Pricing, lots: Sequence[int], changes: dict[int, int]) -> list[int]:
    """The account after trades, given by slot in lots; legs are rounded down, once for each trade. Bounds aside."""
    held = list(lots)
    for slot, change in changes.items():
        if change:
            held[slot] += change
            held[pricing.payer(slot)] += pricing.leg(slot, change)
    return held


def changes_of(snapshot: Snapshot, trades: Iterable[Trade]) -> dict[int, int]:
    """Lots by slot; trades in the same instrument add up."""
    changes: dict[int, int] = {}
    for trade in trades:
        slot = snapshot.universe.slot(trade.instrument)
        changes[slot] = changes.get(slot, 0) + trade.lots
    return changes


def after(pricing: Pricing, lots: Sequence[int], trades: Iterable[Trade]) -> list[int]:
    """The account after some trades. Raises InputError where it would hold more than an instrument's bound."""
    held = traded(pricing, lots, changes_of(pricing.snapshot, trades))
    for instrument, amount in zip(pricing.snapshot.universe.instruments, held, strict=True):
        if abs(amount) > instrument.bound:
            quantity, most = (canonical_decimal(n * instrument.lot) for n in (amount, instrument.bound))
            remedy = f"hold at most {most} either way; trade less"
            raise InputError("trades", f"{instrument.name} after the trades", quantity, remedy)
    return held
