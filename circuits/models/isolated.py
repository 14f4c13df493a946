"""The `isolated` model's rows: rates for each position, see `gadgets.position_rates`, and the rows of a venue's rules
beside them, see `gadgets.expiry_caps`.
"""

from __future__ import annotations

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.circuits.gadgets.expiry_caps import ExpiryCapRows, size_charge
from zkmargin.circuits.gadgets.position_rates import build as build_rates
from zkmargin.margin.tables.rates import RateTables

__all__ = ["build"]


def build(account: AccountRows) -> int:
    """Add the rows of isolated margin; the requirement is collected as it is (denominator 1)."""
    tables: RateTables = account.tables
    denominator = build_rates(account)
    for charge in tables.sizes:
        size_charge(account, charge)
    for expiry in tables.expiries:
        ExpiryCapRows(account, expiry).add()
    return denominator
