"""Daily closing prices of several underlyings: read strictly from CSV, carried in a snapshot's inputs.

The CSV has a column `date` (YYYY-MM-DD), one column for each underlying, and at will a column `source`,
which is for people. Either every day has its row, or every day on which a market trades: then no row is of a Saturday
or a Sunday. A price may be missing only before an underlying's first.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from zkmargin.margin.arithmetic.decimals import canonical_decimal, nearest, parse_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.days import Day, read_day
from zkmargin.margin.files.notes import note
from zkmargin.margin.files.table_text import RawTable, column_key, looks_like_values, read_table
from zkmargin.margin.files.written_numbers import decimal_mark, plain_number

SMALLEST_PRICE = Decimal("1e-9")
LARGEST_PRICE = Decimal("1e9")
LONGEST = 20_000
"""Days."""

LONGEST_CLOSURE = 12
"""Days that a market may be closed on end; what is missing for longer has been left out."""
TRADING_DAYS = 252
"""A year of a market that does not trade every day, by convention."""

_DATE, _SOURCE = "date", "source"
_DATES = (_DATE, "day", "time", "timestamp", "datetime", "")
"""What a column of dates may be called; exports of a data frame leave its name out."""
_BAR = {"OPEN", "HIGH", "LOW", "CLOSE", "VOLUME"}
_COIN = re.compile(r"[A-Z0-9^][A-Z0-9./^-]{0,11}", re.ASCII)
_DAY = timedelta(days=1)
_FRIDAY = 5


@dataclass(frozen=True)
class PriceHistory:
    """Closes of consecutive days, or of the days on which a market trades, as canonical decimals; None before an
    underlying's first price.
    """

    first: date
    prices: Mapping[str, tuple[str | None, ...]]
    """By underlying, one for each day."""
    offsets: tuple[int, ...] = ()
    """Of each day, the number of days since the first; empty where the days are consecutive."""

    def __post_init__(self) -> None:
        """Raises InputError if the columns are no history."""
        for name, column in self.prices.items():
            _check_column(name, column, self.days)
        if self.offsets:
            _check_offsets(self.first, self.offsets, self.days)

    @property
    def days(self) -> int:
        """The number of days."""
        return len(next(iter(self.prices.values()), ()))

    @property
    def days_a_year(self) -> int:
        """The days of such a history in a year: what a daily variance is multiplied by for a yearly one."""
        return TRADING_DAYS if self.offsets else 365

    def date_of(self, day: int) -> date:
        """The date of day 0, 1, ..."""
        return self.first + (self.offsets[day] if self.offsets else day) * _DAY

    @cached_property
    def closes(self) -> Mapping[str, tuple[Decimal | None, ...]]:
        """The prices as numbers."""
        return {
            name: tuple(None if price is None else Decimal(price) for price in column)
            for name, column in self.prices.items()
        }

    @cached_property
    def begins(self) -> Mapping[str, int]:
        """The first day with a price, by underlying."""
        return {
            name: next(day for day, price in enumerate(column) if price is not None)
            for name, column in self.prices.items()
        }

    def known_before(self, moment: date, names: Sequence[str]) -> "PriceHistory":
        """The closes of these underlyings on the days before a date: what is known when it begins.

        Raises InputError if an underlying is not in the history, or has no price before the date.
        """
        passed = max(0, (moment - self.first).days)
        days = bisect_left(self.offsets, passed) if self.offsets else min(self.days, passed)
        for name in names:
            if name not in self.prices:
                remedy = f"no column of the history has this name: {', '.join(self.prices)}"
                raise InputError("history", "coin", name, remedy)
            if self.begins[name] >= days:
                remedy = f"has no price before {moment}; give a history that begins earlier"
                raise InputError("history", "coin", name, remedy)
        offsets = self.offsets[:days]
        # What is cut before its first gap is a history of consecutive days.
        offsets = () if offsets == tuple(range(days)) else offsets
        return PriceHistory(self.first, {name: self.prices[name][:days] for name in names}, offsets)

    def document(self) -> dict[str, Any]:
        """The fields for the canonical encoding; days that are consecutive go without saying."""
        document: dict[str, Any] = {
            "first": self.first.isoformat(),
            "prices": {name: list(column) for name, column in self.prices.items()},
        }
        return document | ({"days": list(self.offsets)} if self.offsets else {})

    @classmethod
    def parse(
        cls, first: str, prices: Mapping[str, Sequence[str | None]], where: str, offsets: Sequence[int] = ()
    ) -> "PriceHistory":
        """The history in a document. Raises InputError."""
        try:
            columns = {name: tuple(column) for name, column in prices.items()}
            return cls(_date(first, where), columns, tuple(offsets))
        except InputError as error:
            raise InputError(where, error.field, error.value, error.remedy) from None


def read_history(path: Path) -> PriceHistory:
    """The history in a CSV file.

    Rows may run from the first day to the last or the other way round.

    Raises InputError naming line and value for a date that is no date, is repeated, out of order or leaves a gap, and
    a price that is no number, not positive, or missing after the first.
    """
    table = read_table(path, [_DATE, _SOURCE])
    place, names = _columns(table)
    rows = list(table.rows())
    if not rows:
        remedy = "write at least one row below the header"
        raise InputError(table.where, "rows", Finding("none"), remedy)
    days = [read_day(row[place], where, _DATE) for where, row in rows]
    _check_hours(rows, days)
    if len(days) > 1 and all(later.date < day.date for day, later in pairwise(days)):
        rows, days = rows[::-1], days[::-1]
    trading = _only_trading_days(days)
    for (where, _), (last, day) in zip(rows[1:], pairwise(days), strict=True):
        _check_next(where, last.date, day.date, trading)
    columns = {name: _read_column(table.where, name, rows, number) for name, number in names.items()}
    first = days[0].date
    offsets = tuple((day.date - first).days for day in days)
    if offsets == tuple(range(len(days))):
        return PriceHistory(first, columns)
    note(
        table.where,
        f"{len(days)} trading days from {first} to {days[-1].date}; a day of a scenario is a trading day",
    )
    return PriceHistory(first, columns, offsets)


def _columns(table: RawTable) -> tuple[int, dict[str, int]]:
    """The places of the dates, and of each underlying. Raises InputError for a header of another kind."""
    where, keys = table.header_place, [column_key(name) for name in table.header]
    dates = [keys.index(name) for name in _DATES if name in keys]
    coins = {name: place for place, name in enumerate(table.header) if _COIN.fullmatch(name)}
    header = table.separator.join(table.header)
    if not dates and looks_like_values(table.header):
        remedy = "the first line holds values; write a line such as date,BTC,ETH above it"
        raise InputError(where, "header", Finding("missing"), remedy)
    bars = [name for name in table.header if name.upper() in _BAR]
    if bars and set(coins) <= _BAR:
        remedy = "write one column of closes for each coin, named after it: date, BTC, ETH and so on"
        raise InputError(where, "header", header, remedy)
    if not coins:
        remedy = "write the columns date, BTC, ETH and so on, one for each coin"
        raise InputError(where, "header", header, remedy)
    if not dates:
        raise InputError(where, "column", _DATE, "missing; add the column")
    for name in coins:
        if table.header.count(name) > 1:
            raise InputError(where, "column", name, "occurs twice; keep one")
    used = {dates[0], *coins.values()}
    rest = [
        name
        for place, name in enumerate(table.header)
        if name and place not in used and column_key(name) != _SOURCE
    ]
    if rest:
        note(where, f"columns that are not used: {', '.join(rest)}")
    return dates[0], coins


def _check_hours(rows: Sequence[tuple[str, Sequence[str]]], days: Sequence[Day]) -> None:
    """Closes of one hour; of several hours they would be no daily ones."""
    for (where, _), day in zip(rows, days, strict=True):
        if day.hour != days[0].hour:
            remedy = f"the first row is of {days[0].hour}; keep the rows of one hour of the day"
            raise InputError(where, _DATE, day.written, remedy)


def _read_column(
    where: str, name: str, rows: Sequence[tuple[str, Sequence[str]]], place: int
) -> tuple[str | None, ...]:
    """The prices of an underlying."""
    mark = decimal_mark(row[place] for _, row in rows)
    column: list[str | None] = []
    for line, row in rows:
        column.append(_price(line, name, plain_number(row[place], mark, line, name), column))
    if column[-1] is None:
        raise InputError(where, name, Finding("no price at all"), "remove the column")
    return tuple(column)


def _date(text: str, where: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise InputError(where, _DATE, text, "write a date such as 2026-03-14") from None
    if found.isoformat() != text:
        raise InputError(where, _DATE, text, f"write {found}")
    return found


def _only_trading_days(days: Sequence[Day]) -> bool:
    """Whether no row is of a weekend, over a week at least."""
    spans = (days[-1].date - days[0].date).days >= 7
    return spans and all(day.date.isoweekday() <= _FRIDAY for day in days)


def _check_next(where: str, last: date, day: date, trading: bool) -> None:
    if day == last:
        raise InputError(where, _DATE, str(day), "occurs twice; keep one row for each day")
    if day < last:
        raise InputError(where, _DATE, str(day), f"comes after {last}; put the rows in order of their dates")
    if trading and (day - last).days > LONGEST_CLOSURE:
        remedy = f"leaves {(day - last).days - 1} days out after {last}; no market is closed for so long, add the rows"
        raise InputError(where, _DATE, str(day), remedy)
    if not trading and day != last + _DAY:
        remedy = (
            f"leaves a gap after {last}; add the row of {last + _DAY}, or where the market does not trade every day "
            "keep no row of a Saturday or Sunday"
        )
        raise InputError(where, _DATE, str(day), remedy)


def _price(where: str, name: str, text: str, before: Collection[str | None]) -> str | None:
    begun = any(price is not None for price in reversed(list(before)[-1:]))
    if not text and not begun:
        return None
    if not text:
        remedy = (
            "the price is missing; a coin may begin later, but has no gaps: beside what trades on some days only, "
            "keep the rows of those days"
        )
        raise InputError(where, name, text, remedy)
    number = parse_decimal(text, where, name)
    if not SMALLEST_PRICE <= number <= LARGEST_PRICE:
        remedy = f"write a price from {SMALLEST_PRICE:f} to {LARGEST_PRICE:f}"
        raise InputError(where, name, text, remedy)
    return canonical_decimal(number)


def _check_column(name: str, column: Sequence[str | None], days: int) -> None:
    """What a file's reader ensures must hold of a history however it was made."""
    where = "history"
    if not _COIN.fullmatch(name):
        raise InputError(where, "coin", name, "write a coin such as BTC")
    if len(column) != days or not 1 <= days <= LONGEST:
        remedy = f"every coin needs one entry a day, for 1 to {LONGEST} days"
        raise InputError(where, name, Finding(f"{len(column)} days"), remedy)
    for price in _prices(name, column):
        number = parse_decimal(price, where, name)
        if not SMALLEST_PRICE <= number <= LARGEST_PRICE or canonical_decimal(number) != price:
            raise InputError(where, name, price, "must be a canonical price; build the snapshot again")


