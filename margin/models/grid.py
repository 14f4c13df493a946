"""Portfolio margin: the worst loss over a grid of spot and volatility moves, hedges recognised per coin.

The parameterisation follows Derive's portfolio manager (PMRM): volatility shocks that grow towards
expiry, damped tails, contingencies on perpetuals and on naked short options, haircuts on coins.
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.assessment import Assessment, Charge, UnitLoss, assess
from zkmargin.margin.basis import Basis, contract_size, underlyings
from zkmargin.margin.cells import grid_cells
from zkmargin.margin.charges import collateral_charges, haircuts, notional_charge, per_contract
from zkmargin.margin.decimals import nearest
from zkmargin.margin.errors import InputError
from zkmargin.margin.fixed import ONE, from_decimal, from_fraction
from zkmargin.margin.instruments import CASH, Instrument
from zkmargin.margin.kernels import VOL_BASE, VOL_DOWN, VOL_UP, option_values, risk_array, shocked_vols
from zkmargin.margin.parameters import Rates
from zkmargin.margin.pricing import named_instruments, option_columns, volatility_shock
from zkmargin.margin.tables import (
    LEVELS,
    Cell,
    GridTables,
    Level,
    PerpetualCharge,
    StrikeCharge,
)
from zkmargin.margin.universe import Universe

NAME = "grid"
TABLES = GridTables

_COLUMN = {"up": VOL_UP, "none": VOL_BASE, "down": VOL_DOWN}


def tables(basis: Basis) -> GridTables:
    """The grid's tables; InputError naming the instrument if a number is out of range."""
    grid = basis.parameters.grid
    units = underlyings(basis.universe)
    unit_of = [units.index(i.underlying) if i.underlying != CASH else -1 for i in basis.universe.instruments]
    cells = grid_cells(grid)
    return GridTables(
        cells=cells,
        units=units,
        unit_of=np.array(unit_of, dtype=np.int32),
        risk=_risk(basis, cells),
        perpetuals=tuple(
            PerpetualCharge(slot, notional_charge(basis, slot, grid.perpetual))
            for slot, instrument in enumerate(basis.universe.instruments)
            if instrument.kind == "perpetual"
        ),
        strikes=_strikes(basis),
        collaterals=collateral_charges(basis),
        loss_factor={level: _ratio(grid.loss_factor, level) for level in LEVELS},
    )


def _ratio(rates: Rates, level: Level) -> tuple[int, int]:
    return Fraction(rates.at(level)).as_integer_ratio()


def _risk(basis: Basis, cells: Sequence[Cell]) -> NDArray[np.int64]:
    """(S, N): options by the pricing kernels, all else moves in proportion to spot."""
    risk = np.zeros((len(cells), len(basis.universe)), dtype=np.int64)
    moves = [Fraction(Decimal(cell.spot)) * Fraction(cell.damping) * basis.quanta for cell in cells]
    for slot, instrument in enumerate(basis.universe.instruments):
        if instrument.kind != "option":
            value = _moving_value(basis, slot, instrument)
            column = [nearest(value * move) for move in moves]
            if max(map(abs, column), default=0) >= 1 << 63:
                where = f"instrument {instrument.name}"
                raise InputError(
                    where, "risk", max(column), "too large for 64 bits; check its price and the shocks"
                )
            risk[:, slot] = column
    columns = option_columns(basis.universe, basis.valuation_time, basis.inputs)
    with named_instruments(basis.universe, columns.slots):
        vols = shocked_vols(
            columns.volatilities, columns.options.years, volatility_shock(basis.parameters.grid.volatility)
        )
        base = option_values(columns.options, vols, [(ONE, VOL_BASE)]).column(0)
        shocks = [(from_decimal(1 + Decimal(cell.spot)), _COLUMN[cell.volatility]) for cell in cells]
        values = option_values(columns.options, vols, shocks)
        damping = [from_fraction(Fraction(cell.damping)) for cell in cells]
        quanta = [int(basis.quanta * contract_size(basis.universe.instruments[s])) for s in columns.slots]
        risk[:, list(columns.slots)] = risk_array(base, values, damping, columns.multipliers, quanta).T
    return risk


def _moving_value(basis: Basis, slot: int, instrument: Instrument) -> Fraction:
    """USD per contract that moves in proportion to spot.

    Index and forwards move by one factor, so the slot of an inverse future, -index/forward, does not
    move: its exposure is the coin leg that was booked into the balance.
    """
    if instrument.underlying == CASH or instrument.inverse:
        return Fraction(0)
    return Fraction(Decimal(basis.inputs.quotes[slot].price)) * contract_size(instrument)


def _strikes(basis: Basis) -> tuple[StrikeCharge, ...]:
    groups: dict[tuple[str, int, str, bool, int, int, int], list[int]] = defaultdict(list)
    for slot, i in enumerate(basis.universe.instruments):
        if i.kind == "option":
            key = (
                i.underlying,
                i.expiry or 0,
                i.strike or "",
                i.inverse,
                i.lot_exponent,
                i.contract_exponent,
                i.multiplier,
            )
            groups[key].append(slot)
    rates = basis.parameters.grid.naked_short
    return tuple(
        StrikeCharge(
            underlying,
            expiry,
            strike,
            tuple(slots),
            {
                level: per_contract(basis, slots[0], basis.index(underlying), rates.at(level))
                for level in LEVELS
            },
        )
        for (underlying, expiry, strike, *_), slots in groups.items()
    )


def requirement(
    tables: GridTables, universe: Universe, scale: Sequence[int], lots: Sequence[int], level: Level
) -> Assessment:
    """The worst loss of every unit and all charges; lots by slot, the result in exact money units."""
    names = [instrument.name for instrument in universe.instruments]
    charges = [
        Charge("perpetual", names[p.slot], abs(lots[p.slot]) * p.charge[level] * scale[p.slot])
        for p in tables.perpetuals
    ]
    for strike in tables.strikes:
        short = max(0, -sum(lots[slot] for slot in strike.slots))
        if short:
            name = " / ".join(names[slot] for slot in strike.slots)
            charges.append(Charge("naked short", name, short * strike.charge[level] * scale[strike.slots[0]]))
    charges.extend(haircuts(tables.collaterals, scale, lots, level))
    return assess(Fraction(*tables.loss_factor[level]), _unit_losses(tables, scale, lots), tuple(charges))


def _unit_losses(tables: GridTables, scale: Sequence[int], lots: Sequence[int]) -> tuple[UnitLoss, ...]:
    profits = [[0] * len(tables.cells) for _ in tables.units]
    for slot, held in enumerate(lots):
        unit = int(tables.unit_of[slot])
        if held and unit >= 0:
            weight = held * scale[slot]
            column = tables.risk[:, slot].tolist()
            profits[unit] = [
                total + weight * change for total, change in zip(profits[unit], column, strict=True)
            ]
    return tuple(_unit_loss(unit, profit) for unit, profit in zip(tables.units, profits, strict=True))


def _unit_loss(unit: str, profit: Sequence[int]) -> UnitLoss:
    worst = min(range(len(profit)), key=profit.__getitem__)
    return UnitLoss(unit, tuple(profit), worst, max(0, -profit[worst]))
