"""TIMS: the requirement against a plain second reckoning, published examples, and what is refused."""

import json
import math
import time
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.margin.securities import (
    NESTED,
    NOW,
    RATE,
    SECTIONS,
    Option,
    Underlying,
    accounts,
    market,
    sections,
    snapshot,
    wide_market,
)
from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.account.report import build_report
from zkmargin.margin.account.requirement import Requirement, requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.market import example_market
from zkmargin.margin.models.tims.tables import TimsTables
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS

ACME = Underlying("ACME", "equity", Decimal(75))
BIG = Underlying("BIG", "large-broad-index", Decimal(6800), future=True)
SMALL = Underlying("SMALL", "broad-index", Decimal(2400), future=True)


def ask(made: Snapshot, *rows: tuple[str, str], level: str = "initial") -> Requirement:
    holdings = Holdings.of([Position(name, Decimal(quantity)) for name, quantity in rows], made)
    return requirement(
        made, holdings.vector(made), model="tims", level="initial" if level == "initial" else "maintenance"
    )


def usd(found: Requirement) -> Fraction:
    return found.requirement / int(10**found.money_decimals)


def tables_of(made: Snapshot) -> TimsTables:
    tables = made.models["tims"]
    assert isinstance(tables, TimsTables)
    return tables


# Published ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "percents"),
    [
        ("equity", (-15, -12, -9, -6, -3, 3, 6, 9, 12, 15)),
        ("etf", (-15, -12, -9, -6, -3, 3, 6, 9, 12, 15)),
        ("narrow-index", (-15, -12, -9, -6, -3, 3, 6, 9, 12, 15)),
        ("broad-index", (-10, -8, -6, -4, -2, 2, 4, 6, 8, 10)),
        ("large-broad-index", (-8, -6.4, -4.8, -3.2, -1.6, 1.2, 2.4, 3.6, 4.8, 6)),
    ],
)
def test_valuation_points_of_the_rule(kind: Any, percents: tuple[float, ...]) -> None:
    """FINRA Rule 4210(g)(2)(F): ten equidistant points, five to either end of the range."""
    option = Option(Decimal(80), call=True)
    made = snapshot(market(Underlying("X", kind, Decimal(75), (option,))))
    moves = tuple(float(move) * 100 for move in tables_of(made).classes[0].moves)
    assert moves == pytest.approx(percents, abs=1e-12)


def test_a_thousand_shares() -> None:
    """1,000 shares at 75 USD under +15 %/-15 % need 11,250 USD: D. Saelinger, Capiche: Portfolio Margin
    Part 4, thinkMoney, 2 October 2017.
    """
    assert usd(ask(snapshot(market(ACME)), ("ACME", "1000"))) == 11250
    assert usd(ask(snapshot(market(ACME)), ("ACME", "-1000"))) == 11250


def test_a_long_straddle_needs_no_more_than_it_costs() -> None:
    """Ten straddles at 75 for 3 and 2.75 USD: the most that can be lost is 5,750 USD (same article)."""
    options = (
        Option(Decimal(75), call=True, days=33, price=Decimal(3), volatility=Decimal("0.33325")),
        Option(Decimal(75), call=False, days=33, price=Decimal("2.75"), volatility=Decimal("0.3056")),
    )
    made = snapshot(market(Underlying("ACME", "equity", Decimal(75), options)))
    found = ask(made, ("ACME-0", "10"), ("ACME-1", "10"))
    assert found.account_value == 5750 * 10**found.money_decimals
    assert 0 < usd(found) < 5750


@pytest.mark.parametrize(
    ("quantity", "mark", "expected"),
    [
        ("10", "2.5", "375"),
        ("-10", "2.5", "375"),
        ("10", "0.2", "200"),
        ("-10", "0.2", "375"),
        ("10", "0", "0"),
    ],
)
def test_the_minimum_per_contract(quantity: str, mark: str, expected: str) -> None:
    """FINRA Rule 4210(g)(7): 0.375 USD times the multiplier for each contract, and for long ones no more than
    their market value. A far strike has no risk within the range.
    """
    far = Option(Decimal(900), call=True, days=7, price=Decimal(mark), volatility=Decimal("0.1"))
    made = snapshot(market(Underlying("ACME", "equity", Decimal(75), (far,))))
    assert usd(ask(made, ("ACME-0", quantity))) == Decimal(expected)


