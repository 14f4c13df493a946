"""A debt in a coin costs something in every model, by default."""

from decimal import Decimal

import pytest

from tests.circuits.law import law
from tests.margin.accounts import example, holdings, tiny_market
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.market import example_market
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot

OWED = (("USD", "100000"), ("BTC", "-1"))
RULES: tuple[dict[str, object], ...] = (
    {},
    {"deribit": {}},
    {"deribit": {"collateral": "cross"}},
    {"okx": {}},
    {"bybit": {}},
    {"binance": {}},
    {"tiered": {"threshold": "1000000"}},
)


def charged(made: Snapshot, model: str) -> Decimal:
    found = requirement(made, holdings(made, *OWED).vector(made), model=model)
    return Decimal(found.show(found.requirement_ticks))


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_every_model_charges_a_bitcoin_that_is_owed(rules: dict[str, object]) -> None:
    made = Snapshot.build(example_market(), parse_parameters(rules, "x"))
    least = Decimal(made.inputs.indices["BTC"]) / 50
    for model in made.models:
        assert charged(made, model) >= least, model


def test_the_rate_is_the_parameters_own() -> None:
    """20 % of the debt in the models of rates; stated for a coin it is that, and a liability stands above both."""
    index = Decimal(example().inputs.indices["BTC"])
    assert charged(example(), "cross") == pytest.approx(index * Decimal("0.2"), abs=Decimal("0.001"))
    made = Snapshot.build(example_market(), parse_parameters({"debts": {"BTC": _rates("0.3")}}, "x"))
    assert charged(made, "cross") == pytest.approx(index * Decimal("0.3"), abs=Decimal("0.001"))
    liable = {"collateral": {"BTC": {"liability": {"initial": "1.25", "maintenance": "1.1"}}}}
    made = Snapshot.build(
        example_market(), parse_parameters({**liable, "debts": {"BTC": _rates("0.3")}}, "x")
    )
    assert charged(made, "cross") == pytest.approx(index / 4, abs=Decimal("0.001"))


def _rates(rate: str) -> dict[str, str]:
    return {"initial": rate, "maintenance": "0"}


@pytest.mark.parametrize("model", ["cross", "isolated"])
def test_a_debt_proves_what_it_leaves_over(model: str) -> None:
    made = Snapshot.build(tiny_market(), domain=64)
    law(made, holdings(made, *OWED).vector(made), model, "initial")
