"""Rules like those of OKX, number by number, and what all venues' rules share."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.margin.accounts import MONTH, NOW, holdings, lots_of, tiny_market
from tests.margin.formulas import black76
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.quotes import Listing, assemble, future, option
from zkmargin.margin.parameters.document import parse_parameters, preset
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.assessment import UnitLoss
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.tables.grid_additions import Tiers

YEARS = (MONTH - NOW) / (365 * 86400e6)
FORWARD, STRIKE, VOL, INDEX = 50400.0, 52000.0, 0.6, 50000.0


def under(rules: dict[str, Any]) -> Snapshot:
    return Snapshot.build(tiny_market(), parse_parameters(rules, "x"), domain=64)


def grid(made: Snapshot) -> GridTables:
    tables = made.models["grid"]
    assert isinstance(tables, GridTables)
    return tables


def cell(tables: GridTables, spot: str, move: str) -> int:
    return next(k for k, c in enumerate(tables.cells) if (c.spot, c.volatility) == (spot, move))


def entry(made: Snapshot, name: str, spot: str, move: str = "none") -> float:
    """USD per unit of quantity."""
    slot, tables = made.universe.slot(name), grid(made)
    per = float(10 ** (made.universe.instruments[slot].contract_exponent + made.quantum_decimals))
    return int(tables.risk[cell(tables, spot, move), slot]) / per


def loss(made: Snapshot, *rows: tuple[str, str]) -> UnitLoss:
    (unit,) = requirement(made, holdings(made, *rows).vector(made)).assessment.units
    return unit


def tiered(tiers: Tiers, amount: Fraction) -> Fraction:
    return max(Fraction(0), *(slope * amount - offset for slope, offset in tiers))


# OKX ------------------------------------------------------------------------------------------------


def test_a_coin_is_asked_for_the_greater_of_its_parts() -> None:
    """max(max(MR1, MR2, MR6) + MR4 + MR5, MR7), with what every part is."""
    made = under({"okx": {}})
    tick = made.tick * 10**6
    future = loss(made, ("BTC_USD-31JAN26", "-1"))
    assert float(future.loss) / tick == pytest.approx(FORWARD * (0.12 + 0.06 * 30 / 365), rel=1e-6)
    assert [charge.kind for charge in future.added] == ["basis risk", "rate risk"]
    assert float(future.minimum) / tick == pytest.approx(FORWARD * 0.0005, rel=1e-6)
    hedged = loss(made, ("BTC_USD-PERPETUAL", "1"), ("BTC", "-1"))
    assert hedged.loss == hedged.minimum > 0
    found = requirement(made, holdings(made, ("BTC_USD-31JAN26", "-1")).vector(made))
    kept = requirement(made, holdings(made, ("BTC_USD-31JAN26", "-1")).vector(made), level="maintenance")
    assert (found.assessment.factor, kept.assessment.factor) == (Fraction(13, 10), Fraction(1))


def test_volatilities_move_by_term_and_extremes_leave_them() -> None:
    """MR1 at thirty days: 35 % either way. MR6: half of a move with the same volatility. MR2: a day later."""
    made = under({"okx": {}})
    name, now = "BTC_USD-31JAN26-K-C", black76(FORWARD, STRIKE, VOL, YEARS, True)
    for move, vol in (("up", VOL * 1.35), ("none", VOL), ("down", VOL * 0.65)):
        change = black76(FORWARD * 1.04, STRIKE, vol, YEARS, True) - now
        assert entry(made, name, "0.04", move) == pytest.approx(change, abs=1e-4)
    for move, vol in (("up", VOL + 0.25), ("down", VOL - 0.25)):
        change = black76(FORWARD * 1.04, STRIKE, vol, YEARS, True) - now
        label = f"spot +4 %, in points, volatility {move}"
        place = next(k for k, each in enumerate(grid(made).cells) if each.label == label)
        assert int(grid(made).risk[place, made.universe.slot(name)]) / 10**6 == pytest.approx(
            change, abs=1e-4
        )
    extreme = (black76(FORWARD * 1.24, STRIKE, VOL, YEARS, True) - now) / 2
    assert entry(made, name, "0.24", "none") == pytest.approx(extreme, abs=1e-4)
    assert not [c for c in grid(made).cells if c.spot == "0.24" and c.volatility != "none"]
    last, slot = len(grid(made).cells) - 1, made.universe.slot(name)
    assert grid(made).cells[last].label == "a day later, volatility unchanged"
    decay = black76(FORWARD, STRIKE, VOL, YEARS - 1 / 365, True) - now
    assert int(grid(made).risk[last, slot]) / 10**6 == pytest.approx(decay, abs=1e-4)
    assert int(grid(made).risk[last, made.universe.slot("BTC")]) == 0


def test_other_coins_move_otherwise() -> None:
    listed = [
        future(f"{coin}-PERPETUAL", coin, inverse=True, expiry=None) for coin in ("BTC", "SOL", "XRP", "NEW")
    ]
    indices = {"BTC": Decimal(50000), "NEW": Decimal(3), "SOL": Decimal(100), "XRP": Decimal(2)}
    market = assemble("four", NOW, indices, [Listing(i, indices[i.underlying], "row") for i in listed])
    made = Snapshot.build(market, preset("okx"), domain=64)
    moves = dict(zip(grid(made).units, grid(made).unit_cells, strict=True))
    worst = {unit: (cells[0].spot, cells[35].spot) for unit, cells in moves.items()}
    assert worst == {
        "BTC": ("-0.12", "-0.24"), "NEW": ("-0.25", "-0.5"), "SOL": ("-0.18", "-0.36"), "XRP": ("-0.18", "-0.36"),
    }  # fmt: skip


def test_what_stablecoins_and_dollars_hedge_is_charged_by_size() -> None:
    """MR9, with the rates of the announcement's example: 10 million cost 202,500 USD."""
    made = under({"okx": {}})
    hedge = next(h for h in grid(made).hedges if h.kind == "stablecoin spread")
    assert tiered(hedge.tiers, Fraction(10_000_000 * 10**6, 10**4)) == 202_500 * 10**6
    small = loss(made, ("BTC_USD-PERPETUAL", "1"), ("BTC-PERPETUAL", "-25000"))
    spread = next(charge for charge in small.added if charge.kind == "stablecoin spread")
    assert float(spread.amount) / made.tick / 10**6 == pytest.approx(25000 * INDEX / 50010 * 0.0075, rel=1e-5)
    assert loss(made, ("BTC_USD-PERPETUAL", "1")).added == ()