def test_the_greater_of_loss_and_minimum() -> None:
    made = snapshot(
        market(
            BIG,
            Underlying(
                "ACME",
                "equity",
                Decimal(75),
                (Option(Decimal(900), call=True, days=7, volatility=Decimal("0.1")),),
            ),
        )
    )
    found = ask(made, ("BIG-F", "1"), ("ACME-0", "-1000"))
    assert usd(found) == Decimal("37518.75")
    (charge,) = found.assessment.charges
    assert charge.kind == "minimum"
    assert Fraction(charge.amount, 10**found.money_decimals) == Fraction(Decimal("37518.75")) - Fraction(
        6801 * 50 * 8, 100
    )


# Classes and groups ---------------------------------------------------------------------------------


def test_a_class_nets_in_full() -> None:
    section = {"classes": {"LARGE": {"underlyings": ["BIG", "FUND"], "range": "large-broad-index"}}}
    fund = Underlying("FUND", "etf", Decimal("680.1"))
    made = snapshot(market(BIG, fund), section)
    assert usd(ask(made, ("BIG-F", "1"), ("FUND", "-500"))) == Decimal("18.75")
    apart = snapshot(market(BIG, fund))
    assert usd(ask(apart, ("BIG-F", "1"), ("FUND", "-500"))) == Fraction(6801 * 50 * 8, 100) + Fraction(
        68010 * 75, 100
    )


@pytest.mark.parametrize("percent", [0, 35, 90, 100])
def test_a_group_lets_a_part_of_the_gains_count(percent: int) -> None:
    """Long one index, short the other: at the first point the one loses 8 % and the other gains 10 %, at the
    last one gains 6 % and the other loses 10 %.
    """
    offset = Fraction(percent, 100)
    made = snapshot(
        market(BIG, SMALL),
        {"groups": {"broad": {"members": ["BIG", "SMALL"], "offset": str(Decimal(percent) / 100)}}},
    )
    big, small = 6801 * 50, 2401 * 50
    falls = Fraction(8 * big, 100) - offset * Fraction(10 * 3 * small, 100)
    rises = Fraction(30 * small, 100) - offset * Fraction(6 * big, 100)
    assert usd(ask(made, ("BIG-F", "1"), ("SMALL-F", "-3"))) == max(falls, rises, Fraction(75))


def test_groups_nest() -> None:
    """What a group gains over its members counts in part once more in the group above."""
    section = {
        "groups": {
            "upper": {"members": ["lower", "ACME"], "offset": "0.5"},
            "lower": {"members": ["BIG", "SMALL"], "offset": "0.9"},
        }
    }
    made = snapshot(market(BIG, SMALL, ACME), section)
    found = ask(made, ("BIG-F", "-1"), ("SMALL-F", "1"), ("ACME", "1000"))
    gain = Fraction(9, 10) * Fraction(8 * 6801 * 50, 100) - Fraction(10 * 2401 * 50, 100)
    first = Fraction(75000 * 15, 100) - Fraction(1, 2) * gain
    last = (
        Fraction(6 * 6801 * 50, 100)
        - Fraction(9, 10) * Fraction(10 * 2401 * 50, 100)
        - Fraction(1, 2) * 11250
    )
    assert usd(found) == max(first, last)
    assert [unit.unit for unit in found.assessment.units] == ["upper"]


def test_factors_by_level() -> None:
    made = snapshot(market(ACME), {"factor": {"initial": "1.25", "maintenance": "1.1"}})
    assert usd(ask(made, ("ACME", "1000"))) == 11250 * Fraction(5, 4)
    assert usd(ask(made, ("ACME", "1000"), level="maintenance")) == 11250 * Fraction(11, 10)


# A plain second reckoning ---------------------------------------------------------------------------


def black(spot: float, o: Option) -> float:
    """Black's formula on a forward at the price, by the error function."""
    years = o.days / 365
    strike, deviation = float(o.strike), float(o.volatility) * math.sqrt(years)
    upper = math.log(spot / strike) / deviation + deviation / 2
    n1, n2 = (math.erfc(-d / math.sqrt(2)) / 2 for d in (upper, upper - deviation))
    call = spot * n1 - strike * n2
    return math.exp(-float(RATE) * years) * (call if o.call else call - spot + strike)


