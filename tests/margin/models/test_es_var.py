"""Expected shortfall and value at risk of accounts, against their definitions in fractions."""

from dataclasses import replace
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.margin.accounts import holdings
from tests.margin.joint import (
    ONE_COIN,
    accounts,
    built,
    drawn_example,
    joint,
    recorded_history,
    universes,
    with_risk,
)
from zkmargin.margin.account.report import build_report
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.market import example_market
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level

models = st.sampled_from(("es", "var"))


def by_hand(snapshot: Snapshot, lots: list[int], model: str, level: Level) -> Fraction:
    """The requirement straight from the definition: every loss by its share of the tail, and the haircuts."""
    tables = joint(snapshot, model)
    losses = sorted(
        (
            -sum(q * int(v) * f for q, v, f in zip(lots, row, snapshot.scale, strict=True))
            for row in tables.risk.tolist()
        ),
        reverse=True,
    )
    weight = len(losses) * (1 - Fraction(*tables.confidence[level]))
    if model == "var":
        amount = Fraction(losses[floor(weight)])
    else:
        left, total = weight, Fraction(0)
        for loss in losses:
            taken = min(Fraction(1), left)
            total, left = total + taken * loss, left - taken
        amount = total / weight
    haircuts = [
        sum(lots[s] * c * snapshot.scale[s] for s, c in zip(h.slots, h.charge[level], strict=True))
        for h in tables.collaterals
    ]
    return max(Fraction(0), amount) + sum(max(0, haircut) for haircut in haircuts)


@settings(max_examples=40, deadline=None)
@given(st.data(), universes(), models, st.sampled_from(LEVELS))
def test_the_requirement_is_the_definition(
    data: st.DataObject, snapshot: Snapshot, model: str, level: Level
) -> None:
    lots = data.draw(accounts(snapshot))
    found = requirement(snapshot, lots, model=model, level=level)
    assert found.requirement == by_hand(snapshot, lots, model, level)
    tail = found.assessment.tail
    assert tail is not None
    assert tail.amount + sum(charge.amount for charge in found.assessment.charges) == found.requirement


def test_contingencies_are_added() -> None:
    rates = {"initial": "0.02", "maintenance": "0.01"}
    plain, charged = built(ONE_COIN), built(ONE_COIN | {"perpetual": rates, "naked_short": rates})
    universe = plain.universe
    lots = [0] * len(universe)
    lots[universe.slot("BTC_USD-PERPETUAL")] = -3000
    lots[universe.slot("BTC-31JAN26-K-C")] = -20
    lots[universe.slot("BTC-31JAN26-K-P")] = 5
    for level, rate in zip(LEVELS, (Fraction(2, 100), Fraction(1, 100)), strict=True):
        more = (
            requirement(charged, lots, model="es", level=level).requirement
            - requirement(plain, lots, model="es", level=level).requirement
        )
        # 3 coins at 50,010 short, and 1.5 calls not covered by puts at 50,000.
        assert more == rate * (3 * 50010 + Fraction(3, 2) * 50000) * 10**plain.money_decimals
        kinds = [c.kind for c in requirement(charged, lots, model="es", level=level).assessment.charges]
        assert kinds == ["perpetual", "short options of a strike"]


def account(losses: list[int], confidence: tuple[int, int]) -> tuple[Snapshot, list[int]]:
    """One lot of the first coin, which loses these amounts."""
    base = drawn_example()
    risk = np.zeros((len(losses), len(base.universe)), np.int64)
    risk[:, 1] = [-loss for loss in losses]
    lots = [0] * len(base.universe)
    lots[1] = 1
    return with_risk(base, risk, confidence, charges=False), lots


def asked(losses: list[int], confidence: tuple[int, int], model: str) -> Fraction:
    snapshot, lots = account(losses, confidence)
    return requirement(snapshot, lots, model=model).requirement / snapshot.scale[1]


def test_fractional_tails_ties_single_cells_and_gains() -> None:
    assert asked([10, 4, 1], (1, 2), "es") == Fraction(12) / Fraction(3, 2)
    assert asked([10, 4, 1], (1, 2), "var") == 4
    assert asked([7, 7, 7, 7], (9, 10), "es") == asked([7, 7, 7, 7], (9, 10), "var") == 7
    assert asked([9], (1, 2), "es") == asked([9], (1, 2), "var") == 9
    # A tail that begins with a gain still loses on average; one that gains asks for nothing.
    assert asked([10, -4], (1, 10), "es") == Fraction(10 - 4 * Fraction(8, 10)) / Fraction(9, 5)
    assert asked([10, -4], (1, 10), "var") == 0
    assert asked([-1, -2, -3], (1, 2), "es") == asked([-1, -2, -3], (1, 2), "var") == 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-99, 99), st.integers(0, 9)), min_size=1, max_size=20),
    st.integers(1, 29),
    models,
)
def test_larger_losses_never_ask_for_less(pairs: list[tuple[int, int]], numerator: int, model: str) -> None:
    losses, larger = [loss for loss, _ in pairs], [loss + more for loss, more in pairs]
    assert asked(losses, (numerator, 30), model) <= asked(larger, (numerator, 30), model)
    assert asked(losses, (numerator, 30), model) <= asked(losses, (29, 30), model)


def test_initial_margin_is_never_below_maintenance() -> None:
    snapshot = drawn_example()
    lots = [0] * len(snapshot.universe)
    lots[1], lots[2] = 10**9, -(10**10)
    for model in ("es", "var"):
        initial, maintenance = (requirement(snapshot, lots, model=model, level=k).requirement for k in LEVELS)
        assert initial >= maintenance > 0


def test_a_report_names_the_tail() -> None:
    snapshot = drawn_example()
    held = holdings(snapshot, ("BTC", "2"), ("USD", "1000"))
    report = build_report(snapshot, held, model="es")
    assert report.tail is not None
    document = report.to_json()["tail"]
    assert (document["title"], document["confidence"]) == ("expected shortfall", "39/40")
    assert (document["scenarios"], document["tail_weight"]) == (40, "1")
    tables = joint(snapshot)
    worst = int(tables.moves[:, 0].argmin())
    cell = document["cells"][0]
    assert cell["label"] == tables.labels[worst]
    assert cell["moves"]["BTC"].startswith("-0.")
    assert [p["instrument"] for p in document["positions"]] == ["BTC", "USD"]
    assert document["positions"][0]["loss"] == cell["loss"] == document["amount"]
    assert "tail" not in build_report(snapshot, held, model="cross").to_json()


def test_the_bounds_see_the_tables() -> None:
    """What no account within its bounds may overflow is checked with the scenarios in."""
    tables = joint(drawn_example())
    one = replace(tables, risk=np.array([[-(1 << 63)] * len(tables.risk[0])], np.int64))
    assert min(one.weights()) >= 1 << 63


@pytest.mark.parametrize("model", ["es", "var"])
def test_recorded_prices_margin_a_hedged_account(model: str) -> None:
    section = {"filter_lambda": "0.94", "horizon": 2}
    history = recorded_history()
    snapshot = Snapshot.build(example_market(), parse_parameters({model: section}, "test"), history=history)
    open_account = holdings(snapshot, ("BTC", "1"), ("USD", "100000"))
    hedged = holdings(snapshot, ("BTC", "1"), ("USD", "100000"), ("BTC_USD-PERPETUAL", "-1"))
    both = [
        requirement(snapshot, h.vector(snapshot), model=model).requirement for h in (open_account, hedged)
    ]
    # Only the haircut on the coin is left of the hedged account.
    assert both[1] < both[0] / 2
