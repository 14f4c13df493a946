"""Rows of the contingencies beside a worst case: on the size of perpetuals, and on naked short options.

P >= 0,  P - q >= 0           for every charged perpetual: |q| = 2 P - q at the least P
a >= 0,  a + sum q >= 0       for every strike: a is at least its naked short contracts

Both are convex slacks that the requirement grows with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from zkmargin.circuits.account_rows import LOTS, AccountRows
from zkmargin.margin.market.times import format_time
from zkmargin.margin.tables.charges import PerpetualCharge, StrikeCharge


class Contingencies(Protocol):
    """Tables that have such charges."""

    @property
    def perpetuals(self) -> Sequence[PerpetualCharge]:
        """By slot."""

    @property
    def strikes(self) -> Sequence[StrikeCharge]:
        """By strike and expiry."""


def contingencies(account: AccountRows, denominator: int) -> None:
    """Add `denominator` times the contingencies of the account's tables to the requirement."""
    tables: Contingencies = account.tables
    for perpetual in tables.perpetuals:
        charge = denominator * account.charge(perpetual.slot, perpetual.charge[account.level])
        if charge:
            account.magnitude(perpetual.slot, charge, charge)
    for strike in tables.strikes:
        charge = denominator * account.charge(strike.slots[0], strike.charge[account.level])
        if charge:
            expiry = format_time(strike.expiry)[:10]
            name = f"{strike.underlying} {strike.strike}, expiry {expiry}: naked shorts"
            naked = account.rows.free(name, LOTS)
            account.rows.row(
                f"{name} covered", LOTS, dict.fromkeys(strike.slots, 1), {naked: 1}, closes=naked
            )
            account.require({}, {naked: charge})
