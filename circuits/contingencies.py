"""Rows of the contingencies beside a worst case: on the size of perpetuals, and on naked short options.

P >= 0,  P - q >= 0           for every charged perpetual: |q| = 2 P - q at the least P
a >= 0,  a + sum q >= 0       for every strike: a is at least its naked short contracts

Both are convex slacks that the requirement grows with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from zkmargin.circuits.ledger import LOTS, Ledger
from zkmargin.margin.market.times import format_time
from zkmargin.margin.tables import PerpetualCharge, StrikeCharge


class Contingencies(Protocol):
    """Tables that have such charges."""

    @property
    def perpetuals(self) -> Sequence[PerpetualCharge]:
        """By slot."""

    @property
    def strikes(self) -> Sequence[StrikeCharge]:
        """By strike and expiry."""


def contingencies(ledger: Ledger, denominator: int) -> None:
    """Add `denominator` times the contingencies of the ledger's tables to the requirement."""
    tables: Contingencies = ledger.tables
    for perpetual in tables.perpetuals:
        charge = denominator * ledger.charge(perpetual.slot, perpetual.charge[ledger.level])
        if charge:
            ledger.magnitude(perpetual.slot, charge, charge)
    for strike in tables.strikes:
        charge = denominator * ledger.charge(strike.slots[0], strike.charge[ledger.level])
        if charge:
            expiry = format_time(strike.expiry)[:10]
            name = f"{strike.underlying} {strike.strike}, expiry {expiry}: naked shorts"
            naked = ledger.rows.free(name, LOTS)
            ledger.rows.row(f"{name} covered", LOTS, dict.fromkeys(strike.slots, 1), {naked: 1}, closes=naked)
            ledger.require({}, {naked: charge})
