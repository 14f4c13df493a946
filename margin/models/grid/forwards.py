"""How much every contract gains if its forward alone moves: the exposure that roll and basis charges rest on."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from zkmargin.margin.arithmetic.decimals import nearest
from zkmargin.margin.arithmetic.fixed import to_fraction
from zkmargin.margin.arithmetic.kernels import option_greeks
from zkmargin.margin.valuation.basis import Basis, contract_size, slot_value
from zkmargin.margin.valuation.option_values import named_instruments, option_columns

YEAR = 365 * 86400 * 10**6
"""Microseconds."""


def forward_exposures(basis: Basis) -> Mapping[int, Fraction]:
    """USD per contract for a relative move of the forward of one, to first order, by slot; coins have none.

    A linear future has its price F, a linear option delta F. What pays in coin is worth index/F of that in
    dollars, and its coins buy less of themselves: an inverse future of one dollar index/F, an inverse option
    index/F (delta F - V).
    """
    exposures: dict[int, Fraction] = {}
    for slot, instrument in enumerate(basis.universe.instruments):
        if instrument.kind in ("perpetual", "future", "share"):
            value = abs(slot_value(instrument, basis.inputs.quotes[slot], basis.inputs))
            exposures[slot] = value * contract_size(instrument)
    columns = option_columns(basis.universe, basis.valuation_time, basis.inputs)
    with named_instruments(basis.universe, columns.slots):
        found = option_greeks(columns.options, columns.volatilities)
    rows = zip(columns.slots, found, columns.options.forward, columns.multipliers, strict=True)
    for slot, greeks, forward, multiplier in rows:
        instrument = basis.universe.instruments[slot]
        change = to_fraction(greeks.delta) * to_fraction(forward)
        if instrument.inverse:
            change = (change - to_fraction(greeks.value)) * to_fraction(multiplier)
        exposures[slot] = change * contract_size(instrument)
    return exposures


def by_expiry(basis: Basis, slots: Sequence[int]) -> Iterator[tuple[str, int, tuple[int, ...]]]:
    """Slots with an expiry, grouped: underlying, expiry and slots."""
    groups: dict[tuple[str, int], list[int]] = defaultdict(list)
    for slot in slots:
        instrument = basis.universe.instruments[slot]
        if instrument.expiry is not None:
            groups[instrument.underlying, instrument.expiry].append(slot)
    for (underlying, expiry), members in sorted(groups.items()):
        yield underlying, expiry, tuple(members)


def years_to(basis: Basis, expiry: int) -> Fraction:
    """Years of 365 days to an expiry, 0 once it has passed."""
    return Fraction(max(0, expiry - basis.valuation_time), YEAR)


def folded(
    basis: Basis, exposures: Mapping[int, Fraction], slots: Sequence[int], move: Fraction
) -> tuple[int, ...]:
    """Quanta per contract that a relative move of the forward changes, rounded to nearest."""
    return tuple(nearest(exposures[slot] * move * basis.quanta) for slot in slots)
