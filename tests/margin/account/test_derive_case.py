"""Reading portfolio cases: every number finds its place, and what cannot be used is named."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.margin import published_pmrm, published_srm
from tests.margin.derive_cases import account, collateral, document, feed, option, parse
from zkmargin.margin.account.derive_case import import_derive_case
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.derive import parse_derive_case
from zkmargin.margin.parameters.document import DEFAULT_PARAMETERS
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS


def full() -> dict[str, Any]:
    return document(
        [option(794852, "2700", "1.5"), option(794852, "2700.25", "-2", call=False)],
        [feed(794852, rate="-0.01", confidence="0.4")],
        collaterals=[
            collateral("wstETH", "2"),
            collateral("WSTETH", "1", IsRiskCancelling=0),
            collateral("$", "1"),
        ],
        NumPerps="-0.5",
        UnrealisedPerpPNL="7",
        UnrealisedFunding="-3",
        SpotConfidence="0.9",
    )


def test_every_number_finds_its_place() -> None:
    case = parse(full())
    names = [instrument.name for instrument in case.market.instruments]
    assert names == [
        "USD",
        "BASE",
        "WSTETH",
        "WSTETH.2",
        "COIN",
        "BASE-PERP",
        "BASE-20231124T030052-2700-C",
        "BASE-20231124T030052-2700.25-P",
    ]
    assert case.quantities["USD"] == Decimal(1004)
    inputs = case.market.inputs
    assert inputs.indices == {"BASE": "2681.6", "WSTETH": "2800", "WSTETH.2": "2800", "COIN": "2800"}
    assert inputs.confidences["BASE"] == "0.9"
    assert inputs.cash_price == "1.0002"
    (terms,) = inputs.terms
    assert (terms.confidence, terms.fixed) == ("0.4", None)
    assert inputs.quotes[-1].rate == "-0.01"
    rules = case.parameters.pmrm2
    assert rules is not None
    assert [rules.collaterals[name].cancels for name in names[2:5]] == ["BASE", None, "BASE"]
    assert rules.basis.up == Decimal("0.045")
    assert rules.scenarios[0].spot == Decimal("0.12")
    assert case.unknown == ()


def test_gains_and_funding_are_those_of_perpetuals_that_are_held() -> None:
    assert parse(document(UnrealisedPerpPNL="7", UnrealisedFunding="-3")).quantities["USD"] == 1000
    held = document(NumPerps="0.1", UnrealisedPerpPNL="7", UnrealisedFunding="-3")
    assert parse(held).quantities["USD"] == 1004


def test_the_date_of_expiry_says_when_the_case_was_valued() -> None:
    dated = option(794852, "2700", "1") | {"ExiryTs": 1740729600}
    case = parse(document([dated], [feed(794852)]))
    assert case.market.valuation_time == (1740729600 - 794852) * 10**6
    assert case.market.instruments[-1].name == "BASE-20250228T080000-2700-C"


@pytest.mark.parametrize("stamp", [1740729600000, -5, 0])
def test_a_date_of_expiry_that_cannot_be_one_says_nothing(stamp: int) -> None:
    dated = option(794852, "2700", "1") | {"ExiryTs": stamp}
    assert (
        parse(document([dated], [feed(794852)])).market.instruments[-1].name == "BASE-20231124T030052-2700-C"
    )


def test_an_expiry_is_at_most_a_hundred_years_away() -> None:
    with pytest.raises(InputError, match="Expiry: '4000000000': write seconds from the valuation"):
        parse(document([option(4 * 10**9, "2700", "1")], [feed(4 * 10**9)]))


def test_parts_of_a_forward_may_be_stated() -> None:
    entry = feed(900)
    del entry["Forward"]
    parts = entry | {"ForwardFixed": "1300", "ForwardVariable": "1400"}
    stated = parse(document([option(900, "2700", "-1")], [parts]))
    assert stated.market.inputs.terms[0].fixed == "1300"
    assert stated.market.inputs.quotes[-1].forward == "2700"
    half = parse(
        document([option(900, "2700", "-1")], [parts | {"ForwardFixed": "1350", "ForwardVariable": "1350"}])
    )
    averaged = parse(document([option(900, "2700", "-1")], [feed(900)]))
    found = [requirement(made, lots).excess for made, lots in map(account, (half, averaged))]
    assert found[0] == found[1] != requirement(*account(stated)).excess


def test_an_option_at_two_volatilities_is_two_instruments() -> None:
    options = [option(794852, "2700", "1"), option(794852, "2700", "1", vol="0.8")]
    names = list(parse(document(options, [feed(794852)])).quantities)
    assert names[-2:] == ["BASE-20231124T030052-2700-C", "BASE-20231124T030052-2700-C.2"]


def test_numbers_of_floating_point_are_cut_to_eighteen_decimals() -> None:
    written = json.dumps(full()).replace('"2681.6"', "2681.6029850999994").replace('"1.5"', "1.1e-05")
    found = json.loads(written, parse_float=Decimal)
    assert parse(found).market.inputs.indices["BASE"] == "2681.6029850999994"
    assert parse(found).quantities["BASE-20231124T030052-2700-C"] == Decimal("0.000011")


def write(tmp_path: Path, case: dict[str, Any]) -> Path:
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case))
    return path


def results(case: dict[str, Any]) -> dict[str, Any]:
    made, lots = account(parse(case))
    keys = zip(LEVELS, ("IM", "MM"), strict=True)
    excess = {
        key: str(requirement(made, lots, level=level).excess_ticks / Decimal(10**9)) for level, key in keys
    }
    return case | {"Result": excess}


def test_an_unknown_key_is_passed_over_where_the_results_come_out_without_it(tmp_path: Path) -> None:
    case = results(full())
    case["Scenario"]["Options"][0]["Delta"] = 0.5
    made, holdings = import_derive_case(write(tmp_path, case))
    assert made.quantum_decimals == 9
    assert made.universe.domain == 1024
    assert holdings.positions[0].quantity == 1004
    case["Result"]["IM"] = "17"
    with pytest.raises(InputError, match=r"case.json: key: 'Options.Delta': .* for the initial result of 17"):
        import_derive_case(write(tmp_path, case))


def test_an_unknown_key_is_refused_where_nothing_tells_whether_it_matters(tmp_path: Path) -> None:
    case = full()
    case["Parameters"]["Margin"]["RHO"] = "0.5"
    with pytest.raises(InputError, match=r"'Margin\.RHO'"):
        import_derive_case(write(tmp_path, case))


def change(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def apply(case: dict[str, Any]) -> None:
        target: Any = case
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = value

    return apply


@pytest.mark.parametrize(
    ("apply", "reason"),
    [
        (change("Scenario", value=[]), "Scenario: object: list"),
        (change("Parameters", value=None), "Parameters: missing"),
        (change("Scenario", "SpotPrice", value=None), "SpotPrice: missing"),
        (change("Scenario", "SpotPrice", value="much"), "SpotPrice: 'much'"),
        (change("Scenario", "SpotPrice", value=True), "SpotPrice: True"),
        (change("Scenario", "SpotPrice", value="0"), "index: '0'"),
        (change("Scenario", "SpotPrice", value="1e300"), "SpotPrice: '1e300'"),
        (change("Scenario", "Cash", value="NaN"), "Cash: 'NaN'"),
        (change("Scenario", "Cash", value="1e60"), "Cash: '1e60'"),
        (change("Result", value=7), "Result: object: int"),
        (change("Scenario", "Options", value={}), "Options: dict"),
        (change("Scenario", "Options", 0, value=7), r"Options\[0\]: object: int"),
        (change("Scenario", "Options", 0, "Expiry", value=1), r"Options\[0\]: Expiry: '1': add its feed"),
        (change("Scenario", "Options", 0, "IsCall", value="yes"), "IsCall: 'yes': write 1 or 0"),
        (change("Scenario", "Options", 0, "Strike", value="-1"), "strike"),
        (change("Scenario", "Options", 0, "MarkVol", value="-1"), "volatility|mark"),
        (change("Scenario", "Options", 0, "MarkVol", value=None), "MarkVol: missing"),
        (change("Scenario", "OptionFeeds", 0, "Forward", value="0"), "forward"),
        (change("Scenario", "OptionFeeds", 0, "Rate", value="11"), "rate: '11'"),
        (change("Scenario", "OptionFeeds", 0, "RateConfidence", value="-1"), "confidence: '-1'"),
        (change("Scenario", "PerpPrice", value=0), "price: '0'"),
        (change("Parameters", "Margin", value=None), "Margin: missing"),
        (change("Parameters", "Margin", "IM_LOSS_FACTOR", value="-1"), "loss_factor.initial: '-1'"),
        (change("Parameters", "Scenarios", 0, "VolShockDirection", value="Sideways"), "'Sideways'"),
        (change("Parameters", "Scenarios", value=[]), "scenarios"),
        (
            change("Scenario", "Collaterals", 0, "Amount", value="-1"),
            r"Amount: '-1': collateral is never owed",
        ),
    ],
)
def test_what_cannot_be_used_is_named(apply: Callable[[dict[str, Any]], None], reason: str) -> None:
    case = full()
    apply(case)
    with pytest.raises(InputError, match=reason) as caught:
        account(parse(case))
    assert "case.json" in str(caught.value) or "holdings" in str(caught.value)


def cell(spot: str, move: str) -> dict[str, Any]:
    return {"SpotShock": spot, "VolShockDirection": move, "DampeningFactor": 1}


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("Margin", "IM_LOSS_FACTOR", "0.49"),
        ("Margin", "MM_LOSS_FACTOR", "0.09"),
        ("Margin", "IM_LOSS_FACTOR", "10.1"),
        ("Margin", "BASE_STATIC_DISCOUNT_NEG", "4.1"),
        ("Margin", "SHORT_RATE_MULTSCALE", "10.1"),
        ("Margin", "LONG_RATE_ADDSCALE", "10.1"),
        ("VolShock", "SHORTTERMPOWER", "-0.1"),
        ("VolShock", "VOLRANGEDOWN", "10.1"),
        ("VolShock", "DTE_FLOOR", "401"),
        ("VolShock", "MIN_VOL_EVAL_SHOCKED", "20.1"),
        ("SkewShock", "LINEAR_SCALE_CAP", "10.1"),
        ("SkewShock", "ABS_CBASE", "-10.1"),
        ("SkewShock", "MIN_WIDTH_SCALE", "10.1"),
        ("SkewShock", "VOL_PARAM_SCALE", "20.1"),
        ("BasisContingency", "SCENARIO_SPOT_UP", "1"),
        ("BasisContingency", "SCENARIO_SPOT_UP", "3"),
        ("BasisContingency", "SCENARIO_SPOT_DOWN", "1"),
        ("BasisContingency", "BASIS_CONT_MULT_FACTOR", "20.1"),
        ("OtherContingency", "PEG_LOSS_FACTOR", "10.1"),
        ("OtherContingency", "CONF_MARGIN", "20.1"),
        ("OtherContingency", "MM_PERP_PERCENT", "3.1"),
        ("OtherContingency", "IM_OPTION_PERCENT", "2.1"),
    ],
)
def test_numbers_that_the_contracts_refuse_are_refused(section: str, key: str, value: str) -> None:
    with pytest.raises(InputError, match=r"case\.json, Parameters: pmrm2"):
        parse(document(parameters={section: {key: value}}))


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ([cell("1.01", "LINEAR")], "the linear skew cell has no move of spot"),
        ([cell("0.99", "ABS")], "the absolute skew cell has no move of spot"),
        ([cell("1", "ABS"), cell("1", "ABS")], "two absolute skew cells; keep one"),
        ([cell("1", "LINEAR"), cell("1", "ABS"), cell("1", "LINEAR")], "two linear skew cells; keep one"),
        ([cell("1", "Up")] * 41, "scenarios"),
    ],
)
def test_scenarios_that_the_contract_refuses_are_refused(cells: list[dict[str, Any]], reason: str) -> None:
    case = document()
    case["Parameters"]["Scenarios"] = cells
    with pytest.raises(InputError, match=reason):
        parse(case)


def test_a_haircut_takes_at_most_all_of_a_coin() -> None:
    whole = collateral("x", "1", MMHaircut="0.75", IMHaircut="0.25")
    parse(document(collaterals=[whole]))
    parse(document(collaterals=[whole | {"MMHaircut": "0.95", "IMHaircut": "0.05000000000000004"}]))
    with pytest.raises(InputError, match=r"haircut: .* come to 1\.01; at most 1 together"):
        parse(document(collaterals=[whole | {"IMHaircut": "0.26"}]))


@pytest.mark.parametrize("rate", ["-1.2", "-9.3", "0"])
def test_a_rate_below_zero_counts_as_zero(rate: str) -> None:
    def made(rate: str) -> Any:
        options = [option(31536000 * 7, "2700", "-1.5")]
        return account(parse(document(options, [feed(31536000 * 7, rate=rate)])))

    stated, at_zero = made(rate), made("0")
    for level in LEVELS:
        assert requirement(*stated, level=level).excess == requirement(*at_zero, level=level).excess


def test_a_rate_that_no_discount_can_hold_is_named_where_it_counts() -> None:
    """PMRM 2 counts it as zero; the grid's own rules discount by it."""
    case = parse(document([option(31536000 * 7, "2700", "-1")], [feed(31536000 * 7, rate="-9.3")]))
    with pytest.raises(
        InputError, match=r"expiry 2030-11-12.*: rate: '-9\.3': so low a rate has no discount"
    ):
        Snapshot.build(case.market, DEFAULT_PARAMETERS, quantum_decimals=9, only=("grid",))


