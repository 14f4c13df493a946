"""One case as a market, parameters and quantities.

`Scenario` holds the account and the feeds, `Parameters` the rules, `Result` what the venue finds. Times are
seconds from the moment of valuation. A case does not say which coin it is about: here it is BASE. Cash
holds what perpetuals have gained and are owed by funding, while any are held; collateral has the price of
its coin, and counts in cash at that over the price of cash.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Final

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.documents import parse_json, read_text
from zkmargin.margin.instruments.instrument import CASH
from zkmargin.margin.market.derive.books import Account, Book, Coin, list_account
from zkmargin.margin.market.derive.options import UNDERLYING, OptionBook
from zkmargin.margin.market.derive.part import Part
from zkmargin.margin.market.derive.rules import read_parameters
from zkmargin.margin.market.quotes import Market
from zkmargin.margin.parameters.document import Parameters
from zkmargin.margin.units import Level

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
    market, quantities = list_account(_account(scenario, collaterals))
    return DeriveCase(market, parameters, quantities, tuple(unknown), _stated(case))


def _stated(case: Part) -> dict[Level, Decimal]:
    """What the case says is left over each requirement."""
    found = case.values.get("Result")
    if not found:
        return {}
    result = case.part("Result", frozenset(found) if isinstance(found, Mapping) else None)
    return {
        level: result.number(key) for level, key in _RESULTS.items() if result.values.get(key) is not None
    }


def _account(scenario: Part, collaterals: Mapping[str, Part]) -> Account:
    """Everything that is held, and what it rests on."""
    options = OptionBook.read(scenario)
    perpetuals = scenario.number("NumPerps", "0")
    keys = _CASH if perpetuals else _CASH[:1]
    spot = Coin(Decimal(0), scenario.number("SpotPrice"), scenario.confidence("SpotConfidence"))
    swaps = Coin(perpetuals, scenario.number("PerpPrice", "0"), scenario.confidence("PerpConfidence"))
    return Account(
        books=[Book(UNDERLYING, spot, swaps, options)],
        cash=sum((scenario.number(key, "0") for key in keys), Decimal(0)),
        cash_price=scenario.text("StablePrice", "1"),
        collaterals=dict(_coins(collaterals)),
        source="Derive PMRM 2 portfolio case",
        place=scenario.place,
    )


def _coins(collaterals: Mapping[str, Part]) -> Iterator[tuple[str, Coin]]:
    """The collateral that is worth something; InputError for an amount that is owed."""
    for name, entry in collaterals.items():
        amount = entry.number("Amount", "0")
        if amount < 0:
            remedy = "collateral is never owed; write an amount that is not negative"
            raise InputError(entry.place, "Amount", canonical_decimal(amount), remedy)
        if price := entry.number("Price"):
            yield name, Coin(amount, price, entry.confidence("Confidence"))


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
