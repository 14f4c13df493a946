"""SPAN, the margin of futures clearing houses: sixteen scenarios per commodity, and spreads between deltas.

After CME's Standard Portfolio Analysis of Risk. Scanning risk nets everything on one underlying; a charge on
calendar spreads makes up for months that move apart; a credit recognises commodities that move together; options
sold carry a minimum.
"""

import numpy as np

from zkmargin.margin.models.model import Model
from zkmargin.margin.models.span.arrays import arrays
from zkmargin.margin.models.span.layout import commodity_table, ordered_inter
from zkmargin.margin.models.span.limits import check_squares
from zkmargin.margin.models.span.periods import members
from zkmargin.margin.models.span.requirement import requirement
from zkmargin.margin.models.span.scenarios import cells
from zkmargin.margin.models.span.tables import SpanTables
from zkmargin.margin.parameters.span import default_parameters
from zkmargin.margin.valuation.basis import Basis, underlyings
from zkmargin.margin.valuation.charges import collateral_charges

NAME = "span"
NEEDS = "span needs instruments whose price moves, or a section span in the parameters"


def tables(basis: Basis) -> SpanTables | None:
    """SPAN's tables; None where nothing but cash is listed and no commodity is given.

    Raises InputError naming the underlying, tier or instrument that is missing or out of range; UnprovableError if
    credits on price risk are too large to prove.
    """
    parameters = basis.parameters.section(NAME) or default_parameters(underlyings(basis.universe))
    if parameters is None:
        return None
    found = members(basis, parameters)
    made = arrays(basis, parameters, found)
    unit_of = np.full(len(basis.universe), -1, dtype=np.int64)
    for member in found:
        unit_of[member.slot] = member.commodity
    found_tables = SpanTables(
        cells=cells(),
        units=tuple(commodity.name for commodity in parameters.commodities),
        unit_of=unit_of,
        risk=made.risk,
        commodities=tuple(
            commodity_table(basis, parameters, number, found, made)
            for number in range(len(parameters.commodities))
        ),
        spreads=ordered_inter(parameters),
        collaterals=collateral_charges(basis),
    )
    check_squares(basis.universe, found_tables)
    return found_tables


MODEL = Model(name=NAME, tables_type=SpanTables, tables=tables, requirement=requirement, needs=NEEDS)
