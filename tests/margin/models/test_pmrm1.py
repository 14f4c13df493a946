"""PMRM, Derive's first portfolio margin risk manager: published results, direct sums, and each part by itself."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from tests.margin.accounts import tiny_market
from tests.margin.derive_cases import account
from tests.margin.manager_accounts import pmrm_accounts
from tests.margin.pmrm1_formulas import margins
from tests.margin.published_pmrm import (
    IN_DOLLARS,
    LONG,
    VERIFIED,
    Published,
    document,
    near,
)
from zkmargin.margin.account.requirement import Requirement, requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.derive import parse_derive_case
from zkmargin.margin.parameters.document import parse_parameters, preset
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.units import LEVELS, Level


def ask(case: dict[str, Any], level: Level) -> Requirement:
    made, lots = account(parse_derive_case(case, "case.json"))
    return requirement(made, lots, level=level)


def usd(found: Requirement) -> float:
    return float(found.excess / 10**found.money_decimals)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("case", VERIFIED, ids=lambda case: case.name)
def test_published_results(case: Published, level: Level) -> None:
    assert usd(ask(document(case), level)) == pytest.approx(float(getattr(case, level)), rel=1e-8)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("case", IN_DOLLARS, ids=lambda case: case.name)
def test_published_results_in_whole_dollars(case: Published, level: Level) -> None:
    found = usd(ask(document(case, dollars=True), level))
    assert int(found + (1e-8 if found > 0 else -1e-8)) == int(getattr(case, level))


@settings(max_examples=40, deadline=None)
@given(pmrm_accounts())
def test_direct_sums_give_the_same(case: dict[str, Any]) -> None:
    made, lots = account(parse_derive_case(case, "case.json"))
    for level, expected in zip(LEVELS, margins(case["Scenario"]), strict=True):
        assert usd(requirement(made, lots, level=level)) == pytest.approx(expected, rel=1e-8, abs=1e-7)


def test_the_static_discount_rests_on_a_rate_that_the_mark_does_not() -> None:
    """A higher rate takes more of what an expiry is worth in a cell, and nothing of the account's value."""

    def at(rate: int) -> Requirement:
        case = document(Published("", LONG, "0", "0"))
        case["Scenario"]["Rates"] = [rate]
        return ask(case, "maintenance")

    low, high = at(0), at(10**18)
    assert low.account_value == high.account_value
    assert low.excess > high.excess
    assert at(-(10**18)).excess == low.excess


def test_a_case_s_rate_is_among_the_terms_of_its_expiry() -> None:
    case = parse_derive_case(document(VERIFIED[0]), "case.json")
    (terms,) = case.market.inputs.terms
    assert terms.rate == "0.03"
    assert case.market.inputs.quotes[-1].rate is None
    made, _ = account(case)
    again = Snapshot.build(case.market, case.parameters, quantum_decimals=9, only=("grid",))
    assert again.body()["inputs"] == made.body()["inputs"]


def test_terms_with_a_rate_are_written_and_read_and_kept_within_what_a_feed_can_say() -> None:
    case = parse_derive_case(document(VERIFIED[0]), "case.json")
    made, _ = account(case)
    assert Snapshot.parse(made.encode(), "again").inputs.terms == made.inputs.terms
    (terms,) = case.market.inputs.terms
    assert "rate" not in replace(terms, rate=None).document()
    beyond = document(VERIFIED[0])
    beyond["Scenario"]["Rates"] = [11 * 10**18]
    with pytest.raises(InputError, match="expiry of BASE: rate: '11': write a number from -10 to 10"):
        parse_derive_case(beyond, "case.json")


def test_initial_margin_counts_static_contingencies_as_often_as_the_worst_loss() -> None:
    case = document(Published("", near((1500, "c", -1)), "0", "0", {"Perps": "1", "Base": "2"}))
    made, lots = account(parse_derive_case(case, "case.json"))
    by_level: dict[Level, dict[str, int]] = {}
    for level in LEVELS:
        found = requirement(made, lots, level=level)
        kinds = ("perpetual", "short options of a strike", "haircut")
        by_level[level] = {c.kind: int(c.amount) for c in found.assessment.charges if c.kind in kinds}
    for kind, amount in by_level["maintenance"].items():
        assert by_level["initial"][kind] * 10 == amount * 13


