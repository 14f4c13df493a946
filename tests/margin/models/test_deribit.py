"""Rules like Deribit's, number by number."""

from decimal import Decimal
from fractions import Fraction
from math import isclose
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.margin.accounts import MONTH, NOW, holdings, lots_of, tiny_market
from tests.margin.formulas import black76
from zkmargin.margin.account.greeks import net_greeks
from zkmargin.margin.account.requirement import Requirement, requirement
from zkmargin.margin.market.quotes import Listing, assemble, future
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.assessment import Assessment, Charge, UnitLoss
from zkmargin.margin.tables.grid import GridTables

YEARS = (MONTH - NOW) / (365 * 86400e6)
FORWARD, STRIKE, VOL, INDEX = 50400.0, 52000.0, 0.6, 50000.0
CROSS = {"collateral": "cross"}


def under(**rules: Any) -> Snapshot:
    return Snapshot.build(tiny_market(), parse_parameters({"deribit": rules}, "x"), domain=64)


def grid(made: Snapshot) -> GridTables:
    tables = made.models["grid"]
    assert isinstance(tables, GridTables)
    return tables


def cell(tables: GridTables, spot: str, move: str = "up") -> int:
    return next(k for k, c in enumerate(tables.cells) if (c.spot, c.volatility) == (spot, move))


def entry(made: Snapshot, name: str, spot: str, move: str = "up") -> float:
    """USD per unit of quantity."""
    slot, tables = made.universe.slot(name), grid(made)
    per = float(10 ** (made.universe.instruments[slot].contract_exponent + made.quantum_decimals))
    return int(tables.risk[cell(tables, spot, move), slot]) / per


def asked(made: Snapshot, *rows: tuple[str, str]) -> Requirement:
    return requirement(made, holdings(made, *rows).vector(made))


def unit(found: Assessment, name: str) -> UnitLoss:
    return next(each for each in found.units if each.unit == name)


def usd(made: Snapshot, amount: int | Fraction) -> float:
    return float(amount) / made.tick / 10**6


def test_inverse_contracts_are_margined_in_coin() -> None:
    made = under()
    assert entry(made, "BTC-31JAN26", "0.16") == pytest.approx(INDEX / FORWARD * 0.16 / 1.16, abs=1e-9)
    assert entry(made, "BTC_USD-31JAN26", "0.16") == pytest.approx(FORWARD * 0.16, abs=1e-6)
    assert entry(made, "BTC", "0.16") == 0
    then, now = (black76(f, STRIKE, VOL, YEARS, True) for f in (FORWARD * 1.16, FORWARD))
    coins = then / (FORWARD * 1.16) - now / FORWARD
    assert entry(made, "BTC-31JAN26-K-C", "0.16", "none") == pytest.approx(INDEX * coins, abs=1e-5)
    assert entry(made, "BTC_USD-31JAN26-K-C", "0.16", "none") == pytest.approx(then - now, abs=1e-5)


@pytest.mark.parametrize(
    ("move", "edge"), [("-0.66", "-0.16"), ("-0.33", "-0.16"), ("0.5", "0.16"), ("5", "0.16")]
)
def test_a_tail_of_what_pays_in_coin_counts_at_the_price_where_the_range_ends(move: str, edge: str) -> None:
    """A perpetual's extended table is its standard table's last value, whatever the tail."""
    made = under()
    assert isclose(entry(made, "BTC-PERPETUAL", move), entry(made, "BTC-PERPETUAL", edge), rel_tol=1e-9)
    assert isclose(
        entry(made, "BTC_USD-PERPETUAL", move), entry(made, "BTC_USD-PERPETUAL", edge), rel_tol=1e-9
    )


def test_an_inverse_option_in_a_tail() -> None:
    """Dollars of the change in coins, of which 0.16/0.5 counts, at 1.16 times the index."""
    made = under(volatility_up="0", volatility_minimum="0")
    then, now = (black76(f, STRIKE, VOL, YEARS, True) for f in (FORWARD * 1.5, FORWARD))
    coins = (then / (FORWARD * 1.5) - now / FORWARD) * 1.5 * (0.16 / 0.5) / 1.16
    assert entry(made, "BTC-31JAN26-K-C", "0.5") == pytest.approx(INDEX * coins, rel=1e-7)


def test_dampeners_differ_by_settlement_currency() -> None:
    """That of coins is USD at the price where the range ends."""
    made = under()
    tables = grid(made)
    assert tables.units == ("BTC", "BTC, settled in USD")
    coin, cash = (tables.allowances_of(place)[cell(tables, "0.5")] / 10**6 for place in (0, 1))
    assert coin == pytest.approx(100_000 / 1.16 * (0.5 / 0.16 - 1), abs=1e-5)
    assert cash == pytest.approx(25_000 * (0.5 / 0.16 - 1), abs=1e-5)
    assert not any(tables.allowances_of(0)[:27])
    stated = under(dampener="1000")
    assert grid(stated).allowances_of(1)[cell(tables, "0.5")] == int(1000 * (0.5 / 0.16 - 1) * 10**6)
    found = unit(asked(stated, ("USD", "60000"), ("BTC_USD-31JAN26", "-1")).assessment, "BTC, settled in USD")
    assert usd(stated, found.profit[cell(tables, "0.5")]) == pytest.approx(-FORWARD * 0.16 + 2125, abs=1e-3)


