"""What a snapshot rests on: the prices, volatilities and forwards of the market, in canonical decimals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.market.history import PriceHistory

# Within these limits every quotient of two prices fits 64.64 fixed point, and every price the tables.
SMALLEST_PRICE = Decimal("1e-9")
LARGEST_PRICE = Decimal("1e9")
SMALLEST_VOLATILITY = Decimal("1e-4")
LARGEST_VOLATILITY = Decimal(100)
SMALLEST_RATE = Decimal("-0.1")
LARGEST_RATE = Decimal(1)
# An expiry whose terms are stated may settle within minutes, or have settled: its numbers may then be extreme.
LARGEST_SETTLING_VOLATILITY = Decimal(10**6)
# Rates of such feeds are signed 64-bit integers of 10^-18; rules that take none below zero count those as zero.
SMALLEST_SETTLING_RATE = Decimal(-10)
LARGEST_SETTLING_RATE = Decimal(10)
LONGEST_LIFE = 100 * 365 * 86400 * 10**6
"""Microseconds."""


@dataclass(frozen=True)
class Quote:
    """The numbers of one slot, as canonical decimals; None where the kind of instrument has none."""

    price: str = ""
    """Mark price: coin per coin for inverse options, USD otherwise; for balances the index. Empty once settled."""
    volatility: str | None = None
    """Implied volatility, a fraction a year; options only."""
    forward: str | None = None
    """Forward price of the option's expiry in USD; options only."""
    rate: str | None = None
    """Continuously compounded interest a year that discounts the option's payoff, a fraction; None: undiscounted, as
    a futures-style option always is.
    """
    settled: str | None = None
    """USD of the underlying that an instrument has settled at officially; with it a quote has nothing else."""

    def document(self) -> list[str | None]:
        """The entries for the canonical encoding."""
        entries = [self.price or None, self.volatility, self.forward, self.rate]
        return entries if self.settled is None else [*entries, self.settled]


@dataclass(frozen=True)
class ExpiryTerms:
    """What the market says of one expiry beside the forwards and rates of its options, as canonical decimals."""

    underlying: str
    expiry: int
    """Unix microseconds."""
    confidence: str = "1"
    """How sure the feeds are of forward, rate and volatilities, from 0 to 1: the least of the three."""
    fixed: str | None = None
    """USD of the forward that settlement averaging has fixed already; None: what the averaging window says."""
    rate: str | None = None
    """Interest a year that static discounts rest on, a fraction; None: the rate of the options' own discounting."""

    def document(self) -> dict[str, Any]:
        """The fields for the canonical encoding."""
        return {name: value for name, value in vars(self).items() if name != "rate" or value is not None}


