"""Isolated margin: every position carries its own charge, and the value of a long option does not count.

The rates are the parameters' own (`standard`); the rules of a venue may stand in their place (`srm`), where an expiry
as a whole is asked for no more than it can come to lose.
"""

from collections.abc import Sequence

from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.models.isolated import srm
from zkmargin.margin.models.isolated.expiries import with_additions
from zkmargin.margin.models.model import Model
from zkmargin.margin.tables.assessment import Assessment
from zkmargin.margin.tables.rates import RateTables
from zkmargin.margin.units import Level
from zkmargin.margin.valuation.basis import Basis
from zkmargin.margin.valuation.position_rates import full_value, rate_tables
from zkmargin.margin.valuation.position_rates import requirement as by_rates

NAME = "isolated"


def tables(basis: Basis) -> RateTables:
    """Rates by position; a long option is charged its mark.

    Raises InputError naming the instrument if a number is out of range, or if the rules do not know it.
    """
    rules = basis.parameters.srm
    return rate_tables(basis, full_value) if rules is None else srm.tables(basis, rules)


def requirement(
    tables: RateTables, universe: Universe, scale: Sequence[int], lots: Sequence[int], level: Level
) -> Assessment:
    """Every position's charge, the haircuts, and what expiries and sizes add or take; in exact money units."""
    found = by_rates(tables, universe, scale, lots, level)
    return with_additions(found, tables, scale, lots, level)


MODEL = Model(name=NAME, tables_type=RateTables, tables=tables, requirement=requirement)
