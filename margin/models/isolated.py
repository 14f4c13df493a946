"""Isolated margin: every position carries its own charge, and the value of a long option does not count."""

from zkmargin.margin.basis import Basis
from zkmargin.margin.rates import full_value, rate_tables, requirement
from zkmargin.margin.tables import RateTables

__all__ = ["NAME", "TABLES", "requirement", "tables"]

NAME = "isolated"
TABLES = RateTables


def tables(basis: Basis) -> RateTables:
    """Rates by position; a long option is charged its mark."""
    return rate_tables(basis, full_value)
