"""Cross margin: collateral and profit are shared, rates are per position, and no hedge is recognised."""

from zkmargin.margin.tables.rates import RateTables
from zkmargin.margin.valuation.basis import Basis
from zkmargin.margin.valuation.position_rates import rate_tables, requirement, unpaid

__all__ = ["NAME", "TABLES", "requirement", "tables"]

NAME = "cross"
TABLES = RateTables


def tables(basis: Basis) -> RateTables:
    """Rates by position; a long option that is paid for can lose no more than it counts, so it carries no
    charge. One that is margined daily carries a future's, up to its mark.
    """
    return rate_tables(basis, unpaid)
