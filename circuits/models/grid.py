"""Portfolio margin on a grid of scenarios, as rows.

    W_u + PnL_u(s) >= 0          for every unit u and cell s: W_u is at least the worst loss
    P - q >= 0                   for every perpetual: |q| = 2 P - q at the least P
    a + sum q >= 0               for every strike: a is at least its naked short contracts
    h - sum charge q >= 0        for every collateral
    A - factor sum W - charges - threshold >= 0

All slacks enter the last row with a negative sign, so a prover who takes a larger one only harms himself.
"""

from __future__ import annotations

from zkmargin.circuits.ledger import LOTS, Ledger
from zkmargin.margin.market.times import format_time
from zkmargin.margin.tables import GridTables


def build(ledger: Ledger) -> int:
    """Add the rows of the grid; returns the denominator by which the requirement was multiplied."""
    tables: GridTables = ledger.tables
    numerator, denominator = tables.loss_factor[ledger.level]
    _worst_losses(ledger, tables, numerator)
    _perpetuals(ledger, tables, denominator)
    _naked_shorts(ledger, tables, denominator)
    ledger.haircuts(tables.collaterals, denominator)
    return denominator


def _worst_losses(ledger: Ledger, tables: GridTables, numerator: int) -> None:
    for unit, name in enumerate(tables.units):
        slots = (tables.unit_of == unit).nonzero()[0]
        worst = ledger.rows.free(f"{name}: worst loss", ledger.usd)
        for cell, risk in zip(tables.cells, tables.risk, strict=True):
            form = ledger.money(risk, slots)
            ledger.rows.row(f"{name}, {cell.label}", ledger.usd, form, {worst: 1}, closes=worst)
        ledger.require({}, {worst: numerator})


def _perpetuals(ledger: Ledger, tables: GridTables, denominator: int) -> None:
    for perpetual in tables.perpetuals:
        charge = denominator * ledger.charge(perpetual.slot, perpetual.charge[ledger.level])
        if charge:
            ledger.magnitude(perpetual.slot, charge, charge)


def _naked_shorts(ledger: Ledger, tables: GridTables, denominator: int) -> None:
    for strike in tables.strikes:
        charge = denominator * ledger.charge(strike.slots[0], strike.charge[ledger.level])
        if charge:
            expiry = format_time(strike.expiry)[:10]
            name = f"{strike.underlying} {strike.strike}, expiry {expiry}: naked shorts"
            naked = ledger.rows.free(name, LOTS)
            ledger.rows.row(f"{name} covered", LOTS, dict.fromkeys(strike.slots, 1), {naked: 1}, closes=naked)
            ledger.require({}, {naked: charge})
