"""An answer of Deribit's private/pme/simulate, as it came: positions, prices, parameters, vectors and margins.

Source: Deribit API documentation, private/pme/simulate: sizes are in the base currency, vectors and margins in the
settlement currency; `currency_pair` and `currency` of `model_params` are the numbers of the venue's rules.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal, parse_positive
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import parse_json, read_text
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.market.quotes import Listing, Market, assemble, future, option
from zkmargin.margin.parameters.document import Parameters, parse_parameters

_PAIR = {
    "price_range": "price_range", "volatility_up": "volatility_range_up", "volatility_down": "volatility_range_down",
    "volatility_minimum": "min_volatility_for_shock_up", "short_power": "short_term_vega_power",
    "long_power": "long_term_vega_power", "tail_factor": "extended_table_factor", "delta_shock": "max_delta_shock",
    "delta_increment": "m_inc", "delta_threshold": "delta_total_liq_shock_threshold",
}  # fmt: skip
_SETTLED = {
    "dampener": "extended_dampener", "annual_move": "annualised_move_risk", "least_move": "min_annualised_move",
}  # fmt: skip
_DOLLARS = ("USD", "USDC", "USDT")
_NAME = re.compile(
    r"(?P<coin>[A-Z0-9]+)(?P<linear>_USD[A-Z]?)?-(?:PERPETUAL|(?P<day>\d{1,2}[A-Z]{3}\d{2})"
    r"(?:-(?P<strike>\d+(?:d\d+)?)-(?P<side>[CP]))?)",
    re.ASCII,
)
_MILLISECOND = 1000
_DELIVERY = 8
"""The hour at which contracts expire, UTC."""

# A size in coins is a quantity of any fineness; lots of this size hold what the venue prints.
_LOT, _BOUND = -6, (1 << 54) - 1


@dataclass(frozen=True)
class Node:
    """A part of the answer with the place where it stands; every access is checked."""

    where: str
    path: str
    values: Any

    def at(self, key: str) -> "Node":
        """A part of it; InputError if it is missing."""
        path = f"{self.path}.{key}" if self.path else key
        if not isinstance(self.values, Mapping) or key not in self.values:
            raise InputError(
                self.where, path, Finding("missing"), "save the answer of private/pme/simulate whole"
            )
        return Node(self.where, path, self.values[key])

    def get(self, key: str) -> "Node | None":
        """A part of it, if it is there."""
        return self.at(key) if isinstance(self.values, Mapping) and key in self.values else None

    def number(self) -> Decimal:
        """Of binary floating point as printed, cut to the digits that count."""
        value = self.values
        if isinstance(value, Decimal):
            value = round(value, 18).normalize()
        return parse_decimal(value, self.where, self.path)

    def items(self) -> "Iterator[tuple[str, Node]]":
        """Every member by its name."""
        if not isinstance(self.values, Mapping):
            raise InputError(self.where, self.path, Finding("no object"), "save the answer whole")
        for key in self.values:
            yield str(key), self.at(str(key))

    def numbers(self, count: int) -> tuple[Decimal, ...]:
        """A vector of so many numbers."""
        if not isinstance(self.values, list) or len(self.values) != count:
            found = Finding(f"{len(self.values)} entries" if isinstance(self.values, list) else "no array")
            raise InputError(self.where, self.path, found, f"a vector of {count} numbers is expected")
        return tuple(
            Node(self.where, f"{self.path}[{k}]", value).number() for k, value in enumerate(self.values)
        )


@dataclass(frozen=True)
class Answer:
    """What the venue was asked about, and what it said."""

    currency: str
    """In which margins and vectors are counted: a coin, or USD for the venue's dollar coins."""
    market: Market
    parameters: Parameters
    quantities: Mapping[str, Decimal]
    """By instrument: coins, or USD for inverse futures and perpetuals."""
    vectors: Mapping[str, tuple[Decimal, ...]]
    """By instrument: 3 (2 buckets + 1) standard cells in the venue's order, then the extended table."""
    gain_offset: Decimal
    """How much of a gain the venue's aggregated vector keeps."""
    aggregated: Mapping[str, tuple[Decimal, ...]]
    margins: Node
    """The venue's margins in the currency, with the parts of the risk matrix."""

    def rate(self) -> Fraction:
        """USD for one unit of the currency."""
        return Fraction(1) if self.currency == CASH else Fraction(self.market.inputs.indices[self.currency])


def read_answer(path: Path, tickers: tuple[Path, ...] = ()) -> Answer:
    """A saved answer, with or without its JSON-RPC envelope, and answers of public/ticker for what it lacks.

    Raises InputError naming file and field.
    """
    result = _result(path)
    quoted = {}
    for ticker in tickers:
        node = _result(ticker)
        quoted[str(node.at("instrument_name").values)] = node
    return _answer(result, quoted)


def _result(path: Path) -> Node:
    document = Node(str(path), "", parse_json(read_text(path), str(path)))
    return document.get("result") or document