def test_what_a_coin_is_charged_is_not_divided_by_the_price_of_cash() -> None:
    def charges(stable: str, confidence: str) -> dict[str, float]:
        scenario = {"Base": "2", "StablePrice": stable, "SpotConfidence": confidence}
        found = ask(document(Published("", [], "0", "0", scenario)), "maintenance")
        initial = ask(document(Published("", [], "0", "0", scenario)), "initial")
        unit = 10**found.money_decimals
        parts = {c.kind: float(c.amount / unit) for c in initial.assessment.charges}
        return parts | {"static": float(next(c for c in found.assessment.charges).amount / unit)}

    plain = charges("1", "0.5")
    half = charges("1.25", "0.5")
    assert plain["static"] == pytest.approx(half["static"]) == pytest.approx(2 * 1500 * 0.02)
    assert plain["confidence"] == pytest.approx(half["confidence"]) == pytest.approx(2 * 1500 * 0.25)


def test_the_perpetual_s_confidence_counts_for_coins_while_one_is_held() -> None:
    def unsure(perpetuals: str) -> float:
        scenario = {"Base": "2", "Perps": perpetuals, "PerpConfidence": "0.1"}
        found = ask(document(Published("", [], "0", "0", scenario)), "initial")
        total = sum(c.amount for c in found.assessment.charges if c.kind == "confidence")
        return float(total / 10**found.money_decimals)

    assert unsure("0") == 0
    assert unsure("1") == pytest.approx(2 * 1500 * 0.45)


def test_the_report_names_every_charge() -> None:
    made, lots = account(parse_derive_case(document(VERIFIED[18]), "case.json"))
    kinds = {charge.kind for charge in requirement(made, lots).assessment.charges}
    assert kinds == {"perpetual", "short options of a strike", "haircut"}


def test_any_market_can_have_these_rules() -> None:
    made = Snapshot.build(tiny_market(), preset("pmrm1"), domain=64)
    tables = made.models["grid"]
    assert isinstance(tables, GridTables)
    assert len(tables.cells) == 21
    assert tables.loss_factor == {"initial": (13, 10), "maintenance": (1, 1)}
    assert made.parameters.document()["pmrm1"]["long_discount"]["multiplier"] == "4"


@pytest.mark.parametrize(
    "section",
    [
        {"scenarios": [{"spot": "0", "volatility": "linear"}]},
        {"scenarios": [{"spot": "0.1", "volatility": "up", "damping": "0.5"}]},
        {"scenarios": [{"spot": "2.1", "volatility": "up"}]},
        {"loss_factor": {"initial": "0.9"}},
        {"volatility": {"short_power": "0.6"}},
        {"long_discount": {"base": "1.1"}},
        {"confidence": {"margin": "1.6"}},
        {"peg": {"threshold": "1.1"}},
        {"basis": {"down": "0"}},
        {"base": "1.1"},
    ],
)
def test_numbers_that_the_contracts_refuse_are_refused(section: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="pmrm1"):
        parse_parameters({"pmrm1": section}, "test")


def test_options_whose_premium_is_margined_daily_are_refused() -> None:
    market = tiny_market()
    daily = tuple(
        replace(i, premium="futures-style") if i.kind == "option" else i for i in market.instruments
    )
    with pytest.raises(InputError, match="the rules of PMRM are for options that are paid"):
        Snapshot.build(replace(market, instruments=daily), preset("pmrm1"), domain=64)


def test_rules_of_two_managers_cannot_stand_together() -> None:
    with pytest.raises(InputError, match="pmrm1 and pmrm2 cannot stand together"):
        parse_parameters({"pmrm1": {}, "pmrm2": {}}, "test")
    with pytest.raises(InputError, match=r"pmrm1\.base stands in its place"):
        parse_parameters({"pmrm1": {}, "collateral": {"BTC": {"tiers": []}}}, "test")
