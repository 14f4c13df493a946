"""A market from the answers of Deribit's public API, saved as they came.

A directory holds three files per currency, each one JSON-RPC answer with its envelope:

    BTC.get_instruments.json                 public/get_instruments?currency=BTC
    BTC.get_book_summary_by_currency.json    public/get_book_summary_by_currency?currency=BTC
    BTC.get_index_price.json                 public/get_index_price?index_name=btc_usd

The book of USDC holds the linear contracts of many coins and has no index file: each coin's own is used, which may
be there without any other file of the coin, and USDC counts as USD at par. Spot pairs, combinations and what does not
trade are left out without a word; whatever else cannot be used with a note. The valuation time is the earliest moment
at which a book summary was answered; prices of several hours are refused. Forwards are undiscounted: interest
rates are taken as zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal, parse_positive
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import parse_json, read_text
from zkmargin.margin.market.left_out import LeftOut
from zkmargin.margin.market.moments import check_one_moment
from zkmargin.margin.market.plausible import plausible
from zkmargin.margin.market.quotes import Listing, Market, assemble, future, option

INSTRUMENTS = "get_instruments"
SUMMARIES = "get_book_summary_by_currency"
INDEX = "get_index_price"

# Deribit settles its linear contracts in this stablecoin.
LINEAR_CURRENCY = "USDC"

_KINDS = ("future", "option")
_TRADING = "open"
"""The state of an instrument that trades, where the answer tells a state."""
_TYPES = {"call": True, "put": False}


@dataclass(frozen=True)
class _Fields:
    """One JSON object with the place where it was read; every access is checked."""

    where: str
    values: Mapping[str, Any]

    def get(self, field: str) -> Any:
        if self.values.get(field) is None:
            raise InputError(self.where, field, Finding("missing"), "save the answer as Deribit gave it")
        return self.values[field]

    def text(self, field: str) -> str:
        value = self.get(field)
        if not isinstance(value, str):
            raise InputError(self.where, field, value, "must be text")
        return value

    def integer(self, field: str) -> int:
        value = self.get(field)
        if not isinstance(value, int) or isinstance(value, bool):
            raise InputError(self.where, field, value, "must be an integer")
        return value

    def positive(self, field: str) -> Decimal:
        return parse_positive(self.get(field), self.where, field)


def read_deribit(directory: Path, *, strict: bool = False) -> Market:
    """The market of all currencies in the directory.

    An instrument that cannot be used is left out with a note; with `strict` it is refused.

    Raises InputError naming file, field and value for answers that cannot be used, that lie hours apart, or of whose
    instruments none can be used.
    """
    currencies = sorted(path.name.split(".")[0] for path in directory.glob(f"*.{INSTRUMENTS}.json"))
    if not currencies:
        remedy = f"save the answers as CURRENCY.{INSTRUMENTS}.json, .{SUMMARIES}.json and .{INDEX}.json"
        raise InputError(str(directory), "files", Finding("no instruments"), remedy)
    source = f"Deribit {' '.join(currencies)}"
    gone = LeftOut(source, directory / "answer", strict=strict)
    times: list[tuple[str, int]] = []
    listings: list[Listing] = []
    for currency in currencies:
        book = directory / f"{currency}.{SUMMARIES}.json"
        summary_answer = _answer(book)
        times.append((str(book), summary_answer.integer("usOut")))
        summaries = _by_name(book, summary_answer, gone)
        path = directory / f"{currency}.{INSTRUMENTS}.json"
        for name, instrument in _by_name(path, _answer(path), gone).items():
            with gone.entry(name, instrument.where):
                if _trades(instrument):
                    listings.append(_listing(instrument, summaries, book))
    time = min(moment for _, moment in times)
    moving = {listing.instrument.underlying for listing in listings}
    indices = _indices(directory, sorted(moving.intersection(currencies)), times)
    check_one_moment(times)
    return assemble(source, time, indices, plausible(listings, indices, time, gone), gone)


def _indices(directory: Path, needed: list[str], times: list[tuple[str, int]]) -> dict[str, Decimal]:
    """The index of every coin that has a file of it; the moments of the answers are added to `times`.

    The coins of inverse instruments, `needed`, must have one.
    """
    paths = {path.name.split(".")[0]: path for path in sorted(directory.glob(f"*.{INDEX}.json"))}
    there = {_index_coin(name) for name in paths}
    wanted = {name: directory / f"{name}.{INDEX}.json" for name in needed if name not in there}
    indices: dict[str, Decimal] = {}
    for name, path in (wanted | paths).items():
        coin = _index_coin(name)
        # Of an index in USD and another in a stablecoin the first is what the venue settles by.
        if coin == LINEAR_CURRENCY or (coin in indices and coin != name):
            continue
        answer = _answer(path)
        indices[coin] = _result(path, answer).positive("index_price")
        if answer.values.get("usOut") is not None:
            times.append((str(path), answer.integer("usOut")))
    return indices


def _index_coin(name: str) -> str:
    """The coin of an index file: XRP, or that of the index's own name, such as xrp_usdc."""
    return name.upper().partition("_")[0]


