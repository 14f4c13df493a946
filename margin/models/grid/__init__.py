"""Portfolio margin: the worst loss over a grid of spot and volatility moves, hedges recognised per coin.

The grid has parameters of its own (`crypto`); the rules of a venue may stand in their place (`pmrm1`, `pmrm2`,
`deribit`, `okx`, `bybit`, `binance`). All of them give the same kind of tables, which one engine values and one set of
rows proves.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.models.grid import binance, bybit, crypto, deribit, okx, pmrm1, pmrm2
from zkmargin.margin.models.grid.coverage import coverage_charge
from zkmargin.margin.models.grid.losses import unit_losses
from zkmargin.margin.models.model import Model
from zkmargin.margin.parameters.venues.binance import Binance
from zkmargin.margin.parameters.venues.bybit import Bybit
from zkmargin.margin.parameters.venues.deribit import Deribit
from zkmargin.margin.parameters.venues.okx import Okx
from zkmargin.margin.parameters.venues.pmrm1 import Pmrm1
from zkmargin.margin.parameters.venues.pmrm2 import Pmrm2
from zkmargin.margin.tables.assessment import Assessment, Charge, assess
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.tables.grid_additions import ConfidenceCharge
from zkmargin.margin.units import Level
from zkmargin.margin.valuation.basis import Basis
from zkmargin.margin.valuation.charges import haircuts
from zkmargin.margin.valuation.contingencies import contingencies

NAME = "grid"


def tables(basis: Basis) -> GridTables:
    """The grid's tables; InputError naming the instrument if a number is out of range."""
    rules = basis.parameters.venue
    return crypto.tables(basis) if rules is None else RULES[type(rules)](basis, rules)


RULES: Mapping[type[Any], Callable[[Basis, Any], GridTables]] = {
    Binance: binance.tables,
    Bybit: bybit.tables,
    Deribit: deribit.tables,
    Okx: okx.tables,
    Pmrm1: pmrm1.tables,
    Pmrm2: pmrm2.tables,
}
"""The rules of venues that stand in place of the grid's own, by the type of their section."""


def requirement(
    tables: GridTables, universe: Universe, scale: Sequence[int], lots: Sequence[int], level: Level
) -> Assessment:
    """The worst loss of every unit and all charges; lots by slot, the result in exact money units."""
    charges = contingencies(tables, universe, scale, lots, level)
    charges.extend(_confidence(charge, scale, lots, level) for charge in tables.confidences)
    charges.extend(haircuts(tables.collaterals, scale, lots, level))
    units = unit_losses(tables, scale, lots, _tick(universe, scale))
    found = assess(Fraction(*tables.loss_factor[level]), units, tuple(charges))
    if tables.coverage is None:
        return found
    lacking = coverage_charge(tables.coverage, found, scale, lots)
    if lacking is None:
        return found
    return replace(found, amount=found.amount + lacking.amount, charges=(*found.charges, lacking))


def _tick(universe: Universe, scale: Sequence[int]) -> int:
    """The money of one quantum of USD: what any slot's scale says of it."""
    first = universe.instruments[0]
    return int(scale[0] * Fraction(10) ** (first.contract_exponent - first.lot_exponent))


def _confidence(charge: ConfidenceCharge, scale: Sequence[int], lots: Sequence[int], level: Level) -> Charge:
    rate = charge.gated if any(lots[slot] for slot in charge.gates) else charge.charge
    size = sum(abs(lots[slot]) * scale[slot] for slot in charge.slots)
    return Charge("confidence", charge.name, size * rate[level])


MODEL = Model(name=NAME, tables_type=GridTables, tables=tables, requirement=requirement)