def plain(made: Snapshot, section: Mapping[str, Any], lots: list[int], level: str) -> float:
    """The requirement in USD by names and floats, from the market and the section alone."""
    ends = {
        "equity": (0.15, 0.15),
        "etf": (0.15, 0.15),
        "broad-index": (0.1, 0.1),
        "large-broad-index": (0.08, 0.06),
    }
    classes = {name: list(given["underlyings"]) for name, given in section.get("classes", {}).items()}
    listed = [name for names in classes.values() for name in names]
    kinds = {i.underlying: i.security for i in made.universe.instruments if i.security}
    classes |= {name: [name] for name in kinds if name not in listed}
    reach: dict[str, tuple[float, float]] = {}
    for name in classes:
        given = section.get("classes", {}).get(name, {}).get("range", kinds.get(name))
        reach[name] = (float(given["down"]), float(given["up"])) if isinstance(given, dict) else ends[given]
    groups = section.get("groups", {})
    inner = {member for group in groups.values() for member in group["members"]}

    def holdings_of(name: str) -> list[int]:
        if name in groups:
            return [slot for member in groups[name]["members"] for slot in holdings_of(member)]
        return [s for s, i in enumerate(made.universe.instruments) if i.underlying in classes[name]]

    def change(slot: int, move: float) -> float:
        instrument, quote = made.universe.instruments[slot], made.inputs.quotes[slot]
        if instrument.kind != "option":
            return float(quote.price) * instrument.multiplier * move
        days = ((instrument.expiry or 0) - NOW) // 86_400_000_000
        o = Option(
            Decimal(instrument.strike or 0),
            bool(instrument.call),
            days,
            volatility=Decimal(quote.volatility or 0),
        )
        spot = float(made.inputs.indices[instrument.underlying])
        return (black(spot * (1 + move), o) - black(spot, o)) * instrument.multiplier

    def profit(name: str, point: int) -> float:
        if name in groups:
            parts = [profit(member, point) for member in groups[name]["members"]]
            return sum(x if x < 0 else float(groups[name]["offset"]) * x for x in parts)
        down, up = reach[name]
        move = (
            -down,
            -0.8 * down,
            -0.6 * down,
            -0.4 * down,
            -0.2 * down,
            0.2 * up,
            0.4 * up,
            0.6 * up,
            0.8 * up,
            up,
        )[point]
        return sum(lots[slot] * change(slot, move) for slot in holdings_of(name) if lots[slot])

    def least(name: str) -> float:
        total = 0.0
        for slot in holdings_of(name):
            instrument, price = made.universe.instruments[slot], float(made.inputs.quotes[slot].price)
            if instrument.kind != "share":
                per_unit = float(section.get("minimum", "0.375"))
                per_unit = min(per_unit, price) if lots[slot] > 0 else per_unit
                total += abs(lots[slot]) * per_unit * instrument.multiplier
        return total

    top = [name for name in (*classes, *groups) if name not in inner]
    losses = {name: max(0.0, *(-profit(name, point) for point in range(10))) for name in top}
    if section.get("minimum_scope") == "group":
        amount = sum(max(losses[name], least(name)) for name in top)
    else:
        amount = max(sum(losses.values()), sum(least(name) for name in top))
    return amount * float(section.get("factor", {}).get(level, 1))


def agree(section: Mapping[str, Any], lots: list[int], made: Snapshot) -> None:
    for level in LEVELS:
        found = requirement(made, lots, model="tims", level=level)
        # Risk is rounded to a millionth of a dollar for each contract.
        rounding = 1e-6 * sum(map(abs, lots[1:])) + 1e-4
        assert float(usd(found)) == pytest.approx(plain(made, section, lots, level), rel=1e-9, abs=rounding)


@settings(max_examples=20, deadline=None)
@given(st.data(), sections())
def test_requirements_are_those_of_the_plain_reckoning(data: st.DataObject, section: dict[str, Any]) -> None:
    made = snapshot(wide_market(7), section)
    agree(section, data.draw(accounts(made)), made)


@pytest.mark.fuzz
@settings(max_examples=1000, deadline=None)
@given(st.data(), sections())
def test_many_requirements_are_those_of_the_plain_reckoning(
    data: st.DataObject, section: dict[str, Any]
) -> None:
    made = snapshot(wide_market(), section)
    agree(section, data.draw(accounts(made)), made)