def _trades(instrument: _Fields) -> bool:
    """Whether it is a future or an option that trades; one may be called active and be closed all the same."""
    state = instrument.values.get("state")
    active = instrument.get("is_active") is True and state in (None, _TRADING)
    return active and instrument.text("kind") in _KINDS


def _answer(path: Path) -> _Fields:
    where = str(path)
    document = parse_json(read_text(path), where)
    if not isinstance(document, dict):
        raise InputError(
            where, "document", Finding(type(document).__name__), "save the whole answer, envelope included"
        )
    if "error" in document:
        raise InputError(
            where, "error", document["error"], "the request failed; repeat it and save the answer"
        )
    return _Fields(where, document)


def _result(path: Path, answer: _Fields) -> _Fields:
    result = answer.get("result")
    if not isinstance(result, dict):
        raise InputError(str(path), "result", Finding(type(result).__name__), "must be an object")
    return _Fields(str(path), result)


def _by_name(path: Path, answer: _Fields, gone: LeftOut) -> dict[str, _Fields]:
    result = answer.get("result")
    if not isinstance(result, list):
        raise InputError(str(path), "result", Finding(type(result).__name__), "must be a list")
    found: dict[str, _Fields] = {}
    for number, values in enumerate(result):
        where = f"{path}, result[{number}]"
        if not isinstance(values, dict):
            raise InputError(where, "entry", values, "must be an object")
        name = _Fields(where, values).text("instrument_name")
        if name in found and found[name].values != values:
            gone.add(name, InputError(where, "instrument_name", name, "listed twice; keep one entry"))
        found[name] = _Fields(f"{where} ({name})", values)
    return {name: fields for name, fields in found.items() if name not in gone.reasons}


def _listing(contract: _Fields, summaries: Mapping[str, _Fields], book: Path) -> Listing:
    name = contract.text("instrument_name")
    if name not in summaries:
        remedy = "has no summary; it may have been listed or delisted meanwhile: request both answers again"
        raise InputError(str(book), "instrument_name", name, remedy)
    summary = summaries[name]
    inverse = _is_inverse(contract)
    coin, lot = contract.text("base_currency"), _lot_exponent(contract)
    if contract.text("kind") == "future":
        perpetual = contract.values.get("settlement_period") == "perpetual"
        expiry = None if perpetual else _expiry(contract)
        dated = future(name, coin, inverse=inverse, expiry=expiry, lot_exponent=lot)
        return Listing(dated, summary.positive("mark_price"), summary.where)
    mark = parse_decimal(summary.get("mark_price"), summary.where, "mark_price")
    if mark < 0:
        raise InputError(summary.where, "mark_price", str(mark), "write a price of zero or more")
    contract_option = option(
        name,
        coin,
        inverse=inverse,
        expiry=_expiry(contract),
        strike=contract.positive("strike"),
        call=_is_call(contract),
        lot_exponent=lot,
    )
    volatility = summary.positive("mark_iv").scaleb(-2)
    return Listing(contract_option, mark, summary.where, volatility, summary.positive("underlying_price"))


def _is_inverse(contract: _Fields) -> bool:
    settlement, coin = contract.text("settlement_currency"), contract.text("base_currency")
    if settlement not in (coin, LINEAR_CURRENCY):
        remedy = f"only contracts settled in {coin} or {LINEAR_CURRENCY} are understood; leave it out"
        raise InputError(contract.where, "settlement_currency", settlement, remedy)
    return settlement == coin


def _is_call(contract: _Fields) -> bool:
    letter = contract.text("option_type")
    if letter not in _TYPES:
        raise InputError(contract.where, "option_type", letter, f"use one of {', '.join(_TYPES)}")
    return _TYPES[letter]


def _expiry(contract: _Fields) -> int:
    """Deribit gives milliseconds."""
    return contract.integer("expiration_timestamp") * 1000


def _lot_exponent(contract: _Fields) -> int:
    amount = contract.positive("min_trade_amount")
    if amount.normalize().as_tuple().digits != (1,):
        remedy = "lots must be a power of ten; leave the instrument out"
        raise InputError(contract.where, "min_trade_amount", canonical_decimal(amount), remedy)
    return amount.adjusted()
