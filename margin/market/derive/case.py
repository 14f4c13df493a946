"""One case as a market, parameters and quantities.

`Scenario` holds the account and the feeds, `Parameters` the rules, `Result` what the venue finds. Times are
seconds from the moment of valuation. A case does not say which coin it is about: here it is BASE. Cash
holds what perpetuals have gained and are owed by funding, while any are held; collateral has the price of
its coin, and counts in cash at that over the price of cash.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import count
from pathlib import Path
from typing import Final

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.documents import parse_json, read_text
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.market.derive.options import UNDERLYING, OptionBook
from zkmargin.margin.market.derive.part import CONTEXT, Part
from zkmargin.margin.market.derive.rules import read_parameters
from zkmargin.margin.market.derive.sizes import Held, Size, grain
from zkmargin.margin.market.inputs import Inputs, Quote, check_feeds, check_quote
from zkmargin.margin.market.quotes import Market
from zkmargin.margin.parameters.document import Parameters
from zkmargin.margin.units import Level

PERPETUAL: Final = f"{UNDERLYING}-PERP"

_CASH: Final = ("Cash", "UnrealisedPerpPNL", "UnrealisedFunding")
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
    market = Market(time, tuple(listed.instruments), inputs)
    return DeriveCase(market, parameters, listed.quantities, tuple(unknown), _stated(case))


def _stated(case: Part) -> dict[Level, Decimal]:
    """What the case says is left over each requirement."""
    found = case.values.get("Result")
    if not found:
        return {}
    result = case.part("Result", frozenset(found) if isinstance(found, Mapping) else None)
    return {
        level: result.number(key) for level, key in _RESULTS.items() if result.values.get(key) is not None
    }


@dataclass
class _Listed:
    """Instruments with their quotes and quantities, in the order of their slots."""

    instruments: list[Instrument] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    quantities: dict[str, Decimal] = field(default_factory=dict)

    def add(self, instrument: Instrument, quote: Quote, quantity: Decimal) -> None:
        """Append one instrument; a quantity is rounded to a lot."""
        self.instruments.append(instrument)
        self.quotes.append(quote)
        self.quantities[instrument.name] = quantity.quantize(instrument.lot, ROUND_HALF_EVEN, CONTEXT)


def _market(scenario: Part, collaterals: Mapping[str, Part]) -> tuple[_Listed, Inputs, int]:
    """Everything that is listed, what it rests on, and the moment of valuation."""
    options = OptionBook.read(scenario)
    perpetuals, price = scenario.number("NumPerps", "0"), scenario.number("PerpPrice", "0")
    keys = _CASH if perpetuals else _CASH[:1]
    cash = sum((scenario.number(key, "0") for key in keys), Decimal(0))
    coins = {UNDERLYING: (Decimal(0), scenario.number("SpotPrice")), **dict(_coins(collaterals))}
    swaps = Held.of([perpetuals], price)
    money = Held.of([abs(cash) + swaps.value], None)
    balances = {name: Held.of([amount], worth) for name, (amount, worth) in coins.items()}
    kinds = [swaps] * (perpetuals != 0) + [options.held] * len(options.amounts)
    finest = grain([money, *balances.values(), *kinds])
    listed = _Listed()
    listed.add(_balance(CASH, money.size(finest)), Quote("1"), cash)
    for name, (amount, worth) in coins.items():
        listed.add(_balance(name, balances[name].size(finest)), Quote(canonical_decimal(worth)), amount)
    if perpetuals:
        listed.add(_perpetual(swaps.size(finest)), Quote(canonical_decimal(price)), perpetuals)
    for option in options.listed(options.held.size(finest)):
        listed.add(*option)
    inputs = Inputs(
        source="Derive PMRM 2 portfolio case",
        indices={name: canonical_decimal(worth) for name, (_, worth) in coins.items()},
        terms=options.terms,
        quotes=tuple(listed.quotes),
        confidences=_confidences(scenario, collaterals, listed),
        cash_price=scenario.text("StablePrice", "1"),
    )
    check_feeds(scenario.place, inputs, listed.instruments)
    for instrument, quote in zip(listed.instruments, listed.quotes, strict=True):
        place = f"{scenario.place}, instrument {instrument.name}"
        check_quote(place, instrument, quote, inputs.indices, options.time, terms=inputs.terms_of(instrument))
    return listed, inputs, options.time


def _coins(collaterals: Mapping[str, Part]) -> Iterator[tuple[str, tuple[Decimal, Decimal]]]:
    """Amount and price of the collateral that is worth something; InputError for an amount that is owed."""
    for name, entry in collaterals.items():
        amount = entry.number("Amount", "0")
        if amount < 0:
            remedy = "collateral is never owed; write an amount that is not negative"
            raise InputError(entry.place, "Amount", canonical_decimal(amount), remedy)
        if worth := entry.number("Price"):
            yield name, (amount, worth)


def _confidences(scenario: Part, collaterals: Mapping[str, Part], listed: _Listed) -> dict[str, str]:
    """How sure the prices of what is listed are."""
    stated = {UNDERLYING: (scenario, "SpotConfidence"), PERPETUAL: (scenario, "PerpConfidence")}
    stated |= {name: (entry, "Confidence") for name, entry in collaterals.items()}
    return {
        name: canonical_decimal(part.confidence(key))
        for name, (part, key) in stated.items()
        if name in listed.quantities
    }


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


def _balance(currency: str, counted: Size) -> Instrument:
    lot, contract, bound = astuple(counted)
    return Instrument(currency, "balance", currency, currency, False, None, None, None, lot, contract, bound)


def _perpetual(counted: Size) -> Instrument:
    lot, contract, bound = astuple(counted)
    return Instrument(PERPETUAL, "perpetual", UNDERLYING, CASH, False, None, None, None, lot, contract, bound)
