"""No snapshot that a minimum takes asks less of any account: searched for with every parameter changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.verifier.floors.search import Priced, cheaper, coins, parsed, priced, securities
from tests.verifier.floors.variants import variants, written
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.quotes import Market
from zkmargin.margin.models import MODELS
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.units import LEVELS, Level
from zkmargin.verifier.floors.order import ORDERS
from zkmargin.verifier.parameter_floor import least_parameters, normalised, shortfall

MATRIX = {
    "coins": ["BTC", "ETH"],
    "volatilities": ["0.5", "0.7"],
    "correlation": [["1", "0.8"], ["0.8", "1"]],
}
DRAWN: dict[str, Any] = {
    **MATRIX, "source": "drawn", "seed": "seven", "cells": 24,
    "perpetual": {"initial": "0.02", "maintenance": "0.01"},
    "naked_short": {"initial": "0.01", "maintenance": "0.005"},
}  # fmt: skip
COLLATERAL = {
    "ETH": {
        "tiers": [{"above": "500", "initial": "0.3", "maintenance": "0.2"}],
        "volatility": {"reference": "0.5", "observed": "0.8", "most": "2"},
        "liquidity": {"reference": "1000000", "observed": "800000", "most": "2"},
        "liability": {"initial": "1.2", "maintenance": "1.1"},
    }
}
GROUPS = {
    "groups": {"all": {"members": ["BIG", "SMALL"], "offset": "0.9"}},
    "minimum": "2",
    "factor": {"initial": "1.2", "maintenance": "1"},
}
LISTED = {"ETH": {"haircut": {"maintenance": "0.1", "addition": "0.1"}, "cancels": "ETH"}}

LEVEL: Level = "initial"

CASES: dict[str, tuple[str, dict[str, Any], Callable[[], Market]]] = {
    "grid": ("grid", {"collateral": COLLATERAL}, coins),
    "okx": ("grid", {"okx": {}}, coins),
    "deribit": ("grid", {"deribit": {"haircut": {"initial": "0.1", "maintenance": "0.05"}}}, coins),
    "pmrm2": ("grid", {"pmrm2": {"collaterals": LISTED}}, coins),
    "pmrm1": ("grid", {"pmrm1": {}}, coins),
    "bybit": ("grid", {"bybit": {}}, coins),
    "binance": ("grid", {"binance": {}}, coins),
    "cross": ("cross", {}, coins),
    "isolated": ("isolated", {}, coins),
    "tiered": ("tiered", {"tiered": {"threshold": "100000"}}, coins),
    "es": ("es", {"es": DRAWN}, coins),
    "var": ("var", {"var": DRAWN}, coins),
    "correlation": ("correlation", {"correlation": {**MATRIX, "source": "given"}}, coins),
    "span": ("span", {}, coins),
    "tims": ("tims", {"tims": GROUPS}, securities),
}


def base(case: str) -> tuple[str, Any, Priced]:
    model, minimum, market = CASES[case]
    least = least_parameters(model, normalised(minimum))
    found = priced(market, model, least)
    assert found is not None
    return model, least, found


def test_every_model_is_searched() -> None:
    assert {model for model, _, _ in CASES.values()} == set(MODELS)


def names(snapshot: Priced) -> set[str]:
    return {i.settlement for i in snapshot.snapshot.universe.instruments} - {"USD"}


@pytest.mark.parametrize("case", CASES)
def test_what_a_minimum_takes_asks_no_less(case: str) -> None:
    model, least, asked = base(case)
    market = CASES[case][2]
    assert shortfall(least, least, model, names(asked), LEVELS) is None
    taken = 0
    for change, document in variants(written(least, model)):
        parameters = parsed(document)
        if parameters is None or shortfall(least, parameters, model, names(asked), [LEVEL]):
            continue
        found = priced(market, model, parameters)
        if found is not None:
            taken += 1
            account = cheaper(asked, found, LEVEL)
            assert account is None, f"{change}: {account}"
    assert taken or case == "span"


WRONG = [
    ("grid", "grid.volatility.up", "0.8", "initial"),
    ("grid", "grid.volatility.minimum", "0.9", "initial"),
    ("grid", "grid.tail_damping", "0.1", "initial"),
    ("okx", "okx.volatility_terms", [{"days": "0", "move": "0.1"}], "initial"),
    ("okx", "okx.annual_move", "0", "initial"),
    ("okx", "okx.spread_steps", [], "initial"),
    ("okx", "default_debt.initial", "0.15", "initial"),
    ("okx", "collateral.ETH", {"liability": {"initial": "1", "maintenance": "1"}}, "initial"),
    ("deribit", "deribit.coins.BTC.price_range", "0.2", "initial"),
    ("deribit", "deribit.coins.BTC.volatility_up", "0.1", "initial"),
    ("deribit", "deribit.usd.dampener", "5000000", "initial"),
    ("bybit", "bybit.price_range", "0.05", "initial"),
    ("binance", "standard.option.initial", "0.075", "initial"),
    ("binance", "binance.loan.initial", "0.15", "initial"),
    ("binance", "collateral.ETH", {"liability": {"initial": "1", "maintenance": "1"}}, "initial"),
    ("pmrm1", "pmrm1.perpetual", "0.01", "initial"),
    ("cross", "debts.ETH", {"initial": "0", "maintenance": "0"}, "initial"),
    ("pmrm2", "pmrm2.volatility.up", "0.9", "initial"),
    ("pmrm2", "pmrm2.short_discount.base", "0.9", "initial"),
    ("cross", "standard.future.maintenance", "0.001", "maintenance"),
    ("es", "es.horizon", 2, "initial"),
    ("tims", "tims.groups.all.offset", "1", "initial"),
]
"""Changes that look like more, or are less: the search must see what they ask less of."""


@pytest.mark.parametrize(("case", "key", "value", "level"), WRONG)
def test_the_search_finds_what_is_refused(case: str, key: str, value: Any, level: Level) -> None:
    model, least, asked = base(case)
    document = written(least, model)
    place = document
    *above, last = key.split(".")
    for name in above:
        place = place[name]
    assert place.get(last) != value
    place[last] = value
    parameters = parsed(document)
    assert parameters is not None
    found = priced(CASES[case][2], model, parameters)
    assert found is not None
    assert cheaper(asked, found, level) is not None
    assert shortfall(least, parameters, model, names(asked), [level])


def test_rules_of_the_standard_manager_meet_no_minimum() -> None:
    with pytest.raises(InputError, match="does not price isolated"):
        least_parameters("isolated", {"srm": {}})
    least, found = least_parameters("isolated", {}), parse_parameters({"srm": {}}, "test")
    assert shortfall(least, found, "isolated", ["BTC", "ETH"], LEVELS) == "srm is not among the minimum"


def test_every_key_that_is_ordered_exists() -> None:
    documents = [written(base(case)[1], CASES[case][0]) for case in CASES]
    for key in ORDERS:
        path = key.replace("*", "ETH").split(".")
        assert any(_reaches(document, path) for document in documents), key


def _reaches(document: Any, path: list[str]) -> bool:
    for name in path:
        if not isinstance(document, dict) or name not in document:
            return False
        document = document[name]
    return True
