"""SPAN's engine against SPAN written down a second time, its parameters, and published examples."""

import math
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.margin.span_cases import (
    DAY,
    METHODS,
    MONTHS,
    NOW,
    accounts,
    brute_force,
    commodity,
    inter,
    leg,
    market,
    section,
    sections,
    snapshot,
)
from zkmargin.circuits import Statement
from zkmargin.circuits.statement import CommitmentTerm
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.market import example_market
from zkmargin.margin.market.quotes import Listing, assemble, security_future
from zkmargin.margin.models.span.scenarios import scenarios
from zkmargin.margin.models.span.tables import SpanTables
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level


def tables(made: Snapshot) -> SpanTables:
    found = made.models["span"]
    assert isinstance(found, SpanTables)
    return found


def lots(made: Snapshot, held: Mapping[str, str]) -> list[int]:
    vector = [0] * len(made.universe)
    for name, quantity in held.items():
        slot = made.universe.slot(name)
        vector[slot] = int(Fraction(quantity) / Fraction(made.universe.instruments[slot].lot))
    return vector


def parts(
    made: Snapshot, held: Mapping[str, str], level: Level = "maintenance"
) -> dict[tuple[str, str], Fraction]:
    """Everything in USD by kind and commodity; scanning risk as kind "scan"."""
    found = requirement(made, lots(made, held), model="span", level=level).assessment
    money = 10**made.money_decimals
    amounts = {("scan", unit.unit): Fraction(unit.loss) / money for unit in found.units}
    return amounts | {(c.kind, c.name): Fraction(c.amount) / money for c in found.charges}


def agrees(made: Snapshot, account: list[int], level: Level) -> None:
    found = requirement(made, account, model="span", level=level)
    haircuts = sum(c.amount for c in found.assessment.charges if c.kind == "haircut")
    money = 10**made.money_decimals
    assert (found.requirement - haircuts) / money == brute_force(made, account, level)


@settings(max_examples=40, deadline=None)
@given(st.data(), sections(), st.sampled_from(LEVELS))
def test_the_engine_is_span_written_down_a_second_time(
    data: st.DataObject, drawn: dict[str, Any], level: Level
) -> None:
    made = snapshot(drawn)
    agrees(made, data.draw(accounts(made)), level)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_every_method_of_credit(method: str, data: st.DataObject) -> None:
    made = snapshot(section(method))
    agrees(made, data.draw(accounts(made)), "initial")


@pytest.mark.fuzz
@settings(max_examples=2000, deadline=None)
@given(st.data(), sections(), st.sampled_from(LEVELS))
def test_the_engine_is_span_written_down_a_second_time_at_length(
    data: st.DataObject, drawn: dict[str, Any], level: Level
) -> None:
    made = snapshot(drawn)
    agrees(made, data.draw(accounts(made)), level)


# Risk arrays ----------------------------------------------------------------------------------------


def test_sixteen_scenarios_in_the_published_order() -> None:
    """CME, SPAN methodology: price unchanged, +-1/3, +-2/3, +-1, each with volatility up and down, two extremes."""
    parameters = parse_parameters({"span": section()}, "test").section("span")
    third = Fraction(1, 3)
    moves = [0, third, -third, 2 * third, -2 * third, 1, -1]
    found = scenarios(parameters.commodities[0])
    assert [s.move for s in found] == [m for move in moves for m in (move, move)] + [2, -2]
    assert [s.volatility for s in found] == ["up", "down"] * 7 + ["none", "none"]
    assert [s.cover for s in found] == [1] * 14 + [Fraction("0.35")] * 2


def black(call: bool, forward: float, strike: float, vol: float, years: float) -> tuple[float, float]:
    """Black-76 in floating point: value and delta."""
    s = vol * math.sqrt(years)
    d1 = math.log(forward / strike) / s + s / 2
    n1, n2 = (math.erfc(-d / math.sqrt(2)) / 2 for d in (d1, d1 - s))
    value = forward * n1 - strike * n2
    return (value, n1) if call else (value - forward + strike, n1 - 1)


