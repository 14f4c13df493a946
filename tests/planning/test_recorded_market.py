"""The recorded market, with 30 positions: plans, withdrawals, contributions and certificates at its size."""

from functools import cache

import pytest

from tests.margin.accounts import RECORDED, recorded
from tests.planning.books import book, short_by
from zkmargin.planning.certificate import certify, check
from zkmargin.planning.costs import Pricing, read_book
from zkmargin.planning.engine import Engine
from zkmargin.planning.plan import plan_liquidation
from zkmargin.planning.questions.available import available
from zkmargin.planning.questions.contributions import contributions
from zkmargin.planning.rules import usual_rules
from zkmargin.planning.trades import changes_of, traded


@cache
def scene() -> tuple[Pricing, list[int]]:
    """Options, perpetuals and coins, long and short, 20,000 USD short of margin; costs by bids and asks."""
    made = recorded()
    costs = Pricing(made, book=read_book(RECORDED / "options_btc_eth.csv", made))
    options = [i.name for i in made.universe.instruments if i.kind == "option"]
    chosen = options[:: len(options) // 26][:26]
    held = {name: (-1) ** n * (10 + 7 * n % 40) for n, name in enumerate(chosen)}
    held |= {"BTC-PERPETUAL": -150_000, "ETH-PERPETUAL": 40_000, "BTC": 4 * 10**8, "ETH": 30 * 10**8}
    return costs, short_by(made, book(made, held), 20_000)


@pytest.mark.parametrize("hedges", [False, True])
def test_thirty_positions_are_mended(hedges: bool) -> None:
    costs, lots = scene()
    assert sum(map(bool, lots)) == 31
    plan = plan_liquidation(costs, lots, hedges=hedges)
    after = traded(costs, lots, changes_of(costs.snapshot, plan.trades))
    assert plan.after == Engine(costs.snapshot, "grid", "maintenance").excess(after) >= 0
    assert plan.gap is not None
    assert plan.gap < 0.02
    if not hedges:
        certificate = certify(costs, lots, plan, hedges=False)
        verdict = check(certificate, costs.snapshot, lots)
        assert verdict.cost == plan.cost
        assert float(verdict.bound) > 0.98 * float(plan.cost)
        for rule in usual_rules(costs, lots):
            assert not rule.reached or rule.cost >= verdict.bound


def test_contributions_and_withdrawals_at_its_size() -> None:
    costs, lots = scene()
    found = contributions(costs, lots, level="maintenance")
    assert len(found.parts) == 31
    total = sum(part.shadow for part in found.parts)
    assert abs(total - found.requirement) < 1e-4
    assert {most.reason for most in available(costs, lots).withdrawals} == {"not covered"}
