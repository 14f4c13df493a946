"""The tables of correlation margin from a market, and the requirement of an account by them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.arithmetic.cholesky import cholesky
from zkmargin.margin.arithmetic.decimals import ceil_div, nearest
from zkmargin.margin.arithmetic.fixed import ONE, from_fraction, nearest_shift, sqrt, to_fraction
from zkmargin.margin.arithmetic.kernels import option_greeks
from zkmargin.margin.instruments.instrument import CASH
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.market.history import PriceHistory
from zkmargin.margin.models.correlation.covariance import Covariance, covariances, daily_moves
from zkmargin.margin.models.correlation.precision import finest_bits
from zkmargin.margin.models.correlation.tables import FACTOR_BITS, CorrelationTables, CovarianceFactor
from zkmargin.margin.parameters.correlation import FEWEST_DAYS, CorrelationSection
from zkmargin.margin.tables.assessment import Assessment, Charge, assess
from zkmargin.margin.units import LEVELS, Level
from zkmargin.margin.valuation.basis import Basis, contract_size, int64_table, slot_value, underlyings
from zkmargin.margin.valuation.charges import collateral_charges, haircuts
from zkmargin.margin.valuation.contingencies import contingencies, perpetual_charges, strike_charges
from zkmargin.margin.valuation.option_values import named_instruments, option_columns


def tables(basis: Basis) -> CorrelationTables | None:
    """Exposures and covariance from the section, or by default from the history; None if there is neither.

    Raises InputError for a history or matrices that do not serve, and if a number is out of range; UnprovableError if
    what must be squared is too large.
    """
    units = underlyings(basis.universe)
    section: CorrelationSection | None = basis.parameters.section("correlation") or _by_default(
        basis.inputs.history, units
    )
    if section is None:
        return None
    found = covariances(section, units, basis.inputs.history, "parameters, correlation")
    unit_of = np.array([_unit(units, i.underlying) for i in basis.universe.instruments], dtype=np.int64)
    delta = deltas(basis)
    factors, apart = _factors(section, units, found), _undiversified(section, found)
    made = CorrelationTables(
        units=units,
        unit_of=unit_of,
        delta=delta,
        bits=0,
        factors=tuple(
            CovarianceFactor(covariance.label, {level: _shortened(lower[level]) for level in LEVELS})
            for covariance, lower in zip(found, factors, strict=True)
        ),
        undiversified={
            level: tuple(ceil_div(Fraction(each << FACTOR_BITS, ONE)) for each in apart[level])
            for level in LEVELS
        },
        perpetuals=perpetual_charges(basis, section),
        strikes=strike_charges(basis, section),
        collaterals=collateral_charges(basis),
    )
    return replace(made, bits=finest_bits(basis.universe, made))


def _by_default(history: PriceHistory | None, units: Sequence[str]) -> CorrelationSection | None:
    """The windows of a section, or as much of them as the history has; None if it has no two moves."""
    days = 0 if history is None else daily_moves(history, units)
    if days < FEWEST_DAYS:
        return None
    section = CorrelationSection()
    stressed = min(days, section.stressed_window or days)
    return CorrelationSection(window=min(days, section.window), stressed_window=stressed)


def _unit(units: Sequence[str], underlying: str) -> int:
    return -1 if underlying == CASH else units.index(underlying)


def deltas(basis: Basis) -> NDArray[np.int64]:
    """(N,) dV/dS * S per contract in quanta, spot and forward moving together; rounded to nearest.

    An option's is m B'(F) F, with m = S/F for an inverse one, 1 for a linear one. The slot of an inverse
    future is worth -S/F and does not move; its leg in coin does.
    """
    exact = [
        Fraction(0)
        if instrument.underlying == CASH or instrument.inverse or instrument.kind == "option"
        else slot_value(instrument, quote, basis.inputs)
        for instrument, quote in zip(basis.universe.instruments, basis.inputs.quotes, strict=True)
    ]
    columns = option_columns(basis.universe, basis.valuation_time, basis.inputs)
    with named_instruments(basis.universe, columns.slots):
        greeks = option_greeks(columns.options, columns.volatilities)
    rows = zip(columns.slots, greeks, columns.options.forward, columns.multipliers, strict=True)
    for slot, found, forward, multiplier in rows:
        exact[slot] = to_fraction(found.delta) * to_fraction(forward) * to_fraction(multiplier)
    sizes = map(contract_size, basis.universe.instruments)
    entries = [nearest(value * basis.quanta * size) for value, size in zip(exact, sizes, strict=True)]
    return int64_table("delta", basis.universe, entries)


_Lower = Mapping[Level, list[list[int]]]


def _factors(section: CorrelationSection, units: Sequence[str], found: Sequence[Covariance]) -> list[_Lower]:
    """The lower factor of every matrix in Q64, times multiplier and root of the horizon."""
    factors: list[_Lower] = []
    for covariance in found:
        daily = cholesky("parameters, correlation", units, covariance.matrix)
        factors.append(
            {level: [[_times(entry, section, level) for entry in row] for row in daily] for level in LEVELS}
        )
    return factors


def _times(entry: int, section: CorrelationSection, level: Level) -> int:
    days, multiplier = section.horizon.at(level), section.multiplier.at(level)
    return nearest(Fraction(entry * sqrt(days * ONE), ONE) * Fraction(multiplier))


def _undiversified(section: CorrelationSection, found: Sequence[Covariance]) -> Mapping[Level, list[int]]:
    """The larger standard deviation of every underlying in Q64, times multiplier and root of the horizon."""
    daily = [
        sqrt(from_fraction(max(covariance.matrix[unit][unit] for covariance in found)))
        for unit in range(len(found[0].matrix))
    ]
    return {
        level: [
            ceil_div(
                Fraction(each * sqrt(section.horizon.at(level) * ONE), ONE)
                * Fraction(section.undiversified.at(level))
            )
            for each in daily
        ]
        for level in LEVELS
    }


def _shortened(lower: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """A factor in Q64 as a square of integers in units of 2^-52, rounded to nearest."""
    size = len(lower)
    square = np.zeros((size, size), dtype=np.int64)
    for place, row in enumerate(lower):
        square[place, : len(row)] = [nearest_shift(entry, 64 - FACTOR_BITS) for entry in row]
    return square


def requirement(
    tables: CorrelationTables, universe: Universe, scale: Sequence[int], lots: Sequence[int], level: Level
) -> Assessment:
    """The largest of what the matrices and the stress take, and all charges; exact, in money units."""
    measures = tables.measures(scale, lots, level)
    label, loss = max(measures, key=lambda measure: measure[1])
    charges = [Charge("correlated loss", label, loss)]
    charges += contingencies(tables, universe, scale, lots, level)
    charges += haircuts(tables.collaterals, scale, lots, level)
    considered = tuple(Charge("correlated loss", *measure) for measure in measures)
    return replace(assess(Fraction(1), (), tuple(charges)), considered=considered)
