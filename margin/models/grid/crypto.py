"""The grid's own parameterisation: every spot shock with three volatility moves, and damped tails.

It follows what crypto venues share: volatility shocks that grow towards expiry, contingencies on
perpetuals and on naked short options, haircuts on coins.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.arithmetic.fixed import ONE, from_decimal, from_fraction
from zkmargin.margin.arithmetic.kernels import (
    VOL_BASE,
    VOL_DOWN,
    VOL_UP,
    option_values,
    risk_array,
    shocked_vols,
)
from zkmargin.margin.errors import InputError
from zkmargin.margin.models.grid.parts import risk_units, spot_moves
from zkmargin.margin.parameters.grid import VolatilityShock
from zkmargin.margin.tables.grid import Cell, GridTables
from zkmargin.margin.units import LEVELS
from zkmargin.margin.valuation.basis import Basis, contract_size
from zkmargin.margin.valuation.charges import collateral_charges
from zkmargin.margin.valuation.contingencies import perpetual_charges, strike_charges
from zkmargin.margin.valuation.grid_cells import grid_cells
from zkmargin.margin.valuation.option_values import named_instruments, option_columns, volatility_shock

_COLUMN = {"up": VOL_UP, "none": VOL_BASE, "down": VOL_DOWN}


def tables(basis: Basis) -> GridTables:
    """The grid's tables; InputError naming the instrument if a number is out of range."""
    grid = basis.parameters.grid
    units, unit_of = risk_units(basis)
    cells = grid_cells(grid)
    risk = cell_risk(basis, cells, grid.volatility)
    for currency, share in grid.currencies.items():
        _move_less(basis, cells, risk, currency, share)
    return GridTables(
        cells=cells,
        units=tuple(_unit_name(unit, grid.currencies.get(unit)) for unit in units),
        unit_of=unit_of,
        risk=risk,
        perpetuals=perpetual_charges(basis, grid),
        strikes=strike_charges(basis, grid),
        collaterals=collateral_charges(basis),
        loss_factor={level: Fraction(grid.loss_factor.at(level)).as_integer_ratio() for level in LEVELS},
    )


def _unit_name(unit: str, share: Decimal | None) -> str:
    return unit if share is None else f"{unit} (shocks x {canonical_decimal(share)})"


def _move_less(
    basis: Basis, cells: Sequence[Cell], risk: NDArray[np.int64], currency: str, share: Decimal
) -> None:
    """Shocks of a currency's own, in place of the grid's; InputError if it has options."""
    slots = [s for s, i in enumerate(basis.universe.instruments) if i.underlying == currency]
    if any(basis.universe.instruments[slot].kind == "option" for slot in slots):
        remedy = "has options, which need the grid's own shocks; leave it out"
        raise InputError("parameters, grid", "currencies", currency, remedy)
    moves = spot_moves(basis, [replace(cell, spot=str(Decimal(cell.spot) * share)) for cell in cells])
    risk[:, slots] = moves[:, slots]


def cell_risk(basis: Basis, cells: Sequence[Cell], volatility: VolatilityShock) -> NDArray[np.int64]:
    """(S, N): options by the pricing kernels, all else moves in proportion to spot."""
    risk = spot_moves(basis, cells)
    columns = option_columns(basis.universe, basis.valuation_time, basis.inputs)
    with named_instruments(basis.universe, columns.slots):
        vols = shocked_vols(columns.volatilities, columns.options.years, volatility_shock(volatility))
        base = option_values(columns.options, vols, [(ONE, VOL_BASE)]).column(0)
        shocks = [(from_decimal(1 + Decimal(cell.spot)), _COLUMN[cell.volatility]) for cell in cells]
        values = option_values(columns.options, vols, shocks)
        damping = [from_fraction(Fraction(cell.damping)) for cell in cells]
        quanta = [int(basis.quanta * contract_size(basis.universe.instruments[s])) for s in columns.slots]
        risk[:, list(columns.slots)] = risk_array(base, values, damping, columns.multipliers, quanta).T
    return risk
