"""A portfolio margin like Binance's: every contract pays by the bracket of its notional, and no hedge is recognised.

With n the notional of a contract and brackets from f_k on at a rate of r_k, it is charged max over k of r_k n - c_k,
c_k the sum of (r_j - r_j-1) f_j up to k: what the venue calls `cum`. Loans and equity are those of `debts` and
haircuts. The account must be worth the ratio times the sum. Short options, which the ratio has no rule for, are
charged as in `cross`. Sources: `zkmargin.margin.parameters.venues.binance`.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from zkmargin.margin.arithmetic.decimals import nearest
from zkmargin.margin.models.grid.parts import risk_units
from zkmargin.margin.parameters.venues.binance import Binance, Bracket
from zkmargin.margin.tables.charges import CollateralCharge, StrikeCharge
from zkmargin.margin.tables.grid import Cell, GridTables
from zkmargin.margin.tables.grid_additions import ExposureCharge, Tier
from zkmargin.margin.tables.schema import fitting
from zkmargin.margin.units import LEVELS
from zkmargin.margin.valuation.basis import Basis, coins, contract_size, slot_value
from zkmargin.margin.valuation.charges import collateral_charges, debt_charges
from zkmargin.margin.valuation.position_rates import short_option

_STEP = Fraction(1, 10**5)
"""Rates of brackets are whole multiples of this."""
_UNMOVED = Cell("spot 0 %, volatility unchanged", "0", "none", "1", tail=False)


def tables(basis: Basis, rules: Binance) -> GridTables:
    """The tables; InputError naming the instrument if a number is out of range."""
    units, unit_of = risk_units(basis)
    return GridTables(
        cells=(_UNMOVED,),
        units=units,
        unit_of=unit_of,
        risk=np.zeros((1, len(basis.universe)), dtype=np.int64),
        perpetuals=(),
        strikes=tuple(_options(basis)),
        collaterals=(*collateral_charges(basis), *_loans(basis, rules)),
        loss_factor={level: Fraction(rules.ratio.at(level)).as_integer_ratio() for level in LEVELS},
        exposures=tuple(_contracts(basis, rules, units)),
    )


def _contracts(basis: Basis, rules: Binance, units: Sequence[str]) -> Iterator[ExposureCharge]:
    tiers = {unit: _tiers(basis, rules.brackets.get(unit, rules.other_brackets)) for unit in units}
    for slot, instrument in enumerate(basis.universe.instruments):
        if instrument.kind in ("perpetual", "future", "share"):
            value = abs(slot_value(instrument, basis.inputs.quotes[slot], basis.inputs))
            notional = value * contract_size(instrument) * basis.quanta
            unit = units.index(instrument.underlying)
            entry = (nearest(notional * _STEP),)
            yield ExposureCharge(
                "bracket", instrument.name, unit, (slot,), entry, tiers[instrument.underlying]
            )


def _tiers(basis: Basis, brackets: Sequence[Bracket]) -> tuple[Tier, ...]:
    found: list[Tier] = []
    before, offset = 0, Fraction(0)
    for bracket in brackets:
        slope = int(Fraction(bracket.rate) / _STEP)
        offset += (slope - before) * _STEP * Fraction(bracket.above) * basis.quanta
        before = slope
        found.append((max(1, slope), int(offset)))
    fitting((part for _, part in found), "parameters, binance", "brackets", "let the last one start lower")
    return tuple(found)


def _options(basis: Basis) -> Iterator[StrikeCharge]:
    """Every short option by itself."""
    for slot, i in enumerate(basis.universe.instruments):
        if i.kind == "option":
            charge = short_option(basis, slot)
            yield StrikeCharge(i.underlying, i.expiry or 0, i.strike or "", (slot,), charge)


def _loans(basis: Basis, rules: Binance) -> Iterator[CollateralCharge]:
    for coin in coins(basis.universe):
        stated = basis.parameters.collateral.get(coin)
        if stated is None or stated.liability is None:
            yield from debt_charges(basis, coin, rules.loan)