def test_the_published_perpetual() -> None:
    """100 BTC long: 19.05 BTC in the worst cell and 1.00 of roll, no delta shock below 20 million USD."""
    made = under()
    held = (("BTC", "30"), ("BTC-PERPETUAL", "5001000"))
    found = asked(made, *held)
    assert usd(made, found.requirement) / INDEX == pytest.approx(100 * (0.16 / 0.84 + 0.01), rel=1e-7)
    (charge,) = unit(found.assessment, "BTC").added
    assert (charge.kind, charge.name) == ("roll shock", "BTC, perpetuals")


def test_every_coin_has_its_own_scales() -> None:
    perpetuals = [Listing(future(f"{coin}-PERPETUAL", coin, inverse=True, expiry=None), Decimal(price), "row")
                  for coin, price in (("BTC", 50000), ("ETH", 2000))]  # fmt: skip
    market = assemble("two", NOW, {"BTC": Decimal(50000), "ETH": Decimal(2000)}, perpetuals)
    made = Snapshot.build(market, parse_parameters({"deribit": {}}, "x"), domain=64)
    found = asked(made, ("BTC", "1"), ("ETH", "10"), ("ETH-PERPETUAL", "-2000"))
    eth = unit(found.assessment, "ETH")
    assert eth.cells[eth.worst].label == "spot +18 %, volatility up"
    assert usd(made, eth.loss) == pytest.approx(2000 * (0.18 / 1.18 + 0.005), rel=1e-7)
    again = Snapshot.parse(made.encode(), "made")
    assert again.id == made.id
    assert again.parameters == made.parameters
    lower = Snapshot.build(
        market, parse_parameters({"deribit": {"coins": {"ETH": {"price_range": "0.1"}}}}, "x")
    )
    assert grid(lower).unit_cells[1][0].spot == "-0.1"
    assert grid(lower).unit_cells[0][0].spot == "-0.16"
    alike = Snapshot.build(market, parse_parameters({"deribit": {"price_range": "0.1"}}, "x"))
    assert grid(alike).unit_cells == ()


# Shocks ---------------------------------------------------------------------------------------------


def test_roll_shock_is_of_each_expiry_s_net_exposure() -> None:
    made = under(coins={"BTC": {"delta_shock": "0"}})
    found = asked(made, ("BTC_USD-31JAN26", "1"), ("BTC_USD-PERPETUAL", "-1"))
    rolls = {charge.name: usd(made, charge.amount) for charge in found.assessment.units[1].added}
    assert rolls == {
        "BTC, settled in USD, perpetuals": pytest.approx(50010 * 0.01, rel=1e-6),
        "BTC, settled in USD, expiry 2026-01-31": pytest.approx(FORWARD * 0.01, rel=1e-6),
    }
    steeper = under(annual_move="1")
    (roll,) = asked(steeper, ("BTC_USD-31JAN26", "1")).assessment.units[1].added
    assert usd(steeper, roll.amount) == pytest.approx(FORWARD * 30 / 365, rel=1e-6)


def exact(usd_of_delta: float) -> float:
    """min(m (|d| - T / I), M) |d| in USD."""
    above = max(0.0, usd_of_delta - 20_000_000) / INDEX
    return min(0.00005 * above, 0.1) * usd_of_delta


@given(st.integers(0, 400_000_000))
@settings(max_examples=60)
def test_the_delta_shock_never_lies_below_its_parabola(delta: int) -> None:
    made = DELTA_SHOCKS
    charge = next(e for e in grid(made).exposures if e.kind == "delta shock" and e.unit == 0)
    size = Fraction(delta * 10**6, 10**5)
    found = max(Fraction(0), *(slope * size - offset for slope, offset in charge.tiers))
    found = min(found, charge.cap * size) / 10**6
    assert found >= Fraction(exact(delta)) * (1 - Fraction(1, 10**9)) - 1
    assert (
        float(found) <= exact(delta) + 0.00005 / INDEX * (0.1 * INDEX / 0.00005 / 8) ** 2 / 4 + delta * 2e-5
    )


DELTA_SHOCKS = under()


@pytest.mark.parametrize("dollars", ["19000000", "150000000", "390000000"])
def test_the_delta_shock_of_an_account(dollars: str) -> None:
    """Nothing below the threshold, then a rising move, and the greatest move."""
    made = under(least_move="0", annual_move="0")
    found = unit(asked(made, ("BTC", "2000"), ("BTC-PERPETUAL", dollars)).assessment, "BTC")
    delta = float(dollars) * INDEX / 50010
    shock = sum(usd(made, charge.amount) for charge in found.added)
    assert shock == pytest.approx(exact(delta), rel=0.02)
    assert (shock == 0) == (float(dollars) < 20_000_000)


