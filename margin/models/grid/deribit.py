"""A portfolio margin like Deribit's, coin by coin and settlement currency by settlement currency.

Cells: evenly spaced price moves with volatility up, unchanged and down; tails with volatility up, whose profit or
loss counts in part and which may lose a fixed sum before they count.

Segregated (S:PM): what pays in coin is margined in coin. An inverse future of q dollars gains q/F x/(1 + x) coins in
a move of x, an inverse option V'/F' - V/F, both at today's index, and coin balances do not move. In a tail of x the
gain is one of dollars, of which range/|x| counts, at the price where the range r ends: (1 + x)/(1 +- r) coins for
one. Each settlement currency is a unit of its own and covers what it is asked for.

Cross (X:PM): everything is valued in dollars, and the equity in a coin moves with it. Positions of one coin that
settle in different currencies are buckets: the gain of one pays losses of the other only in part.

Source: Deribit, *Portfolio Margin* (help page), and the vectors of private/pme/simulate, which fix the scale of
tails: a perpetual's extended table is its standard table's value at the end of the range.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.arithmetic.decimals import nearest
from zkmargin.margin.arithmetic.fixed import ONE, from_decimal, from_fraction
from zkmargin.margin.arithmetic.kernels import VOL_BASE, VOL_DOWN, VOL_UP, option_values, shocked_vols
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.models.grid.deribit_shocks import delta_shocks, roll_shocks
from zkmargin.margin.models.grid.deribit_units import Unit, risk_units
from zkmargin.margin.models.grid.parts import entries
from zkmargin.margin.models.grid.volatilities import discounted
from zkmargin.margin.parameters.grid import VolatilityShock
from zkmargin.margin.parameters.venues.deribit import Deribit, Scales
from zkmargin.margin.tables.charges import CollateralCharge
from zkmargin.margin.tables.grid import Cell, GridTables
from zkmargin.margin.tables.grid_additions import Coverage, Currency, ExpiryBucket
from zkmargin.margin.tables.schema import fitting
from zkmargin.margin.units import LEVELS
from zkmargin.margin.valuation.basis import Basis, coins, contract_size, slot_value
from zkmargin.margin.valuation.charges import collateral_charge, debt_charges
from zkmargin.margin.valuation.grid_cells import Shocks, shock_cells
from zkmargin.margin.valuation.option_values import named_instruments, option_columns, volatility_shock

_COLUMN = {"up": VOL_UP, "none": VOL_BASE, "down": VOL_DOWN}
_WHERE = "parameters, deribit"


def tables(basis: Basis, rules: Deribit) -> GridTables:
    """The tables; InputError naming the instrument if a number is out of range."""
    units = risk_units(basis, rules)
    unit_of = np.full(len(basis.universe), -1, dtype=np.int64)
    for place, unit in enumerate(units):
        unit_of[list(unit.slots)] = place
    cells = {unit.underlying: _cells(rules, rules.of(unit.underlying)) for unit in units}
    risk = np.zeros((len(_cells(rules, rules)), len(basis.universe)), dtype=np.int64)
    for underlying, moved in cells.items():
        _fill(basis, rules, underlying, moved, risk)
    unit_cells = tuple(cells[unit.underlying] for unit in units)
    allowances = tuple(_allowances(basis, rules, unit) for unit in units)
    alike, allowing = len(set(unit_cells)) <= 1, any(map(any, allowances))
    return GridTables(
        cells=unit_cells[0] if unit_cells else _cells(rules, rules),
        units=tuple(unit.name for unit in units),
        unit_of=unit_of,
        risk=risk,
        perpetuals=(),
        strikes=(),
        collaterals=(
            *(collateral_charge(basis, coin, rules.haircut.at) for coin in coins(basis.universe)),
            *_debts(basis, rules),
        ),
        loss_factor={level: Fraction(rules.loss_factor.at(level)).as_integer_ratio() for level in LEVELS},
        buckets=_buckets(basis, rules, units, risk),
        exposures=(*delta_shocks(basis, rules, units), *roll_shocks(basis, rules, units)),
        unit_cells=() if alike else unit_cells,
        unit_allowances=allowances if allowing else (),
        coverage=_coverage(basis, rules, units),
    )


def _debts(basis: Basis, rules: Deribit) -> Iterator[CollateralCharge]:
    """Of a cross account a debt moves in the cells."""
    if rules.collateral == "segregated":
        for coin in coins(basis.universe):
            yield from debt_charges(basis, coin)


# Cells ----------------------------------------------------------------------------------------------


def _cells(rules: Deribit, scales: Scales) -> tuple[Cell, ...]:
    steps = range(-rules.buckets, rules.buckets + 1)
    moves = tuple(scales.price_range * step / rules.buckets for step in steps)
    tails = tuple((move, _fraction(scales, move)) for move in rules.tail_moves)
    return shock_cells(Shocks(moves, tails, ("up",)))


def _fraction(scales: Scales, move: Decimal) -> Fraction:
    return min(Fraction(1), Fraction(scales.tail_factor) * Fraction(scales.price_range) / abs(Fraction(move)))


def _edge(scales: Scales, move: Fraction) -> Fraction:
    """The price at the end of the range, on the side of a tail, as a multiple of today's."""
    return 1 + Fraction(scales.price_range) * (1 if move > 0 else -1)


