"""Risk arrays and composite deltas of every contract: computed from the market, or taken as published.

A scenario's entry is what one long contract gains: cover * (value in the scenario, after the time to look
ahead - value now), rounded once to nearest. The composite delta is the mean of the option's deltas at seven
prices, weighted by how likely they are (CME, SPAN: composite delta).

Index, forwards and coin balances of a commodity move by one factor. The slot of an inverse future, worth
-index/forward, does not move, as its exposure is the coin leg in the balance; its deltas say where that
exposure counts: +index/forward^2 in its month, -1/forward at spot.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.arithmetic.decimals import nearest
from zkmargin.margin.arithmetic.fixed import ONE, from_decimal, from_fraction, mul
from zkmargin.margin.arithmetic.kernels import (
    VOL_BASE,
    VOL_DOWN,
    VOL_UP,
    option_greeks,
    option_values,
    risk_array,
)
from zkmargin.margin.arithmetic.packed import Options, Q64Matrix
from zkmargin.margin.errors import UnprovableError
from zkmargin.margin.models.span.periods import Member
from zkmargin.margin.models.span.scenarios import DELTA_MOVES, scenarios
from zkmargin.margin.parameters.span import SCENARIOS, SPOT, RiskArray, Size, SpanParameters
from zkmargin.margin.valuation.basis import Basis, contract_size, slot_value
from zkmargin.margin.valuation.option_values import named_instruments, option_columns

_COLUMN = {"up": VOL_UP, "none": VOL_BASE, "down": VOL_DOWN}
_DAYS_A_YEAR = 365


@dataclass(frozen=True)
class Arrays:
    """Per contract: (16, N) changes of value, and by slot the deltas by period, both in quanta."""

    risk: NDArray[np.int64]
    deltas: Mapping[int, tuple[tuple[str, int], ...]]


def arrays(basis: Basis, parameters: SpanParameters, found: Sequence[Member]) -> Arrays:
    """Risk arrays and deltas of all members; InputError naming the instrument if a number is out of range."""
    risk = np.zeros((SCENARIOS, len(basis.universe)), dtype=np.int64)
    deltas: dict[int, tuple[tuple[str, int], ...]] = {}
    groups: dict[tuple[int, Fraction, Size], list[Member]] = defaultdict(list)
    for member in found:
        if (array := parameters.published(member.instrument)) is not None:
            column, deltas[member.slot] = _published(basis, array, member)
        elif member.instrument.kind == "option":
            groups[member.commodity, member.price_range, member.volatility_range].append(member)
            continue
        else:
            column = _moves(basis, parameters, member)
            deltas[member.slot] = _straight_deltas(basis, member)
        risk[:, member.slot] = _fitting(member, column)
    for group in groups.values():
        risk[:, [member.slot for member in group]] = _option_risk(basis, parameters, group).T
        deltas.update(_option_deltas(basis, parameters, group))
    return Arrays(risk, deltas)


def _fitting(member: Member, column: Sequence[int]) -> Sequence[int]:
    if max(map(abs, column)) >= 1 << 63:
        remedy = "too large for 64 bits; check its price and the scan range"
        raise UnprovableError(f"instrument {member.instrument.name}", "risk", max(column, key=abs), remedy)
    return column


def _published(
    basis: Basis, array: RiskArray, member: Member
) -> tuple[list[int], tuple[tuple[str, int], ...]]:
    size = basis.quanta * Fraction(10) ** member.instrument.contract_exponent
    column = [nearest(-Fraction(loss) * size) for loss in array.losses]
    return column, ((member.period, nearest(Fraction(array.delta) * size)),)


def _moves(basis: Basis, parameters: SpanParameters, member: Member) -> list[int]:
    """What moves in proportion to the price; a price does not fall below zero."""
    if member.instrument.inverse:
        return [0] * SCENARIOS
    value = slot_value(member.instrument, basis.inputs.quotes[member.slot], basis.inputs)
    value *= basis.quanta * contract_size(member.instrument)
    cells = scenarios(parameters.commodities[member.commodity])
    return [nearest(cell.cover * max(cell.move * member.price_range, Fraction(-1)) * value) for cell in cells]


def _straight_deltas(basis: Basis, member: Member) -> tuple[tuple[str, int], ...]:
    instrument = member.instrument
    size = basis.quanta * contract_size(instrument)
    if instrument.kind == "balance":
        # The price of what has settled in a coin is that of the coins that it came to.
        coins = Fraction(basis.inputs.quotes[member.slot].price) / basis.index(instrument.underlying)
        return ((member.period, nearest(size * coins)),)
    if not instrument.inverse:
        return ((member.period, nearest(size)),)
    if member.period == SPOT:
        return ()
    price = Fraction(Decimal(basis.inputs.quotes[member.slot].price))
    index = basis.index(instrument.underlying)
    return (member.period, nearest(size * index / price**2)), (SPOT, nearest(-size / price))


def _option_risk(basis: Basis, parameters: SpanParameters, group: Sequence[Member]) -> NDArray[np.int64]:
    """(M, 16) for options that share commodity and ranges."""
    slots = [member.slot for member in group]
    cells = scenarios(parameters.commodities[group[0].commodity])
    with named_instruments(basis.universe, slots):
        columns = option_columns(basis.universe, basis.valuation_time, basis.inputs, slots)
        vols = Q64Matrix.from_rows(_vols(columns.volatilities, group[0].volatility_range), 3)
        base = option_values(columns.options, vols, [(ONE, VOL_BASE)]).column(0)
        later = _ahead(columns.options, parameters)
        factors = [(_factor(cell.move, group[0]), _COLUMN[cell.volatility]) for cell in cells]
        values = option_values(later, vols, factors)
        cover = [from_fraction(cell.cover) for cell in cells]
        quanta = [int(basis.quanta * contract_size(member.instrument)) for member in group]
        return risk_array(base, values, cover, columns.multipliers, quanta)


def _option_deltas(
    basis: Basis, parameters: SpanParameters, group: Sequence[Member]
) -> dict[int, tuple[tuple[str, int], ...]]:
    """Per underlying of the option's own forward, which is what an inverse option's coin delta comes to, too."""
    slots = [member.slot for member in group]
    weights = [Fraction(weight) for weight in parameters.delta_weights]
    totals = [Fraction(0)] * len(group)
    with named_instruments(basis.universe, slots):
        columns = option_columns(basis.universe, basis.valuation_time, basis.inputs, slots)
        later = _ahead(columns.options, parameters)
        for move, weight in zip(DELTA_MOVES, weights, strict=True):
            factor = _factor(move, group[0])
            moved = replace(later, forward=[mul(forward, factor) for forward in later.forward])
            greeks = option_greeks(moved, columns.volatilities)
            totals = [t + weight * Fraction(g.delta, ONE) for t, g in zip(totals, greeks, strict=True)]
    return {
        member.slot: (
            (
                member.period,
                nearest(total / sum(weights) * basis.quanta * contract_size(member.instrument)),
            ),
        )
        for member, total in zip(group, totals, strict=True)
    }


def _factor(move: Fraction, member: Member) -> int:
    return from_fraction(max(1 + move * member.price_range, Fraction(0)))


def _ahead(options: Options, parameters: SpanParameters) -> Options:
    passed = from_fraction(Fraction(parameters.look_ahead_days) / _DAYS_A_YEAR)
    return replace(options, years=[years - passed for years in options.years])


def _vols(volatilities: Sequence[int], scan: Size) -> list[tuple[int, int, int]]:
    """Base, up and down; a volatility does not fall below zero."""
    if scan.relative:
        up, down = from_decimal(1 + scan.number), from_decimal(max(1 - scan.number, Decimal(0)))
        return [(vol, mul(vol, up), mul(vol, down)) for vol in volatilities]
    shift = from_decimal(scan.number)
    return [(vol, vol + shift, max(vol - shift, 0)) for vol in volatilities]
