"""A portfolio margin like Deribit's, coin by coin.

Cells: evenly spaced price moves with volatility up, unchanged and down; tails with volatility up, whose profit or
loss counts in part and which may lose a fixed sum before they count. What pays in coin is margined in coin: an
inverse future of q dollars gains q/F x/(1 + x) coins in a move of x, an inverse option V'/F' - V/F, both at today's
index, and coin balances do not move. Positions of one coin that settle in different currencies are buckets: the
gain of one pays losses of the other only in part.

Delta shock: a large net delta is asked for a further move, in proportion to its size; as a polygon that never lies
below the parabola, and goes on at its last slope. Roll shock: the net exposure of every expiry to its own forward,
moved by its share of a year.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.arithmetic.decimals import nearest
from zkmargin.margin.arithmetic.fixed import ONE, from_decimal, from_fraction
from zkmargin.margin.arithmetic.kernels import VOL_BASE, VOL_DOWN, VOL_UP, option_values, shocked_vols
from zkmargin.margin.market.times import format_time
from zkmargin.margin.models.grid.forwards import by_expiry, folded, forward_exposures, years_to
from zkmargin.margin.models.grid.parts import entries, risk_units
from zkmargin.margin.models.grid.volatilities import discounted
from zkmargin.margin.parameters.deribit import Deribit
from zkmargin.margin.parameters.grid import VolatilityShock
from zkmargin.margin.tables.grid import Cell, GridTables
from zkmargin.margin.tables.grid_additions import ExpiryBucket, ExposureCharge, Tier
from zkmargin.margin.tables.schema import fitting
from zkmargin.margin.units import LEVELS
from zkmargin.margin.valuation.basis import Basis, coins, contract_size, slot_value
from zkmargin.margin.valuation.charges import collateral_charge
from zkmargin.margin.valuation.grid_cells import Shocks, shock_cells
from zkmargin.margin.valuation.option_values import named_instruments, option_columns, volatility_shock

_COLUMN = {"up": VOL_UP, "none": VOL_BASE, "down": VOL_DOWN}
_CHORDS = 8
_WHERE = "parameters, deribit"


def tables(basis: Basis, rules: Deribit) -> GridTables:
    """The tables; InputError naming the instrument if a number is out of range."""
    units, unit_of = risk_units(basis)
    cells, allowances = _cells(rules), _allowances(basis, rules)
    risk = _risk(basis, rules, cells)
    return GridTables(
        cells=cells,
        units=units,
        unit_of=unit_of,
        risk=risk,
        perpetuals=(),
        strikes=(),
        collaterals=tuple(collateral_charge(basis, coin, rules.haircut.at) for coin in coins(basis.universe)),
        loss_factor={level: Fraction(rules.loss_factor.at(level)).as_integer_ratio() for level in LEVELS},
        buckets=_buckets(basis, rules, units, risk) if rules.gain_offset != 1 else (),
        exposures=_exposures(basis, rules, units),
        allowances=allowances if any(allowances) else (),
    )


def _cells(rules: Deribit) -> tuple[Cell, ...]:
    steps = range(-rules.buckets, rules.buckets + 1)
    moves = tuple(rules.price_range * step / rules.buckets for step in steps)
    tails = tuple((move, _fraction(rules, move)) for move in rules.tail_moves)
    return shock_cells(Shocks(moves, tails, ("up",)))


def _fraction(rules: Deribit, move: Decimal) -> Fraction:
    return min(Fraction(1), Fraction(rules.tail_factor) * Fraction(rules.price_range) / abs(Fraction(move)))


def _allowances(basis: Basis, rules: Deribit) -> tuple[int, ...]:
    """None in the core, then the dampener of every tail."""
    further = (max(Fraction(0), abs(Fraction(m)) / Fraction(rules.price_range) - 1) for m in rules.tail_moves)
    tails = (int(step * Fraction(rules.dampener) * basis.quanta) for step in further)
    remedy = "lower it, or raise price_range"
    return (*[0] * (3 * (2 * rules.buckets + 1)), *fitting(tails, _WHERE, "dampener", remedy))


@dataclass(frozen=True)
class _Moves:
    """What a cell does: Q64 but for the exact move."""

    spot: Fraction
    damping: Fraction
    shrink: int
    """1 / (1 + x): what a coin is worth of the coins before."""


def _risk(basis: Basis, rules: Deribit, cells: Sequence[Cell]) -> NDArray[np.int64]:
    """(S, N)"""
    moves = []
    for cell in cells:
        spot = Fraction(Decimal(cell.spot))
        moves.append(_Moves(spot, Fraction(cell.damping), from_fraction(1 / (1 + spot))))
    risk = np.zeros((len(cells), len(basis.universe)), dtype=np.int64)
    for slot, instrument in enumerate(basis.universe.instruments):
        if instrument.kind in ("perpetual", "future", "share"):
            value = abs(slot_value(instrument, basis.inputs.quotes[slot], basis.inputs))
            size = value * contract_size(instrument) * basis.quanta
            gains = [move.spot / (1 + move.spot) if instrument.inverse else move.spot for move in moves]
            column = [nearest(size * gain * move.damping) for gain, move in zip(gains, moves, strict=True)]
            risk[:, slot] = entries(instrument, column)
    _options(basis, rules, cells, moves, risk)
    return risk


def _options(
    basis: Basis, rules: Deribit, cells: Sequence[Cell], moves: Sequence[_Moves], risk: NDArray[np.int64]
) -> None:
    """Fills the columns of all options."""
    columns = option_columns(basis.universe, basis.valuation_time, basis.inputs)
    shock = VolatilityShock(
        up=rules.volatility_up,
        down=rules.volatility_down,
        minimum=rules.volatility_minimum,
        short_power=rules.short_power,
        long_power=rules.long_power,
        floor_days=rules.floor_days,
    )
    with named_instruments(basis.universe, columns.slots):
        vols = shocked_vols(columns.volatilities, columns.options.years, volatility_shock(shock))
        base = option_values(columns.options, vols, [(ONE, VOL_BASE)]).column(0)
        shocks = [(from_decimal(1 + Decimal(cell.spot)), _COLUMN[cell.volatility]) for cell in cells]
        values = option_values(columns.options, vols, shocks)
    damping = [from_fraction(move.damping) for move in moves]
    for row, slot in enumerate(columns.slots):
        instrument = basis.universe.instruments[slot]
        weight = (columns.multipliers[row], int(basis.quanta * contract_size(instrument)))
        shrinks = [move.shrink if instrument.inverse else ONE for move in moves]
        changes = [
            discounted(value, shrink, base[row], (damp, *weight))
            for value, shrink, damp in zip(values.row(row), shrinks, damping, strict=True)
        ]
        risk[:, slot] = entries(instrument, changes)


def _buckets(
    basis: Basis, rules: Deribit, units: Sequence[str], risk: NDArray[np.int64]
) -> tuple[ExpiryBucket, ...]:
    """The positions of a coin by settlement currency, where there are several."""
    found = []
    for unit, underlying in enumerate(units):
        settlements: dict[str, list[int]] = {}
        for slot, i in enumerate(basis.universe.instruments):
            if i.underlying == underlying and i.kind != "balance":
                settlements.setdefault(i.settlement, []).append(slot)
        if len(settlements) > 1:
            found += [
                ExpiryBucket(
                    f"{underlying}, settled in {currency}",
                    unit,
                    tuple(slots),
                    _part(risk[:, slots], Fraction(rules.gain_offset)),
                    greater=False,
                    basis=np.zeros((2, len(slots)), dtype=np.int64),
                )
                for currency, slots in settlements.items()
            ]
    return tuple(found)


def _part(risk: NDArray[np.int64], share: Fraction) -> NDArray[np.int64]:
    rows = [[nearest(entry * share) for entry in row] for row in risk.tolist()]
    return np.array(rows, dtype=np.int64)


def _exposures(basis: Basis, rules: Deribit, units: Sequence[str]) -> tuple[ExposureCharge, ...]:
    exposures = forward_exposures(basis)
    found = []
    if rules.delta_shock:
        step = Fraction(rules.delta_shock) / _CHORDS
        for unit, underlying in enumerate(units):
            instruments = basis.universe.instruments
            slots = tuple(slot for slot in exposures if instruments[slot].underlying == underlying)
            if slots:
                entry = folded(basis, exposures, slots, step)
                found.append(
                    ExposureCharge("delta shock", underlying, unit, slots, entry, _chords(basis, rules))
                )
    for underlying, expiry, slots in by_expiry(basis, tuple(exposures)):
        move = max(Fraction(rules.least_move), Fraction(rules.annual_move) * years_to(basis, expiry))
        name, entry = (
            f"{underlying}, expiry {format_time(expiry)[:10]}",
            folded(basis, exposures, slots, move),
        )
        if any(entry):
            found.append(ExposureCharge("roll shock", name, units.index(underlying), slots, entry))
    return tuple(found)


def _chords(basis: Basis, rules: Deribit) -> tuple[Tier, ...]:
    """m x^2 / T through x = j T / 8, in units of m x / 8: slopes 1, 3, .. 15, offsets m T / 64 j (j - 1)."""
    unit = Fraction(rules.delta_shock) * Fraction(rules.delta_threshold) * basis.quanta / _CHORDS**2
    offsets = (int(unit * j * (j - 1)) for j in range(1, _CHORDS + 1))
    slopes = range(1, 2 * _CHORDS, 2)
    return tuple(zip(slopes, fitting(offsets, _WHERE, "delta_threshold", "lower it"), strict=True))
