"""One case as a market, parameters and quantities.

`Scenario` holds the account and the feeds, `Parameters` the rules, `Result` what the venue finds. Times are
seconds from the moment of valuation. A case does not say which coin it is about: here it is BASE. Cash
holds what perpetuals have gained and are owed by funding; collateral has the price of its coin, and counts
in cash at that over the price of cash.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Final

from zkmargin.margin.decimals import canonical_decimal
from zkmargin.margin.documents import parse_json, read_text
from zkmargin.margin.errors import InputError
from zkmargin.margin.fixed import ONE, exp, from_decimal, from_fraction, mul, to_decimal
from zkmargin.margin.inputs import Inputs, Quote, Terms, check_feeds, check_quote
from zkmargin.margin.instruments import CASH, Instrument
from zkmargin.margin.kernels import InstrumentError, Options, Q64Matrix, option_values
from zkmargin.margin.market.derive.part import CONTEXT, DECIMALS, LOT, SECOND, Part
from zkmargin.margin.market.derive.rules import read_parameters
from zkmargin.margin.market.quotes import Market
from zkmargin.margin.market.times import format_time
from zkmargin.margin.parameters import Parameters
from zkmargin.margin.tables import Level

UNDERLYING: Final = "BASE"
PERPETUAL: Final = "BASE-PERP"

_YEAR: Final = 365 * 86400 * SECOND
_REFERENCE_TIME: Final = 1_700_000_000 * SECOND
# Bounds that leave an account room to grow; a larger account gets larger ones.
_CASH_BITS: Final = 54
_POSITION_BITS: Final = 44
_MOST_BITS: Final = 62
_RESULTS: Final[Mapping[Level, str]] = {"initial": "IM", "maintenance": "MM"}


@dataclass(frozen=True)
class DeriveCase:
    """A case, ready to make a snapshot and holdings of."""

    market: Market
    parameters: Parameters
    quantities: Mapping[str, Decimal]
    """By instrument, in multiples of a lot."""
    unknown: tuple[str, ...]
    """Keys that this reader does not know."""
    excess: Mapping[Level, Decimal]
    """What the case says is left over each requirement, where it says so."""


def read_derive_case(path: Path) -> DeriveCase:
    """The case in a file; InputError naming the part, the key and the value that cannot be used."""
    return parse_derive_case(parse_json(read_text(path), str(path)), str(path))


def parse_derive_case(document: object, where: str) -> DeriveCase:
    """The case in a JSON document whose numbers are exact; InputError as `read_derive_case`."""
    unknown: list[str] = []
    case = Part(document, "case", where, unknown)
    scenario = case.part("Scenario")
    entries = scenario.parts("Collaterals")
    names = _coin_names([str(entry.values.get("Name") or "") for entry in entries])
    collaterals = dict(zip(names, entries, strict=True))
    parameters = read_parameters(case, UNDERLYING, collaterals)
    listed, inputs, time = _market(scenario, collaterals)
    result = case.part("Result", frozenset(case.values["Result"])) if case.values.get("Result") else None
    excess = {level: result.number(key) for level, key in _RESULTS.items()} if result else {}
    market = Market(time, tuple(listed.instruments), inputs)
    return DeriveCase(market, parameters, listed.quantities, tuple(unknown), excess)


@dataclass
class _Listed:
    """Instruments with their quotes and quantities, in the order of their slots."""

    instruments: list[Instrument] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    quantities: dict[str, Decimal] = field(default_factory=dict)

    def add(self, instrument: Instrument, quote: Quote, quantity: Decimal) -> None:
        """Append one instrument."""
        self.instruments.append(instrument)
        self.quotes.append(quote)
        self.quantities[instrument.name] = quantity


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


def _market(scenario: Part, collaterals: Mapping[str, Part]) -> tuple[_Listed, Inputs, int]:
    """Everything that is listed, what it rests on, and the moment of valuation."""
    listed, prices, confidences = _Listed(), {UNDERLYING: scenario.number("SpotPrice")}, {}
    confidences[UNDERLYING] = scenario.confidence("SpotConfidence")
    perpetuals, price = scenario.lots("NumPerps"), scenario.number("PerpPrice", "0")
    cash = sum(map(scenario.lots, ("Cash", "UnrealisedPerpPNL", "UnrealisedFunding")), Decimal(0))
    listed.add(_balance(CASH, abs(cash) + abs(perpetuals * price)), Quote("1"), cash)
    listed.add(_balance(UNDERLYING, Decimal(0)), Quote(canonical_decimal(prices[UNDERLYING])), Decimal(0))
    for name, entry in collaterals.items():
        if worth := entry.number("Price"):
            amount = entry.lots("Amount")
            prices[name], confidences[name] = worth, entry.confidence("Confidence")
            listed.add(_balance(name, amount), Quote(canonical_decimal(worth)), amount)
    if perpetuals:
        confidences[PERPETUAL] = scenario.confidence("PerpConfidence")
        listed.add(_perpetual(perpetuals), Quote(canonical_decimal(price)), perpetuals)
    options = scenario.parts("Options")
    feeds, time = _feeds(scenario), _valuation_time(options)
    terms = _list_options(_amounts(options, feeds), feeds, time, listed, scenario.place)
    inputs = Inputs(
        source="Derive PMRM 2 portfolio case",
        indices={coin: canonical_decimal(price) for coin, price in prices.items()},
        quotes=tuple(listed.quotes),
        terms=terms,
        confidences={name: canonical_decimal(confidence) for name, confidence in confidences.items()},
        cash_price=scenario.text("StablePrice", "1"),
    )
    check_feeds(scenario.place, inputs, listed.instruments)
    for instrument, quote in zip(listed.instruments, listed.quotes, strict=True):
        place = f"{scenario.place}, instrument {instrument.name}"
        check_quote(place, instrument, quote, inputs.indices, time, terms=inputs.terms_of(instrument))
    return listed, inputs, time


def _valuation_time(options: Iterable[Part]) -> int:
    """The moment that the first option's date of expiry implies; any other would do as well."""
    for option in options:
        for key in ("ExiryTs", "ExpiryTs"):
            if option.values.get(key) is not None:
                return option.microseconds(key) - option.microseconds("Expiry")
    return _REFERENCE_TIME


