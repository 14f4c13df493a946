"""Margin by public rates for each position, as rows: what `isolated` and `cross` share.

P - q >= 0,  P >= 0          for every charged slot: the charge is long P + short (P - q)
h - sum charge q >= 0        for every collateral
A - charges - threshold >= 0
"""

from __future__ import annotations

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.margin.tables.rates import RateTables


def build(account: AccountRows) -> int:
    """Add the rows of a rate model; the requirement is collected as it is (denominator 1)."""
    tables: RateTables = account.tables
    long, short = tables.long[account.level].tolist(), tables.short[account.level].tolist()
    for slot, (up, down) in enumerate(zip(long, short, strict=True)):
        if up or down:
            account.magnitude(slot, account.charge(slot, up), account.charge(slot, down))
    account.haircuts(tables.collaterals, 1)
    return 1