@pytest.mark.parametrize("name", ["BTC_USD-2026-03-27-C", "ETH_USD-2026-01-30-P"])
def test_risk_array_and_composite_delta_of_an_option(name: str) -> None:
    made = snapshot(section())
    slot = made.universe.slot(name)
    instrument, quote = made.universe.instruments[slot], made.inputs.quotes[slot]
    forward, strike, vol = (float(x or 0) for x in (quote.forward, instrument.strike, quote.volatility))
    years = MONTHS[name[8:18]] / 365
    ahead = years - 1 / 365
    call = bool(instrument.call)
    now, _ = black(call, forward, strike, vol, years)
    expected = []
    for move in (0, 1 / 3, -1 / 3, 2 / 3, -2 / 3, 1, -1):
        for shock in (1.25, 0.75):
            value, _ = black(call, forward * (1 + move * 0.15), strike, vol * shock, ahead)
            expected.append(value - now)
    for extreme in (2, -2):
        value, _ = black(call, forward * (1 + extreme * 0.15), strike, vol, ahead)
        expected.append(0.35 * (value - now))
    assert [r / 10**6 for r in tables(made).risk[:, slot].tolist()] == pytest.approx(expected, abs=2e-6)
    weights = (0.27, 0.217, 0.217, 0.11, 0.11, 0.037, 0.037)
    moves = (0, 1 / 3, -1 / 3, 2 / 3, -2 / 3, 1, -1)
    deltas = [black(call, forward * (1 + m * 0.15), strike, vol, ahead)[1] for m in moves]
    composite = sum(w * d for w, d in zip(weights, deltas, strict=True)) / sum(weights)
    held = tables(made).commodities[made.models["span"].units.index(name[:3])]  # type: ignore[attr-defined]
    period = next(p for p in held.periods if p.label == name[8:18])
    assert period.deltas[period.slots.index(slot)] / 10**6 == pytest.approx(composite, abs=1e-6)


def test_an_inverse_future_counts_in_its_month_and_against_its_coin() -> None:
    made = snapshot(section())
    slot = made.universe.slot("BTC-2026-03-27")
    price = Fraction(made.inputs.quotes[slot].price)
    found = {
        p.label: p.deltas[p.slots.index(slot)] for p in tables(made).commodities[0].periods if slot in p.slots
    }
    per = 10**6 * 10**4
    assert found["spot"] == pytest.approx(float(-per / price), abs=1)
    assert found["2026-03-27"] == pytest.approx(float(per * 88000 / price**2), abs=1)
    assert not any(tables(made).risk[:, slot])


def test_a_price_does_not_fall_below_zero() -> None:
    wide = section(price_scan_range="80%", extreme_cover="1")
    made = snapshot(wide)
    slot = made.universe.slot("BTC_USD-2026-03-27")
    price = Fraction(made.inputs.quotes[slot].price)
    assert tables(made).risk[15, slot] == -price * 10**6


# Published examples -----------------------------------------------------------------------------------


def test_the_futures_of_cme_s_example_portfolio() -> None:
    """CME Group, "SPAN Methodology": S&P 500 futures, contract value 250 USD a point, price scan range 30,000 USD.

    The range is 120 points; a long future gains 10,000, 20,000 and 30,000 USD at 1/3, 2/3 and 3/3 of it. With an
    extreme of three ranges, covered to 33 %, it is 29,700 USD.
    """
    expiry = NOW + 77 * DAY
    contract = security_future("SPH9", "SP", "large-broad-index", expiry=expiry, multiplier=250)
    listed = assemble("CME", NOW, {"SP": Decimal(2790)}, [Listing(contract, Decimal(2790), "row")])
    bare: dict[str, Any] = {
        "intra_spreads": [],
        "delivery": [],
        "extreme_multiple": "3",
        "extreme_cover": "0.33",
    }
    parameters = {"commodities": [commodity("SP", price_scan_range="120", **bare)]}
    made = Snapshot.build(listed, parse_parameters({"span": parameters}, "test"), domain=64)
    gains = [Fraction(int(r), 10**6) for r in tables(made).risk[:, made.universe.slot("SPH9")]]
    ladder = [0, 10000, -10000, 20000, -20000, 30000, -30000]
    assert gains == [g for gain in ladder for g in (gain, gain)] + [29700, -29700]


