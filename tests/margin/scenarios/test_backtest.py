"""The backtest against a second reckoning, and Kupiec's test against scipy."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import log
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from tests.margin.joint import falling, recorded_history
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.history import PriceHistory
from zkmargin.margin.scenarios.backtest import Backtest, backtest
from zkmargin.margin.scenarios.coverage_tests import christoffersen_test, kupiec_test
from zkmargin.margin.scenarios.moves import SEED_DAYS, Filtered

WEIGHTS = {"BTC": Decimal(1), "ETH": Decimal("-0.5")}


def run(history: PriceHistory | None = None, **changes: Any) -> Backtest:
    settings: dict[str, Any] = {
        "model": "var",
        "window": 12,
        "horizon": 1,
        "confidence": Fraction(9, 10),
        **changes,
    }
    weights = settings.pop("weights", WEIGHTS)
    return backtest(history or falling(), weights, **settings)


@pytest.mark.parametrize("horizon", [1, 3])
def test_margins_and_losses_are_what_the_prices_say(horizon: int) -> None:
    history, found = falling(), run(horizon=horizon)
    prices = {name: [Fraction(price or 0) for price in history.prices[name]] for name in WEIGHTS}

    def loss(end: int) -> Fraction:
        moves = {name: prices[name][end] / prices[name][end - horizon] - 1 for name in WEIGHTS}
        return -sum((Fraction(weight) * moves[name] for name, weight in WEIGHTS.items()), Fraction(0))

    # ETH begins on day 10; the first window of 12 moves ends 11 + horizon days later.
    first = 10 + horizon + 11
    assert [trial.day for trial in found.trials] == [
        history.date_of(day) for day in range(first, history.days - horizon, horizon)
    ]
    for trial in found.trials:
        day = (trial.day - history.first).days
        losses = sorted((loss(end) for end in range(day - 11, day + 1)), reverse=True)
        # 12 scenarios at 90 %: 1.2 of them are excused, so the second largest loss is asked for.
        assert float(trial.quantile) == pytest.approx(float(losses[1]), abs=1e-8)
        assert trial.margin == max(0, trial.quantile)
        assert float(trial.loss) == pytest.approx(float(loss(day + horizon)), abs=1e-8)
    assert found.kupiec.exceedances == sum(trial.loss > trial.quantile for trial in found.trials)
    assert found.breaches == tuple(trial for trial in found.trials if trial.loss > trial.margin)


def test_expected_shortfall_asks_for_no_less() -> None:
    shortfall, at_risk = run(model="es"), run()
    for one, other in zip(shortfall.trials, at_risk.trials, strict=True):
        assert one.margin >= other.margin
        assert (one.quantile, one.loss) == (other.quantile, other.loss)
    assert shortfall.kupiec == at_risk.kupiec


def test_filtered_margins_know_no_later_day() -> None:
    whole = run(decay=Decimal("0.9"))
    assert whole.trials[0].day == falling().date_of(10 + SEED_DAYS)
    shorter = PriceHistory(falling().first, {name: column[:50] for name, column in falling().prices.items()})
    part = run(shorter, decay=Decimal("0.9"))
    assert part.trials == whole.trials[: len(part.trials)]
    day = 45
    trial = whole.trials[day - (10 + SEED_DAYS)]
    moves = [Filtered.of(falling(), name, Decimal("0.9")).moves(1, range(34, 46), day) for name in WEIGHTS]
    losses = sorted((-b + Fraction(e, 2) for b, e in zip(*moves, strict=True)), reverse=True)
    assert trial.quantile == losses[1] / 10**9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": {"SOL": Decimal(1)}}, "weights: coin: 'SOL': the history has BTC, ETH"),
        ({"weights": {"BTC": Decimal(0)}}, "weights: amounts: all zero"),
        ({"window": 9}, "backtest: window: 9: use at least 10"),
        ({"horizon": 0}, "backtest: horizon: 0"),
        ({"window": 60}, "50 days with all prices: 60 scenarios and a horizon of 1 days need 62 prices"),
        (
            {"window": 10, "horizon": 20},
            "50 days with all prices: 10 scenarios and a horizon of 20 days need 50",
        ),
    ],
)
def test_what_cannot_be_run_is_said(changes: dict[str, Any], message: str) -> None:
    history = falling(59) if changes.get("horizon") == 20 else falling()
    if changes.get("horizon") == 20:
        message = message.replace("50 days", "49 days")
    with pytest.raises(InputError) as refused:
        run(history, **changes)
    assert message in str(refused.value)


@pytest.mark.parametrize(("trials", "exceedances"), [(250, 0), (250, 2), (250, 9), (250, 250), (1000, 10)])
def test_kupiec_agrees_with_scipy(trials: int, exceedances: int) -> None:
    found = kupiec_test(trials, exceedances, Fraction(1, 100))
    seen, kept = exceedances / trials, trials - exceedances
    statistic = -2 * (kept * log(0.99) + exceedances * log(0.01))
    statistic += 2 * ((kept * log(1 - seen) if kept else 0) + (exceedances * log(seen) if exceedances else 0))
    assert found.statistic == pytest.approx(statistic, abs=1e-9)
    assert found.p_value == pytest.approx(float(chi2.sf(statistic, 1)), abs=1e-9)
    assert found.expected == trials / 100


@pytest.mark.parametrize(("exceedances", "probability", "printed"), [(6, "0.01", 3.498), (20, "0.05", 3.91)])
def test_the_textbook_s_exceptions_of_a_year(exceedances: int, probability: str, printed: float) -> None:
    """P. Jorion, Value at Risk (3rd ed.), chapter 6: 252 days, equation 6.3."""
    found = kupiec_test(252, exceedances, Fraction(probability))
    assert found.statistic == pytest.approx(printed, abs=0.005)


def test_ten_exceedances_of_a_thousand_at_one_percent_are_expected() -> None:
    assert kupiec_test(1000, 10, Fraction(1, 100)).p_value == 1.0


def test_the_recorded_crashes_are_breaches() -> None:
    found = run(
        recorded_history(), weights={"BTC": Decimal(1)}, window=500, confidence=Fraction(99, 100), model="var"
    )
    assert len(found.trials) == 2548
    days = {trial.day for trial in found.breaches}
    assert {date(2020, 3, 11), date(2022, 11, 8), date(2026, 2, 4)} <= days
    assert found.kupiec.p_value > 0.01


@given(st.lists(st.booleans(), min_size=2, max_size=300), st.integers(1, 50))
def test_christoffersen_is_its_definition(exceeded: list[bool], percent: int) -> None:
    """The likelihoods of a Markov chain and of independent draws, written out, and scipy's distribution."""
    found = christoffersen_test(exceeded, Fraction(percent, 100))
    pairs = list(pairwise(exceeded))
    n = {(a, b): sum(pair == (a, b) for pair in pairs) for a in (False, True) for b in (False, True)}
    assert found.transitions == (n[False, False], n[False, True], n[True, False], n[True, True])

    def term(count: int, rate: float) -> float:
        return count * log(rate) if count else 0.0

    chain = 0.0
    for before in (False, True):
        total = n[before, False] + n[before, True]
        rate = n[before, True] / total if total else 0.0
        chain += term(n[before, False], 1 - rate) + term(n[before, True], rate)
    rate = (n[False, True] + n[True, True]) / len(pairs)
    same = term(n[False, False] + n[True, False], 1 - rate) + term(n[False, True] + n[True, True], rate)
    assert found.independence == pytest.approx(max(0.0, 2 * (chain - same)), abs=1e-9)
    assert found.independence_p_value == pytest.approx(chi2.sf(found.independence, 1), abs=1e-12)
    kupiec = kupiec_test(len(exceeded), sum(exceeded), Fraction(percent, 100)).statistic
    assert found.coverage == pytest.approx(kupiec + found.independence)
    assert found.coverage_p_value == pytest.approx(chi2.sf(found.coverage, 2), abs=1e-12)


def test_exceedances_in_a_cluster_are_noticed() -> None:
    scattered = [day % 20 == 0 for day in range(400)]
    clustered = [day < 20 for day in range(400)]
    assert christoffersen_test(scattered, Fraction(1, 20)).coverage_p_value > 0.1
    assert christoffersen_test(clustered, Fraction(1, 20)).independence_p_value < 1e-6
