"""Numbers of one listing held against each other: what cannot both be true was read in the wrong unit, or is stale.

An option's mark price must lie between the Black-76 values at a third and at three times its volatility, with room for
rounding and for early exercise. The price of a future or perpetual, and an option's forward, must lie within a factor
of two of the index (four where it expires in more than two years).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from zkmargin.margin.arithmetic.black76 import price
from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.arithmetic.fixed import exp, from_decimal, from_fraction, mul, to_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.inputs import (
    LARGEST_PRICE,
    LARGEST_VOLATILITY,
    LONGEST_LIFE,
    SMALLEST_PRICE,
    SMALLEST_VOLATILITY,
)
from zkmargin.margin.market.left_out import LeftOut
from zkmargin.margin.market.quotes import Listing

_FACTOR = 3
_OF_FORWARD, _OF_MARK = Decimal("0.01"), Decimal("0.05")
_TELLING = 4
"""The values at either volatility must lie this many tolerances apart for the comparison to tell anything."""
_NEAR, _FAR, _FAR_MICROSECONDS = 2, 4, 2 * 365 * 86400 * 10**6
_YEAR_MICROSECONDS = 365 * 86400 * 10**6
_NEARLY = 4
"""A hundredth or a hundred times a volatility fits if its value is within a fourth of the mark price."""


def plausible(
    listings: Sequence[Listing], indices: Mapping[str, Decimal], valuation_time: int, gone: LeftOut
) -> list[Listing]:
    """The listings whose numbers agree; the others are left out.

    Args:
        listings: as read.
        indices: USD of each underlying.
        valuation_time: Unix microseconds.
        gone: told what is left out.

    Raises:
        InputError: more than half of the options that can be compared contradict their mark prices: then it is the
            unit of the file that is wrong.
    """
    kept: list[Listing] = []
    faults: list[tuple[Listing, InputError]] = []
    agreeing = 0
    for listing in listings:
        fault = _off_index(listing, indices, valuation_time)
        if fault is None and listing.instrument.kind == "option" and listing.instrument.underlying in indices:
            fault, tells = _off_mark(listing, valuation_time)
            agreeing += tells and fault is None
            if fault is not None:
                faults.append((listing, fault))
                continue
        if fault is not None:
            gone.add(listing.instrument.name, fault)
            continue
        kept.append(listing)
    if len(faults) > agreeing:
        first = faults[0][1]
        remedy = f"{first.remedy} (so with {len(faults)} of {len(faults) + agreeing} options that tell)"
        raise InputError(first.where, first.field, first.value, remedy)
    for listing, fault in faults:
        gone.add(listing.instrument.name, fault)
    return kept


def _off_index(listing: Listing, indices: Mapping[str, Decimal], valuation_time: int) -> InputError | None:
    """What is wrong where a price of the underlying is far from its index."""
    instrument, option = listing.instrument, listing.instrument.kind == "option"
    found, index = listing.forward if option else listing.price, indices.get(instrument.underlying)
    if instrument.kind == "share" or found is None or not index:
        return None
    # The forward of a share's option is reckoned from the index itself.
    if option and instrument.security is not None:
        return None
    if not SMALLEST_PRICE <= found <= LARGEST_PRICE:
        return None
    far = instrument.expiry is not None and instrument.expiry - valuation_time > _FAR_MICROSECONDS
    most = _FAR if far else _NEAR
    if index / most <= found <= index * most:
        return None
    field = "forward" if option else "price"
    stated = canonical_decimal(index)
    remedy = f"is far from the index of {instrument.underlying}, {stated}; correct the price or its unit"
    return InputError(listing.where, field, canonical_decimal(found), remedy)


def _off_mark(listing: Listing, valuation_time: int) -> tuple[InputError | None, bool]:
    """What is wrong where mark price and volatility contradict each other, and whether they can be compared at all."""
    instrument, forward, volatility = listing.instrument, listing.forward, listing.volatility
    life = (instrument.expiry or 0) - valuation_time
    if forward is None or volatility is None or not 0 < life <= LONGEST_LIFE:
        return None, False
    strike = Decimal(instrument.strike or 0)
    if not SMALLEST_VOLATILITY <= volatility <= LARGEST_VOLATILITY or listing.price > LARGEST_PRICE:
        return None, False
    if not all(SMALLEST_PRICE <= number <= LARGEST_PRICE for number in (strike, forward)):
        return None, False
    mark = listing.price * (forward if instrument.inverse else 1)
    tolerance = forward * _OF_FORWARD + mark * _OF_MARK
    low, high = (_value(listing, factor, life) for factor in (Fraction(1, _FACTOR), Fraction(_FACTOR)))
    tells = high - low > _TELLING * tolerance
    # A payoff that is discounted may be worth its undiscounted value where it can be exercised early.
    least, most = low * _discount(listing, life), high
    if least - tolerance <= mark <= most + tolerance:
        return None, tells
    model = _value(listing, Fraction(1), life) / (forward if instrument.inverse else 1)
    unit = instrument.underlying if instrument.inverse else "USD"
    remedy = (
        f"contradicts the volatility of {canonical_decimal(volatility * 100)} % a year, at which Black-76 gives "
        f"{model:.4f} {unit}{_unit(listing, mark, life)}"
    )
    return InputError(listing.where, "mark price", canonical_decimal(listing.price), remedy), True


def _unit(listing: Listing, mark: Decimal, life: int) -> str:
    """A guess at the unit that the volatility is in."""
    for factor, guess in (
        (Fraction(1, 100), "; a hundredth of it would fit: is it in percent where a fraction is wanted?"),
        (Fraction(100), "; a hundred times it would fit: is it a fraction where percent is wanted?"),
    ):
        near = _value(listing, factor, life)
        if abs(near - mark) * _NEARLY < mark:
            return guess
    return "; correct the unit of one of them"


def _value(listing: Listing, factor: Fraction, life: int) -> Decimal:
    """Undiscounted Black-76 value in USD at a multiple of the volatility."""
    volatility = max(Fraction(listing.volatility or 0) * factor, Fraction(SMALLEST_VOLATILITY))
    return to_decimal(
        price(
            from_decimal(listing.forward or Decimal(0)),
            from_decimal(Decimal(listing.instrument.strike or 0)),
            from_fraction(volatility),
            from_fraction(Fraction(life, _YEAR_MICROSECONDS)),
            call=bool(listing.instrument.call),
        )
    )


def _discount(listing: Listing, life: int) -> Decimal:
    if listing.rate is None or listing.rate <= 0:
        return Decimal(1)
    years = from_fraction(Fraction(life, _YEAR_MICROSECONDS))
    return to_decimal(exp(-mul(from_decimal(listing.rate), years)))