def _allowances(basis: Basis, rules: Deribit, unit: Unit) -> tuple[int, ...]:
    """None in the core, then the dampener of every tail; of what settles in coin, the coins that it buys there."""
    scales = rules.of(unit.underlying)
    in_coin = rules.collateral == "segregated" and not unit.usd
    sum_of = Fraction(rules.usd.dampener if unit.usd else scales.dampener)
    tails = []
    for move in map(Fraction, rules.tail_moves):
        further = max(Fraction(0), abs(move) / Fraction(scales.price_range) - 1)
        price = _edge(scales, move) if in_coin else Fraction(1)
        tails.append(int(further * sum_of / price * basis.quanta))
    remedy = "lower it, or raise price_range"
    return (*[0] * (3 * (2 * rules.buckets + 1)), *fitting(tails, _WHERE, "dampener", remedy))


# Changes of value -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Move:
    """What a cell does to what settles in one currency."""

    spot: Fraction
    damping: Fraction
    """How much of a dollar's gain counts."""
    price: Fraction
    """The price at which dollars are turned into coins, as a multiple of today's; 1 where they are not."""


def _fill(
    basis: Basis, rules: Deribit, underlying: str, cells: Sequence[Cell], risk: NDArray[np.int64]
) -> None:
    """The columns of all that is based on one coin; risk is (S, N)."""
    scales, cross = rules.of(underlying), rules.collateral == "cross"
    usd, coin = [], []
    for cell in cells:
        spot, damping = Fraction(Decimal(cell.spot)), Fraction(cell.damping)
        beyond = cell.tail and abs(spot) > Fraction(scales.price_range)
        usd.append(_Move(spot, damping, Fraction(1)))
        coin.append(_Move(spot, damping, _edge(scales, spot) if beyond else 1 + spot))
    members = [s for s, i in enumerate(basis.universe.instruments) if i.underlying == underlying]
    for slot in members:
        instrument = basis.universe.instruments[slot]
        in_coin = instrument.inverse and not cross
        if instrument.kind != "option" and (size := _moving(basis, slot, instrument, cross)):
            moves = coin if in_coin else usd
            gains = [move.spot * move.damping / move.price for move in moves]
            risk[:, slot] = entries(instrument, [nearest(size * gain) for gain in gains])
    _options(basis, rules, members, (cells, usd, usd if cross else coin), risk)


def _moving(basis: Basis, slot: int, instrument: Instrument, cross: bool) -> Fraction:
    """Quanta of a contract that move in proportion to the price.

    Of a cross account the exposure of an inverse future is the coin leg in the balance, which moves there.
    """
    if (instrument.kind == "balance" and not cross) or (instrument.inverse and cross):
        return Fraction(0)
    value = abs(slot_value(instrument, basis.inputs.quotes[slot], basis.inputs))
    return value * contract_size(instrument) * basis.quanta


