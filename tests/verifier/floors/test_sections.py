"""The sections that price a model are all that do, and pins cover every number of theirs at their level."""

from __future__ import annotations

from typing import Any

import pytest

from tests.verifier.floors.search import parsed, priced
from tests.verifier.floors.test_order import CASES, base
from tests.verifier.floors.variants import leaves, others, replaced, written
from zkmargin.margin.parameters.document import DEFAULT_PARAMETERS
from zkmargin.margin.tables.schema import encode_tables
from zkmargin.margin.units import Level
from zkmargin.verifier.floors.pins import pricing_document, pricing_pin
from zkmargin.verifier.floors.sections import pricing_sections

CHANGED: dict[str, dict[str, Any]] = {
    "grid": {"grid": {"spot_shocks": ["0"], "loss_factor": {"initial": "0.5", "maintenance": "0.5"}}},
    "standard": {
        "standard": {
            name: {"initial": "0.9", "maintenance": "0.8"}
            for name in ("future", "share", "option", "option_minimum")
        }
    },
    "haircuts": {"haircuts": {"BTC": {"initial": "0.9", "maintenance": "0.9"}}},
    "default_haircut": {"default_haircut": {"initial": "0.9", "maintenance": "0.9"}},
    "collateral": {"collateral": {"BTC": {"liability": {"initial": "2", "maintenance": "2"}}}},
    "debts": {"debts": {"BTC": {"initial": "0.9", "maintenance": "0.9"}}},
    "default_debt": {"default_debt": {"initial": "0.9", "maintenance": "0.9"}},
    "es": {"es": {"confidence": "0.5"}},
    "var": {"var": {"confidence": "0.5"}},
    "correlation": {"correlation": {"multiplier": {"initial": "9", "maintenance": "9"}}},
    "tims": {"tims": {"minimum": "9"}},
}
"""By section, what alters every model that it prices."""


@pytest.mark.parametrize("case", CASES)
def test_no_other_section_alters_the_tables(case: str) -> None:
    model, least, found = base(case)
    tables = encode_tables(found.snapshot.models[model])
    own = written(least, model)
    for name, change in CHANGED.items():
        parameters = parsed({**own, name: _joined(own.get(name, {}), change[name])})
        if parameters is None:
            continue  # what stands in place of another section is refused beside it
        again = priced(CASES[case][2], model, parameters)
        if again is None:
            continue
        altered = encode_tables(again.snapshot.models[model]) != tables
        if name not in pricing_sections(model, parameters):
            assert not altered, name
            assert pricing_pin(parameters, model, "initial") == pricing_pin(least, model, "initial")
        else:
            # The coins of this market have haircuts of their own; sections of PMRM1 that it has no use for are asked
            # for all the same.
            unused = name == "default_haircut" or (case == "pmrm1" and name == "haircuts")
            assert altered or unused or (case == "binance" and name == "debts"), name


def _joined(one: Any, other: Any) -> Any:
    return {**one, **other}


CONTINGENCIES = (("perpetual",), ("naked_short",), ("collaterals", "ETH", "haircut"))


@pytest.mark.parametrize("case", CASES)
def test_a_pin_covers_every_number(case: str) -> None:
    model, least, _ = base(case)
    pin = pricing_pin(least, model, "initial")
    assert pin == pricing_pin(least, model, "initial")
    assert pin != pricing_pin(least, model, "maintenance")
    document = written(least, model)
    whole = parsed(document)
    assert whole is not None
    levels: tuple[Level, ...] = ("initial", "maintenance")
    before = [pricing_pin(whole, model, level) for level in levels]
    changed = 0
    for path, value in leaves(document):
        for other in others(value):
            parameters = parsed(replaced(document, path, other))
            if parameters is not None:
                after = [pricing_pin(parameters, model, level) for level in levels]
                assert before != after, path
                # A contingency's initial rate is its maintenance rate and more.
                if path[-1] in levels and not (path[0] == "pmrm2" and path[1:-1] in CONTINGENCIES):
                    assert (before[0] != after[0]) == (path[-1] == "initial"), path
                changed += 1
    assert changed


def test_a_pin_is_of_a_document_that_people_can_read() -> None:
    assert pricing_document(DEFAULT_PARAMETERS, "cross", "maintenance") == {
        "version": 1,
        "model": "cross",
        "level": "maintenance",
        "sections": {
            "standard": {
                "future": {"maintenance": "0.01"},
                "share": {"maintenance": "0.3"},
                "option": {"maintenance": "0.075"},
                "option_minimum": {"maintenance": "0.05"},
            },
            "haircuts": {"BTC": {"maintenance": "0.03"}, "ETH": {"maintenance": "0.05"}},
            "default_haircut": {"maintenance": "0.15"},
            "collateral": {},
            "debts": {},
            "default_debt": {"maintenance": "0.1"},
        },
    }
