"""The options of a case with the feeds of their expiries: named, sized and marked."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Final

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.arithmetic.fixed import ONE, exp, from_decimal, from_fraction, mul, to_decimal
from zkmargin.margin.arithmetic.kernels import option_values
from zkmargin.margin.arithmetic.packed import InstrumentError, Options, Q64Matrix
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.market.derive.part import DECIMALS, SECOND, Part
from zkmargin.margin.market.derive.sizes import Held, Size
from zkmargin.margin.market.inputs import ExpiryTerms, Quote
from zkmargin.margin.market.times import format_time

UNDERLYING: Final = "BASE"

_YEAR: Final = 365 * 86400 * SECOND
_REFERENCE_TIME: Final = 1_700_000_000 * SECOND
_LONGEST: Final = 100 * _YEAR


@dataclass(frozen=True)
class _Feed:
    """The feeds of one expiry."""

    expiry: int
    """Microseconds from valuation."""
    forward: Decimal
    fixed: Decimal | None
    rate: Decimal
    confidence: Decimal


@dataclass(frozen=True, order=True)
class _Option:
    """What tells options of a case apart."""

    expiry: int
    strike: Decimal
    put: bool
    volatility: Decimal


@dataclass(frozen=True)
class OptionBook:
    """What is held of every option, and what its expiry's feeds say."""

    amounts: Mapping[_Option, Decimal]
    feeds: Mapping[int, _Feed]
    time: int
    """Unix microseconds of the valuation."""
    place: str
    underlying: str = UNDERLYING
    discounted: bool = True
    """Whether marks are discounted at the rate of the feed; if not, only static discounts rest on it."""

    @classmethod
    def read(cls, scenario: Part, underlying: str = UNDERLYING, *, discounted: bool = True) -> "OptionBook":
        """The options and feeds of a scenario; InputError naming what cannot be used."""
        options, feeds = scenario.parts("Options"), _feeds(scenario)
        time = _valuation_time(options)
        return cls(_amounts(options, feeds), feeds, time, scenario.place, underlying, discounted)

    @cached_property
    def ordered(self) -> Sequence[_Option]:
        """The order in which they are listed."""
        return sorted(self.amounts)

    @property
    def held(self) -> Held:
        """One for all options: what is charged on a strike's calls and puts together counts them alike.

        They move with the forward; a strike far above it takes some of the room that entries leave.
        """
        prices = (max(option.strike / 10, self.feeds[option.expiry].forward) for option in self.amounts)
        return Held.of(self.amounts.values(), max(prices, default=Decimal(0)))

    def listed(self, size: Size) -> Iterator[tuple[Instrument, Quote, Decimal]]:
        """All options, marked by Black-76, with their quantities; InputError naming one that has no value."""
        names = _once(self._name(option) for option in self.ordered)
        for name, option, mark in zip(names, self.ordered, self._marks(), strict=True):
            feed = self.feeds[option.expiry]
            price, volatility, forward, rate = map(
                canonical_decimal, (mark, option.volatility, feed.forward, feed.rate)
            )
            quote = Quote(price, volatility, forward, rate if self.discounted else None)
            yield self._instrument(name, option, size), quote, self.amounts[option]

    @property
    def terms(self) -> tuple[ExpiryTerms, ...]:
        """Of the expiries that have options."""
        return tuple(
            self._terms(expiry, self.feeds[expiry])
            for expiry in sorted({option.expiry for option in self.amounts})
        )

    def _terms(self, expiry: int, feed: _Feed) -> ExpiryTerms:
        return ExpiryTerms(
            self.underlying,
            self.time + expiry,
            canonical_decimal(feed.confidence),
            None if feed.fixed is None else canonical_decimal(feed.fixed),
            None if self.discounted else canonical_decimal(feed.rate),
        )

    def _marks(self) -> list[Decimal]:
        """Black-76, discounted at the rate where that is positive and the option lives."""
        years = {expiry: from_fraction(Fraction(max(expiry, 0), _YEAR)) for expiry in self.feeds}
        rates = {
            expiry: max(feed.rate, Decimal(0)) if self.discounted else Decimal(0)
            for expiry, feed in self.feeds.items()
        }
        discounts = {expiry: exp(-mul(from_decimal(rate), years[expiry])) for expiry, rate in rates.items()}
        columns = Options(
            call=[not option.put for option in self.ordered],
            forward=[from_decimal(self.feeds[option.expiry].forward) for option in self.ordered],
            strike=[from_decimal(option.strike) for option in self.ordered],
            years=[years[option.expiry] for option in self.ordered],
            discount=[discounts[option.expiry] for option in self.ordered],
        )
        vols = Q64Matrix.from_rows(([from_decimal(option.volatility)] for option in self.ordered), 1)
        try:
            values = option_values(columns, vols, [(ONE, 0)]).column(0)
        except InstrumentError as error:
            strike = canonical_decimal(self.ordered[error.index].strike)
            raise InputError(
                f"{self.place}, option with strike {strike}", "mark", error.reason, "correct its numbers"
            ) from None
        return [to_decimal(value, DECIMALS) for value in values]

    def _name(self, option: _Option) -> str:
        moment = format_time(self.time + option.expiry).replace(":", "").replace("-", "").removesuffix("Z")
        return f"{self.underlying}-{moment}-{canonical_decimal(option.strike)}-{'P' if option.put else 'C'}"

    def _instrument(self, name: str, option: _Option, size: Size) -> Instrument:
        lot, contract, bound = astuple(size)
        strike, expiry, call = canonical_decimal(option.strike), self.time + option.expiry, not option.put
        return Instrument(
            name, "option", self.underlying, CASH, False, expiry, strike, call, lot, contract, bound
        )