def test_two_feeds_of_one_expiry_must_say_the_same() -> None:
    assert parse(document([], [feed(900), feed(900)])).market == parse(document([], [feed(900)])).market
    with pytest.raises(InputError, match="occurs twice, and they differ; keep one feed"):
        parse(document([], [feed(900), feed(900, forward="2701")]))


def sizes(**scenario: Any) -> dict[str, tuple[int, int]]:
    instruments = parse(document(**scenario)).market.instruments
    return {
        instrument.name: (instrument.lot_exponent, instrument.contract_exponent) for instrument in instruments
    }


def test_lots_are_billionths_unless_too_much_is_held() -> None:
    assert sizes(Cash="2e9")["USD"] == (-9, 0)
    assert sizes(Cash="5e9")["USD"] == (-8, 0)
    assert sizes(NumPerps="1e6", SpotPrice="95000", PerpPrice="95000")["USD"] == (-7, 0)
    held = sizes(collaterals=[collateral("pepe", "5e10", Price="0.00001")])
    assert held["PEPE"] == (-7, 5)
    assert parse(document(Cash="5000000000.000000004")).quantities["USD"] == 5 * 10**9


def test_a_quantity_with_more_places_is_counted_in_finer_lots() -> None:
    options = [option(900, "2700", "1"), option(900, "2800", "-1.123456789012345678")]
    fine = parse(document(options, [feed(900)]))
    assert {i.name: i.lot_exponent for i in fine.market.instruments}["USD"] == -9
    assert {i.lot_exponent for i in fine.market.instruments[1:]} == {-12}
    assert list(fine.quantities.values())[-1] == Decimal("-1.123456789012")
    much = document([*options, option(900, "2600", "1e9")], [feed(900)])
    assert {i.lot_exponent for i in parse(much).market.instruments} == {-9}


