"""Whatever builds, proves: every model that a snapshot carries has a relation at both levels, and is read back.

Every number of every section of the parameters is pushed to its largest, least and finest admissible values, one by
one and all at once, at either quantum. What a snapshot then carries must have relations, survive being written and
read, and follow from its inputs again; what it refuses is refused in words.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from tests.circuits.extremes import extremes, together
from tests.circuits.law import at_the_bounds
from tests.margin import securities
from tests.margin.coins import coin_market
from tests.margin.joint import DRAWN, year
from zkmargin.circuits import build_relation
from zkmargin.margin.errors import InputError
from zkmargin.margin.market import Market, example_market
from zkmargin.margin.parameters.document import SECTIONS, Parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS

QUANTA = (6, 9)

_MATRIX = [["1", "0.8"], ["0.8", "1"]]
_TIERS = [
    {"above": "100", "initial": "0.1", "maintenance": "0.06"},
    {"above": "1000", "initial": "0.25", "maintenance": "0.2"},
]
_COLLATERAL = {
    "tiers": _TIERS,
    "volatility": {"reference": "0.6", "observed": "0.7", "most": "3"},
    "liquidity": {"reference": "2e9", "observed": "1.5e9", "most": "3"},
    "liability": {"initial": "1.1", "maintenance": "1.05"},
}


def _commodity(name: str, method: str) -> dict[str, Any]:
    return {
        "name": name, "price_scan_range": "15%", "volatility_scan_range": "25%", "price_risk": method,
        "tiers": [{"name": "near", "last": "2026-01"}, {"name": "far", "first": "2026-02"}],
        "intra_spreads": [
            {"priority": 1, "charge": "1%", "legs": [{"tier": "near", "side": "A"}, {"tier": "far", "side": "B"}]}
        ],
        "delivery": [{"period": "2026-01", "spread_charge": "10", "outright_charge": "20"}],
        "short_option_minimum": "1%", "cap_option_value": True,
    }  # fmt: skip


def _span(method: str) -> dict[str, Any]:
    legs = [{"commodity": "BTC", "side": "A"}, {"commodity": "ETH", "side": "B", "ratio": "10"}]
    return {
        "commodities": [_commodity(name, method) for name in ("BTC", "ETH")],
        "inter_spreads": [
            {"priority": 1, "credit_rate": "0.5", "legs": legs},
            {"priority": 2, "flat_credit": "12.5", "legs": legs},
        ],
    }


@dataclass(frozen=True)
class Case:
    """A section with all that it can hold, and a model that reads it."""

    model: str
    section: str
    document: Mapping[str, Any]
    history: bool = False


_RATE = {"initial": "0.1", "maintenance": "0.05"}
_GIVEN = {
    "source": "given", "coins": ["BTC", "ETH"], "volatilities": ["0.5", "0.7"], "correlation": _MATRIX,
    "stressed_volatilities": ["0.9", "1.1"], "stressed_correlation": _MATRIX,
}  # fmt: skip
_COVERED = {"ETH": {"haircut": {"maintenance": "0.1", "addition": "0.05"}}}
CASES: Mapping[str, Case] = {
    "grid": Case("grid", "grid", {"grid": {}}),
    "haircuts": Case("cross", "haircuts", {"haircuts": {"BTC": _RATE}}),
    "default haircut": Case("grid", "default_haircut", {"default_haircut": _RATE}),
    "debts": Case("cross", "debts", {"debts": {"BTC": _RATE}}),
    "default debt": Case("isolated", "default_debt", {"default_debt": _RATE}),
    "collateral": Case("grid", "collateral", {"collateral": {"BTC": _COLLATERAL}}),
    "collateral in USD": Case(
        "cross", "collateral", {"collateral": {"BTC": {**_COLLATERAL, "measured_in": "usd"}}}
    ),
    "standard": Case("isolated", "standard", {"standard": {}}),
    "pmrm1": Case("grid", "pmrm1", {"pmrm1": {}}),
    "pmrm2": Case("grid", "pmrm2", {"pmrm2": {"collaterals": _COVERED}}),
    "srm": Case("isolated", "srm", {"srm": {"markets": {"ETH": {}}}}),
    "deribit": Case("grid", "deribit", {"deribit": {}}),
    "deribit, cross": Case("grid", "deribit", {"deribit": {"collateral": "cross"}}),
    "okx": Case("grid", "okx", {"okx": {}}),
    "bybit": Case("grid", "bybit", {"bybit": {}}),
    "binance": Case("grid", "binance", {"binance": {}}),
    "tiered": Case("tiered", "tiered", {"tiered": {"threshold": "100000"}}),
    "tiered, grid": Case("tiered", "grid", {"tiered": {"threshold": "100000"}, "grid": {}}),
    "tiered, okx": Case("tiered", "okx", {"tiered": {"threshold": "100000"}, "okx": {}}),
    "es": Case("es", "es", {"es": {**DRAWN, "cells": 20}}),
    "es of a history": Case("es", "es", {"es": {"cells": 50, "filter_lambda": "0.94"}}, history=True),
    "var": Case("var", "var", {"var": {**DRAWN, "cells": 20}}),
    "correlation": Case("correlation", "correlation", {"correlation": _GIVEN}),
    "correlation of a history": Case("correlation", "correlation", {"correlation": {}}, history=True),
    "span": Case("span", "span", {"span": _span("scan_range")}),
    "span, normal": Case("span", "span", {"span": _span("normal")}),
    "span, capped": Case("span", "span", {"span": _span("scan_range_cap")}),
    "tims": Case("tims", "tims", {"tims": dict(securities.NESTED)}),
}


def test_every_section_has_its_case() -> None:
    plain = {"version"}
    sections = set(Parameters.model_fields) | set(SECTIONS)
    assert {case.section for case in CASES.values()} == sections - plain
    assert {case.model for case in CASES.values()} >= set(SECTIONS)


@cache
def market(case: str, *, wide: bool) -> Market:
    if CASES[case].model == "tims":
        return securities.wide_market(13 if wide else 3)
    return example_market() if wide else coin_market(("BTC", "ETH"))


def built(case: str, parameters: Parameters, quantum: int, *, wide: bool = False) -> Snapshot | None:
    """The snapshot, or None where it is refused: in one line that names what is wrong."""
    chosen, domain = CASES[case], 256 if wide else 64
    history = year() if chosen.history else None
    try:
        return Snapshot.build(
            market(case, wide=wide), parameters, domain=domain, quantum_decimals=quantum, history=history,
            only=[chosen.model],
        )  # fmt: skip
    except InputError as refusal:
        refused = str(refusal)
    assert "\n" not in refused
    assert len(refused) < 600
    return None


def proves(case: str, made: Snapshot) -> None:
    Snapshot.parse(made.encode(), "again").reproduce()
    for level in LEVELS:
        build_relation(made, model=CASES[case].model, level=level)


def one_by_one(case: str) -> Iterator[tuple[str, Parameters]]:
    yield from extremes(CASES[case].document, CASES[case].section)


@pytest.mark.parametrize("case", CASES)
def test_all_numbers_together(case: str) -> None:
    """All the largest, all the finest near the largest, all thirds: on a market of a hundred instruments."""
    proven = 0
    for kind in range(5):
        parameters = together(CASES[case].document, CASES[case].section, kind)
        for quantum in QUANTA:
            made = built(case, parameters, quantum, wide=True)
            if made is not None:
                proves(case, made)
                proven += 1
    assert proven


@pytest.mark.parametrize("case", CASES)
def test_some_numbers_one_by_one(case: str) -> None:
    """Every ninth extreme, at the finer quantum; the long run has them all."""
    for number, (what, parameters) in enumerate(one_by_one(case)):
        if number % 9 == 4:
            made = built(case, parameters, 9)
            if made is not None:
                try:
                    proves(case, made)
                except Exception as failed:
                    raise AssertionError(what) from failed


@pytest.mark.fuzz
@pytest.mark.parametrize("case", CASES)
def test_every_number_one_by_one(case: str) -> None:
    for what, parameters in one_by_one(case):
        for quantum in QUANTA:
            made = built(case, parameters, quantum)
            if made is not None:
                try:
                    proves(case, made)
                except Exception as failed:
                    raise AssertionError(f"{what}, quantum {quantum}") from failed


@pytest.mark.parametrize("case", ["grid", "tiered, grid", "es", "span, capped", "tims"])
def test_the_law_at_the_finest(case: str) -> None:
    """Fine factors, ratios and confidences are rounded where it costs nobody a tick, up to the bounds of all slots."""
    parameters = together(
        CASES[case].document, CASES[case].section, 3 if case in ("es", "span, capped") else 4
    )
    made = built(case, parameters, 6)
    assert made is not None
    at_the_bounds(made, CASES[case].model)
