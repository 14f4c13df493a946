"""After an expiry: what has settled is held as before, is never traded, and nothing else changes."""

import pytest

from tests.margin.expiring import across, settled_slots
from tests.planning.books import book, short_by
from zkmargin.margin.errors import InputError
from zkmargin.planning.costs import Pricing
from zkmargin.planning.engine import Engine
from zkmargin.planning.plan import Limits, plan_liquidation
from zkmargin.planning.questions.available import available
from zkmargin.planning.questions.contributions import contributions
from zkmargin.planning.questions.distance import distance
from zkmargin.planning.rules import usual_rules
from zkmargin.planning.trades import changes_of, parse_trade, traded

HELD = {
    "USD": 10**11, "BTC": 10**8, "BTC-near": 20_000, "BTC-near-C": -30, "BTC_USD-near-P": 12, "BTC-far-C": -25,
    "BTC_USD-far-P": -14, "BTC-far-C-F": 10, "BTC_USD-far": 500, "BTC-PERPETUAL": -40_000,
}  # fmt: skip
MODELS = sorted(across()[1].models)


@pytest.mark.parametrize("model", MODELS)
def test_plans_leave_what_has_settled_alone(model: str) -> None:
    made = across()[1]
    costs = Pricing(made)
    lots = book(made, HELD)
    required = Engine(made, model, "maintenance").requirement(lots).requirement_ticks
    lots = short_by(made, lots, required / 10**6 * 0.02, model)
    settled = set(settled_slots(made))
    assert any(lots[slot] for slot in settled)
    # Under value at risk this account is asked for nothing but a haircut, which no contract lowers.
    for hedges in (False, True) if model != "var" else ():
        plan = plan_liquidation(costs, lots, model=model, hedges=hedges, limits=Limits(time_limit=0.5))
        changes = changes_of(made, plan.trades)
        assert not settled & set(changes)
        assert Engine(made, model, "maintenance").excess(traded(costs, lots, changes)) == plan.after >= 0
    assert len(usual_rules(costs, lots, model=model)) == 3
    assert len(contributions(costs, lots, model=model).parts) == len([held for held in lots if held])
    assert available(costs, lots, model=model).excess < 0


def test_the_market_is_priced_again_around_what_has_settled() -> None:
    made = across()[1]
    lots = short_by(made, book(made, HELD), -5_000)
    found = distance(made, lots, spots=(), volatilities=())
    assert found.excess == 5_000 * 10**6
    assert {failure.way for failure in found.failures} >= {"BTC up", "BTC down"}


def test_what_has_settled_cannot_be_traded() -> None:
    with pytest.raises(InputError, match="has expired and settled; it cannot be traded"):
        parse_trade("BTC-near-C +1", Pricing(across()[1]))