def test_what_is_cheap_is_counted_by_larger_contracts() -> None:
    coins = [collateral(name, "1", Price=price) for name, price in (("usdt", "1"), ("wbtc", "95000"))]
    held = sizes(options=[option(900, "2700", "1")], feeds=[feed(900)], NumPerps="1", collaterals=coins)
    assert [contract for _, contract in held.values()] == [0, 2, 3, 1, 2, 2]
    dear = sizes(
        collaterals=[
            collateral("usdt", "1e6", Price="1"),
            collateral("wbtc", "1e6", Price="95000", Confidence="1"),
        ]
    )
    assert dear["USDT"] == (-9, 1)


def test_results_may_state_one_level_only(tmp_path: Path) -> None:
    case = results(full())
    case["Scenario"]["Delta"] = 0.5
    del case["Result"]["MM"]
    import_derive_case(write(tmp_path, case))
    del case["Result"]["IM"]
    with pytest.raises(InputError, match="add the results"):
        import_derive_case(write(tmp_path, case))


# Cases of the other managers ------------------------------------------------------------------------


def lists() -> dict[str, Any]:
    return published_pmrm.document(published_pmrm.VERIFIED[13])


def test_a_case_in_the_form_of_pmrm_2_may_have_the_rules_of_another_manager() -> None:
    """The same account in either form comes to the same."""
    stated = lists()["Scenario"]
    entry = option(500400, "1500", "-1", vol="1.04788449408498624")
    feeds = feed(500400, "1500.833279310993817600", "0.03")
    case = document([entry], [feeds], Cash="0", SpotPrice="1500", StablePrice="1", Base="1")
    case["Parameters"] = {"pmrm1": {}}
    assert stated["OptionAmounts"] == [-(10**18)]
    for level in LEVELS:
        one, other = (requirement(*account(parse(x)), level=level) for x in (case, lists()))
        assert float(one.excess) / 10**one.money_decimals == pytest.approx(
            float(other.excess) / 10**other.money_decimals, abs=1e-9
        )
    case["Parameters"] = {"srm": {}}
    found = parse(case)
    assert found.model == "isolated"
    assert found.quantities["BASE"] == 1
    case["Parameters"] = {"srm": {"deposit": {}}}
    with pytest.raises(InputError, match=r"case\.json, Parameters: srm\.deposit"):
        parse(case)


