"""Cross margin: collateral and profit are shared, rates are per position, and no hedge is recognised."""

from zkmargin.margin.basis import Basis
from zkmargin.margin.rates import free, rate_tables, requirement
from zkmargin.margin.tables import RateTables

__all__ = ["NAME", "TABLES", "requirement", "tables"]

NAME = "cross"
TABLES = RateTables


def tables(basis: Basis) -> RateTables:
    """Rates by position; a long option is paid for and can lose no more than it counts, so it carries no
    charge.
    """
    return rate_tables(basis, free)
