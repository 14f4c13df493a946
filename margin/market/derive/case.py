"""One case as a market, parameters and quantities.

`Scenario` holds the account and the feeds, `Parameters` the rules, `Result` what the venue finds. Times are
seconds from the moment of valuation. A case does not say which coin it is about: here it is BASE. Cash
holds what perpetuals have gained and are owed by funding, while any are held; collateral has the price of
its coin, and counts in cash at that over the price of cash. Cases in lists are those of `lists`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, Final

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import parse_json, read_text
from zkmargin.margin.instruments.instrument import CASH
from zkmargin.margin.market.derive.books import Account, Book, Coin, list_account
from zkmargin.margin.market.derive.lists import PMRM_KEYS, SRM_KEYS, UNIT, pmrm_account, srm_account
from zkmargin.margin.market.derive.options import UNDERLYING, OptionBook
from zkmargin.margin.market.derive.part import KNOWN, Part
from zkmargin.margin.market.derive.rules import read_parameters
from zkmargin.margin.market.quotes import Market
from zkmargin.margin.parameters.document import Parameters, parse_parameters
from zkmargin.margin.units import Level

_CASH: Final = ("Cash", "UnrealisedPerpPNL", "UnrealisedFunding")
_Results = Mapping[Level, str]
_PMRM2_RESULTS: Final[_Results] = {"initial": "IM", "maintenance": "MM"}
_PMRM_RESULTS: Final[_Results] = {"initial": "InitialMarginHand", "maintenance": "MaintenanceMarginHand"}
_SRM_RESULTS: Final[_Results] = {"initial": "HandIM", "maintenance": "HandMM"}
_SRM_TESTS: Final = {
    "confidence": {"perpetual": "0.5", "option": "0.5", "base": "0.5", "factor": "0.4"},
    "base": {"factor": "0.1"},
}
"""Where the tests of these cases (TestStandardManager_Cases) set other numbers than the published defaults."""


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
    """The excess over each requirement, in USD, where the case states it."""
    model: str = "grid"
    """The model whose requirement that is."""


def read_derive_case(path: Path, name: str | None = None) -> DeriveCase:
    """The case in a file, or the one of a name where it holds several.

    Raises InputError naming the part, the key and the value that cannot be used.
    """
    return parse_derive_case(parse_json(read_text(path), str(path)), str(path), name)


def parse_derive_case(document: object, where: str, name: str | None = None) -> DeriveCase:
    """The case in a JSON document whose numbers are exact; InputError as `read_derive_case`."""
    if name is not None or (isinstance(document, Mapping) and document and "Scenario" not in document):
        document, where = _chosen(document, where, name)
    scenario = document.get("Scenario") if isinstance(document, Mapping) else None
    written = frozenset(scenario) if isinstance(scenario, Mapping) else frozenset()
    if "OptionUnderlying" in written:
        return _srm_case(document, where)
    if "OptionExpiries" in written:
        return _pmrm_case(document, where)
    return _pmrm2_case(document, where)


def _chosen(document: object, where: str, name: str | None) -> tuple[object, str]:
    """One of the cases of a document, which holds them by name."""
    named = dict(_named(document if isinstance(document, Mapping) else {}))
    if name is None and len(named) == 1:
        name = next(iter(named))
    if name is None or name not in named:
        held = ", ".join(list(named)[:40]) or "none"
        remedy = f"name one of the cases with --case; it holds {held}"
        raise InputError(where, "case", Finding("none chosen") if name is None else name, remedy)
    return named[name], f"{where}, {name}"


def _named(cases: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The cases by name; the actions of a liquidation are cases as NAME/0, NAME/1 and so on.

    An action states the maintenance margin that was left over before it.
    """
    for name, case in cases.items():
        if isinstance(case, Mapping) and "Scenario" in case:
            yield name, case
        actions = case.get("Actions") if isinstance(case, Mapping) else None
        for number, action in enumerate(actions if isinstance(actions, list) else []):
            if isinstance(action, Mapping) and "PortfolioAndFeeds" in action:
                results = action.get("Results")
                left = results.get("PreMM") if isinstance(results, Mapping) else None
                stated = dict.fromkeys((_PMRM_RESULTS["maintenance"], _SRM_RESULTS["maintenance"]), left)
                yield f"{name}/{number}", {"Scenario": action["PortfolioAndFeeds"], "Result": stated}