@dataclass(frozen=True)
class Inputs:
    """All numbers of the market that tables follow from, beside time, universe and parameters."""

    source: str
    """Where the numbers come from, for people."""
    indices: Mapping[str, str]
    """Index price of each underlying, or the price of its share, in USD."""
    quotes: tuple[Quote, ...]
    """One per slot."""
    terms: tuple[ExpiryTerms, ...] = ()
    """Of the expiries that have any, each once."""
    confidences: Mapping[str, str] = field(default_factory=dict)
    """How sure the feed is of a balance's index or a perpetual's price, from 0 to 1, by name; 1 where not listed."""
    cash_price: str | None = None
    """USD for one unit of the cash balance where that is a stablecoin; coins are then counted in cash."""
    history: PriceHistory | None = None
    """Daily closes known at the valuation, where scenarios are to follow from them."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """What the market lists and these inputs do not, by name, each with the reason."""
    without: tuple[str, ...] = ()
    """Rules of the source that were left out on request, one sentence each."""

    def document(self) -> dict[str, Any]:
        """The fields for the canonical encoding."""
        quotes = [quote.document() for quote in self.quotes]
        document: dict[str, Any] = {"source": self.source, "indices": dict(self.indices), "quotes": quotes}
        if self.terms:
            document["terms"] = [terms.document() for terms in self.terms]
        if self.confidences:
            document["confidences"] = dict(self.confidences)
        if self.cash_price is not None:
            document["cash_price"] = self.cash_price
        if self.history is not None:
            document["history"] = self.history.document()
        if self.left_out:
            document["left_out"] = dict(self.left_out)
        if self.without:
            document["without"] = list(self.without)
        return document

    def confidence(self, name: str) -> Fraction:
        """How sure the feed is of an instrument's price."""
        return Fraction(Decimal(self.confidences.get(name, "1")))

    def settlements(self, instruments: Iterable[Instrument]) -> list[tuple[Instrument, str]]:
        """Those of the instruments, one per quote, that have settled, each with the price of its underlying."""
        pairs = zip(instruments, self.quotes, strict=True)
        return [(instrument, quote.settled) for instrument, quote in pairs if quote.settled is not None]

    def terms_of(self, instrument: Instrument) -> ExpiryTerms | None:
        """The terms of an instrument's expiry, if stated."""
        return self._by_expiry.get((instrument.underlying, instrument.expiry))

    @cached_property
    def _by_expiry(self) -> Mapping[tuple[str, int | None], ExpiryTerms]:
        return {(terms.underlying, terms.expiry): terms for terms in self.terms}


def check_quote(
    where: str,
    instrument: Instrument,
    quote: Quote,
    indices: Mapping[str, str],
    valuation_time: int,
    *,
    terms: ExpiryTerms | None = None,
) -> None:
    """Raises InputError if an instrument is without index, a number is missing or out of range, or the
    instrument has expired though neither the quote nor terms of its expiry say what it settles at.
    """
    if quote.settled is not None:
        _check_settled(where, instrument, quote, indices, valuation_time)
        return
    _check_listing(where, instrument, indices, valuation_time, settling=terms is not None)
    option = instrument.kind == "option"
    _check_number(where, "price", quote.price, Decimal(0) if option else SMALLEST_PRICE, LARGEST_PRICE)
    if not option:
        if (quote.volatility, quote.forward, quote.rate) != (None, None, None):
            remedy = "only options have volatility, forward and rate"
            raise InputError(where, "volatility", instrument.name, remedy)
        return
    volatilities, rates = (
        ((SMALLEST_VOLATILITY, LARGEST_VOLATILITY), (SMALLEST_RATE, LARGEST_RATE))
        if terms is None
        else ((Decimal(0), LARGEST_SETTLING_VOLATILITY), (SMALLEST_SETTLING_RATE, LARGEST_SETTLING_RATE))
    )
    _check_number(where, "volatility", quote.volatility, *volatilities)
    _check_number(where, "forward", quote.forward, SMALLEST_PRICE, LARGEST_PRICE)
    _check_number(where, "strike", instrument.strike, SMALLEST_PRICE, LARGEST_PRICE)
    if quote.rate is not None:
        if instrument.premium == "futures-style":
            remedy = "a futures-style option is not discounted; leave the rate out"
            raise InputError(where, "rate", quote.rate, remedy)
        _check_number(where, "rate", quote.rate, *rates)
    if terms is not None and terms.fixed is not None:
        _check_number(where, "fixed", terms.fixed, Decimal(0), Decimal(quote.forward or 0))


