"""A market from a pair of CSV files: options, and futures with index.

Contracts are inverse, settled in the coin, unless the column `settlement` says USD, or the name has the coin with a
dollar in its place, such as BTC_USDC-27MAR26. Inverse options are quoted in coin per coin, linear ones in USD, and
volatility in percent a year, on the row's own forward. Rows of the futures file are of four kinds (column `kind`);
synthetic forwards only explain the options' forwards and are no instruments. The valuation time is the earliest
`timestamp` of the options.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from zkmargin.margin.arithmetic.decimals import parse_decimal, parse_positive
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.csv_rows import read_rows
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.market.left_out import LeftOut
from zkmargin.margin.market.moments import check_one_moment
from zkmargin.margin.market.names import fits_name, linear_coin
from zkmargin.margin.market.plausible import plausible
from zkmargin.margin.market.quotes import Listing, Market, assemble, future, option
from zkmargin.margin.market.times import parse_time

OPTIONS_FILE = "options_btc_eth.csv"
FUTURES_FILE = "futures_btc_eth.csv"

_OPTION_COLUMNS = (
    "instrument", "type", "underlying", "expiry_utc", "strike", "mark_price", "mark_iv", "forward",
    "timestamp",
)  # fmt: skip
_OPTION_NUMBERS = ("strike", "mark_price", "mark_iv", "forward")
_OPTION_EXTRA = ("forward_name", "index", "bid", "ask", "delta", "vega", "open_interest", "settlement")
_FUTURE_COLUMNS = ("instrument", "underlying", "expiry_utc", "price", "kind")
_FUTURE_EXTRA = ("price_min", "price_max", "n_options", "price_time_utc", "settlement")

_ROLES = {
    "index_first_ticker_call": "index",
    "perp_trade_1min_candle_open": "perpetual",
    "listed_future_mark": "future",
    "synthetic_forward": "forward",
}
T = TypeVar("T")

_TYPES = {"C": True, "P": False, "call": True, "put": False}


def read_csv_pair(options: Path, futures: Path, *, strict: bool = False) -> Market:
    """The market of both files.

    A row that cannot be used is left out with a note; with `strict` it is refused.

    Raises InputError naming file, line, column and value where no row can be used, for two moments that lie hours
    apart, and for volatilities that contradict the prices all through the file.
    """
    source = f"{options.name}, {futures.name}"
    gone = LeftOut(source, options, futures, strict=strict)
    rows = list(read_rows(options, _OPTION_COLUMNS, _OPTION_EXTRA, numbers=_OPTION_NUMBERS))
    moments = _moments(rows, gone)
    time = min(moment for moment, _ in moments.values())
    indices, listings, stamps = _read_futures(futures, gone)
    check_one_moment([*((where, moment) for moment, where in moments.values()), *stamps.items()])
    read: list[Listing] = []
    for number, (where, row) in enumerate(rows):
        if number in moments:
            with gone.entry(row["instrument"], where):
                read.append(_option(where, row))
    if not read and gone.first is not None:
        raise gone.first
    market = assemble(source, time, indices, plausible([*listings, *read], indices, time, gone), gone)
    if gone.first is not None and all(instrument.kind != "option" for instrument in market.instruments):
        raise gone.first
    return market


def _moments(rows: Sequence[tuple[str, Mapping[str, str]]], gone: LeftOut) -> dict[int, tuple[int, str]]:
    """The moment of each row that states one, with its place; raises InputError if none does."""
    found: dict[int, tuple[int, str]] = {}
    for number, (where, row) in enumerate(rows):
        with gone.entry(row["instrument"]):
            found[number] = parse_time(row["timestamp"], where, "timestamp"), where
    if not found and gone.first is not None:
        raise gone.first
    return found


def _read_futures(path: Path, gone: LeftOut) -> tuple[dict[str, Decimal], list[Listing], dict[str, int]]:
    """Index prices, futures and perpetuals, and the moments that rows state."""
    indices: dict[str, Decimal] = {}
    listings: list[Listing] = []
    moments: dict[str, int] = {}
    for where, row in read_rows(path, _FUTURE_COLUMNS, _FUTURE_EXTRA, numbers=("price",)):
        with gone.entry(row["instrument"], where):
            coin, price = row["underlying"], parse_positive(row["price"], where, "price")
            role = _choice(row["kind"], _ROLES, where, "kind")
            if role == "index" and coin in indices:
                remedy = f"{coin} has an index already, {indices[coin]}; keep one row"
                raise InputError(where, "underlying", coin, remedy)
            if row.get("price_time_utc"):
                moments[where] = parse_time(row["price_time_utc"], where, "price_time_utc")
            if role == "index":
                indices[coin] = price
            elif role != "forward":
                listings.append(Listing(_future(where, row, dated=role == "future"), price, where))
    return indices, listings, moments


def _future(where: str, row: Mapping[str, str], *, dated: bool) -> Instrument:
    expiry = parse_time(row["expiry_utc"], where, "expiry_utc") if dated else None
    instrument = future(row["instrument"], row["underlying"], inverse=_inverse(where, row), expiry=expiry)
    return _named_well(instrument, where) if dated else instrument


def _option(where: str, row: Mapping[str, str]) -> Listing:
    mark = parse_decimal(row["mark_price"], where, "mark_price")
    if mark < 0:
        raise InputError(where, "mark_price", row["mark_price"], "write a price of zero or more")
    instrument = option(
        row["instrument"],
        row["underlying"],
        inverse=_inverse(where, row),
        expiry=parse_time(row["expiry_utc"], where, "expiry_utc"),
        strike=parse_positive(row["strike"], where, "strike"),
        call=_choice(row["type"], _TYPES, where, "type"),
    )
    volatility = parse_positive(row["mark_iv"], where, "mark_iv").scaleb(-2)
    forward = parse_positive(row["forward"], where, "forward")
    return Listing(_named_well(instrument, where), mark, where, volatility, forward)


def _inverse(where: str, row: Mapping[str, str]) -> bool:
    """Whether a contract settles in its coin."""
    coin, stated = row["underlying"], row.get("settlement", "")
    linear = linear_coin(row["instrument"]) == coin
    if stated not in ("", coin, CASH):
        raise InputError(
            where, "settlement", stated, f"write {coin} for inverse contracts, {CASH} for linear ones"
        )
    if linear and stated == coin:
        remedy = f"{row['instrument']} is named as what settles in {CASH}; write {CASH}, or leave it empty"
        raise InputError(where, "settlement", stated, remedy)
    return not linear and stated != CASH


def _named_well(instrument: Instrument, where: str) -> Instrument:
    if not fits_name(instrument):
        remedy = "the name says another coin, expiry, strike or type than the columns; correct the row"
        raise InputError(where, "instrument", instrument.name, remedy)
    return instrument


def _choice(value: str, choices: Mapping[str, T], where: str, field: str) -> T:
    try:
        return choices[value]
    except KeyError:
        raise InputError(where, field, value, f"unknown; use one of {', '.join(choices)}") from None
