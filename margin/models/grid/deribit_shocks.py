"""What rules like Deribit's add to the worst cell of a unit: the delta shock and the roll shock.

Delta shock: a net delta of d coins, T the threshold in USD, I the index, m the increment and M the greatest shock,
is asked for min(m max(0, |d| - T / I), M) |d| more: nothing up to the threshold, then a move that grows by m with
every coin above it, up to M. The parabola is taken as eight chords, which never lie below it; M |d| is exact.

Roll shock: the net exposure of every expiry to its own forward, moved by max(least move, annual move T); of
perpetuals, by the least move.

Source: Deribit, *Portfolio Margin* (help page: delta shock, roll shock); `m_inc`, `max_delta_shock`,
`delta_total_liq_shock_threshold`, `min_annualised_move`, `annualised_move_risk` of private/pme/simulate.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from zkmargin.margin.arithmetic.decimals import ceil_div, floor_div
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.times import format_time
from zkmargin.margin.models.grid.deribit_units import Unit
from zkmargin.margin.models.grid.forwards import folded, forward_exposures, years_to
from zkmargin.margin.parameters.venues.deribit import Deribit, Scales
from zkmargin.margin.tables.grid_additions import ExposureCharge, Tier
from zkmargin.margin.tables.schema import fitting
from zkmargin.margin.valuation.basis import Basis, contract_size

_CHORDS = 8
_STEP = Fraction(1, 10**5)
"""Slopes of the chords are whole multiples of this, rounded up."""
_STEEPEST = 10**6
_WHERE = "parameters, deribit"


def delta_shocks(basis: Basis, rules: Deribit, units: Sequence[Unit]) -> Iterator[ExposureCharge]:
    """One for each unit that has any delta; none where the greatest shock or the increment is zero."""
    exposures = _deltas(basis, rules)
    for place, unit in enumerate(units):
        scales = rules.of(unit.underlying)
        slots = tuple(slot for slot in unit.slots if slot in exposures)
        if slots and scales.delta_shock and scales.delta_increment:
            entry = folded(basis, exposures, slots, _STEP)
            tiers = _chords(basis, scales, basis.index(unit.underlying))
            cap = ceil_div(Fraction(scales.delta_shock) / _STEP)
            yield ExposureCharge("delta shock", unit.name, place, slots, entry, tiers, cap)


def _deltas(basis: Basis, rules: Deribit) -> Mapping[int, Fraction]:
    """USD per contract for a relative move of the price of one, by slot."""
    exposures = dict(forward_exposures(basis))
    if rules.collateral == "segregated":
        return exposures
    for slot, instrument in enumerate(basis.universe.instruments):
        size = contract_size(instrument)
        if instrument.kind == "balance" and instrument.underlying in basis.inputs.indices:
            exposures[slot] = Fraction(int(basis.marks[slot]), basis.quanta)
        elif instrument.kind == "option" and instrument.inverse:
            exposures[slot] += (
                Fraction(basis.inputs.quotes[slot].price) * basis.index(instrument.underlying) * size
            )
        elif instrument.inverse:
            exposures[slot] = Fraction(0)
    return exposures


def _chords(basis: Basis, scales: Scales, index: Fraction) -> tuple[Tier, ...]:
    """(m / I) (X - T) X in USD of delta X, through X = T + j D / 8, D = M I / m: where the greatest shock is reached.

    The j-th chord has the slope m T / I + (2 j - 1) M / 8; offsets are rounded down.
    """
    most, rate = Fraction(scales.delta_shock), Fraction(scales.delta_increment) / index
    start, width = Fraction(scales.delta_threshold), Fraction(scales.delta_shock) / rate / _CHORDS
    slopes, offsets = [], []
    for chord in range(1, _CHORDS + 1):
        left = start + (chord - 1) * width
        slope = ceil_div((rate * start + (2 * chord - 1) * most / _CHORDS) / _STEP)
        if slope > _STEEPEST:
            remedy = "times delta_threshold this is too steep a charge; lower either"
            raise InputError(_WHERE, "delta_increment", scales.delta_increment, remedy)
        slopes.append(slope)
        offsets.append(floor_div((slope * _STEP * left - rate * (left - start) * left) * basis.quanta))
    return tuple(zip(slopes, fitting(offsets, _WHERE, "delta_threshold", "lower it"), strict=True))


def roll_shocks(basis: Basis, rules: Deribit, units: Sequence[Unit]) -> Iterator[ExposureCharge]:
    """One for each expiry of a unit, and one for its perpetuals."""
    exposures = forward_exposures(basis)
    for place, unit in enumerate(units):
        scales = rules.usd if unit.usd else rules.of(unit.underlying)
        groups: dict[int, list[int]] = defaultdict(list)
        for slot in unit.slots:
            instrument = basis.universe.instruments[slot]
            if slot in exposures and instrument.kind != "share":
                groups[instrument.expiry or 0].append(slot)
        for expiry, slots in sorted(groups.items()):
            term = years_to(basis, expiry) if expiry else Fraction(0)
            move = max(Fraction(scales.least_move), Fraction(scales.annual_move) * term)
            name = f"{unit.name}, {f'expiry {format_time(expiry)[:10]}' if expiry else 'perpetuals'}"
            entry = folded(basis, exposures, slots, move)
            if any(entry):
                yield ExposureCharge("roll shock", name, place, tuple(slots), entry)