def test_a_base_amount_is_unknown_to_pmrm_2() -> None:
    assert parse(document(Base="1")).unknown == ("Scenario.Base",)


def test_an_action_of_a_liquidation_is_a_case() -> None:
    portfolio = lists()["Scenario"]
    actions = [
        {"Time": 0, "PortfolioAndFeeds": portfolio, "Results": {"PreMM": 1185334799584450347008}},
        {"Time": 30, "PortfolioAndFeeds": portfolio | {"Base": 0}, "Results": {}},
    ]
    held = {"Test1": {"InitialPortfolio": portfolio, "Actions": actions}}
    first = parse_derive_case(held, "case.json", "Test1/0")
    made, lots = account(first)
    excess = requirement(made, lots, level="maintenance").excess / 10**made.money_decimals
    assert float(excess) == pytest.approx(float(first.excess["maintenance"]), rel=1e-8)
    second = parse_derive_case(held, "case.json", "Test1/1")
    assert second.excess == {}
    assert second.quantities["BASE"] == 0
    with pytest.raises(InputError, match="it holds Test1/0, Test1/1"):
        parse_derive_case(held, "case.json")


@pytest.mark.parametrize(
    ("apply", "reason"),
    [
        (change("Scenario", "OptionStrikes", value=[]), "lists: Expiry 1, Strike 0"),
        (change("Scenario", "OptionStrikes", value=7), "OptionStrikes: int: write a list"),
        (change("Scenario", "OptionStrikes", 0, value="x"), "OptionStrikes: 'x': write an integer of 10"),
        (change("Scenario", "OptionStrikes", 0, value=True), "OptionStrikes: True: write an integer"),
        (change("Scenario", "OptionStrikes", 0, value=Decimal("1.5")), "write an integer of 10"),
        (change("Scenario", "OptionStrikes", 0, value=10**60), "write an integer of 10"),
        (
            change("Scenario", "OptionExpiries", 0, value="soon"),
            "OptionExpiries: 'soon': write whole seconds",
        ),
        (change("Scenario", "Rates", value=None), "Rates: missing"),
        (change("Scenario", "SpotPrice", value=None), "SpotPrice: missing"),
        (change("Scenario", "Base", value=-1), "a base asset is never owed"),
        (change("Parameters", value={"pmrm1": {"base": "2"}}), r"Parameters: pmrm1\.base"),
        (change("Parameters", value=[]), "case.json, Parameters"),
    ],
)
def test_what_cannot_be_used_of_a_case_in_lists_is_named(
    apply: Callable[[dict[str, Any]], None], reason: str
) -> None:
    case = lists()
    apply(case)
    with pytest.raises(InputError, match=reason) as caught:
        parse(case)
    assert "case.json" in str(caught.value)