def test_what_expiries_hedge_of_each_other_s_volatility_counts_in_part() -> None:
    """MR3: a fifth of the lesser side in MR1's upward move."""
    listings = []
    for days in (30, 60):
        expiry = NOW + days * 86_400_000_000
        listed = option(f"BTC-{days}", "BTC", inverse=False, expiry=expiry, strike=Decimal(52000), call=True)
        listings.append(Listing(listed, Decimal(2500), "row", Decimal("0.6"), Decimal(50400)))
    market = assemble("terms", NOW, {"BTC": Decimal(50000)}, listings)
    made = Snapshot.build(market, preset("okx"), domain=64)
    up = [black76(FORWARD, STRIKE, VOL * (1 + m), d / 365, True) - black76(FORWARD, STRIKE, VOL, d / 365, True)
          for d, m in ((30, 0.35), (60, 0.25))]  # fmt: skip
    spread = next(c for c in loss(made, ("BTC-30", "1"), ("BTC-60", "-1")).added if c.kind == "vega spread")
    assert float(spread.amount) / made.tick / 10**6 == pytest.approx(min(up) * 0.2, rel=1e-6)
    assert not [c for c in loss(made, ("BTC-30", "1"), ("BTC-60", "1")).added if c.kind == "vega spread"]


def test_the_minimum_rises_by_tiers() -> None:
    (minimum,) = grid(under({"okx": {}})).minimums
    usd = 10**6
    raised = [
        tiered(minimum.tiers, Fraction(raw * usd)) / usd for raw in (100_000, 300_000, 600_000, 5_000_000)
    ]
    assert raised == [
        100_000,
        250_000 + 2 * 50_000,
        250_000 + 2 * 250_000 + 4 * 100_000,
        250_000 + 2 * 250_000 + 4 * 500_000 + 6 * 10**6 + 8 * 10**6 + 10 * 10**6 + 12 * 10**6,
    ]