def _options(
    basis: Basis,
    rules: Deribit,
    members: Sequence[int],
    moves: tuple[Sequence[Cell], Sequence[_Move], Sequence[_Move]],
    risk: NDArray[np.int64],
) -> None:
    """Fills the columns of options: V' damped for what settles in USD, V'/(1 + x) at the tail's price for coins."""
    columns = option_columns(basis.universe, basis.valuation_time, basis.inputs, members)
    if not columns.slots:
        return
    cells, usd, coin = moves
    scales = rules.of(basis.universe.instruments[columns.slots[0]].underlying)
    shock = VolatilityShock(
        up=scales.volatility_up,
        down=scales.volatility_down,
        minimum=scales.volatility_minimum,
        short_power=scales.short_power,
        long_power=scales.long_power,
        floor_days=rules.floor_days,
    )
    with named_instruments(basis.universe, columns.slots):
        vols = shocked_vols(columns.volatilities, columns.options.years, volatility_shock(shock))
        base = option_values(columns.options, vols, [(ONE, VOL_BASE)]).column(0)
        shocks = [(from_decimal(1 + Decimal(cell.spot)), _COLUMN[cell.volatility]) for cell in cells]
        values = option_values(columns.options, vols, shocks)
    weights = {
        inverse: _weights(coin if inverse else usd, inverse and coin is not usd) for inverse in (True, False)
    }
    for row, slot in enumerate(columns.slots):
        instrument = basis.universe.instruments[slot]
        weight = (columns.multipliers[row], int(basis.quanta * contract_size(instrument)))
        changes = [
            discounted(value, shrink, base[row], (damp, *weight))
            for value, (shrink, damp) in zip(values.row(row), weights[instrument.inverse], strict=True)
        ]
        risk[:, slot] = entries(instrument, changes)


def _weights(moves: Sequence[_Move], in_coin: bool) -> list[tuple[int, int]]:
    """For each cell what a coin's worth shrinks by, and how much of the change counts; Q64.

    V'/(1 + x) - V are coins, which bring (1 + x) dollars each, and these again 1/price coins.
    """
    found = []
    for move in moves:
        factor = 1 + move.spot if in_coin else Fraction(1)
        found.append((from_fraction(1 / factor), from_fraction(move.damping * factor / move.price)))
    return found


# Settlement currencies ------------------------------------------------------------------------------


def _buckets(
    basis: Basis, rules: Deribit, units: Sequence[Unit], risk: NDArray[np.int64]
) -> tuple[ExpiryBucket, ...]:
    """Of a cross account, what is based on a coin by settlement currency, where there are several."""
    if rules.collateral == "segregated" or rules.gain_offset == 1:
        return ()
    found = []
    for place, unit in enumerate(units):
        settlements: dict[str, list[int]] = {}
        for slot in unit.slots:
            settlements.setdefault(basis.universe.instruments[slot].settlement, []).append(slot)
        if len(settlements) > 1:
            found += [
                ExpiryBucket(
                    f"{unit.underlying}, settled in {currency}",
                    place,
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


def _coverage(basis: Basis, rules: Deribit, units: Sequence[Unit]) -> Coverage | None:
    """Of a segregated account, every currency that something settles in."""
    if rules.collateral == "cross":
        return None
    settled: dict[str, list[int]] = {}
    for slot, instrument in enumerate(basis.universe.instruments):
        settled.setdefault(instrument.settlement, []).append(slot)
    asked: dict[str, list[int]] = {currency: [] for currency in settled}
    for place, unit in enumerate(units):
        asked[CASH if unit.usd else unit.underlying].append(place)
    currencies = tuple(
        Currency(currency, tuple(places), tuple(settled[currency]))
        for currency, places in asked.items()
        if places
    )
    return Coverage(currencies, basis.marks) if currencies else None