def _check_offsets(first: date, offsets: Sequence[int], days: int) -> None:
    """Raises InputError unless they are those of the trading days of a market, and not of consecutive days."""
    where = "history"
    rising = all(0 < later - day <= LONGEST_CLOSURE for day, later in pairwise(offsets))
    if len(offsets) != days or offsets[0] != 0 or not rising or offsets[-1] == days - 1:
        raise InputError(where, "days", Finding(f"{len(offsets)} days"), "build the snapshot again")
    if any((first + offset * _DAY).isoweekday() > _FRIDAY for offset in offsets):
        raise InputError(where, "days", Finding("a weekend"), "build the snapshot again")


def _prices(name: str, column: Sequence[str | None]) -> Iterator[str]:
    """The prices of a column, once it is certain that none is missing after the first."""
    begun = False
    for price in column:
        if price is not None:
            begun = True
            yield price
        elif begun:
            raise InputError("history", name, Finding("a missing price"), "a coin may begin later, no more")
    if not begun:
        raise InputError("history", name, Finding("no price at all"), "leave the coin out")


BILLION: Final = 10**9


def plain_moves(history: PriceHistory, name: str, horizon: int, ends: range) -> list[int]:
    """P[t] / P[t - horizon] - 1 for the days t, each rounded to nearest."""
    closes = history.closes[name]
    return [_ratio(closes[end], closes[end - horizon]) for end in ends]


def _ratio(after: Decimal | None, before: Decimal | None) -> int:
    # The window is complete, so both prices are there.
    return nearest((Fraction(after or 0) / Fraction(before or 1) - 1) * BILLION)