def _valuation_time(options: Iterable[Part]) -> int:
    """The moment that the first option's date of expiry implies, between 1970 and 2070; any other would do as well."""
    for option in options:
        for key in ("ExiryTs", "ExpiryTs"):
            if option.values.get(key) is not None:
                implied = option.microseconds(key) - option.microseconds("Expiry")
                return implied if 0 <= implied <= _LONGEST else _REFERENCE_TIME
    return _REFERENCE_TIME


def _feeds(scenario: Part) -> Mapping[int, _Feed]:
    """Feeds by expiry."""
    found: dict[int, _Feed] = {}
    for part in scenario.parts("OptionFeeds"):
        feed = _feed(part)
        if found.get(feed.expiry, feed) != feed:
            remedy = "occurs twice, and they differ; keep one feed"
            raise InputError(part.place, "FeedExpiry", part.text("FeedExpiry"), remedy)
        found[feed.expiry] = feed
    return found


def _feed(part: Part) -> _Feed:
    split = "ForwardFixed" in part.values or "ForwardVariable" in part.values
    fixed = part.number("ForwardFixed") if split else None
    forward = part.number("Forward") if fixed is None else fixed + part.number("ForwardVariable")
    keys = ("ForwardConfidence", "RateConfidence", "OptionVolConfidences")
    confidence = min(map(part.confidence, keys))
    return _Feed(part.microseconds("FeedExpiry"), forward, fixed, part.number("Rate", "0"), confidence)


def _amounts(options: Iterable[Part], feeds: Mapping[int, _Feed]) -> Mapping[_Option, Decimal]:
    """What is held of every option; one that is named twice is held once, at the sum."""
    amounts: dict[_Option, Decimal] = defaultdict(Decimal)
    for part in options:
        expiry = part.microseconds("Expiry")
        if expiry not in feeds:
            remedy = "add its feed to OptionFeeds, with the same FeedExpiry"
            raise InputError(part.place, "Expiry", part.text("Expiry"), remedy)
        if abs(expiry) > _LONGEST:
            remedy = "write seconds from the valuation, a hundred years' at most"
            raise InputError(part.place, "Expiry", part.text("Expiry"), remedy)
        option = _Option(expiry, part.number("Strike"), not part.flag("IsCall"), part.number("MarkVol"))
        amounts[option] += part.number("Amount", "0")
    return amounts


def _once(names: Iterable[str]) -> list[str]:
    """The same option at another volatility is another instrument, with a number to its name."""
    seen: dict[str, int] = defaultdict(int)
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return found