def check_feeds(where: str, inputs: Inputs, instruments: Iterable[Instrument]) -> None:
    """Raises InputError if terms, confidences or the price of cash are of nothing listed, or out of range, or if
    an expiry has settled at two prices in one currency.
    """
    listed = tuple(instruments)
    running = (i for i, quote in zip(listed, inputs.quotes, strict=True) if quote.settled is None)
    expiries = {(i.underlying, i.expiry) for i in running if i.kind == "option"}
    _check_settlements(where, inputs.settlements(listed))
    for terms in inputs.terms:
        place = f"{where}, expiry of {terms.underlying}"
        if (terms.underlying, terms.expiry) not in expiries:
            raise InputError(place, "terms", terms.expiry, "no option expires then; leave them out")
        _check_number(place, "confidence", terms.confidence, Decimal(0), Decimal(1))
        if terms.rate is not None:
            _check_number(place, "rate", terms.rate, SMALLEST_SETTLING_RATE, LARGEST_SETTLING_RATE)
    if len({(terms.underlying, terms.expiry) for terms in inputs.terms}) != len(inputs.terms):
        raise InputError(where, "terms", Finding("an expiry occurs twice"), "state the terms of each once")
    priced = {i.name for i in listed if i.kind in ("balance", "perpetual") and i.underlying != CASH}
    for name, confidence in inputs.confidences.items():
        if name not in priced:
            remedy = "no coin or perpetual has this name; leave it out"
            raise InputError(where, "confidences", name, remedy)
        _check_number(f"{where}, instrument {name}", "confidence", confidence, Decimal(0), Decimal(1))
    if inputs.cash_price is not None:
        _check_number(where, "cash_price", inputs.cash_price, SMALLEST_PRICE, LARGEST_PRICE)


def _check_settlements(where: str, settlements: Iterable[tuple[Instrument, str]]) -> None:
    prices: dict[tuple[str, int | None, str], str] = {}
    for instrument, price in settlements:
        key = instrument.underlying, instrument.expiry, instrument.settlement
        first = prices.setdefault(key, price)
        if first != price:
            remedy = f"others of its expiry settled at {first}; an expiry settles at one price"
            raise InputError(f"{where}, instrument {instrument.name}", "settled", price, remedy)


def _check_settled(
    where: str, instrument: Instrument, quote: Quote, indices: Mapping[str, str], valuation_time: int
) -> None:
    if instrument.expiry is None:
        raise InputError(where, "settled", quote.settled, "only futures and options settle; leave it out")
    if instrument.expiry > valuation_time:
        remedy = f"{instrument.name} expires after the valuation; quote its price instead"
        raise InputError(where, "settled", quote.settled, remedy)
    for name, given in vars(quote).items():
        if name != "settled" and given:
            raise InputError(where, name, given, "what has settled has no market any more; leave it out")
    _check_number(where, "settled", quote.settled, SMALLEST_PRICE, LARGEST_PRICE)
    if instrument.inverse:
        _check_index(where, instrument.underlying, indices)


def _check_index(where: str, underlying: str, indices: Mapping[str, str]) -> None:
    if underlying not in indices:
        remedy = "add the index price of this coin, or the price of this underlying"
        raise InputError(where, "underlying", underlying, remedy)
    _check_number(where, "index", indices[underlying], SMALLEST_PRICE, LARGEST_PRICE)


def _check_listing(
    where: str, instrument: Instrument, indices: Mapping[str, str], valuation_time: int, *, settling: bool
) -> None:
    if instrument.underlying != CASH:
        _check_index(where, instrument.underlying, indices)
    if instrument.expiry is None:
        return
    if instrument.expiry <= valuation_time and not settling:
        remedy = (
            "expired at or before the valuation time; leave it out, or where an earlier snapshot lists it say what "
            "it settled at (--universe, --settlements)"
        )
        raise InputError(where, "expiry", instrument.name, remedy)
    if instrument.expiry - valuation_time > LONGEST_LIFE:
        raise InputError(where, "expiry", instrument.name, "more than 100 years away; correct it")


def _check_number(where: str, field: str, text: str | None, least: Decimal, most: Decimal) -> None:
    number = parse_decimal(text, where, field)
    if not least <= number <= most:
        raise InputError(where, field, text, f"write a number from {least:f} to {most:f}")
    if canonical_decimal(number) != text:
        raise InputError(where, field, text, f"write {canonical_decimal(number)}")