@pytest.mark.parametrize(
    ("apply", "reason"),
    [
        (change("Scenario", "OptionUnderlying", 0, value="SOL"), "coin: 'SOL': write one of ETH, BTC"),
        (change("Scenario", "SpotPerpConfidences", value=[[1]]), "SpotPerpConfidences: 1 entries"),
        (change("Scenario", "wETH", value=-1), "wETH: .* a base asset is never owed"),
        (change("Scenario", "USDCValue", value=0), "cash_price: '0'"),
    ],
)
def test_what_cannot_be_used_of_a_case_of_the_standard_manager_is_named(
    apply: Callable[[dict[str, Any]], None], reason: str
) -> None:
    case = published_srm.document(published_srm.WITH_A_SMILE[18])
    apply(case)
    with pytest.raises(InputError, match=reason):
        parse(case)


def test_an_unknown_key_of_a_case_in_lists_matters_unless_the_results_come_out(tmp_path: Path) -> None:
    case = lists()
    case["Scenario"]["Delta"] = 1
    assert parse(case).unknown == ("Scenario.Delta",)
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case))
    import_derive_case(path)
    case["Result"]["InitialMarginHand"] = 0
    path.write_text(json.dumps(case))
    with pytest.raises(InputError, match=r"'Scenario\.Delta'"):
        import_derive_case(path)