def _pmrm2_case(document: object, where: str) -> DeriveCase:
    unknown: list[str] = []
    case = Part(document, "case", where, unknown)
    other = _other_manager(case)
    scenario = case.part("Scenario", None if other is None else KNOWN["Scenario"] | {"Base"})
    entries = scenario.parts("Collaterals")
    names = _coin_names([str(entry.values.get("Name") or "") for entry in entries])
    collaterals = dict(zip(names, entries, strict=True))
    parameters = read_parameters(case, UNDERLYING, collaterals) if other is None else _parameters(case, None)
    market, quantities = list_account(_account(scenario, collaterals, discounted=other is None))
    stated = _stated(case, _PMRM2_RESULTS)
    model = "isolated" if other == "srm" else "grid"
    return DeriveCase(market, parameters, quantities, tuple(unknown), stated, model)


def _other_manager(case: Part) -> str | None:
    """The manager whose rules a case states as a parameter file does; None where they are PMRM 2's own."""
    stated = case.values.get("Parameters")
    found = [name for name in ("srm", "pmrm1") if isinstance(stated, Mapping) and name in stated]
    return found[0] if found else None


def _pmrm_case(document: object, where: str) -> DeriveCase:
    unknown: list[str] = []
    case = Part(document, "case", where, unknown)
    parameters = _parameters(case, {"pmrm1": {}})
    market, quantities = list_account(pmrm_account(case.part("Scenario", PMRM_KEYS)))
    return DeriveCase(market, parameters, quantities, tuple(unknown), _stated(case, _PMRM_RESULTS, -UNIT))


def _srm_case(document: object, where: str) -> DeriveCase:
    unknown: list[str] = []
    case = Part(document, "case", where, unknown)
    parameters = _parameters(case, {"srm": _SRM_TESTS})
    market, quantities = list_account(srm_account(case.part("Scenario", SRM_KEYS), _settled_cash(case)))
    stated = _stated(case, _SRM_RESULTS, -UNIT)
    return DeriveCase(market, parameters, quantities, tuple(unknown), stated, "isolated")


def _settled_cash(case: Part) -> Decimal | None:
    """The cash that the results of a case rest on, in USD, where they say so."""
    result = case.values.get("Result")
    if not isinstance(result, Mapping) or result.get("Cash") is None:
        return None
    return case.part("Result", frozenset(result)).scaled("Cash", -UNIT)


def _parameters(case: Part, missing: object) -> Parameters:
    """The parameters that a case states as a parameter file does, or those of the tests that it comes from."""
    stated = case.values.get("Parameters")
    return parse_parameters(missing if stated is None else stated, f"{case.place}, Parameters")


def _stated(case: Part, keys: _Results, exponent: int = 0) -> dict[Level, Decimal]:
    """The excess over each requirement that the case states, in units of 10^exponent USD."""
    found = case.values.get("Result")
    if not found:
        return {}
    result = case.part("Result", frozenset(found) if isinstance(found, Mapping) else None)
    return {
        level: result.scaled(key, exponent)
        for level, key in keys.items()
        if result.values.get(key) is not None
    }


def _account(scenario: Part, collaterals: Mapping[str, Part], *, discounted: bool) -> Account:
    """Everything that is held, and what it rests on."""
    options = OptionBook.read(scenario, discounted=discounted)
    perpetuals = scenario.number("NumPerps", "0")
    keys = _CASH if perpetuals else _CASH[:1]
    base = Decimal(0) if discounted else scenario.number("Base", "0")
    spot = Coin(base, scenario.number("SpotPrice"), scenario.confidence("SpotConfidence"))
    swaps = Coin(perpetuals, scenario.number("PerpPrice", "0"), scenario.confidence("PerpConfidence"))
    return Account(
        books=[Book(UNDERLYING, spot, swaps, options)],
        cash=sum((scenario.number(key, "0") for key in keys), Decimal(0)),
        cash_price=scenario.text("StablePrice", "1"),
        collaterals=dict(_coins(collaterals)),
        source="Derive PMRM 2 portfolio case" if discounted else "Derive portfolio case",
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
