"""Where an instrument's deltas count: its commodity, its period, and the ranges that hold there."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.market.times import format_time
from zkmargin.margin.parameters.span import SPOT, Commodity, Size, SpanParameters, Tier
from zkmargin.margin.valuation.basis import Basis, underlyings


@dataclass(frozen=True)
class Member:
    """An instrument within its combined commodity."""

    slot: int
    instrument: Instrument
    commodity: int
    """Index into the parameters' commodities."""
    period: str
    price_range: Fraction
    """The price scan range as a fraction of the price."""
    volatility_range: Size
    minimum: Fraction
    """USD for one short option."""


def members(basis: Basis, parameters: SpanParameters) -> tuple[Member, ...]:
    """All instruments but cash, in the order of slots.

    Raises InputError naming an underlying without combined commodity, a commodity without instruments, or a tier that
    conflicts with another.
    """
    by_underlying = {c.underlying: number for number, c in enumerate(parameters.commodities)}
    moving = underlyings(basis.universe)
    for commodity in parameters.commodities:
        if commodity.underlying not in moving:
            remedy = f"nothing of the universe moves with {commodity.underlying}; leave the commodity out"
            raise InputError("parameters, span", "commodities", commodity.name, remedy)
    for name in parameters.arrays:
        if name not in basis.universe:
            raise InputError("parameters, span", "arrays", name, "the universe does not list this instrument")
    found = []
    for slot, instrument in enumerate(basis.universe.instruments):
        if instrument.underlying == CASH:
            continue
        if instrument.underlying not in by_underlying:
            remedy = f"no combined commodity has the underlying {instrument.underlying}; add it with its scan range"
            raise InputError("parameters, span", "commodities", instrument.name, remedy)
        number = by_underlying[instrument.underlying]
        found.append(_member(basis, parameters, slot, number))
    return tuple(found)


def _member(basis: Basis, parameters: SpanParameters, slot: int, number: int) -> Member:
    instrument, commodity = basis.universe.instruments[slot], parameters.commodities[number]
    array = parameters.published(instrument)
    period = (array.period if array else None) or period_of(instrument)
    price = _override(commodity, period, "price_scan_range")
    if price is None or instrument.inverse or instrument.kind == "balance":
        # An inverse contract moves through the coin leg in its balance, which has the commodity's own range.
        price = commodity.price_scan_range
    index = basis.index(instrument.underlying)
    quote = basis.inputs.quotes[slot]
    spot = instrument.inverse or instrument.kind == "balance"
    base = index if spot else Fraction(quote.forward or quote.price)
    return Member(
        slot,
        instrument,
        number,
        period,
        price.over(base),
        _override(commodity, period, "volatility_scan_range") or commodity.volatility_scan_range,
        (_override(commodity, period, "short_option_minimum") or commodity.short_option_minimum).of(index),
    )


def period_of(instrument: Instrument) -> str:
    """The day of expiry in UTC, or SPOT."""
    return SPOT if instrument.expiry is None else format_time(instrument.expiry)[:10]


def _override(commodity: Commodity, period: str, field: str) -> Size | None:
    """What a tier says instead of the commodity."""
    said = [t for t in commodity.tiers if getattr(t, field) is not None and t.holds(period)]
    if len(said) > 1:
        names = f"{said[0].name} and {said[1].name} of {commodity.name}"
        raise InputError("parameters, span", field, Finding(names), f"both hold {period}; keep one")
    found: Size | None = getattr(said[0], field) if said else None
    return found


def tier_periods(tier: Tier, labels: Sequence[str]) -> frozenset[int]:
    """The periods of a commodity that a tier holds."""
    return frozenset(number for number, label in enumerate(labels) if tier.holds(label))


def month_periods(month: str, labels: Sequence[str]) -> frozenset[int]:
    """The periods within a month, or the one of a day."""
    return frozenset(number for number, label in enumerate(labels) if label.startswith(month))
