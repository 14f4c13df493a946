"""Daily closing prices of several underlyings: read strictly from CSV, carried in a snapshot's inputs.

The CSV has a column `date` (YYYY-MM-DD), one column for each underlying, and at will a column `source`,
which is for people. Every day has its row. A price may be missing only before an underlying's first.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from zkmargin.margin.arithmetic.decimals import canonical_decimal, nearest, parse_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.csv_rows import read_rows
from zkmargin.margin.files.documents import read_text

SMALLEST_PRICE = Decimal("1e-9")
LARGEST_PRICE = Decimal("1e9")
LONGEST = 20_000
"""Days."""

_DATE, _SOURCE = "date", "source"
_COIN = re.compile(r"[A-Z0-9][A-Z0-9.]{0,11}", re.ASCII)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class PriceHistory:
    """Closes of consecutive days, as canonical decimals; None before an underlying's first price."""

    first: date
    prices: Mapping[str, tuple[str | None, ...]]
    """By underlying, one for each day."""

    def __post_init__(self) -> None:
        """Raises InputError if the columns are no history."""
        for name, column in self.prices.items():
            _check_column(name, column, self.days)

    @property
    def days(self) -> int:
        """The number of days."""
        return len(next(iter(self.prices.values()), ()))

    def date_of(self, day: int) -> date:
        """The date of day 0, 1, ..."""
        return self.first + day * _DAY

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
        days = min(self.days, max(0, (moment - self.first).days))
        for name in names:
            if name not in self.prices:
                remedy = f"no column of the history has this name: {', '.join(self.prices)}"
                raise InputError("history", "coin", name, remedy)
            if self.begins[name] >= days:
                remedy = f"has no price before {moment}; give a history that begins earlier"
                raise InputError("history", "coin", name, remedy)
        return PriceHistory(self.first, {name: self.prices[name][:days] for name in names})

    def document(self) -> dict[str, Any]:
        """The fields for the canonical encoding."""
        return {
            "first": self.first.isoformat(),
            "prices": {name: list(column) for name, column in self.prices.items()},
        }

    @classmethod
    def parse(cls, first: str, prices: Mapping[str, Sequence[str | None]], where: str) -> "PriceHistory":
        """The history in a document. Raises InputError."""
        try:
            return cls(_date(first, where), {name: tuple(column) for name, column in prices.items()})
        except InputError as error:
            raise InputError(where, error.field, error.value, error.remedy) from None


def read_history(path: Path) -> PriceHistory:
    """The history in a CSV file.

    Raises InputError naming line and value for an unknown column, a date that is no date, is repeated, out
    of order or leaves a gap, and a price that is no number, not positive, or missing after the first.
    """
    names = _columns(path)
    rows = read_rows(path, [_DATE, *names], [_SOURCE])
    columns: dict[str, list[str | None]] = {name: [] for name in names}
    days: list[date] = []
    for where, row in rows:
        day = _date(row[_DATE], where)
        if days:
            _check_next(where, days[-1], day)
        days.append(day)
        for name, column in columns.items():
            column.append(_price(where, name, row[name], column))
    for name, column in columns.items():
        if column[-1] is None:
            raise InputError(str(path), name, Finding("no price at all"), "remove the column")
    return PriceHistory(days[0], {name: tuple(column) for name, column in columns.items()})


def _columns(path: Path) -> list[str]:
    """The underlyings in the header; the rest of the header is checked as the rows are read."""
    header = read_text(path).partition("\n")[0]
    names = [name.strip() for name in header.split(",")]
    coins = [name for name in names if _COIN.fullmatch(name)]
    if not coins:
        remedy = "write the columns date, BTC, ETH and so on, one for each coin"
        raise InputError(f"{path}, line 1", "header", header.strip(), remedy)
    return list(dict.fromkeys(coins))


def _date(text: str, where: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise InputError(where, _DATE, text, "write a date such as 2026-03-14") from None
    if found.isoformat() != text:
        raise InputError(where, _DATE, text, f"write {found}")
    return found


def _check_next(where: str, last: date, day: date) -> None:
    if day == last:
        raise InputError(where, _DATE, str(day), "occurs twice; keep one row for each day")
    if day < last:
        raise InputError(where, _DATE, str(day), f"comes after {last}; put the rows in order of their dates")
    if day != last + _DAY:
        raise InputError(where, _DATE, str(day), f"leaves a gap after {last}; add the row of {last + _DAY}")


def _price(where: str, name: str, text: str, before: Collection[str | None]) -> str | None:
    begun = any(price is not None for price in reversed(list(before)[-1:]))
    if not text and not begun:
        return None
    if not text:
        raise InputError(where, name, text, "the price is missing; a coin may begin later, but has no gaps")
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
