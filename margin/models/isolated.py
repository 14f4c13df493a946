"""Isolated margin: every position carries its own charge, and the value of a long option does not count."""

from zkmargin.margin.models.model import Model
from zkmargin.margin.tables.rates import RateTables
from zkmargin.margin.valuation.basis import Basis
from zkmargin.margin.valuation.position_rates import full_value, rate_tables, requirement

NAME = "isolated"


def tables(basis: Basis) -> RateTables:
    """Rates by position; a long option is charged its mark."""
    return rate_tables(basis, full_value)


MODEL = Model(name=NAME, tables_type=RateTables, tables=tables, requirement=requirement)
