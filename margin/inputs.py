"""What a snapshot rests on: the prices, volatilities and forwards of the market, in canonical decimals."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from zkmargin.margin.decimals import canonical_decimal, parse_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments import CASH, Instrument

# Within these limits every quotient of two prices fits 64.64 fixed point, and every price the tables.
SMALLEST_PRICE = Decimal("1e-9")
LARGEST_PRICE = Decimal("1e9")
SMALLEST_VOLATILITY = Decimal("1e-4")
LARGEST_VOLATILITY = Decimal(100)
SMALLEST_RATE = Decimal("-0.1")
LARGEST_RATE = Decimal(1)
LONGEST_LIFE = 100 * 365 * 86400 * 10**6
"""Microseconds."""


@dataclass(frozen=True)
class Quote:
    """The numbers of one slot, as canonical decimals; None where the kind of instrument has none."""

    price: str
    """Mark price: coin per coin for inverse options, USD otherwise; for balances the index."""
    volatility: str | None = None
    """Implied volatility, a fraction a year; options only."""
    forward: str | None = None
    """Forward price of the option's expiry in USD; options only."""
    rate: str | None = None
    """Continuously compounded interest a year that discounts the option's payoff, a fraction; None: undiscounted."""


@dataclass(frozen=True)
class Inputs:
    """All numbers of the market that tables follow from, beside time, universe and parameters."""

    source: str
    """Where the numbers come from, for people."""
    indices: Mapping[str, str]
    """Index price of each underlying, or the price of its share, in USD."""
    quotes: tuple[Quote, ...]
    """One per slot."""

    def document(self) -> dict[str, Any]:
        """The fields for the canonical encoding."""
        quotes = [[q.price, q.volatility, q.forward, q.rate] for q in self.quotes]
        return {"source": self.source, "indices": dict(self.indices), "quotes": quotes}


def check_quote(
    where: str, instrument: Instrument, quote: Quote, indices: Mapping[str, str], valuation_time: int
) -> None:
    """Raises InputError if an instrument is expired or without index, or a number is missing or out of range."""
    _check_listing(where, instrument, indices, valuation_time)
    option = instrument.kind == "option"
    _check_number(where, "price", quote.price, Decimal(0) if option else SMALLEST_PRICE, LARGEST_PRICE)
    if not option:
        if (quote.volatility, quote.forward, quote.rate) != (None, None, None):
            remedy = "only options have volatility, forward and rate"
            raise InputError(where, "volatility", instrument.name, remedy)
        return
    _check_number(where, "volatility", quote.volatility, SMALLEST_VOLATILITY, LARGEST_VOLATILITY)
    _check_number(where, "forward", quote.forward, SMALLEST_PRICE, LARGEST_PRICE)
    _check_number(where, "strike", instrument.strike, SMALLEST_PRICE, LARGEST_PRICE)
    if quote.rate is not None:
        _check_number(where, "rate", quote.rate, SMALLEST_RATE, LARGEST_RATE)


def _check_listing(
    where: str, instrument: Instrument, indices: Mapping[str, str], valuation_time: int
) -> None:
    if instrument.underlying != CASH and instrument.underlying not in indices:
        remedy = "add the index price of this coin, or the price of this underlying"
        raise InputError(where, "underlying", instrument.underlying, remedy)
    if instrument.expiry is None:
        return
    if instrument.expiry <= valuation_time:
        remedy = "expired at or before the valuation time; leave it out"
        raise InputError(where, "expiry", instrument.name, remedy)
    if instrument.expiry - valuation_time > LONGEST_LIFE:
        raise InputError(where, "expiry", instrument.name, "more than 100 years away; correct it")


def _check_number(where: str, field: str, text: str | None, least: Decimal, most: Decimal) -> None:
    number = parse_decimal(text, where, field)
    if not least <= number <= most:
        raise InputError(where, field, text, f"write a number from {least:f} to {most:f}")
    if canonical_decimal(number) != text:
        raise InputError(where, field, text, f"write {canonical_decimal(number)}")
