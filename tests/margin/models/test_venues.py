"""Rules like those of OKX, number by number, and what all venues' rules share."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.margin.accounts import MONTH, NOW, holdings, lots_of, tiny_market
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError
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
    """max(max(MR1, MR6) + MR4, MR7), with what every part is."""
    made = under({"okx": {}})
    tick = made.tick * 10**6
    future = loss(made, ("BTC_USD-31JAN26", "-1"))
    assert float(future.loss) / tick == pytest.approx(FORWARD * (0.12 + 0.05 * 30 / 365), rel=1e-6)
    assert [charge.kind for charge in future.added] == ["basis risk"]
    assert float(future.minimum) / tick == pytest.approx(FORWARD * 0.0005, rel=1e-6)
    hedged = loss(made, ("BTC_USD-PERPETUAL", "1"), ("BTC", "-1"))
    assert hedged.loss == hedged.minimum > 0
    found = requirement(made, holdings(made, ("BTC_USD-31JAN26", "-1")).vector(made))
    kept = requirement(made, holdings(made, ("BTC_USD-31JAN26", "-1")).vector(made), level="maintenance")
    assert (found.assessment.factor, kept.assessment.factor) == (Fraction(13, 10), Fraction(1))


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


def test_long_options_cost_nothing_to_close() -> None:
    made = under({"okx": {}})
    assert loss(made, ("BTC-31JAN26-K-C", "1")).minimum == 0
    assert loss(made, ("BTC-31JAN26-K-C", "-1")).minimum == 15 * 10**6 * made.tick


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
        {"okx": {"steps": [{"start": 0, "multiplier": 3}]}},
        {"pmrm2": {"peg": {"factor": "3"}}},
        {"pmrm2": {"averaging_minutes": "60"}},
    ],
)
def test_every_number_is_part_of_what_a_snapshot_is(document: dict[str, dict[str, Any]]) -> None:
    (name,) = document
    assert under(document).id != under({name: {}}).id
