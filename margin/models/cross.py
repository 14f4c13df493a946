"""Cross margin: collateral and profit are shared, rates are per position, and no hedge is recognised."""

from zkmargin.margin.models.model import Model
from zkmargin.margin.tables.rates import RateTables
from zkmargin.margin.valuation.basis import Basis
from zkmargin.margin.valuation.position_rates import rate_tables, requirement, unpaid

NAME = "cross"


def tables(basis: Basis) -> RateTables:
    """Rates by position; a long option that is paid for can lose no more than it counts, so it carries no
    charge. One that is margined daily carries a future's, up to its mark.
    """
    return rate_tables(basis, unpaid)


MODEL = Model(name=NAME, tables_type=RateTables, tables=tables, requirement=requirement)
