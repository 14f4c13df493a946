"""Portfolio margin: the worst loss over a grid of spot and volatility moves, hedges recognised per coin.

The grid has parameters of its own (`crypto`); the rules of a venue may stand in their place (`pmrm2`, `deribit`,
`okx`, `bybit`, `binance`). All of them give the same kind of tables, which one engine values and one set of rows
proves.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.models.grid import binance, bybit, crypto, deribit, okx, pmrm2
from zkmargin.margin.models.grid.coverage import coverage_charge
from zkmargin.margin.models.grid.losses import unit_losses
from zkmargin.margin.parameters.binance import Binance
from zkmargin.margin.parameters.bybit import Bybit
from zkmargin.margin.parameters.deribit import Deribit
from zkmargin.margin.parameters.okx import Okx
from zkmargin.margin.parameters.pmrm2 import Pmrm2
from zkmargin.margin.tables.assessment import Assessment, Charge, assess
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.tables.grid_additions import ConfidenceCharge
from zkmargin.margin.units import Level
from zkmargin.margin.valuation.basis import Basis
from zkmargin.margin.valuation.charges import haircuts
from zkmargin.margin.valuation.contingencies import contingencies

NAME = "grid"
TABLES = GridTables


def tables(basis: Basis) -> GridTables:
    """The grid's tables; InputError naming the instrument if a number is out of range."""
    match basis.parameters.venue:
        case Pmrm2() as rules:
            return pmrm2.tables(basis, rules)
        case Deribit() as rules:
            return deribit.tables(basis, rules)
        case Okx() as rules:
            return okx.tables(basis, rules)
        case Bybit() as rules:
            return bybit.tables(basis, rules)
        case Binance() as rules:
            return binance.tables(basis, rules)
        case _:
            return crypto.tables(basis)


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