def test_a_long_option_costs_no_more_to_close_than_it_is_worth() -> None:
    made = under({"okx": {}})
    assert loss(made, ("BTC-31JAN26-K-C", "1")).minimum == 15 * 10**6 * made.tick
    assert loss(made, ("BTC-31JAN26-K-C", "-1")).minimum == 15 * 10**6 * made.tick
    cheap = Snapshot.build(tiny_market(mark=Decimal("0.0001")), preset("okx"), domain=64)
    assert loss(cheap, ("BTC-31JAN26-K-C", "1")).minimum == 5 * 10**6 * cheap.tick


# Both -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["deribit", "okx"])
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_the_loss_is_the_sum_of_its_parts(name: str, data: st.DataObject) -> None:
    made = VENUES[name]
    for unit in requirement(made, data.draw(lots_of(made))).assessment.units:
        parts = max(0, -unit.profit[unit.worst]) + sum(int(charge.amount) for charge in unit.added)
        assert unit.loss == max(parts, unit.minimum)


VENUES = {name: Snapshot.build(tiny_market(), preset(name), domain=64) for name in ("deribit", "okx")}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"deribit": {"price_range": "0"}}, "deribit.price_range: '0'"),
        ({"deribit": {"gain_offset": "1.1"}}, "deribit.gain_offset"),
        ({"deribit": {"buckets": 0}}, "deribit.buckets"),
        ({"okx": {"steps": []}}, "okx.steps"),
        ({"okx": {"spread_steps": [{"start": 5, "rate": "0.1"}]}}, "spread_steps: start at 0"),
        (
            {"okx": {"volatility_terms": [{"days": 9, "move": 1}, {"days": 3, "move": 1}]}},
            "in order of their days",
        ),
        ({"okx": {"majors": ["XRP"]}}, "a coin is in two classes"),
        ({"okx": {"extreme_moves": ["0.3"]}}, "extreme_moves must be as many as those of BTC, ETH"),
        ({"okx": {"steps": [{"start": 5, "multiplier": 1}]}}, "start at 0"),
        ({"okx": {"steps": [{"start": 0, "multiplier": 2}, {"start": 5, "multiplier": 1}]}}, "rise"),
        ({"okx": {}, "deribit": {}}, "deribit and okx cannot stand together"),
    ],
)
def test_wrong_rules_are_named(document: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse_parameters(document, "params.json")


@pytest.mark.parametrize(
    "document",
    [
        {"deribit": {"dampener": "5"}},
        {"deribit": {"delta_threshold": "5"}},
        {"deribit": {"least_move": "0.02"}},
        {"okx": {"annual_move": "0.1"}},
        {"okx": {"term_share": "0.1"}},
        {"okx": {"rate_move": "0.1"}},
        {"okx": {"decay_days": "2"}},
        {"okx": {"classes": []}},
        {"okx": {"steps": [{"start": 0, "multiplier": 3}]}},
        {"pmrm2": {"peg": {"factor": "3"}}},
        {"pmrm2": {"averaging_minutes": "60"}},
    ],
)
def test_every_number_is_part_of_what_a_snapshot_is(document: dict[str, dict[str, Any]]) -> None:
    (name,) = document
    assert under(document).id != under({name: {}}).id
