"""A market of shares, ETFs and indices with futures and options on them, from one CSV file of our own.

One row per instrument, and one per index, which prices what is listed on it but cannot be held itself.
Prices are USD per share or index point, volatilities, rates and yields fractions a year, the latter two
continuously compounded; contracts settle in USD. An option is European on its forward, spot * e^((rate -
dividend_yield) T), and its payoff is discounted by e^(-rate T); but not if it is futures-style, as the column
`premium` may say: then its price is settled day by day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

from zkmargin.margin.arithmetic.decimals import parse_decimal, parse_positive
from zkmargin.margin.arithmetic.fixed import RangeError, exp, from_decimal, from_fraction, mul, to_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.csv_rows import read_rows
from zkmargin.margin.instruments.instrument import Instrument, Premium, Security
from zkmargin.margin.market.inputs import (
    LARGEST_PRICE,
    LARGEST_RATE,
    LONGEST_LIFE,
    SMALLEST_PRICE,
    SMALLEST_RATE,
)
from zkmargin.margin.market.left_out import LeftOut
from zkmargin.margin.market.names import option_symbol, without_padding
from zkmargin.margin.market.plausible import plausible
from zkmargin.margin.market.quotes import (
    Listing,
    Market,
    assemble,
    security_future,
    security_option,
    share,
)
from zkmargin.margin.market.times import parse_time, utc_date

COLUMNS = (
    "instrument", "type", "underlying", "kind", "time_utc", "expiry_utc", "strike", "multiplier", "price",
    "volatility", "rate", "dividend_yield",
)  # fmt: skip
OPTIONAL_COLUMNS = ("premium",)
NUMBERS = ("strike", "multiplier", "price", "volatility", "rate", "dividend_yield")

Type = Literal["share", "index", "future", "call", "put"]

# What a row of each type leaves empty.
_EMPTY: Mapping[str, tuple[str, ...]] = {
    "share": ("expiry_utc", "strike", "multiplier", "volatility", "rate", "dividend_yield", "premium"),
    "index": ("expiry_utc", "strike", "multiplier", "volatility", "rate", "dividend_yield", "premium"),
    "future": ("strike", "volatility", "rate", "dividend_yield", "premium"),
    "call": (),
    "put": (),
}
_SPOT = ("share", "index")
_FORWARD_PLACES = 8
_YEAR_MICROSECONDS = 365 * 86400 * 10**6


@dataclass(frozen=True)
class _Row:
    """One line of the file."""

    where: str
    values: Mapping[str, str]
    security: Security

    @property
    def type(self) -> str:
        return self.values["type"]

    @property
    def name(self) -> str:
        """The instrument's, an OSI symbol without its spaces."""
        return without_padding(self.values["instrument"])

    @property
    def underlying(self) -> str:
        return self.values["underlying"]

    def fault(self, field: str, remedy: str) -> InputError:
        return InputError(self.where, field, self.values[field], remedy)

    def number(self, field: str, least: Decimal, most: Decimal) -> Decimal:
        found = parse_decimal(self.values[field], self.where, field)
        if not least <= found <= most:
            raise self.fault(field, f"write a fraction a year from {least:f} to {most:f}")
        return found

    def positive(self, field: str) -> Decimal:
        return parse_positive(self.values[field], self.where, field)

    def price(self) -> Decimal:
        found = self.positive("price")
        if not SMALLEST_PRICE <= found <= LARGEST_PRICE:
            raise self.fault("price", f"write a number from {SMALLEST_PRICE:f} to {LARGEST_PRICE:f}")
        return found

    def expiry(self) -> int:
        return parse_time(self.values["expiry_utc"], self.where, "expiry_utc")

    def premium(self) -> Premium:
        """Paid where the file does not say."""
        known, found = get_args(Premium), self.values.get("premium") or "paid"
        if found not in known:
            raise self.fault("premium", f"unknown; use one of {', '.join(known)}")
        return next(style for style in known if style == found)

    def multiplier(self) -> int:
        found = self.positive("multiplier")
        if found != found.to_integral_value():
            raise self.fault("multiplier", "write a whole number, such as 100")
        return int(found)


def read_securities(path: Path, *, strict: bool = False) -> Market:
    """The market of a file.

    A row that cannot be used is left out with a note; with `strict` it is refused.

    Raises InputError naming line, column and value for two moments in one file, two kinds or two prices of one
    underlying, and where no row can be used; with `strict` also for what is missing, or written where it has no
    meaning, an underlying without price and an index with nothing on it.
    """
    gone = LeftOut(path.name, path, strict=strict)
    rows: list[_Row] = []
    for where, values in read_rows(path, COLUMNS, OPTIONAL_COLUMNS, numbers=NUMBERS):
        with gone.entry(without_padding(values["instrument"])):
            rows.append(_row(where, values))
    if not rows and gone.first is not None:
        raise gone.first
    time = _time(rows)
    spots = _spots(rows, gone)
    _check_indices(rows, gone)
    listings: list[Listing] = []
    for row in rows:
        if row.type != "index" and row.name not in gone.reasons:
            with gone.entry(row.name, row.where):
                listings.append(_listing(row, time, spots))
    used = {listing.instrument.underlying for listing in listings}
    spots = {name: price for name, price in spots.items() if name in used}
    if not listings and gone.first is not None:
        raise gone.first
    return assemble(path.name, time, spots, plausible(listings, spots, time, gone), gone)


