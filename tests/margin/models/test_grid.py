"""PMRM 2: the published cases, direct sums in floating point, and each part by itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from tests.margin.accounts import tiny_market
from tests.margin.derive_cases import (
    EXTREMES,
    RARE,
    account,
    cases,
    collateral,
    document,
    extreme,
    feed,
    option,
    parse,
    published,
)
from tests.margin.pmrm2_formulas import margins
from zkmargin.margin.account.derive_case import import_derive_case
from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.account.report import build_report
from zkmargin.margin.account.requirement import Requirement, requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.parameters.document import parse_parameters, preset
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.units import LEVELS, Level


def usd(found: Requirement) -> float:
    return float(found.excess / 10**found.money_decimals)


def test_published_results() -> None:
    """Excess to 1e-8, every cell to 1e-8 of the largest and of a dollar."""
    for path in published():
        result = json.loads(path.read_text())["Result"]
        made, holdings = import_derive_case(path)
        lots = holdings.vector(made)
        for level, key in zip(LEVELS, ("IM", "MM"), strict=True):
            found = requirement(made, lots, level=level)
            assert usd(found) == pytest.approx(result[key], rel=1e-8), (path.name, level)
        stated = [float(cell[-1]) for part in ("reg", "tail", "skew") for cell in result[f"{part}_losses"]]
        for unit in found.assessment.units:
            cells = [float(profit) / 10**made.money_decimals for profit in unit.profit]
            largest = max(map(abs, stated))
            assert cells == pytest.approx(stated, rel=0, abs=1e-8 * largest + 1e-8), path.name
            contingency = -unit.basis / 10**made.money_decimals
            assert contingency == pytest.approx(result["ForwardContingency"], rel=1e-8, abs=1e-8)


def agrees(case: dict[str, Any]) -> None:
    """The engine against direct sums, as closely as the published results are asked for."""
    expected = margins(case)
    made, lots = account(parse(case))
    unit = 10**made.money_decimals
    held = zip(lots, made.marks.tolist(), made.scale, strict=True)
    # Direct sums are good to the last digits of what they add up.
    noise = 1e-14 * sum(abs(held * mark) * scale for held, mark, scale in held) / unit
    for level in LEVELS:
        found = requirement(made, lots, level=level)
        assert usd(found) == pytest.approx(getattr(expected, level), rel=1e-8, abs=1e-8 + noise)
    for loss in found.assessment.units:
        cells = [float(profit) / unit for profit in loss.profit]
        largest = max(map(abs, expected.cells))
        assert cells == pytest.approx(expected.cells, rel=0, abs=1e-8 * largest + 1e-8 + noise)
        assert -loss.basis / unit == pytest.approx(expected.basis, rel=1e-8, abs=1e-8 + noise)


@settings(max_examples=40, deadline=None)
@given(cases(largest=12))
def test_direct_sums_give_the_same(case: dict[str, Any]) -> None:
    agrees(case)


@pytest.mark.fuzz
@settings(max_examples=1000, deadline=None)
@given(cases())
def test_direct_sums_give_the_same_at_length(case: dict[str, Any]) -> None:
    agrees(case)


@pytest.mark.parametrize("scenario", RARE)
def test_what_is_rare_is_computed_too(scenario: dict[str, Any]) -> None:
    """Expired, about to expire, without volatility or with far too much, unsure feeds, cash that is worth little."""
    agrees(document(**scenario))


@pytest.mark.parametrize("section", EXTREMES)
@pytest.mark.parametrize("side", [0, 1], ids=["least", "most"])
def test_parameters_at_the_ends_of_their_ranges(section: str, side: int) -> None:
    agrees(extreme(section, side))


def test_a_rate_that_leaves_nothing_of_a_price_is_named() -> None:
    case = document([option(157680000, "2700", "-7")], [feed(157680000, rate="10")])
    with pytest.raises(InputError, match="BASE, expiry 2028-11-12T22:13:20Z: rate: '10': by then"):
        account(parse(case))


# What the parts mean --------------------------------------------------------------------------------


def excess(case: dict[str, Any], level: Level = "initial") -> float:
    made, lots = account(parse(case))
    return usd(requirement(made, lots, level=level))


def test_an_option_that_is_named_twice_is_held_once() -> None:
    once = document([option(794852, "2700", "1.5")], [feed(794852)])
    twice = document([option(794852, "2700", "2"), option(794852, "2700", "-0.5")], [feed(794852)])
    assert parse(once).quantities == parse(twice).quantities


def test_the_perpetual_s_confidence_counts_only_while_one_is_held() -> None:
    options, feeds = [option(794852, "2700", "-2")], [feed(794852)]
    without = excess(document(options, feeds, PerpConfidence="0.1"))
    assert without == pytest.approx(excess(document(options, feeds)), rel=1e-12)
    held = excess(document(options, feeds, NumPerps="0.000000001", PerpConfidence="0.1"))
    assert without - held == pytest.approx(2 * 2681.6 * 0.9, abs=1e-4)


def test_risk_cancelling_collateral_moves_with_the_cells() -> None:
    """A covered call: the coin's gain pays the call's loss, and nothing does if the coin cancels no risk."""
    options, feeds = [option(794852, "2700", "-10")], [feed(794852)]
    coin = {"MMHaircut": "0", "IMHaircut": "0", "Price": "2681.6"}
    covered = excess(document(options, feeds, collaterals=[collateral("eth", "10", **coin)]))
    bare = excess(
        document(options, feeds, collaterals=[collateral("eth", "10", **coin, IsRiskCancelling=False)])
    )
    assert covered > bare


def test_below_its_peg_cash_raises_initial_margin_only() -> None:
    options, feeds = [option(794852, "2700", "-2")], [feed(794852)]
    at_peg, below = (document(options, feeds, StablePrice=price) for price in ("0.98", "0.90"))
    assert excess(below) < excess(at_peg)
    assert excess(below, "maintenance") == pytest.approx(excess(at_peg, "maintenance"), rel=1e-12)


def test_the_report_explains_the_worst_cell_position_by_position() -> None:
    """Also where a skew turns an expiry's gain into a loss, and where the short discount counts."""
    options = [option(794852, "2700", "5"), option(3214052, "2600", "-3"), option(3214052, "2700", "2")]
    case = parse(document(options, [feed(794852), feed(3214052)], NumPerps="-1"))
    made, lots = account(case)
    positions = (Position(name, quantity) for name, quantity in case.quantities.items())
    report = build_report(made, Holdings.of(positions, made))
    (unit,) = report.units
    assert len(unit.cells) == 13
    assert -unit.loss == min(-unit.basis, unit.cells[unit.worst].profit)
    shown = sum(position.profit for position in unit.positions)
    assert 0 <= unit.cells[unit.worst].profit - shown <= len(lots)
    document_ = report.to_json()["units"][0]
    assert document_["basis_contingency"] == f"{unit.basis / 10**9:.9f}"


