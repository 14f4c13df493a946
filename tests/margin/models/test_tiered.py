"""Tiered margin: which of the two requirements counts, and input that cannot be used."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.margin.accounts import example, tiny_market
from tests.margin.coins import coin_accounts, coin_snapshot
from zkmargin.circuits import build_relation
from zkmargin.margin.account.requirement import account_value, requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.models.tiered import TieredTables
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level

SECTION: dict[str, Any] = {"tiered": {"threshold": {"initial": "100000", "maintenance": "80000.5"}}}
MADE = coin_snapshot(("BTC", "ETH"), SECTION)


def tables_of(made: Snapshot) -> TieredTables:
    tables = made.models["tiered"]
    assert isinstance(tables, TieredTables)
    return tables


@settings(max_examples=60, deadline=None)
@given(coin_accounts(MADE), st.sampled_from(LEVELS))
def test_one_of_the_two_counts(lots: list[int], level: Level) -> None:
    threshold = {"initial": 100_000, "maintenance": 80_000.5}[level] * 10**MADE.money_decimals
    model = "grid" if account_value(MADE, lots) >= threshold else "cross"
    found = requirement(MADE, lots, model="tiered", level=level)
    expected = requirement(MADE, lots, model=model, level=level)
    assert found.requirement == expected.requirement
    assert found.assessment.units == expected.assessment.units
    assert found.assessment.charges == expected.assessment.charges
    both = {c.kind: c.amount for c in found.assessment.considered}
    assert both == {
        "cross": requirement(MADE, lots, model="cross", level=level).requirement,
        "portfolio": requirement(MADE, lots, model="grid", level=level).requirement,
    }


def test_the_threshold_itself_has_portfolio_margin() -> None:
    """One perpetual tells the two apart: it was entered at the mark, so that the value is that of the cash."""
    made, slot = MADE, MADE.universe.slot("BTC_USD-PERPETUAL")
    mark = 1000 * int(made.marks[slot]) * made.scale[slot] // (int(made.marks[0]) * made.scale[0])
    for cash, model in ((100_000 * 10**6, "grid"), (100_000 * 10**6 - 1, "cross")):
        lots = [0] * len(made.universe)
        lots[0], lots[slot] = cash - mark, 1000
        value = account_value(made, lots)
        assert value == cash * int(made.marks[0]) * made.scale[0]
        found = [requirement(made, lots, model=name).requirement for name in ("tiered", model)]
        assert found[0] == found[1]


def test_one_number_counts_for_both_levels() -> None:
    made = coin_snapshot(("BTC",), {"tiered": {"threshold": "5"}})
    assert tables_of(made).threshold == {"initial": 5 * 10**6, "maintenance": 5 * 10**6}


def test_the_snapshot_reads_back_and_reproduces(tmp_path: Path) -> None:
    MADE.dump(tmp_path / "s.json")
    again = Snapshot.load(tmp_path / "s.json")
    again.reproduce()
    lots = [10**12, 10**6, *[-3] * (len(MADE.universe) - 2)]
    found = [requirement(made, lots, model="tiered").requirement for made in (MADE, again)]
    assert found[0] == found[1]


def test_the_threshold_changes_the_rows() -> None:
    other = coin_snapshot(
        ("BTC", "ETH"), {"tiered": {"threshold": {"initial": "100000.000001", "maintenance": 1}}}
    )
    assert other.id != MADE.id
    one, two = (build_relation(made, model="tiered") for made in (MADE, other))
    assert one.digest != two.digest


def test_a_snapshot_has_it_only_if_asked_for() -> None:
    assert "tiered" not in example().models
    with pytest.raises(InputError, match="model: 'tiered'"):
        requirement(example(), [0] * len(example().universe), model="tiered")


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"threshold": "-1"}, "threshold.initial"),
        ({"threshold": {"initial": "1", "maintenance": "2"}}, "below maintenance"),
        ({"threshold": {"initial": "1"}}, "maintenance"),
        ({"threshold": "1e10"}, "threshold.initial"),
        ({"threshold": "0.0000001"}, "at most 6 decimal places"),
        ({"threshold": "many"}, "threshold"),
        ({}, "threshold"),
        ({"threshold": "1", "colour": "red"}, "colour"),
    ],
)
def test_sections_that_cannot_be_used(section: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_parameters({"tiered": section}, "test")


def test_at_a_finer_quantum_the_threshold_is_the_same() -> None:
    made = Snapshot.build(tiny_market(), parse_parameters(SECTION, "test"), domain=64, quantum_decimals=9)
    assert tables_of(made).threshold["maintenance"] == 80_000_500_000_000


def test_tables_that_do_not_fit_are_refused() -> None:
    tables = tables_of(MADE)
    with pytest.raises(InputError, match="marks"):
        replace(tables, marks=tables.marks[1:]).check(len(MADE.universe), "snapshot")
    with pytest.raises(InputError, match="cross"):
        replace(tables, marks=tables.marks[:1]).check(1, "snapshot")