def _row(where: str, values: Mapping[str, str]) -> _Row:
    types, kinds = get_args(Type), get_args(Security)
    if values["type"] not in types:
        raise InputError(where, "type", values["type"], f"unknown; use one of {', '.join(types)}")
    if values["kind"] not in kinds:
        raise InputError(where, "kind", values["kind"], f"unknown; use one of {', '.join(kinds)}")
    row = _Row(where, values, next(kind for kind in kinds if kind == values["kind"]))
    for field in _EMPTY[row.type]:
        if values.get(field):
            raise row.fault(field, f"leave it empty: a row of type {row.type} has none")
    if row.type in _SPOT and values["instrument"] != row.underlying:
        raise row.fault("underlying", f"must be {values['instrument']}: the row prices itself")
    if (row.type == "share") and row.security not in ("equity", "etf"):
        raise row.fault("kind", "a share is of an equity or an etf")
    if (row.type == "index") and row.security in ("equity", "etf"):
        raise row.fault("kind", "an index is narrow, broad or large and broad")
    return row


def _time(rows: Sequence[_Row]) -> int:
    moments = [parse_time(row.values["time_utc"], row.where, "time_utc") for row in rows]
    for row, moment in zip(rows, moments, strict=True):
        if moment != moments[0]:
            raise row.fault("time_utc", f"the file starts at {rows[0].values['time_utc']}; write one moment")
    return moments[0]


def _spots(rows: Sequence[_Row], gone: LeftOut) -> dict[str, Decimal]:
    """The price of every underlying."""
    spots: dict[str, Decimal] = {}
    kinds: dict[str, Security] = {}
    for row in rows:
        if kinds.setdefault(row.underlying, row.security) != row.security:
            remedy = f"another row says that {row.underlying} is {kinds[row.underlying]}; write one kind"
            raise row.fault("kind", remedy)
        if row.type in _SPOT:
            if row.underlying in spots:
                raise row.fault("instrument", "listed twice; keep one row")
            with gone.entry(row.name):
                spots[row.underlying] = row.price()
    return spots


def _check_indices(rows: Sequence[_Row], gone: LeftOut) -> None:
    used = {row.underlying for row in rows if row.type != "index"}
    for row in rows:
        if row.underlying not in used:
            gone.add(row.name, row.fault("instrument", "nothing is listed on this index; leave it out"))


def _listing(row: _Row, time: int, spots: Mapping[str, Decimal]) -> Listing:
    if row.type == "share":
        return Listing(share(row.underlying, row.security), spots[row.underlying], row.where)
    if row.underlying not in spots:
        raise row.fault("underlying", "the file has no price for it; add a row of type share or index")
    if row.type == "future":
        return Listing(_future(row), row.price(), row.where)
    try:
        return _option(row, time, spots[row.underlying])
    except RangeError as error:
        raise row.fault("rate", f"the forward cannot be computed ({error}); correct rate or expiry") from None


def _future(row: _Row) -> Instrument:
    return security_future(
        row.name, row.underlying, row.security, expiry=row.expiry(), multiplier=row.multiplier()
    )


def _option(row: _Row, time: int, spot: Decimal) -> Listing:
    price = parse_decimal(row.values["price"], row.where, "price")
    if price < 0:
        raise row.fault("price", "write a price of zero or more")
    _check_symbol(row)
    instrument = security_option(
        row.name,
        row.underlying,
        row.security,
        expiry=row.expiry(),
        strike=row.positive("strike"),
        call=row.type == "call",
        multiplier=row.multiplier(),
        premium=row.premium(),
    )
    rate = row.number("rate", SMALLEST_RATE, LARGEST_RATE)
    dividend_yield = row.number("dividend_yield", Decimal(0), LARGEST_RATE)
    life = min(max(row.expiry() - time, 0), LONGEST_LIFE)
    forward = _forward(spot, rate - dividend_yield, life)
    discounted = None if instrument.margined_daily else rate
    return Listing(instrument, price, row.where, row.positive("volatility"), forward, discounted)


def _check_symbol(row: _Row) -> None:
    """An OSI symbol must say the day, strike and type that the columns do; its root may be an adjusted contract's."""
    symbol = option_symbol(row.name)
    if symbol is None:
        return
    # What is settled at the open has the day after its last trading in the symbol.
    days = abs((symbol.day - utc_date(row.expiry())).days)
    if days > 1 or symbol.strike != row.positive("strike") or symbol.call != (row.type == "call"):
        remedy = "the symbol says another expiry, strike or type than the columns; correct the row"
        raise row.fault("instrument", remedy)


def _forward(spot: Decimal, carry: Decimal, life: int) -> Decimal:
    """spot * e^(carry * T), to eight decimal places; life in microseconds."""
    years = from_fraction(Fraction(life, _YEAR_MICROSECONDS))
    return to_decimal(mul(from_decimal(spot), exp(mul(from_decimal(carry), years))), _FORWARD_PLACES)