# On a market of a venue -----------------------------------------------------------------------------


def venue(name: str) -> Snapshot:
    return Snapshot.build(tiny_market(), preset(name), domain=64)


def test_a_snapshot_with_buckets_travels_and_follows_from_its_inputs(tmp_path: Path) -> None:
    case = document([option(900, "2700", "1")], [feed(900, confidence="0.3")], NumPerps="1")
    made, _ = account(parse(case))
    made.dump(tmp_path / "snapshot.json")
    again = Snapshot.load(tmp_path / "snapshot.json")
    again.reproduce()
    assert again.id == made.id
    tables = again.models["grid"]
    assert isinstance(tables, GridTables)
    assert not tables.netted


def test_inverse_and_linear_options_share_an_expiry() -> None:
    tables = venue("pmrm2").models["grid"]
    assert isinstance(tables, GridTables)
    (bucket,) = tables.buckets
    assert len(bucket.slots) == 4
    assert tables.units == ("BTC",)


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"scenarios": []}, "pmrm2.scenarios"),
        ({"scenarios": [{"spot": "-1.1", "volatility": "up"}]}, r"pmrm2.scenarios.0.spot: '-1.1'"),
        ({"scenarios": [{"spot": "0", "volatility": "sideways"}]}, "pmrm2.scenarios.0.volatility"),
        ({"peg": {"threshold": "nan"}}, "pmrm2.peg.threshold"),
        ({"confidence": {"threshold": "1.5"}}, "pmrm2.confidence.threshold"),
        ({"skewness": {}}, "pmrm2.skewness: .*unknown key"),
        ({"collaterals": {"BTC": {"haircut": {"maintenance": "0.1"}}}}, "addition: missing"),
    ],
)
def test_wrong_rules_are_named(rules: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse_parameters({"pmrm2": rules}, "params.json")


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(InputError, match="preset: 'nasdaq': use one of default, "):
        preset("nasdaq")
