"""Placing collateral: every venue is covered, fees are least, and what cannot be is told."""

from fractions import Fraction
from itertools import product

import pytest

from tests.planning.books import example, pricing, short_by
from zkmargin.margin.errors import InputError
from zkmargin.planning.plan import InfeasibleError
from zkmargin.planning.questions.place import Account, Route, place


def account(name: str, rules: str = "grid", model: str = "grid", usd: float = 20_000) -> Account:
    made = pricing(rules).snapshot
    lots = short_by(made, example(made), usd, model, "initial")
    return Account(name, made, tuple(lots), model)


FEES = {"USD": ("15", "0", 1440), "BTC": ("3", "0.0002", 30), "ETH": ("1", "0.0005", 5)}
ROUTES = [
    Route("pool", name, asset, Fraction(fixed), Fraction(rate), minutes)
    for name in ("one", "two", "three")
    for asset, (fixed, rate, minutes) in FEES.items()
]
POOL = {"USD": Fraction(50_000), "BTC": Fraction(1, 2), "ETH": Fraction(10)}


def accounts() -> list[Account]:
    return [account("one"), account("two", model="cross"), account("three", "pmrm2")]


def test_every_venue_is_covered_from_one_pool() -> None:
    found = place(accounts(), POOL, ROUTES)
    assert set(found.before.values()) == {-20_000 * 10**6}
    assert all(excess >= 0 for excess in found.after.values())
    assert found.fee == sum(transfer.fee for transfer in found.transfers)
    assert found.bound <= float(found.fee) + 1e-6
    assert float(found.fee) < found.bound * 1.001 + 0.01
    for asset, units in POOL.items():
        assert sum(Fraction(t.quantity) for t in found.transfers if t.route.asset == asset) <= units


def test_no_other_choice_of_single_assets_is_cheaper() -> None:
    """One account, and one asset at a time: sending enough of any one alone costs no less."""
    one = account("one", usd=9_000)
    routes = [route for route in ROUTES if route.target == "one"]
    best = place([one], POOL, routes).fee
    for route, _ in product(routes, (0,)):
        try:
            alone = place([one], POOL, [route]).fee
        except InfeasibleError:
            continue
        assert best <= alone + Fraction(1, 1000)


def test_slow_routes_are_left_out() -> None:
    found = place([account("one", usd=9_000)], POOL, ROUTES[:3], minutes=10)
    assert {transfer.route.asset for transfer in found.transfers} == {"ETH"}
    assert found.minutes == 5


def test_another_venue_can_lend_what_it_does_not_need() -> None:
    rich, poor = account("rich", usd=-40_000), account("poor", usd=10_000)
    found = place([rich, poor], {}, [Route("rich", "poor", "ETH", Fraction(1), Fraction(1, 2000), 5)])
    assert [transfer.route.source for transfer in found.transfers] == ["rich"]
    assert found.after["poor"] >= 0
    assert 0 <= found.after["rich"] < found.before["rich"]


def test_a_pool_that_does_not_do_says_who_is_short() -> None:
    with pytest.raises(InfeasibleError, match=r"one, three cannot be brought to it.*the pool has 1 ETH"):
        place(
            [account("one"), account("three", "pmrm2")],
            {"ETH": Fraction(1)},
            [r for r in ROUTES if r.target != "two"],
        )


@pytest.mark.parametrize(
    ("route", "match"),
    [
        (Route("pool", "elsewhere", "USD"), "no venue has this name"),
        (Route("pool", "one", "DOGE"), "no such balance"),
        (Route("one", "one", "USD"), "back to itself"),
        (Route("pool", "one", "USD", rate=Fraction(2)), "rate below 1"),
    ],
)
def test_routes_that_cannot_be_are_refused(route: Route, match: str) -> None:
    with pytest.raises(InputError, match=match):
        place([account("one")], POOL, [route])