def test_delta_is_what_the_report_calls_delta() -> None:
    """The exposure of an inverse option is its delta less its price, in coins at the index."""
    made = under()
    for name in ("BTC-31JAN26-K-C", "BTC_USD-31JAN26-K-P"):
        slot = made.universe.slot(name)
        charge = next(e for e in grid(made).exposures if e.kind == "delta shock" and slot in e.slots)
        held = holdings(made, (name, "1"))
        (greeks,) = net_greeks(made, held.entries(made)).values()
        delta = float(greeks.delta) * INDEX
        if made.universe.instruments[slot].inverse:
            delta -= INDEX / FORWARD * black76(FORWARD, STRIKE, VOL, YEARS, True)
        assert charge.exposure[charge.slots.index(slot)] / 10 == pytest.approx(delta, rel=1e-5)


# Settlement currencies ------------------------------------------------------------------------------


def coverage(found: Requirement) -> list[Charge]:
    return [charge for charge in found.assessment.charges if charge.kind == "coverage"]


def test_a_currency_covers_what_its_own_contracts_are_asked_for() -> None:
    """A million USD does not pay for a perpetual that settles in BTC; a bitcoin does."""
    made = under()
    position = ("BTC-PERPETUAL", "50010")
    lacking = asked(made, ("USD", "1000000"), position)
    own = usd(made, lacking.assessment.units[0].loss)
    assert own == pytest.approx(INDEX * (0.16 / 0.84 + 0.01), rel=1e-7)
    assert [charge.name for charge in coverage(lacking)] == ["BTC must cover its own"]
    assert usd(made, lacking.excess) == pytest.approx(-own, abs=1)
    covered = asked(made, ("USD", "1000000"), ("BTC", "1"), position)
    assert not coverage(covered)
    assert usd(made, covered.excess) == pytest.approx(1_000_000 + INDEX - own, abs=1)
    assert not coverage(asked(under(**CROSS), ("USD", "1000000"), position))


def test_a_gain_in_one_currency_pays_no_loss_in_another() -> None:
    """Segregated, the worst cells of either are added; cross, the gain counts in part."""
    rules = {"annual_move": "0", "least_move": "0", "coins": {"BTC": {"delta_shock": "0"}}}
    rows = (("USD", "100000"), ("BTC", "1"), ("BTC_USD-31JAN26", "1"), ("BTC-31JAN26", "-50400"))
    made = under(**rules)
    own, other = FORWARD * 0.16, INDEX * 0.16 / 1.16
    assert usd(made, asked(made, *rows).requirement) == pytest.approx(own + other, rel=1e-6)
    for share in (0.0, 0.4, 1.0):
        made = under(**rules, **CROSS, gain_offset=str(share))
        assert bool(grid(made).buckets) == (share < 1)
        short = (("USD", "100000"), ("BTC_USD-31JAN26", "1"), ("BTC-31JAN26", "-50400"))
        found = usd(made, asked(made, *short).requirement)
        assert found == pytest.approx(INDEX * 0.16 - share * INDEX * 0.16 + (FORWARD - INDEX) * 0.16, rel=0.2)


def test_equity_of_a_cross_account_is_a_position_of_its_own() -> None:
    """Ten bitcoins hedged by a short perpetual are asked for its roll shock alone."""
    made = under(**CROSS)
    hedged = (("BTC", "10"), ("BTC-PERPETUAL", "-500100"))
    assert usd(made, asked(made, *hedged).requirement) == pytest.approx(10 * INDEX * 0.01, rel=1e-6)
    bare = asked(made, ("BTC", "10"))
    assert usd(made, bare.requirement) == pytest.approx(10 * INDEX * 0.16, rel=1e-6)
    then, now = (black76(f, STRIKE, VOL, YEARS, True) for f in (FORWARD * 0.84, FORWARD))
    change = entry(made, "BTC-31JAN26-K-C", "-0.16", "none")
    assert change == pytest.approx((then - now) * INDEX / FORWARD, rel=1e-7)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_is_lacking_is_the_least_that_is_over(data: st.DataObject) -> None:
    made = DELTA_SHOCKS
    lots = data.draw(lots_of(made))
    found, tables = requirement(made, lots), grid(made)
    assert tables.coverage is not None
    worth = [q * mark * money for q, mark, money in zip(lots, made.marks.tolist(), made.scale, strict=True)]
    over = [
        sum(worth[slot] for slot in currency.slots)
        - sum(found.assessment.units[u].loss for u in currency.units)
        for currency in tables.coverage.currencies
    ]
    charges = sum(charge.amount for charge in coverage(found))
    without = found.excess + charges
    assert found.excess == (without if min(over) >= 0 else min(without, *over))
