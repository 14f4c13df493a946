"""How finely what is squared is counted: as finely as a proof can square, and never so coarsely that it shows.

A proof squares numbers below 2^121 whose sums of squares stay below 2^254. What enters are sums of lots times
entries, whatever holdings a proof can speak of; the entries are rounded, one by one, to units of 2^-bits of a money
unit. `bits` may be negative: money units are as fine as the finest lot of a universe, squares need not be.
"""

from collections.abc import Sequence

from zkmargin.margin.errors import UnprovableError
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.models.correlation.tables import FACTOR_BITS, LEAST_BITS, CorrelationTables
from zkmargin.margin.tables.bounds import proven_bound
from zkmargin.margin.units import LEVELS

LARGEST_SUM = 1 << 120
LARGEST_LOSS = 1 << 125
"""In units of 2^-bits: what a row can hold that is as wide as the largest loss."""
SMALLEST_ENTRY = 1 << 29
"""Of the exposure of one lot: rounding it to a unit changes no more than 2^-30 of it."""


def finest_bits(universe: Universe, tables: CorrelationTables) -> int:
    """The most bits with which nothing can wrap around.

    Raises UnprovableError, naming an instrument, if so few remain that rounding would change a requirement by 10^-9.
    """
    steepest, units = tables.steepest(), len(tables.units)
    weight = [
        0 if unit < 0 else abs(delta) * factor * steepest[unit]
        for unit, delta, factor in zip(
            tables.unit_of.tolist(), tables.delta.tolist(), universe.scale, strict=True
        )
    ]
    bounds = [instrument.bound for instrument in universe.instruments]
    proven = [proven_bound(bound) for bound in bounds]
    honest_reach, proven_reach = _total(bounds, weight), _total(proven, weight)
    limb = universe.domain.bit_length() - 1
    for bits in range(FACTOR_BITS, LEAST_BITS - 1, -1):
        shift = FACTOR_BITS - bits
        widest = (proven_reach >> shift) + units * sum(proven) + 1
        loss = (honest_reach >> shift) + units * sum(bounds) >> max(0, bits)
        row = 1 << limb * -(-(loss + 2).bit_length() // limb)
        if max(widest, row) < LARGEST_SUM and row << max(0, bits) < LARGEST_LOSS:
            break
    _check_entries(universe, tables, bits)
    return bits


def _total(bounds: Sequence[int], weights: Sequence[int]) -> int:
    return sum(map(int.__mul__, bounds, weights))


def _check_entries(universe: Universe, tables: CorrelationTables, bits: int) -> None:
    """Options are exempt: their lots are coarse, and the delta of one that is worthless is small by itself."""
    rows = [
        max(map(abs, factor.lower[level][unit].tolist()))
        for unit in range(len(tables.units))
        for factor in tables.factors
        for level in LEVELS
    ]
    each = len(rows) // len(tables.units)
    least = [min(rows[start : start + each]) for start in range(0, len(rows), each)]
    slots = zip(
        universe.instruments, tables.unit_of.tolist(), tables.delta.tolist(), universe.scale, strict=True
    )
    for instrument, unit, delta, factor in slots:
        entry = 0 if unit < 0 or instrument.kind == "option" else least[unit] * abs(delta) * factor
        if entry and entry >> FACTOR_BITS - bits < SMALLEST_ENTRY:
            remedy = (
                "one lot is too fine to be squared beside the largest holdings of the universe; "
                "lower their bounds, or give it a coarser lot"
            )
            raise UnprovableError(
                f"model correlation, instrument {instrument.name}", "lot", instrument.lot, remedy
            )