def test_calendar_spread_arithmetic() -> None:
    """CME's rule for calendar spreads, by hand: 10 long in one tier and 6 short in the other form 6 spreads.

    4 remain long and meet the 3 short of their own tier for 3 more, at the other charge; one delta is left.
    """
    spreads = [
        {"priority": 1, "charge": "200", "legs": [leg("near", "A"), leg("far", "B")]},
        {"priority": 2, "charge": "50", "legs": [leg("near", "A"), leg("near", "B")]},
    ]
    made = snapshot(
        section(
            intra_spreads=spreads,
            delivery=[{"period": "2026-03", "spread_charge": "7", "outright_charge": "11"}],
        )
    )
    held = {"BTC_USD-2026-03-27": "10", "BTC_USD-2026-04-24": "-6", "BTC_USD-2026-01-30": "-3"}
    found = parts(made, held)
    assert found["intra-commodity spread", "BTC"] == 6 * 200 + 3 * 50
    # All but one of March's deltas are within spreads.
    assert found["delivery", "BTC"] == 9 * 7 + 1 * 11


def test_inter_commodity_credit_arithmetic() -> None:
    """CME's rule for credits, by hand: weighted price risk x deltas of the leg x credit rate.

    3 BTC long against 120 ETH short at 1 to 30: three spreads of 90 ETH. By scan range, BTC is credited
    13,200 x 3 x 60 %, ETH 447.6225 x 90 x 60 %. By price risk, futures alone have no other risk: BTC's three deltas
    carry its scanning risk, so that the credit is 60 % of it; of ETH's 120 deltas three quarters are in spreads.
    """
    across = [inter(1, "0.6", ("BTC", None, "A", "1"), ("ETH", None, "B", "30"))]
    held = {"BTC_USD-PERPETUAL": "3", "ETH_USD-PERPETUAL": "-120"}
    bare: dict[str, Any] = {"intra_spreads": [], "delivery": [], "delta_rounding": "1"}
    by_range = parts(snapshot({**section(**bare), "inter_spreads": across}), held)
    assert by_range["inter-commodity credit", "BTC"] == -Fraction(13200) * 3 * Fraction("0.6")
    assert by_range["inter-commodity credit", "ETH"] == -Fraction("447.6225") * 90 * Fraction("0.6")
    normal = parts(snapshot({**section("normal", **bare), "inter_spreads": across}), held)
    assert normal["inter-commodity credit", "BTC"] == -Fraction("0.6") * normal["scan", "BTC"]
    assert float(normal["inter-commodity credit", "ETH"]) == pytest.approx(
        float(-Fraction("0.45") * normal["scan", "ETH"])
    )


def test_a_flat_credit_is_shared_and_priority_decides() -> None:
    across = [
        inter(2, "1", ("BTC", None, "A", "1"), ("ETH", None, "B", "10")),
        {
            "priority": 1,
            "flat_credit": "500",
            "legs": [
                {"commodity": "BTC", "side": "A", "ratio": "1"},
                {"commodity": "ETH", "side": "B", "ratio": "30"},
            ],
        },
    ]
    bare: dict[str, Any] = {"intra_spreads": [], "delivery": []}
    made = snapshot({**section(**bare), "inter_spreads": across})
    found = parts(made, {"BTC_USD-PERPETUAL": "3", "ETH_USD-PERPETUAL": "-60"})
    assert found["inter-commodity credit", "BTC"] == found["inter-commodity credit", "ETH"] == -2 * 250


def test_short_option_minimum_by_both_methods() -> None:
    """2 % of the index for each short option: three calls and two puts, added up or the larger side alone."""
    held = {"BTC_USD-2026-03-27-C": "-3", "BTC_USD-2026-03-27-P": "-2", "USD": "1000"}
    quiet: dict[str, Any] = {
        "price_scan_range": "0",
        "volatility_scan_range": "0",
        "intra_spreads": [],
        "delivery": [],
    }
    amounts = {}
    for method in ("gross", "max"):
        made = snapshot(
            {**section(short_option_method=method, **quiet), "look_ahead_days": "0", "inter_spreads": []}
        )
        amounts[method] = sum(parts(made, held).values())
    assert amounts == {"gross": 5 * Fraction("0.02") * 88000, "max": 3 * Fraction("0.02") * 88000}


def test_option_value_beyond_a_commodity_s_risk_serves_no_other() -> None:
    held = {"BTC_USD-2026-03-27-C": "10", "ETH_USD-PERPETUAL": "100"}
    calm: dict[str, Any] = {"price_scan_range": "2%", "intra_spreads": [], "delivery": []}
    free, capped = (snapshot(section(cap_option_value=cap, **calm)) for cap in (False, True))
    value = Fraction(int(free.marks[free.universe.slot("BTC_USD-2026-03-27-C")]) * 10, 10**6)
    without, found = parts(free, held), parts(capped, held)
    own = sum(amount for (_, name), amount in without.items() if name == "BTC")
    assert value > own
    assert found["option value cap", "BTC"] == value - own
    assert ("option value cap", "ETH") not in found


