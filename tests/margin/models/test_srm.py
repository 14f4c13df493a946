"""SRM, Derive's standard manager: published results, direct sums, and each part by itself."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from tests.margin.accounts import tiny_market
from tests.margin.derive_cases import account
from tests.margin.manager_accounts import srm_accounts
from tests.margin.published_srm import IN_DOLLARS, WITH_A_SMILE, Published, document, flat
from tests.margin.securities import wide_market
from tests.margin.srm_formulas import margins
from zkmargin.margin.account.requirement import Requirement, requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.derive import parse_derive_case
from zkmargin.margin.parameters.document import parse_parameters, preset
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.rates import RateTables
from zkmargin.margin.units import LEVELS, Level


def ask(case: dict[str, Any], level: Level) -> Requirement:
    made, lots = account(parse_derive_case(case, "case.json"))
    return requirement(made, lots, model="isolated", level=level)


def usd(found: Requirement) -> float:
    return float(found.excess / 10**found.money_decimals)


def charges(case: dict[str, Any], level: Level = "initial") -> dict[tuple[str, str], float]:
    found = ask(case, level)
    unit = 10**found.money_decimals
    return {(charge.kind, charge.name): float(charge.amount / unit) for charge in found.assessment.charges}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("case", WITH_A_SMILE, ids=lambda case: case.name)
def test_published_results(case: Published, level: Level) -> None:
    assert usd(ask(document(case), level)) == pytest.approx(float(getattr(case, level)), rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("case", IN_DOLLARS, ids=lambda case: case.name)
def test_published_results_in_whole_dollars(case: Published, level: Level) -> None:
    found = usd(ask(document(case, dollars=True), level))
    assert int(found + (1e-8 if found > 0 else -1e-8)) == int(getattr(case, level))


@settings(max_examples=60, deadline=None)
@given(srm_accounts())
def test_direct_sums_give_the_same(case: dict[str, Any]) -> None:
    made, lots = account(parse_derive_case(case, "case.json"))
    for level, expected in zip(LEVELS, margins(case["Scenario"]), strict=True):
        found = requirement(made, lots, model="isolated", level=level)
        assert usd(found) == pytest.approx(expected, rel=1e-8, abs=1e-6)


# What the parts mean --------------------------------------------------------------------------------


def test_a_strike_above_all_that_is_held_does_not_count() -> None:
    """An unpaired short call owes more at every higher strike, but only strikes that are held count: listing others
    changes nothing.
    """
    held = flat("ETH 0111 1100 c -1.01, ETH 0111 1200 c 1")
    listed = [*held, *flat("ETH 0111 5000 c 0, ETH 0111 9000 p 0, ETH 0111 1150 p 0")]
    alone, among = (document(Published("", options, "0", "0"), dollars=True) for options in (held, listed))
    for level in LEVELS:
        assert ask(alone, level).excess == ask(among, level).excess


def test_a_held_strike_counts_though_it_is_the_highest() -> None:
    held = flat("ETH 0111 1100 c -1.01, ETH 0111 1200 c 1, ETH 0111 9000 p 0.001")
    case = document(Published("", held, "0", "0"), dollars=True)
    assert usd(ask(case, "initial")) == pytest.approx(margins(case["Scenario"])[0], rel=1e-8)


def test_every_charge_has_its_name() -> None:
    found = charges(document(IN_DOLLARS[-1], dollars=True))
    kinds = {kind for kind, _ in found}
    assert kinds == {"long", "short", "haircut", "confidence", "depeg", "maximum loss"}
    names = {name for kind, name in found if kind == "depeg"}
    assert names == {"ETH, cash at 0.97", "BTC, cash at 0.97"}
    caps = {name: amount for (kind, name), amount in found.items() if kind == "maximum loss"}
    assert "BTC, expiry 2023-11-25T06:13:20Z, settled at 24800" in caps
    assert all(amount < 0 for amount in caps.values())


def test_the_parts_add_up() -> None:
    for case in IN_DOLLARS:
        for level in LEVELS:
            found = ask(document(case, dollars=True), level)
            assert found.requirement == sum(charge.amount for charge in found.assessment.charges)


def test_a_confidence_at_its_threshold_costs_nothing_and_maintenance_never_pays_for_it() -> None:
    short = flat("ETH 0111 2000 c -1")

    def unsure(confidence: str, level: Level) -> float:
        case = document(Published("", short, "0", "0", {}, {"vol": confidence}), dollars=True)
        return sum(amount for (kind, _), amount in charges(case, level).items() if kind == "confidence")

    assert unsure("0.4", "initial") == 0
    assert unsure("0.39", "initial") == pytest.approx(2000 * 0.4 * 0.61)
    assert unsure("0", "maintenance") == 0


def test_initial_margin_counts_less_of_a_coin_where_its_scale_says_so() -> None:
    case = document(Published("", [], "0", "0", {"wETH": "1"}), dollars=True)
    case["Parameters"] = {"srm": {"base": {"factor": "0.8", "initial_scale": "0.9375"}}}
    assert usd(ask(case, "maintenance")) == pytest.approx(1600)
    assert usd(ask(case, "initial")) == pytest.approx(1500)
    case["Parameters"] = {"srm": {"base": {"factor": "0"}}}
    case["Scenario"]["SpotPerpConfidences"][0][0] = 0
    assert usd(ask(case, "initial")) == pytest.approx(0, abs=1e-6)


def test_a_market_may_have_numbers_of_its_own() -> None:
    case = document(Published("", [], "0", "0", {"Perps_ETH": "1", "Perps_BTC": "1"}), dollars=True)
    case["Parameters"] = {
        "srm": {"markets": {"BTC": {"perpetual": {"initial": "0.2", "maintenance": "0.1"}}}}
    }
    found = charges(case)
    assert found["long", "ETH-PERP"] == pytest.approx(2001 * 0.065)
    assert found["long", "BTC-PERP"] == pytest.approx(28020 * 0.2)


def test_cash_in_whole_dollars_counts_as_such_where_the_results_say_so() -> None:
    case = document(next(case for case in WITH_A_SMILE if case.name == "27"))
    stated = parse_derive_case(case, "case.json")
    case["Scenario"]["Cash"] = 10000
    case["Result"]["Cash"] = 10000 * 10**18
    assert parse_derive_case(case, "case.json").quantities["USD"] == stated.quantities["USD"]


def test_any_market_can_have_these_rules() -> None:
    made = Snapshot.build(tiny_market(), preset("srm"), domain=64)
    tables = made.models["isolated"]
    assert isinstance(tables, RateTables)
    assert [expiry.prices for expiry in tables.expiries] == [("0", "52000")]
    again = Snapshot.parse(made.encode(), "again")
    assert again.id == made.id
    assert isinstance(again.models["isolated"], RateTables)
    assert len(again.models["isolated"].expiries) == 1


def test_it_stands_beside_the_rules_of_a_grid() -> None:
    both = parse_parameters({"pmrm2": {}, "srm": {}}, "test")
    made = Snapshot.build(tiny_market(), both, domain=64)
    assert {"grid", "isolated"} <= made.models.keys()
    assert made.parameters.document().keys() >= {"pmrm2", "srm"}


@pytest.mark.parametrize(
    "section",
    [
        {"perpetual": {"initial": "0.1", "maintenance": "0.2"}},
        {"option": {"most": "1.3"}},
        {"option": {"scale": "0.9"}},
        {"option": {"unpaired": {"initial": "3.1", "maintenance": "1"}}},
        {"confidence": {"factor": "1.1"}},
        {"depeg": {"factor": "3.1"}},
        {"base": {"factor": "1.1"}},
    ],
)
def test_numbers_that_the_contract_refuses_are_refused(section: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="srm"):
        parse_parameters({"srm": section}, "test")


def test_what_the_rules_do_not_know_is_refused() -> None:
    market = tiny_market()
    daily = tuple(
        replace(i, premium="futures-style") if i.kind == "option" else i for i in market.instruments
    )
    with pytest.raises(InputError, match="the rules of SRM are for options that are paid"):
        Snapshot.build(replace(market, instruments=daily), preset("srm"), domain=64)
    with pytest.raises(InputError, match="the rules of SRM know coins and what is based on them"):
        Snapshot.build(wide_market(2), preset("srm"), domain=64)
