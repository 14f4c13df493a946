"""Margin by public rates for each position, as rows: what `isolated` and `cross` share.

P - q >= 0,  P >= 0          for every charged slot: the charge is long P + short (P - q)
h - sum charge q >= 0        for every collateral
A - charges - threshold >= 0
"""

from __future__ import annotations

from zkmargin.circuits.ledger import Ledger
from zkmargin.margin.tables import RateTables


def build(ledger: Ledger) -> int:
    """Add the rows of a rate model; the requirement is collected as it is (denominator 1)."""
    tables: RateTables = ledger.tables
    long, short = tables.long[ledger.level].tolist(), tables.short[ledger.level].tolist()
    for slot, (up, down) in enumerate(zip(long, short, strict=True)):
        if up or down:
            ledger.magnitude(slot, ledger.charge(slot, up), ledger.charge(slot, down))
    ledger.haircuts(tables.collaterals, 1)
    return 1
