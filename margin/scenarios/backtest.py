"""Backtest: rolling margin against realised losses, with Kupiec's and Christoffersen's tests.

On every day t, the scenarios of the window that ends with its close give the margin of a portfolio; the move
over the next h days gives its loss. Days follow each other h apart, so that losses do not overlap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from math import lcm
from typing import Literal

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.market.history import BILLION, PriceHistory, plain_moves
from zkmargin.margin.scenarios.coverage_tests import Christoffersen, Kupiec, christoffersen_test, kupiec_test
from zkmargin.margin.scenarios.moves import SEED_DAYS, Filtered
from zkmargin.margin.scenarios.tail import tail

Measure = Literal["es", "var"]

SMALLEST_WINDOW = 10


@dataclass(frozen=True)
class Trial:
    """One period: the margin at its start and the loss over it. Amounts in USD, as the weights are."""

    day: date
    """The last close that the margin knows."""
    margin: Fraction
    quantile: Fraction
    """Value at risk at the same confidence, before it is cut off at zero: what Kupiec's test is about."""
    loss: Fraction

    @property
    def breach(self) -> bool:
        """Whether the loss passed the margin."""
        return self.loss > self.margin

    @property
    def exceedance(self) -> bool:
        """Whether the loss passed value at risk."""
        return self.loss > self.quantile


@dataclass(frozen=True)
class Backtest:
    """A run over a history."""

    model: Measure
    confidence: Fraction
    window: int
    horizon: int
    decay: Decimal | None
    weights: Mapping[str, Decimal]
    trials: tuple[Trial, ...]
    kupiec: Kupiec
    christoffersen: Christoffersen

    @property
    def breaches(self) -> tuple[Trial, ...]:
        """The periods whose loss passed the margin."""
        return tuple(trial for trial in self.trials if trial.breach)


def backtest(
    history: PriceHistory,
    weights: Mapping[str, Decimal],
    *,
    model: Measure,
    window: int,
    horizon: int,
    confidence: Fraction,
    decay: Decimal | None = None,
) -> Backtest:
    """Run over all days that have a full window before them and a full horizon after.

    Args:
        history: daily closes.
        weights: USD held in each coin on every day, negative if short.
        model: what the margin is, expected shortfall or value at risk.
        window: scenarios of each day, the most recent ones.
        horizon: days of a scenario, and of a loss.
        confidence: strictly between 0 and 1.
        decay: the filter's lambda; None for plain historical simulation.

    Raises:
        InputError: a coin is not in the history, the weights are zero, or the history is too short.
    """
    coins = _check(history, weights, window, horizon)
    # The filter begins with the variance of its first days, which no earlier day may know.
    warm = max(window + horizon - 1, SEED_DAYS if decay is not None else 0)
    first = max(history.begins[coin] for coin in coins) + warm
    days = range(first, history.days - horizon, horizon)
    if not days:
        available = history.days - (first - warm)
        remedy = f"{window} scenarios and a horizon of {horizon} days need {warm + horizon + 1} prices"
        raise InputError("history", "rows", Finding(f"{available} days with all prices"), remedy)
    portfolio = _Portfolio(history, {coin: weights[coin] for coin in coins}, horizon, decay)
    trials = []
    for day in days:
        found = tail(portfolio.scenarios(day, window), confidence)
        asked = found.mean if model == "es" else Fraction(found.quantile)
        amounts = (max(Fraction(0), asked), found.quantile, portfolio.loss_after(day))
        trials.append(Trial(history.date_of(day), *(Fraction(amount) / portfolio.unit for amount in amounts)))
    kupiec = kupiec_test(len(trials), sum(trial.exceedance for trial in trials), 1 - confidence)
    independence = christoffersen_test([trial.exceedance for trial in trials], 1 - confidence)
    return Backtest(
        model, confidence, window, horizon, decay, dict(weights), tuple(trials), kupiec, independence
    )


class _Portfolio:
    """Amounts held in coins, and what they lose: integers, `unit` of them to one USD."""

    def __init__(
        self, history: PriceHistory, weights: Mapping[str, Decimal], horizon: int, decay: Decimal | None
    ) -> None:
        shares = reduce(lcm, (weight.as_integer_ratio()[1] for weight in weights.values()))
        self.unit = shares * BILLION
        self._horizon = horizon
        self._amounts = [int(weight * shares) for weight in weights.values()]
        self._begins = [history.begins[coin] + horizon for coin in weights]
        self._moves = [
            plain_moves(history, coin, horizon, range(begin, history.days))
            for coin, begin in zip(weights, self._begins, strict=True)
        ]
        self._filters = [Filtered.of(history, coin, decay) for coin in weights] if decay is not None else []

    def scenarios(self, day: int, window: int) -> list[int]:
        """The losses over the scenarios of the window that ends with a day's close, as seen from there."""
        ends = range(day + 1 - window, day + 1)
        if self._filters:
            return self._losses([coin.moves(self._horizon, ends, day) for coin in self._filters])
        columns = zip(self._moves, self._begins, strict=True)
        return self._losses([moves[ends.start - begin : ends.stop - begin] for moves, begin in columns])

    def loss_after(self, day: int) -> int:
        """What was lost over the horizon from a day's close on."""
        end = day + self._horizon
        columns = zip(self._moves, self._begins, strict=True)
        return self._losses([[moves[end - begin]] for moves, begin in columns])[0]

    def _losses(self, columns: Sequence[Sequence[int]]) -> list[int]:
        return [-sum(map(int.__mul__, self._amounts, row)) for row in zip(*columns, strict=True)]


def _check(history: PriceHistory, weights: Mapping[str, Decimal], window: int, horizon: int) -> list[str]:
    """The coins that are held. Raises InputError."""
    for coin in weights:
        if coin not in history.prices:
            raise InputError("weights", "coin", coin, f"the history has {', '.join(history.prices)}")
    coins = [coin for coin, weight in weights.items() if weight]
    if not coins:
        raise InputError("weights", "amounts", Finding("all zero"), "hold something, such as BTC=1")
    if window < SMALLEST_WINDOW:
        raise InputError("backtest", "window", window, f"use at least {SMALLEST_WINDOW} scenarios")
    if not 1 <= horizon <= 60:
        raise InputError("backtest", "horizon", horizon, "use 1 to 60 days")
    return coins
