"""Rules like those of Bybit and Binance, number by number."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.margin.accounts import NOW, holdings, tiny_market
from tests.margin.formulas import black76
from zkmargin.margin.account.requirement import Requirement, requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.quotes import Listing, Market, assemble, future, option
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level

DAY = 86_400_000_000


def asked(
    rules: dict[str, Any], *rows: tuple[str, str], market: Market | None = None, level: Level = "maintenance"
) -> Requirement:
    made = Snapshot.build(market or tiny_market(), parse_parameters(rules, "x"), domain=64)
    return requirement(made, holdings(made, *rows).vector(made), level=level)


def usd(found: Requirement, amount: int | Fraction) -> float:
    return float(amount) / 10.0**found.money_decimals


def charges(found: Requirement) -> dict[str, float]:
    (unit,) = found.assessment.units
    parts = (*unit.added, *found.assessment.charges)
    return {f"{charge.kind}, {charge.name}": usd(found, charge.amount) for charge in parts}


# Bybit ----------------------------------------------------------------------------------------------


def test_a_future_loses_ten_percent_and_pays_by_its_notional() -> None:
    kept = asked({"bybit": {}}, ("BTC_USD-31JAN26", "1"))
    assert usd(kept, kept.requirement) == pytest.approx(50400 * (0.1 + 0.005), rel=1e-6)
    begun = asked({"bybit": {}}, ("BTC_USD-31JAN26", "1"), level="initial")
    assert usd(begun, begun.requirement) == pytest.approx(50400 * (0.1 + 0.005) * 1.2, rel=1e-6)


def terms() -> Market:
    listings = []
    for days in (30, 60, 150):
        expiry = NOW + days * DAY
        dated = future(f"BTC-F{days}", "BTC", inverse=False, expiry=expiry)
        listed = option(f"BTC-{days}", "BTC", inverse=False, expiry=expiry, strike=Decimal(52000), call=True)
        listings.append(Listing(dated, Decimal(50000), "row"))
        listings.append(Listing(listed, Decimal(2500), "row", Decimal("0.6"), Decimal(50000)))
    return assemble("terms", NOW, {"BTC": Decimal(50000)}, listings)


def test_expiries_pay_for_the_time_between_them() -> None:
    """Long in 30 days against short in 150: both gaps of 30 and 90 days, on the delta that is hedged."""
    found = asked({"bybit": {}}, ("BTC-F30", "1"), ("BTC-F150", "-1"), market=terms())
    spreads = {name: value for name, value in charges(found).items() if name.startswith("delta spread")}
    assert sum(spreads.values()) == pytest.approx(50000 * 0.45 * 120 / 365, rel=1e-6)
    assert len(spreads) == 2
    alike = asked({"bybit": {}}, ("BTC-F30", "1"), ("BTC-F150", "1"), market=terms())
    assert not [name for name in charges(alike) if name.startswith("delta spread")]


def test_a_calendar_pays_for_the_vega_that_it_hedges() -> None:
    found = asked({"bybit": {}}, ("BTC-30", "1"), ("BTC-60", "-1"), market=terms())
    step = 1e-4
    vegas = [
        (black76(50000, 52000, 0.6 + step, d / 365, True) - black76(50000, 52000, 0.6 - step, d / 365, True))
        / (2 * step)
        for d in (30, 60)
    ]
    (spread,) = (value for name, value in charges(found).items() if name.startswith("vega spread"))
    assert spread == pytest.approx(min(vegas) * 0.0003 * 30, rel=1e-4)


def test_short_options_and_stablecoins() -> None:
    short = charges(asked({"bybit": {}}, ("BTC_USD-31JAN26-K-C", "-2"), ("BTC_USD-31JAN26-K-P", "1")))
    (naked,) = (value for name, value in short.items() if name.startswith("short options of a strike"))
    assert naked == pytest.approx(50000 * 0.005, rel=1e-6)
    both = charges(asked({"bybit": {}}, ("BTC_USD-PERPETUAL", "1"), ("BTC-PERPETUAL", "-30000")))
    assert both["stablecoin spread, BTC"] == pytest.approx(30000 * 50000 / 50010 * 0.005, rel=1e-5)


def test_other_coins_move_further() -> None:
    listed = future("SOL-PERPETUAL", "SOL", inverse=False, expiry=None)
    market = assemble("sol", NOW, {"SOL": Decimal(100)}, [Listing(listed, Decimal(100), "row")])
    found = asked({"bybit": {}}, ("SOL-PERPETUAL", "10"), market=market)
    assert usd(found, found.requirement) == pytest.approx(1000 * (0.2 + 0.005), rel=1e-6)


# Binance --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", ["0.5", "5", "40", "300", "30000"])
def test_brackets_are_those_of_the_notional(size: str) -> None:
    """Each rate on its own part of the notional, times the ratio."""
    edges = [0, 50_000, 600_000, 3_000_000, 12_000_000, 70_000_000, 100_000_000, 230_000_000, 480_000_000]
    edges += [600_000_000, 800_000_000, 1_200_000_000]
    rates = [0.004, 0.005, 0.0065, 0.01, 0.02, 0.025, 0.05, 0.1, 0.125, 0.15, 0.25, 0.5]
    notional = float(size) * 50010
    parts = zip(rates, edges, [*edges[1:], float("inf")], strict=True)
    margin = sum(rate * max(0.0, min(notional, top) - low) for rate, low, top in parts)
    for level, ratio in (("maintenance", 1.05), ("initial", 1.5)):
        found = asked({"binance": {}}, ("BTC_USD-PERPETUAL", f"-{size}"), level=level)  # type: ignore[arg-type]
        assert usd(found, found.requirement) == pytest.approx(margin * ratio, rel=1e-5)


def test_no_hedge_is_recognised_and_options_are_charged_as_in_cross() -> None:
    one = asked({"binance": {}}, ("BTC_USD-PERPETUAL", "1"))
    two = asked({"binance": {}}, ("BTC_USD-PERPETUAL", "1"), ("BTC_USD-31JAN26", "-1"))
    assert two.requirement > 1.9 * float(one.requirement)
    short = asked({"binance": {}}, ("BTC_USD-31JAN26-K-C", "-1"))
    assert usd(short, short.requirement) == pytest.approx(max(0.075 * 50000 - 2000, 0.05 * 50000), rel=1e-6)
    assert asked({"binance": {}}, ("BTC_USD-31JAN26-K-C", "1")).requirement == 0


def test_loans_and_collateral() -> None:
    owed = asked({"binance": {}}, ("USD", "100000"), ("BTC", "-1"))
    assert usd(owed, owed.requirement) == pytest.approx(50000 * 0.1, rel=1e-9)
    held = asked({"binance": {}}, ("BTC", "1"))
    assert usd(held, held.requirement) == pytest.approx(50000 * 0.03, rel=1e-9)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (
            {"binance": {"other_brackets": [{"above": 1, "rate": "0.1"}]}},
            "those of other_brackets start at 0",
        ),
        (
            {"binance": {"brackets": {"BTC": [{"above": 0, "rate": "0.1"}, {"above": 9, "rate": "0.1"}]}}},
            "those of BTC start at 0, and rise",
        ),
        ({"bybit": {"price_range": "0"}}, "bybit.price_range"),
        ({"bybit": {}, "binance": {}}, "bybit and binance cannot stand together"),
    ],
)
def test_wrong_rules_are_named(document: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse_parameters(document, "params.json")