def test_the_initial_ratio() -> None:
    made = snapshot(section(ratio={"initial": "1.25", "maintenance": "1"}))
    account = lots(made, {"BTC_USD-2026-03-27": "-2", "ETH_USD-PERPETUAL": "11"})
    amounts = [requirement(made, account, model="span", level=level).requirement for level in LEVELS]
    # Each is rounded up to a money unit by itself.
    assert abs(amounts[0] - amounts[1] * Fraction("1.25")) <= 2 * Fraction("1.25")


def test_a_hundred_positions_in_five_milliseconds() -> None:
    made = Snapshot.build(example_market())
    account = [(-1) ** slot * (slot + 1) * 1000 for slot in range(len(made.universe))]
    assert len(account) >= 100
    seconds = []
    for _ in range(9):
        started = perf_counter()
        requirement(made, account, model="span")
        seconds.append(perf_counter() - started)
    assert sorted(seconds)[4] < 0.005


# Parameters -------------------------------------------------------------------------------------------


def without(document: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != key}


def broken(**changes: Any) -> dict[str, Any]:
    return {**section(), **changes}


BAD = {
    "no scan range": (
        broken(commodities=[without(commodity("BTC"), "price_scan_range"), commodity("ETH")]),
        "combined commodity BTC: the price_scan_range is missing",
    ),
    "no volatility scan range": (
        broken(commodities=[commodity("BTC"), without(commodity("ETH"), "volatility_scan_range")]),
        "combined commodity ETH: the volatility_scan_range is missing",
    ),
    "no tier": (
        broken(commodities=[commodity("BTC", tiers=[{"name": "near"}]), commodity("ETH")]),
        "combined commodity BTC, intra-commodity spread 1: the tier 'far' is missing",
    ),
    "no leg": (
        broken(
            commodities=[
                commodity("BTC", intra_spreads=[{"priority": 7, "charge": "1", "legs": [leg("near", "A")]}]),
                commodity("ETH"),
            ]
        ),
        "intra-commodity spread 7: a leg on side B is missing",
    ),
    "no leg across": (
        broken(inter_spreads=[inter(3, "0.5", ("BTC", None, "B", "1"))]),
        "inter-commodity spread 3: a leg on side A is missing",
    ),
    "no commodity": (
        broken(inter_spreads=[inter(3, "0.5", ("BTC", None, "A", "1"), ("SOL", None, "B", "1"))]),
        "inter-commodity spread 3: the combined commodity 'SOL' of a leg is missing",
    ),
    "no tier across": (
        broken(inter_spreads=[inter(3, "0.5", ("BTC", "deep", "A", "1"), ("ETH", None, "B", "1"))]),
        "inter-commodity spread 3: BTC lacks the tier 'deep'",
    ),
    "an underlying without commodity": (
        broken(commodities=[commodity("BTC")], inter_spreads=[]),
        "underlying ETH",
    ),
    "overlapping tiers": (
        broken(
            inter_spreads=[
                inter(1, "0.5", ("BTC", None, "A", "1"), ("ETH", None, "B", "1")),
                inter(2, "0.5", ("BTC", "near", "A", "1"), ("ETH", None, "B", "1")),
            ]
        ),
        "must not overlap",
    ),
    "overlapping legs": (
        broken(
            commodities=[
                commodity(
                    "BTC",
                    intra_spreads=[
                        {
                            "priority": 1,
                            "charge": "1",
                            "legs": [leg("near", "A"), leg("near", "A"), leg("far", "B")],
                        }
                    ],
                ),
                commodity("ETH"),
            ]
        ),
        "its legs on side A overlap",
    ),
    "two ranges for a month": (
        broken(
            commodities=[
                commodity(
                    "BTC",
                    tiers=[
                        {"name": "near", "last": "2026-03", "price_scan_range": "9%"},
                        {"name": "far", "first": "2026-01", "price_scan_range": "8%"},
                    ],
                ),
                commodity("ETH"),
            ]
        ),
        "near and far of BTC",
    ),
    "initial below maintenance": (section(ratio={"initial": "1", "maintenance": "1.1"}), "below maintenance"),
    "two credits": (
        broken(
            inter_spreads=[
                {**inter(1, "0.5", ("BTC", None, "A", "1"), ("ETH", None, "B", "1")), "flat_credit": "1"}
            ]
        ),
        "give either credit_rate or flat_credit",
    ),
    "a size in words": (
        section(short_option_minimum="much"),
        "short_option_minimum: 'much': write a finite decimal number",
    ),
    "a negative size": (section(short_option_minimum="-1"), "from 0"),
    "an unknown key": (broken(commodity=1), "unknown key"),
    "weights of nothing": (broken(delta_weights=["0"] * 7), "all zero"),
    "an array of what is not listed": (
        broken(arrays={"SOL": {"losses": ["0"] * 16, "delta": "1"}}),
        "the universe does not list this instrument",
    ),
    "a short array": (broken(arrays={"BTC": {"losses": ["0"] * 15, "delta": "1"}}), "16"),
    "a month in words": (
        broken(
            commodities=[
                commodity(
                    "BTC", delivery=[{"period": "March", "spread_charge": "1", "outright_charge": "1"}]
                ),
                commodity("ETH"),
            ]
        ),
        "write a month such as 2026-03",
    ),
}