def _answer(result: Node, quoted: Mapping[str, Node]) -> Answer:
    margins = dict(result.at("margins").items())
    currency = next(iter(margins), "")
    if len(margins) != 1 or currency.lower() == "cross":
        remedy = "ask the venue for one currency, such as BTC: how it adds currencies up is not published"
        raise InputError(result.where, "margins", Finding(", ".join(margins) or "none"), remedy)
    settles = CASH if currency.upper() in _DOLLARS else currency.upper()
    general = result.at("model_params").at("general")
    time = int(general.at("timestamp").number()) * _MILLISECOND
    indices = {
        pair.partition("_")[0].upper(): node.number() for pair, node in result.at("index_price").items()
    }
    listings, quantities = [], {}
    for name, size in result.at("portfolio").at("position").items():
        listing, quantity = _position(result, quoted, name, size.number())
        listings.append(listing)
        quantities[name] = quantity
    market = assemble(Path(result.where).name, time, indices, listings)
    settled = result.at("model_params").at("currency")
    cells = 3 * (2 * _whole(general.at("buckets_count")) + 1)
    aggregated = result.get("aggregated_risk_vectors")
    return Answer(
        settles,
        market,
        _parameters(result, general, settles, currency.lower(), sorted(indices)),
        quantities,
        {name: _vector(node, cells) for name, node in result.at("initial_risk_vectors").items()},
        settled.at(_settled_key(settled, currency.lower())).at("pnl_offset").number(),
        {} if aggregated is None else {name: _vector(node, cells) for name, node in aggregated.items()},
        margins[currency],
    )


def _whole(node: Node) -> int:
    number = node.number()
    if number != int(number):
        raise InputError(node.where, node.path, node.values, "write a whole number")
    return int(number)


def _vector(node: Node, cells: int) -> tuple[Decimal, ...]:
    return (*node.at("standard").numbers(cells), *node.at("extended").numbers(8))


def _settled_key(settled: Node, currency: str) -> str:
    """The venue's dollars share one set of numbers."""
    return currency if settled.get(currency) is not None or currency.upper() not in _DOLLARS else "usd"


def _parameters(result: Node, general: Node, settles: str, currency: str, coins: list[str]) -> Parameters:
    """The venue's own numbers, as parameters of the preset."""
    params = result.at("model_params")
    settled = params.at("currency")
    own = settled.at(_settled_key(settled, currency))
    moves = {name: _text(own.at(theirs)) for name, theirs in _SETTLED.items()}
    scales: dict[str, dict[str, str]] = {}
    for coin in coins:
        pair = params.at("currency_pair").at(f"{coin.lower()}_usd")
        scales[coin] = {name: _text(pair.at(theirs)) for name, theirs in _PAIR.items()}
        scales[coin] |= {**({} if settles == CASH else moves), "source": f"{Path(result.where).name}"[:200]}
    rules: dict[str, Any] = {
        "buckets": _whole(general.at("buckets_count")),
        "loss_factor": {"initial": "1", "maintenance": _text(general.at("mm_factor"))},
        "coins": scales,
    }
    if settles == CASH:
        rules["usd"] = moves
    return parse_parameters({"deribit": rules}, result.where)


def _text(node: Node) -> str:
    return canonical_decimal(node.number())


def _position(result: Node, quoted: Mapping[str, Node], name: str, size: Decimal) -> tuple[Listing, Decimal]:
    """The instrument with its quote, and how much of it is held."""
    match = _NAME.fullmatch(name)
    if match is None:
        remedy = "perpetuals, futures and options on coins are read, named as the venue names them"
        raise InputError(result.where, "portfolio.position", name, remedy)
    coin, inverse, expiry = match["coin"], match["linear"] is None, _expiry(result, name, match["day"])
    ticker = quoted.get(name) or result.at("ticker").at(name)
    mark = parse_positive(_text(ticker.at("mark_price")), ticker.where, f"{ticker.path}.mark_price")
    where = f"{result.where}, {name}"
    if match["strike"] is None:
        listed = _fine(future(name, coin, inverse=inverse, expiry=expiry))
        quantity = size * mark if inverse else size
        return Listing(listed, mark, where), round(quantity, -_LOT)
    strike = Decimal(match["strike"].replace("d", "."))
    listed = _fine(
        option(name, coin, inverse=inverse, expiry=expiry or 0, strike=strike, call=match["side"] == "C")
    )
    numbers = {}
    for field in ("mark_iv", "underlying_price"):
        node = ticker.get(field)
        if node is None:
            remedy = f"the answer does not quote it; save public/ticker of {name} and name it with --ticker"
            raise InputError(ticker.where, f"ticker.{name}.{field}", Finding("missing"), remedy)
        numbers[field] = parse_positive(_text(node), ticker.where, node.path)
    volatility = numbers["mark_iv"].scaleb(-2)
    return Listing(listed, mark, where, volatility, numbers["underlying_price"]), round(size, -_LOT)


def _fine(instrument: Instrument) -> Instrument:
    return replace(instrument, lot_exponent=_LOT, bound=_BOUND)


def _expiry(result: Node, name: str, day: str | None) -> int | None:
    if day is None:
        return None
    try:
        moment = datetime.strptime(day, "%d%b%y").replace(hour=_DELIVERY, tzinfo=UTC)
    except ValueError:
        raise InputError(
            result.where, "portfolio.position", name, "has no day such as 28JUN24 in it"
        ) from None
    return int(moment.timestamp()) * 10**6
