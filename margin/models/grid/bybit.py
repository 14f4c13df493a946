"""A portfolio margin like Bybit's, coin by coin: the maximum loss over price and volatility moves, and contingencies.

Contingencies: short options that no long option of their strike and expiry covers; perpetuals and futures by their
notional; the vega, and the delta, that expiries hedge of each other, by the time between them; what contracts in
dollars and in stablecoins hedge of each other. Time between expiries: for every gap between one expiry and the next,
what all up to it and all beyond it hedge of each other pays for the gap; two expiries so pay for the whole time
between them. A vega counts dollars for a whole unit of volatility. Initial margin is a multiple of all of it.
Sources: `zkmargin.margin.parameters.venues.bybit`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np

from zkmargin.margin.arithmetic.fixed import to_fraction
from zkmargin.margin.arithmetic.kernels import option_greeks
from zkmargin.margin.market.times import format_time
from zkmargin.margin.models.grid.crypto import cell_risk
from zkmargin.margin.models.grid.forwards import folded, forward_exposures
from zkmargin.margin.models.grid.parts import risk_units
from zkmargin.margin.parameters.grid import VolatilityShock
from zkmargin.margin.parameters.types import ByLevel
from zkmargin.margin.parameters.venues.bybit import Bybit
from zkmargin.margin.tables.charges import PerpetualCharge
from zkmargin.margin.tables.grid import Cell, GridTables
from zkmargin.margin.tables.grid_additions import HedgeCharge, Leg
from zkmargin.margin.units import LEVELS, Level
from zkmargin.margin.valuation.basis import Basis, contract_size
from zkmargin.margin.valuation.charges import collateral_charges, notional_charge
from zkmargin.margin.valuation.contingencies import strike_charges
from zkmargin.margin.valuation.grid_cells import Shocks, shock_cells
from zkmargin.margin.valuation.option_values import named_instruments, option_columns

_DAY = 86400 * 10**6
_YEAR = 365 * _DAY


class _Rate:
    """A rate at maintenance, and as many times as much at initial as margin is."""

    def __init__(self, rate: Decimal, rules: Bybit) -> None:
        self.rate, self.rules = rate, rules

    def at(self, level: Level) -> Decimal:
        """The rate of a level."""
        return self.rate * self.rules.loss_factor.at(level)


class _Naked:
    """What the net short options of a strike pay, as `strike_charges` reads it."""

    def __init__(self, rules: Bybit) -> None:
        self.naked_short: ByLevel = _Rate(rules.option_rate, rules)
        self.perpetual: ByLevel = _Rate(rules.future_rate, rules)


def tables(basis: Basis, rules: Bybit) -> GridTables:
    """The tables; InputError naming the instrument if a number is out of range."""
    units, unit_of = risk_units(basis)
    cells = [
        _cells(rules, rules.price_range if unit in rules.majors else rules.other_range) for unit in units
    ]
    shock = VolatilityShock(
        up=rules.volatility_up,
        down=rules.volatility_down,
        minimum=Decimal(0),
        short_power=rules.short_power,
        long_power=rules.long_power,
        floor_days=rules.floor_days,
    )
    default = _cells(rules, rules.price_range)
    risk = np.zeros((len(default), len(basis.universe)), dtype=np.int64)
    for moved in dict.fromkeys(cells):
        members = [slot for slot, unit in enumerate(unit_of.tolist()) if unit >= 0 and cells[unit] == moved]
        risk[:, members] = cell_risk(basis, moved, shock)[:, members]
    deltas = forward_exposures(basis)
    return GridTables(
        cells=cells[0] if cells else default,
        units=units,
        unit_of=unit_of,
        risk=risk,
        perpetuals=tuple(_futures(basis, rules)),
        strikes=strike_charges(basis, _Naked(rules)) if rules.option_rate else (),
        collaterals=collateral_charges(basis, debts=True),
        loss_factor={level: Fraction(rules.loss_factor.at(level)).as_integer_ratio() for level in LEVELS},
        hedges=(
            *_spreads(basis, units, "vega spread", _vegas(basis), Fraction(rules.vega_rate) / _DAY),
            *_spreads(basis, units, "delta spread", deltas, Fraction(rules.delta_rate) / _YEAR),
            *_stable(basis, rules, units, deltas),
        ),
        unit_cells=tuple(cells) if len(set(cells)) > 1 else (),
    )


def _cells(rules: Bybit, furthest: Decimal) -> tuple[Cell, ...]:
    steps = range(-rules.buckets, rules.buckets + 1)
    return shock_cells(Shocks(tuple(furthest * step / rules.buckets for step in steps), (), ()))


def _futures(basis: Basis, rules: Bybit) -> Iterator[PerpetualCharge]:
    for slot, instrument in enumerate(basis.universe.instruments):
        if instrument.kind in ("perpetual", "future") and rules.future_rate:
            yield PerpetualCharge(slot, notional_charge(basis, slot, _Rate(rules.future_rate, rules)))


def _vegas(basis: Basis) -> Mapping[int, Fraction]:
    """USD per contract for a whole unit of volatility, by slot."""
    columns = option_columns(basis.universe, basis.valuation_time, basis.inputs)
    with named_instruments(basis.universe, columns.slots):
        found = option_greeks(columns.options, columns.volatilities)
    rows = zip(columns.slots, found, columns.multipliers, strict=True)
    return {
        slot: to_fraction(greeks.vega)
        * to_fraction(multiplier)
        * contract_size(basis.universe.instruments[slot])
        for slot, greeks, multiplier in rows
    }


def _spreads(
    basis: Basis,
    units: Sequence[str],
    kind: Literal["vega spread", "delta spread"],
    exposures: Mapping[int, Fraction],
    rate: Fraction,
) -> Iterator[HedgeCharge]:
    """One for each gap between the moments at which a coin's contracts end; perpetuals are of now."""
    ends: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for slot in exposures:
        instrument = basis.universe.instruments[slot]
        ends[instrument.underlying][max(instrument.expiry or 0, basis.valuation_time)].append(slot)
    for underlying, groups in sorted(ends.items()):
        moments = sorted(groups)
        for near, far in pairwise(moments):
            sides = (
                tuple(slot for moment in moments if moment <= near for slot in groups[moment]),
                tuple(slot for moment in moments if moment >= far for slot in groups[moment]),
            )
            legs = tuple(
                Leg(name, slots, folded(basis, exposures, slots, rate * (far - near)))
                for name, slots in zip(("near", "far"), sides, strict=True)
            )
            if all(any(leg.exposure) for leg in legs):
                name = f"{underlying}, before {format_time(far)[:10]}"
                yield HedgeCharge(kind, name, units.index(underlying), legs)


def _stable(
    basis: Basis, rules: Bybit, units: Sequence[str], deltas: Mapping[int, Fraction]
) -> Iterator[HedgeCharge]:
    instruments = basis.universe.instruments
    for unit, underlying in enumerate(units):
        legs = []
        for name, inverse in (("in dollars", True), ("in stablecoins", False)):
            slots = tuple(
                slot
                for slot in deltas
                if (instruments[slot].underlying, instruments[slot].inverse) == (underlying, inverse)
            )
            entry = folded(basis, deltas, slots, Fraction(rules.stable_rate))
            if any(entry):
                legs.append(Leg(name, slots, entry))
        if len(legs) > 1:
            yield HedgeCharge("stablecoin spread", underlying, unit, tuple(legs))