@pytest.mark.parametrize(("document", "words"), BAD.values(), ids=BAD)
def test_what_is_missing_or_wrong_is_named(document: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as refused:
        snapshot(document)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def mutations() -> dict[str, dict[str, Any]]:
    """One change for every parameter that there is."""
    one: dict[str, Any] = {
        "price_scan_range": "14%",
        "volatility_scan_range": "24%",
        "extreme_multiple": "3",
        "extreme_cover": "0.34",
        "tiers": [{"name": "near", "last": "2026-02"}, {"name": "far", "first": "2026-04"}],
        "intra_spreads": [],
        "delivery": [],
        "short_option_minimum": "1%",
        "short_option_method": "max",
        "cap_option_value": True,
        "price_risk": "normal",
        "delta_rounding": "1",
        "ratio": {"initial": "1.2", "maintenance": "1"},
    }
    found = {key: section(**{key: value}) for key, value in one.items()}
    found["credit_rate"] = broken(
        inter_spreads=[inter(1, "0.4", ("BTC", "near", "A", "1"), ("ETH", "near", "B", "30"))]
    )
    found["ratio of a leg"] = broken(
        inter_spreads=[inter(1, "0.5", ("BTC", "near", "A", "1"), ("ETH", "near", "B", "31"))]
    )
    found["look_ahead_days"] = broken(look_ahead_days="2")
    found["delta_weights"] = broken(delta_weights=["1", "0", "0", "0", "0", "0", "0"])
    found["arrays"] = broken(arrays={"BTC": {"losses": ["1"] * 16, "delta": "1"}})
    return found


@pytest.mark.parametrize("document", mutations().values(), ids=mutations())
def test_every_parameter_is_part_of_the_statement(document: dict[str, Any]) -> None:
    digests = []
    for drawn in (section(), document):
        terms = (CommitmentTerm(b"\xc0" + bytes(47)),)
        statement = Statement.about(
            snapshot(drawn), terms, audience="a", nonce="b", model="span", level="initial"
        )
        digests.append(statement.digest)
    assert digests[0] != digests[1]


def test_a_snapshot_travels_and_follows_from_its_parameters(tmp_path: Any) -> None:
    for drawn in (None, section("scan_range_cap")):
        made = snapshot(drawn)
        made.dump(tmp_path / "snapshot.json")
        again = Snapshot.load(tmp_path / "snapshot.json")
        again.reproduce()
        assert again.id == made.id


def test_without_parameters_each_underlying_is_a_commodity() -> None:
    made = snapshot()
    assert tables(made).units == ("BTC", "ETH")
    assert (
        parts(made, {"BTC_USD-2026-03-27": "1", "BTC_USD-2026-04-24": "-1"})["intra-commodity spread", "BTC"]
        == 880
    )


def test_the_example_of_the_documentation() -> None:
    text = (Path(__file__).parents[3] / "docs/models/span.md").read_text()
    example = tomllib.loads(text.split("```toml\n")[1].split("```")[0])
    assert tables(snapshot(example["span"])).spreads


def test_the_market_has_everything_that_the_tests_speak_of() -> None:
    kinds = {(i.kind, i.inverse) for i in market().instruments}
    assert kinds >= {
        ("future", True),
        ("future", False),
        ("option", True),
        ("option", False),
        ("perpetual", True),
    }
