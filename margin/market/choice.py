"""A choice of what a market lists: by coin, expiry and strike, so that a large market fits into a universe."""

import fnmatch
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from zkmargin.margin.arithmetic.decimals import parse_positive
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.notes import note
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.instruments.universe import LARGEST_DOMAIN
from zkmargin.margin.market.inputs import Quote
from zkmargin.margin.market.quotes import Market
from zkmargin.margin.market.times import format_time, utc_date

_WHERE = "command line"
_DAYS = re.compile(r"(\d{1,5})d", re.ASCII)
_DAY_MICROSECONDS = 86_400 * 10**6

_Test = Callable[[Instrument, Quote], bool]


@dataclass(frozen=True)
class Choice:
    """What is wanted of a market; what is empty wants everything.

    Attributes:
        coins: underlyings, or patterns of instrument names with * or ?, separated by commas.
        expiries: days such as 2026-09-25, ranges such as 2026-09-01..2026-12-31 with either end left out, or 90d for
            90 days from the valuation.
        strikes: a range in USD such as 60000..100000, or 30% for what is within 30 % of the forward.
    """

    coins: Sequence[str] = ()
    expiries: Sequence[str] = ()
    strikes: Sequence[str] = ()

    def __bool__(self) -> bool:
        """Whether anything is left to choose."""
        return bool(self.coins or self.expiries or self.strikes)


def chosen(market: Market, choice: Choice) -> Market:
    """The market with what is chosen: balances of chosen coins, and instruments that pass every choice.

    USD always stays, and what never expires passes a choice of expiries, what has no strike one of strikes.

    Raises InputError for a choice that cannot be read, or that nothing passes.
    """
    if not choice:
        return market
    tests = [_coins(market, choice.coins), _expiries(market, choice.expiries), _strikes(choice.strikes)]
    pairs = list(zip(market.instruments, market.inputs.quotes, strict=True))
    passed = {i.name for i, q in pairs if i.name == CASH or all(test(i, q) for test in tests)}
    # What settles in a coin needs its balance.
    passed |= {i.settlement for i, _ in pairs if i.name in passed}
    kept = [(i, q) for i, q in pairs if i.name in passed]
    if all(instrument.kind == "balance" for instrument, _ in kept):
        remedy = f"none of {len(pairs)} instruments passes; choose otherwise"
        raise InputError(_WHERE, "choice", Finding("nothing is left"), remedy)
    moved = {instrument.underlying for instrument, _ in kept}
    expiries = {(instrument.underlying, instrument.expiry) for instrument, _ in kept}
    names = {instrument.name for instrument, _ in kept}
    inputs = replace(
        market.inputs,
        indices={name: price for name, price in market.inputs.indices.items() if name in moved},
        quotes=tuple(quote for _, quote in kept),
        terms=tuple(t for t in market.inputs.terms if (t.underlying, t.expiry) in expiries),
        confidences={name: sure for name, sure in market.inputs.confidences.items() if name in names},
    )
    note(market.inputs.source, f"{len(kept)} of {len(pairs)} instruments are chosen")
    return replace(market, instruments=tuple(instrument for instrument, _ in kept), inputs=inputs)


def check_size(market: Market) -> None:
    """Raises InputError, with what there is of each coin, if a universe cannot hold so many instruments."""
    count = len(market.instruments)
    if count <= LARGEST_DOMAIN:
        return
    coins = Counter(instrument.underlying for instrument in market.instruments)
    each = ", ".join(f"{name} has {number}" for name, number in coins.most_common(6))
    remedy = (
        f"a universe holds {LARGEST_DOMAIN}; choose with --coins, --expiries or --strikes, such as --coins "
        f"{coins.most_common(1)[0][0]} ({each})"
    )
    raise InputError(market.inputs.source, "instruments", Finding(f"{count} of them"), remedy)


def within(texts: Collection[str]) -> tuple[list[str], list[str]]:
    """Expiries and strikes of a distance each: 90d from the valuation, 30% from the forward. Raises InputError."""
    expiries = [text for text in texts if _DAYS.fullmatch(text)]
    strikes = [text for text in texts if text.endswith("%")]
    for text in texts:
        if text not in expiries and text not in strikes:
            raise InputError(_WHERE, "--within", text, "write 90d for expiries, or 30% for strikes")
    return expiries, strikes


def _coins(market: Market, texts: Sequence[str]) -> _Test:
    wanted = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    known = {instrument.underlying for instrument in market.instruments} - {CASH}
    names = [instrument.name for instrument in market.instruments]
    for part in wanted:
        if part not in known and not fnmatch.filter(names, part):
            raise InputError(_WHERE, "--coins", part, f"the market has {', '.join(sorted(known))}")

    def test(instrument: Instrument, _: Quote) -> bool:
        return not wanted or any(
            instrument.underlying == part or fnmatch.fnmatchcase(instrument.name, part) for part in wanted
        )

    return test


def _expiries(market: Market, texts: Sequence[str]) -> _Test:
    ranges = [_days(market, part.strip()) for text in texts for part in text.split(",") if part.strip()]

    def test(instrument: Instrument, _: Quote) -> bool:
        if not ranges or instrument.expiry is None:
            return True
        day = utc_date(instrument.expiry)
        return any(first <= day <= last for first, last in ranges)

    return test


def _days(market: Market, text: str) -> tuple[date, date]:
    """The first and the last day of a choice of expiries."""
    if (days := _DAYS.fullmatch(text)) is not None:
        now = market.valuation_time
        return date.min, utc_date(now + int(days[1]) * _DAY_MICROSECONDS)
    first, dots, last = text.partition("..")
    try:
        start = date.fromisoformat(first) if first else date.min
        end = (date.fromisoformat(last) if last else date.max) if dots else start
    except ValueError:
        start, end = date.max, date.min
    if start > end or not text.strip("."):
        soonest = min((i.expiry for i in market.instruments if i.expiry is not None), default=0)
        remedy = (
            "write a day, a range such as 2026-09-01..2026-12-31, or 90d; the first expiry is "
            f"{format_time(soonest)[:10]}"
        )
        raise InputError(_WHERE, "--expiries", text, remedy)
    return start, end


def _strikes(texts: Sequence[str]) -> _Test:
    tests = [_strike(part.strip()) for text in texts for part in text.split(",") if part.strip()]

    def test(instrument: Instrument, quote: Quote) -> bool:
        if not tests or instrument.strike is None:
            return True
        return any(one(Decimal(instrument.strike), Decimal(quote.forward or 0)) for one in tests)

    return test


def _strike(text: str) -> Callable[[Decimal, Decimal], bool]:
    """Whether a strike lies in a range, or near its forward."""
    remedy = "write a range such as 60000..100000, or 30% for what is near the forward"
    try:
        if text.endswith("%"):
            part = parse_positive(text[:-1], _WHERE, "--strikes") / 100
            return lambda strike, forward: abs(strike - forward) <= part * forward
        low, dots, high = text.partition("..")
        least = parse_positive(low, _WHERE, "--strikes") if low else Decimal(0)
        most = parse_positive(high, _WHERE, "--strikes") if high else None
    except InputError:
        raise InputError(_WHERE, "--strikes", text, remedy) from None
    if not dots or not (low or high):
        raise InputError(_WHERE, "--strikes", text, remedy)
    if most is not None and most < least:
        raise InputError(_WHERE, "--strikes", text, "the lower strike comes first")
    return lambda strike, _: strike >= least and (most is None or strike <= most)