@pytest.mark.parametrize("name", SECTIONS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_netting_never_asks_for_more(name: str, data: st.DataObject) -> None:
    """Convex: two accounts put together need no more than both by themselves, levels and groups as they are."""
    made = named(name)
    one, other = data.draw(accounts(made)), data.draw(accounts(made))
    both = [a + b for a, b in zip(one, other, strict=True)]
    parts = [requirement(made, lots, model="tims").requirement for lots in (one, other)]
    assert requirement(made, both, model="tims").requirement <= sum(parts)


_MADE: dict[str, Snapshot] = {}


def named(name: str) -> Snapshot:
    if name not in _MADE:
        _MADE[name] = snapshot(wide_market(), SECTIONS[name])
    return _MADE[name]


def test_more_of_the_gains_never_asks_for_more() -> None:
    asked = []
    for percent in (0, 30, 60, 90, 100):
        groups = {"all": {"members": ["BIG", "SMALL", "ACME"], "offset": str(Decimal(percent) / 100)}}
        made = snapshot(wide_market(), {"groups": groups})
        asked.append(usd(ask(made, ("BIG-F", "3"), ("SMALL-F", "-7"), ("ACME-3", "50"), ("ACME", "800"))))
    assert asked == sorted(asked, reverse=True)
    assert asked[0] > asked[-1]


# Parameters -----------------------------------------------------------------------------------------


def grouped(**members: list[str]) -> dict[str, Any]:
    return {"groups": {name: {"members": found, "offset": "0.5"} for name, found in members.items()}}


@pytest.mark.parametrize(
    ("section", "told"),
    [
        (grouped(a=["a"]), "'a in a': a cycle of groups"),
        (grouped(a=["b"], b=["c"], c=["a"]), "'a in c in b in a': a cycle of groups"),
        (grouped(top=["a"], a=["ACME", "b"], b=["a"]), "group top has it already"),
        (grouped(a=["NONE"]), "'NONE': unknown; name a class or another group"),
        (grouped(a=["BIG", "BIG"]), "group a has it already"),
        (grouped(a=["BIG"], b=["BIG"]), "group a has it already"),
        (grouped(BIG=["ACME"]), "a class has this name"),
        (grouped(a=[]), "groups.a.members"),
        ({"groups": {"a": {"members": ["BIG"], "offset": "0.1234567"}}}, "at most 6 decimal places"),
        ({"factor": {"initial": "1.1234567890123", "maintenance": "1"}}, "at most 12 decimal places"),
        ({"groups": {"a": {"members": ["BIG"], "offset": "1.01"}}}, "groups.a.offset"),
        ({"groups": {"a": {"members": ["BIG"], "offset": "-0.1"}}}, "groups.a.offset"),
        ({"groups": {"a": {"members": ["BIG"], "offset": "NaN"}}}, "groups.a.offset"),
        ({"groups": {"a": {"members": ["BIG"]}}}, "groups.a.offset"),
        ({"classes": {"a": {"underlyings": ["GONE"]}}}, "class a: 'GONE': the market has no price of it"),
        ({"classes": {"a": {"underlyings": ["BIG"]}, "b": {"underlyings": ["BIG"]}}}, "class a lists it already"),
        ({"classes": {"BIG": {"underlyings": ["ACME"]}}}, "it does not list BIG"),
        ({"classes": {"a": {"underlyings": ["BIG", "ACME"]}}}, "range of class a: 'equity, large-broad-index'"),
        ({"classes": {"a": {"underlyings": ["BIG"], "range": "huge"}}}, "classes.a.range"),
        ({"classes": {"a": {"underlyings": ["BIG"], "range": {"down": "0.1"}}}}, "classes.a.range"),
        ({"classes": {"a": {"underlyings": ["BIG"], "range": {"down": "0", "up": "0.1"}}}}, "classes.a.range"),
        ({"classes": {"a": {"underlyings": ["BIG"], "range": {"down": "1", "up": "0.1"}}}}, "classes.a.range"),
        ({"ranges": {"equity": {"down": "0.2"}}}, "ranges.equity.up"),
        ({"ranges": {"bond": {"down": "0.2", "up": "0.2"}}}, "ranges.bond"),
        ({"ranges": 3}, "ranges"),
        ({"minimum": "-1"}, "minimum"),
        ({"minimum_scope": "class"}, "minimum_scope"),
        ({"factor": {"initial": "1", "maintenance": "1.1"}}, "below maintenance"),
        ({"points": 12}, "points"),
    ],
)  # fmt: skip
def test_parameters_that_do_not_work_out(section: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as refused:
        snapshot(market(ACME, BIG), section)
    assert told in str(refused.value)


def test_kinds_that_are_left_out_keep_their_ranges() -> None:
    made = snapshot(market(ACME, BIG), {"ranges": {"equity": {"down": "0.3", "up": "0.2"}}})
    assert [(c.name, c.moves[0], c.moves[-1]) for c in tables_of(made).classes] == [
        ("ACME", "-0.3", "0.2"),
        ("BIG", "-0.08", "0.06"),
    ]


def test_one_underlying_is_of_one_kind() -> None:
    options = (Option(Decimal(80), call=True),)
    strange = Underlying("ACME", "narrow-index", Decimal(75), options)
    with pytest.raises(InputError, match="another instrument says that ACME is equity"):
        snapshot(market(ACME, strange))


def test_markets_of_coins_have_no_tims() -> None:
    made = Snapshot.build(example_market())
    assert "tims" not in made.models
    with pytest.raises(InputError, match="'tims': the snapshot has cross"):
        requirement(made, [0] * len(made.universe), model="tims")


# Tables and speed -----------------------------------------------------------------------------------


def test_a_snapshot_travels_with_its_tables(tmp_path: Path) -> None:
    made = named("nested")
    made.dump(tmp_path / "s.json")
    loaded = Snapshot.load(tmp_path / "s.json")
    loaded.reproduce()
    assert loaded.id == made.id
    assert tables_of(loaded).groups == tables_of(made).groups


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"class_of": [9] * 58}, "names a class that is not listed"),
        ({"class_of": [0]}, "must have 58"),
        ({"minimum_long": [0]}, "must have 58"),
        ({"risk": [[0] * 58] * 9}, "must have 10"),
        ({"groups": [{"name": "a", "members": [4], "offset": [1, 1]}]}, "must be of earlier numbers"),
        ({"groups": [{"name": "a", "members": [0, 0], "offset": [1, 1]}]}, "must be of earlier numbers"),
        ({"groups": [{"name": "a", "members": [0], "offset": [2, 1]}]}, "must not be above 1"),
        ({"factor": {"initial": [1, 1]}}, "must have both levels"),
    ],
)
def test_tables_that_do_not_fit_are_refused(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    document = json.loads(named("nested").encode())
    document["models"]["tims"] |= change
    (tmp_path / "s.json").write_text(json.dumps(document, sort_keys=True, separators=(",", ":")))
    with pytest.raises(InputError, match=told):
        Snapshot.load(tmp_path / "s.json")


def test_a_hundred_positions_in_five_milliseconds() -> None:
    made = snapshot(wide_market(30), NESTED, domain=256)
    lots = (
        [10**12]
        + [(-1) ** slot * (slot % 7 + 1) for slot in range(1, 101)]
        + [0] * (len(made.universe) - 101)
    )
    requirement(made, lots, model="tims")
    seconds = []
    for _ in range(9):
        started = time.perf_counter()
        requirement(made, lots, model="tims")
        seconds.append(time.perf_counter() - started)
    # A busy machine may take longer once, not nine times.
    assert min(seconds) < 0.005


def test_the_report_adds_up() -> None:
    """Positions less the gains that do not count are the worst point's profit; units and the minimum the rest."""
    made = named("nested")
    rows = (
        ("BIG-F", "2"),
        ("FUND", "-900"),
        ("SMALL-F", "-3"),
        ("ACME", "700"),
        ("ACME-3", "-9"),
        ("BOLT-2", "-5000"),
    )
    held = Holdings.of([Position(name, Decimal(quantity)) for name, quantity in rows], made)
    report = build_report(made, held, model="tims")
    assert [unit.unit for unit in report.units] == ["BOLT", "all"]
    unit = report.units[1]
    assert len(unit.positions) == 5
    assert unit.uncounted > 0
    # Positions are floored to the tick one by one.
    total = sum(position.profit for position in unit.positions) - unit.uncounted
    assert 0 <= unit.cells[unit.worst].profit - total <= 6
    assert unit.cells[unit.worst].profit == min(cell.profit for cell in unit.cells)
    assert [cell.cell.label for cell in report.units[0].cells][:2] == [
        "-15 %, volatility unchanged",
        "-12 %, volatility unchanged",
    ]
    assert unit.cells[9].cell.label == "valuation point 10, volatility unchanged"
    worst = sum(unit.loss for unit in report.units)
    missing = sum(charge.amount for charge in report.charges)
    assert abs(report.loss_factor * worst + missing - report.requirement) <= 4
    assert report.to_json()["units"][1]["uncounted"] != "0.000000"
