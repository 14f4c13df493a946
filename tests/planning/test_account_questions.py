"""What-ifs, withdrawals, contributions and distances: exact, and adding up."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.planning.books import SECTIONS, book, example, model_of, pricing, short_books, short_by
from zkmargin.margin.account.greeks import net_greeks, totals
from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.errors import InputError
from zkmargin.planning.bands import account_greeks
from zkmargin.planning.engine import Engine
from zkmargin.planning.questions.available import Most, available, largest_order
from zkmargin.planning.questions.contributions import contributions, excess_slopes
from zkmargin.planning.questions.distance import DAY, distance
from zkmargin.planning.questions.repricing import Move, Repricing
from zkmargin.planning.questions.whatif import rank, whatif
from zkmargin.planning.trades import after, parse_trade, traded

FEW = settings(max_examples=10, deadline=None)


def withdrawn(lots: list[int], slot: int, amount: int) -> list[int]:
    held = list(lots)
    held[slot] -= amount
    return held


@pytest.mark.parametrize("name", SECTIONS)
def test_one_tick_more_cannot_be_withdrawn(name: str) -> None:
    costs, model = pricing(name), model_of(name)
    made = costs.snapshot
    lots = short_by(made, example(made), -30_000, model, "initial")
    engine = Engine(made, model, "initial")
    found = available(costs, lots, model=model)
    assert found.excess == 30_000 * 10**made.quantum_decimals
    assert [most.name for most in found.withdrawals] == ["USD", "BTC", "ETH"]
    for most in found.withdrawals:
        slot = made.universe.slot(most.name)
        assert engine.excess(withdrawn(lots, slot, most.lots)) >= 0
        if most.reason == "margin":
            assert engine.excess(withdrawn(lots, slot, most.lots + 1)) < 0
        else:
            assert (most.reason, most.lots) == ("balance", max(0, lots[slot]))
    assert any(most.reason == "margin" for most in found.withdrawals) or model == "tiered"


@pytest.mark.parametrize("name", ["grid", "span", "pmrm2"])
@pytest.mark.parametrize("buy", [True, False])
def test_one_lot_more_cannot_be_ordered(name: str, buy: bool) -> None:
    costs, model = pricing(name), model_of(name)
    lots = short_by(costs.snapshot, example(costs.snapshot), -30_000, model, "initial")
    most = largest_order(costs, lots, "BTC-30JAN26-101000-C", buy=buy, model=model)
    slot, sign = costs.snapshot.universe.slot(most.name), 1 if buy else -1
    engine = Engine(costs.snapshot, model, "initial")
    assert most.reason == "margin"
    assert engine.excess(traded(costs, lots, {slot: sign * most.lots})) >= 0
    assert engine.excess(traded(costs, lots, {slot: sign * (most.lots + 1)})) < 0


def test_nothing_can_be_taken_from_an_account_that_is_short() -> None:
    costs = pricing()
    lots = short_by(costs.snapshot, example(costs.snapshot), 1, level="initial")
    assert {most.reason for most in available(costs, lots).withdrawals} == {"not covered"}
    assert largest_order(costs, lots, "BTC-PERPETUAL", buy=True) == Most(
        "BTC-PERPETUAL", 0, "0", "not covered"
    )


@pytest.mark.parametrize("name", SECTIONS)
@FEW
@given(data=st.data())
def test_contributions_add_up(name: str, data: st.DataObject) -> None:
    costs, model = pricing(name), model_of(name)
    lots = data.draw(short_books(costs.snapshot, model))
    found = contributions(costs, lots, model=model)
    total = sum((part.shadow for part in found.parts), Fraction(0)) + found.constants
    # A norm is approached by cuts, to a millionth of itself; all else is exact to far below a tick.
    allowed = found.requirement / 10**5 if model == "correlation" else Fraction(1, 10**5)
    assert abs(found.rounding) <= allowed
    assert total + found.rounding == found.requirement
    assert found.constants == 0 or name in ("pmrm2", "okx", "deribit", "tiered", "span")


def test_contributions_are_slopes() -> None:
    """Of a position a little larger, the requirement grows by its slope, where no charge has a kink there."""
    costs = pricing()
    made, lots = costs.snapshot, example(costs.snapshot)
    slopes, engine = excess_slopes(costs, lots), Engine(costs.snapshot)
    for name in ("BTC-30JAN26-84000-P", "BTC-PERPETUAL", "ETH", "BTC-27MAR26-119000-C"):
        slot = made.universe.slot(name)
        moved = [held + (n == slot) for n, held in enumerate(lots)]
        rise = (engine.requirement(moved).excess - engine.requirement(lots).excess) / 10**made.money_decimals
        assert abs(rise - slopes.get(slot, Fraction(0))) < Fraction(1, 10**6)


def test_without_it_is_told_beside_the_shadow_price() -> None:
    costs = pricing()
    lots = book(costs.snapshot, {"USD": 10**11, "BTC-30JAN26-88000-C": -10, "BTC-30JAN26-101000-C": 10})
    found = contributions(costs, lots, model="isolated")
    by_name = {part.instrument: part for part in found.parts}
    assert set(by_name) == {"USD", "BTC-30JAN26-88000-C", "BTC-30JAN26-101000-C"}
    # Isolated margin has no offsets: both ways to count agree.
    for part in found.parts:
        assert abs(part.shadow * 10**6 - part.without) <= 1


def test_a_trade_changes_nothing_but_by_its_cost_and_rounding() -> None:
    costs = pricing()
    free = type(costs)(
        costs.snapshot,
        costs.costs.model_copy(update={n: 0 for n in type(costs.costs).model_fields if n != "impact"}),
    )
    lots = example(costs.snapshot)
    value = Engine(costs.snapshot).requirement(lots).account_value
    for text in ("BTC-30JAN26-84000-P +1", "BTC_USD-PERPETUAL -0.5", "ETH-PERPETUAL 4000", "BTC 0.25"):
        held = after(free, lots, [parse_trade(text, free)])
        moved = Engine(costs.snapshot).requirement(held).account_value - value
        # Marks are rounded to quanta, and legs to lots, of which one in bitcoin is a tenth of a cent.
        assert abs(moved) / 10**costs.snapshot.money_decimals < Fraction(1, 50)


def test_a_what_if_says_before_and_after() -> None:
    costs = pricing()
    lots = example(costs.snapshot)
    trades = [parse_trade("BTC-27MAR26-66000-P +1", costs), parse_trade("BTC-PERPETUAL -5000", costs)]
    found = whatif(costs, lots, trades, model="grid")
    engine = Engine(costs.snapshot)
    assert found.before.requirement.excess_ticks == engine.excess(lots)
    assert found.after.requirement.excess_ticks == engine.excess(after(costs, lots, trades))
    assert found.released == found.after.requirement.excess_ticks - found.before.requirement.excess_ticks
    assert found.cost == sum(trade.cost for trade in trades)
    assert found.after.greeks["BTC"].vega > found.before.greeks["BTC"].vega


def test_greeks_by_slot_are_those_of_positions() -> None:
    made = pricing().snapshot
    rows = [
        ("BTC", "2"),
        ("BTC-30JAN26-84000-P", "-3"),
        ("BTC_USD-30JAN26-84000-C", "1"),
        ("BTC-PERPETUAL", "-50000"),
    ]
    held = Holdings.of([Position(name, Decimal(q)) for name, q in rows], made)
    assert account_greeks(made, held.vector(made)) == totals(net_greeks(made, held.entries(made)))


def test_candidates_are_ranked_by_margin_for_a_dollar() -> None:
    costs = pricing()
    lots = example(costs.snapshot)
    texts = ("BTC-30JAN26-84000-P +1", "BTC-30JAN26-84000-P -1", "ETH-27MAR26 -10000")
    found = rank(costs, lots, [parse_trade(text, costs) for text in texts])
    rates = [candidate.per_dollar for candidate in found]
    assert rates == sorted(rates, reverse=True)  # type: ignore[type-var]
    assert found[-1].trade.lots < 0 > found[-1].released


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("BTC-PERPETUAL", "INSTRUMENT QUANTITY"),
        ("BTC-PERPETUAL 0.5", "multiple of the lot"),
        ("BTC-PERPETUAL 0", "not 0"),
        ("BTC-PERPETAUL 5", "is BTC-PERPETUAL meant"),
        ("USD 5", "paid in"),
        ("BTC-PERPETUAL 99999999999999", "beyond what an account may hold"),
        ("BTC-PERPETUAL nan", "finite decimal"),
    ],
)
def test_trades_that_cannot_be_are_refused(text: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        parse_trade(text, pricing())


@pytest.mark.parametrize("name", ["grid", "isolated", "es", "span"])
def test_margin_fails_at_the_distance_and_not_before(name: str) -> None:
    costs, model = pricing(name), model_of(name)
    lots = short_by(costs.snapshot, example(costs.snapshot), -15_000, model)
    found = distance(costs.snapshot, lots, model=model, spots=(Fraction(0),), volatilities=(Fraction(0),))
    market = Repricing(costs.snapshot, lots, model, "maintenance")
    assert found.grid == ((found.excess,),)
    ways = {failure.way: failure for failure in found.failures}
    assert {"BTC up", "BTC down", "ETH up", "ETH down", "volatility up", "volatility down"} <= set(ways)
    failing = ways["ETH down"]
    assert failing.move is not None
    assert market.excess(Move({"ETH": failing.move})) == failing.excess < 0
    assert market.excess(Move({"ETH": failing.move + Fraction(1, 5000)})) >= 0
    assert failing.price == Fraction("2984.15") * (1 + failing.move)


def test_a_market_that_does_not_move_is_the_same() -> None:
    made = pricing().snapshot
    whole = [1] * len(made.universe)
    again = Repricing(made, whole, "grid", "initial").snapshot(Move())
    assert (again.marks == made.marks).all()
    assert again.models["grid"].risk.tolist() == made.models["grid"].risk.tolist()  # type: ignore[attr-defined]


def test_what_expires_settles_at_the_index() -> None:
    made = pricing().snapshot
    lots = book(made, {"USD": 10**11, "BTC-9JAN26-84000-P": -10, "BTC-9JAN26-93000-C": -10, "BTC": 10**8})
    market = Repricing(made, lots, "grid", "maintenance")
    then = market.snapshot(Move({"BTC": Fraction(1, 5)}, time=9 * DAY))
    expiry = made.universe.instruments[made.universe.slot("BTC-9JAN26-84000-P")].expiry
    assert then.settlements == {("BTC", expiry, "BTC"): Decimal("105852.48")}
    walk = distance(made, lots, spots=(Fraction(0),), volatilities=(Fraction(0),)).walk
    assert [name for name, _ in walk] == ["one day", "the expiry of 2026-01-09T08:00:00Z"]
    # Both options end worthless where they are, and no longer take margin.
    assert walk[0][1] < walk[1][1]


def test_a_model_that_is_not_there_is_refused() -> None:
    costs = pricing()
    with pytest.raises(InputError, match="tims"):
        available(costs, example(costs.snapshot), model="tims")
    with pytest.raises(InputError, match="level"):
        Engine(costs.snapshot, "grid", "daily")  # type: ignore[arg-type]
    assert replace(Engine(costs.snapshot), model="span").excess(example(costs.snapshot)) > 0
