"""Haircuts that rise with size and follow volatility and liquidity, and debts that count for more."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.circuits.law import law
from tests.margin.accounts import example, tiny_market
from tests.margin.coins import coin_accounts, coin_snapshot
from zkmargin.circuits import build_relation
from zkmargin.margin.account.book import Accounts, excesses, plain_excesses
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.market import example_market
from zkmargin.margin.market.history import PriceHistory
from zkmargin.margin.parameters.document import DEFAULT_PARAMETERS, parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level

TIERS: list[Mapping[str, str]] = [
    {"above": "100", "initial": "0.1", "maintenance": "0.06"},
    {"above": "1000.5", "initial": "0.25", "maintenance": "0.2"},
]
RULES: dict[str, Any] = {
    "tiers": TIERS,
    "liability": {"initial": "1.1", "maintenance": "1.05"},
    "liquidity": {"reference": "2e9", "observed": "1.6e9"},
}


def made(rules: Mapping[str, Any] = RULES, **sections: Any) -> Snapshot:
    return coin_snapshot(("BTC", "ETH"), {"collateral": {"BTC": dict(rules)}, **sections})


MADE = made(tiered={"threshold": "100000"})


def held(snapshot: Snapshot, coins: Decimal | int) -> list[int]:
    lots = [0] * len(snapshot.universe)
    lots[snapshot.universe.slot("BTC")] = int(Decimal(coins) * 10**8)
    return lots


def haircut(snapshot: Snapshot, lots: list[int], level: Level) -> Fraction:
    """USD, by cross margin; the account holds nothing else that is charged."""
    found = requirement(snapshot, lots, model="cross", level=level)
    return found.requirement * Fraction(1, 10**snapshot.money_decimals)


@pytest.mark.parametrize("coins", ["0", "50", "100", "100.00000001", "600", "1000.5", "2500", "-3", "-5000"])
@pytest.mark.parametrize("level", LEVELS)
def test_each_part_has_the_rate_of_its_tier(coins: str, level: Level) -> None:
    """Added up tier by tier, as a tax is; the liquidity factor is 1.25."""
    size, price = Fraction(Decimal(coins)), Fraction(Decimal("88210.4"))
    rates = {"initial": ("0.05", "0.1", "0.25"), "maintenance": ("0.03", "0.06", "0.2")}[level]
    edges = [Fraction(0), Fraction(100), Fraction("1000.5"), Fraction(10**9)]
    expected = sum(
        (min(size, high) - low) * Fraction(rate) * Fraction(5, 4)
        for rate, low, high in zip(rates, edges, edges[1:], strict=False)
        if size > low
    )
    weight = {"initial": Fraction("0.1"), "maintenance": Fraction("0.05")}[level]
    expected = price * (expected + max(Fraction(0), -size) * weight)
    assert float(haircut(MADE, held(MADE, Decimal(coins)), level) - expected) == pytest.approx(0, abs=0.02)


def test_the_legs_of_inverse_contracts_count_against_the_balance() -> None:
    """Coins that an inverse perpetual has sold forward are no collateral of any tier."""
    lots = held(MADE, 2000)
    slot = MADE.universe.slot("BTC-PERPETUAL")
    sold = lots[1] * int(MADE.marks[1]) * MADE.scale[1] // (-int(MADE.marks[slot]) * MADE.scale[slot])
    lots[slot] = sold
    charges = requirement(MADE, lots, model="cross").assessment.charges
    assert sum(c.amount for c in charges if c.kind == "haircut") < 10**MADE.money_decimals


def test_sizes_in_dollars() -> None:
    rules = {"tiers": [{**TIERS[0], "above": "8821040"}], "measured_in": "usd"}
    by_value, by_coin = made(rules), made({"tiers": TIERS[:1]})
    lots = held(by_value, 700)
    assert (
        requirement(by_value, lots, model="cross").requirement
        == requirement(by_coin, lots, model="cross").requirement
    )


def test_liquidity_and_volatility_only_raise_a_haircut_and_never_above_all() -> None:
    plain = haircut(made({}), held(MADE, 10), "initial")
    for rules, factor in (
        ({"liquidity": {"reference": "1", "observed": "2"}}, 1),
        ({"liquidity": {"reference": "100", "observed": "1"}}, 3),
        ({"volatility": {"reference": "0.5", "observed": "0.75"}}, Fraction(3, 2)),
        ({"volatility": {"reference": "0.5", "observed": "0.25"}}, 1),
        ({"volatility": {"reference": "0.001", "observed": "100", "most": "10"},
          "liquidity": {"reference": "100", "observed": "1", "most": "10"}}, 20),
    ):  # fmt: skip
        found = haircut(made(rules), held(MADE, 10), "initial")
        assert float(found) == pytest.approx(float(plain * factor), rel=1e-9)


def test_volatility_from_history() -> None:
    drawn = np.random.default_rng(3)
    walk = 1000 * np.exp(np.cumsum(drawn.normal(0, 0.05, 60)))
    prices = tuple(f"{price:.4f}".rstrip("0").rstrip(".") for price in walk)
    history = PriceHistory(date(2025, 11, 2), {"BTC": prices})
    rules = {"collateral": {"BTC": {"volatility": {"reference": "0.6", "days": 20}}}}
    scaled = Snapshot.build(tiny_market(), parse_parameters(rules, "test"), domain=64, history=history)
    closes = np.array([float(price) for price in prices])
    known = closes[: (date(2026, 1, 1) - history.first).days]
    moves = (known[1:] / known[:-1] - 1)[-20:]
    factor = np.sqrt(365 * np.mean(moves**2)) / 0.6
    assert 1 < factor < 3
    found = haircut(scaled, held(scaled, 10), "initial")
    assert float(found) == pytest.approx(0.05 * 10 * 50000 * factor, rel=1e-5)


@settings(max_examples=25, deadline=None)
@given(coin_accounts(MADE), st.sampled_from(LEVELS), st.sampled_from(("cross", "isolated", "grid", "tiered")))
def test_the_law(lots: list[int], level: Level, model: str) -> None:
    law(MADE, lots, model, level)


def test_books_follow_the_rules_of_a_venue() -> None:
    """What the fast kernel does not know of is left to its plain twin."""
    for snapshot in (MADE, Snapshot.build(example_market(), parse_parameters({"pmrm2": {}}, "test"))):
        slots = np.arange(1, len(snapshot.universe), dtype=np.int32)
        sizes = np.array([10**12, *[(-1) ** k * 30 for k in range(len(slots) - 1)]], dtype=np.int64)
        accounts = Accounts(np.array([0, len(slots)], dtype=np.int64), slots, sizes)
        fast, plain = excesses(snapshot, accounts), plain_excesses(snapshot, accounts)
        assert fast.excesses.tolist() == plain.excesses.tolist()


def test_the_snapshot_reads_back_and_reproduces(tmp_path: Path) -> None:
    MADE.dump(tmp_path / "s.json")
    again = Snapshot.load(tmp_path / "s.json")
    again.reproduce()
    assert again.id == MADE.id


def test_without_rules_nothing_changes() -> None:
    assert "collateral" not in DEFAULT_PARAMETERS.document()
    assert all(c.exempt == 0 for c in example().models["cross"].collaterals)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "change",
    [
        {"tiers": [TIERS[0], {**TIERS[1], "above": "1000.6"}]},
        {"tiers": [TIERS[0], {**TIERS[1], "initial": "0.26"}]},
        {"liability": {"initial": "1.11", "maintenance": "1.05"}},
        {"liquidity": {"reference": "2e9", "observed": "1.5e9"}},
        {"volatility": {"reference": "0.5", "observed": "0.51"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_rule_changes_the_rows(change: Mapping[str, Any]) -> None:
    one, two = (build_relation(snapshot, model="cross") for snapshot in (made(), made({**RULES, **change})))
    assert one.digest != two.digest


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (
            {"tiers": [{**TIERS[0], "initial": "0.06", "maintenance": "0.02"}]},
            "above 100 is below that of smaller sizes",
        ),
        ({"tiers": [TIERS[0], {**TIERS[1], "maintenance": "0.05"}]}, "above 1000.5 is below"),
        ({"tiers": [TIERS[1], TIERS[0]]}, "in order of size"),
        ({"tiers": [{**TIERS[0], "above": "0"}]}, "above"),
        ({"liability": {"initial": "1", "maintenance": "0.9"}}, "below 1"),
        ({"liability": {"initial": "1.1", "maintenance": "1.2"}}, "below maintenance"),
        ({"volatility": {"reference": "0"}}, "reference"),
        ({"liquidity": {"reference": "1"}}, "observed"),
        ({"liquidity": {"reference": "1", "observed": "1", "most": "0.5"}}, "most"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_rules_that_cannot_be_used(rules: Mapping[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_parameters({"collateral": {"BTC": dict(rules)}}, "test")


def test_volatility_needs_a_history_that_is_long_enough() -> None:
    rules = parse_parameters({"collateral": {"BTC": {"volatility": {"reference": "0.6"}}}}, "test")
    with pytest.raises(InputError, match="build the snapshot with --history"):
        Snapshot.build(tiny_market(), rules, domain=64)
    short = PriceHistory(date(2025, 12, 30), {"BTC": ("1", "2")})
    with pytest.raises(InputError, match="the history has 1 daily moves of BTC"):
        Snapshot.build(tiny_market(), rules, domain=64, history=short)


def test_a_balance_that_is_listed_last_is_what_lots_are_free_of() -> None:
    """The order of the slots changes no charge."""
    market = tiny_market()
    order = [0, *range(2, len(market.instruments)), 1]
    quotes = tuple(market.inputs.quotes[slot] for slot in order)
    moved = replace(
        market,
        instruments=tuple(market.instruments[slot] for slot in order),
        inputs=replace(market.inputs, quotes=quotes),
    )
    parameters = parse_parameters({"collateral": {"BTC": RULES}, "tiered": {"threshold": "1000"}}, "test")
    first, last = (Snapshot.build(listed, parameters, domain=64) for listed in (market, moved))
    for coins in (0, 250, -7):
        here, there = held(first, coins), held(last, coins)
        for level in LEVELS:
            assert haircut(first, here, level) == haircut(last, there, level)
            law(last, there, "tiered", level)


def test_lots_are_free_of_a_charge_that_is_not_negative_only() -> None:
    tables: Any = MADE.models["cross"]
    above = next(number for number, charge in enumerate(tables.collaterals) if charge.exempt)
    charge = {level: (-1, *entries[1:]) for level, entries in tables.collaterals[above].charge.items()}
    collaterals = (*tables.collaterals[:above], replace(tables.collaterals[above], charge=charge))
    with pytest.raises(InputError, match="lots are free of a charge that is not negative"):
        replace(tables, collaterals=collaterals).check(len(MADE.universe), "test")