def _feeds(scenario: Part) -> Mapping[int, _Feed]:
    """Feeds by expiry."""
    found: dict[int, _Feed] = {}
    for part in scenario.parts("OptionFeeds"):
        feed = _feed(part)
        if feed.expiry in found:
            raise InputError(part.place, "FeedExpiry", part.text("FeedExpiry"), "occurs twice; keep one feed")
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
        option = _Option(expiry, part.number("Strike"), not part.flag("IsCall"), part.number("MarkVol"))
        amounts[option] += part.lots("Amount")
    return amounts


def _list_options(
    amounts: Mapping[_Option, Decimal], feeds: Mapping[int, _Feed], time: int, listed: _Listed, place: str
) -> tuple[Terms, ...]:
    """Lists all options, marked by Black-76; returns the terms of their expiries."""
    ordered = sorted(amounts)
    names = _once(_option_name(time, option) for option in ordered)
    for name, option, mark in zip(names, ordered, _marks(ordered, feeds, place), strict=True):
        feed = feeds[option.expiry]
        quote = map(canonical_decimal, (mark, option.volatility, feed.forward, feed.rate))
        listed.add(_listed_option(name, time, option, amounts[option]), Quote(*quote), amounts[option])
    return tuple(
        Terms(
            UNDERLYING,
            time + expiry,
            canonical_decimal(feeds[expiry].confidence),
            None if (fixed := feeds[expiry].fixed) is None else canonical_decimal(fixed),
        )
        for expiry in sorted({option.expiry for option in ordered})
    )


def _marks(options: Sequence[_Option], feeds: Mapping[int, _Feed], place: str) -> list[Decimal]:
    """Black-76, discounted at the rate where that is positive and the option lives."""
    years = {expiry: from_fraction(Fraction(max(expiry, 0), _YEAR)) for expiry in feeds}
    discounts = {
        expiry: exp(-mul(from_decimal(max(feed.rate, Decimal(0))), years[expiry]))
        for expiry, feed in feeds.items()
    }
    columns = Options(
        call=[not option.put for option in options],
        forward=[from_decimal(feeds[option.expiry].forward) for option in options],
        strike=[from_decimal(option.strike) for option in options],
        years=[years[option.expiry] for option in options],
        discount=[discounts[option.expiry] for option in options],
    )
    vols = Q64Matrix.from_rows(([from_decimal(option.volatility)] for option in options), 1)
    try:
        values = option_values(columns, vols, [(ONE, 0)]).column(0)
    except InstrumentError as error:
        strike = canonical_decimal(options[error.index].strike)
        raise InputError(
            f"{place}, option with strike {strike}", "mark", error.reason, "correct its numbers"
        ) from None
    return [to_decimal(value, DECIMALS) for value in values]


def _coin_names(written: Sequence[str]) -> list[str]:
    """Names of currencies for the collaterals: capitals and digits, each once, none that is taken."""
    plain = [
        "".join(c for c in name.upper() if c.isascii() and c.isalnum())[:9] or "COIN" for name in written
    ]
    taken, names = {CASH, UNDERLYING}, []
    for name in plain:
        free = next(n for k in count(1) if (n := name if k == 1 else f"{name}.{k}") not in taken)
        taken.add(free)
        names.append(free)
    return names


def _once(names: Iterable[str]) -> list[str]:
    """The same option at another volatility is another instrument, with a number to its name."""
    seen: dict[str, int] = defaultdict(int)
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return found


def _option_name(time: int, option: _Option) -> str:
    moment = format_time(time + option.expiry).replace(":", "").replace("-", "").removesuffix("Z")
    return f"{UNDERLYING}-{moment}-{canonical_decimal(option.strike)}-{'P' if option.put else 'C'}"


def _bound(quantity: Decimal, bits: int) -> int:
    """One less than a power of two, with room for twice the quantity."""
    lots = int(abs(quantity).scaleb(-LOT, CONTEXT))
    return int((1 << min(_MOST_BITS, max(bits, lots.bit_length() + 1))) - 1)


def _balance(currency: str, quantity: Decimal) -> Instrument:
    bound = _bound(quantity, _CASH_BITS if currency == CASH else _POSITION_BITS)
    return Instrument(currency, "balance", currency, currency, False, None, None, None, LOT, 0, bound)


def _perpetual(quantity: Decimal) -> Instrument:
    bound = _bound(quantity, _POSITION_BITS)
    return Instrument(PERPETUAL, "perpetual", UNDERLYING, CASH, False, None, None, None, LOT, 0, bound)


def _listed_option(name: str, time: int, option: _Option, quantity: Decimal) -> Instrument:
    strike, bound = canonical_decimal(option.strike), _bound(quantity, _POSITION_BITS)
    expiry, call = time + option.expiry, not option.put
    return Instrument(name, "option", UNDERLYING, CASH, False, expiry, strike, call, LOT, 0, bound)
