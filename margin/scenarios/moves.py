"""Joint scenarios: relative moves of all underlyings over the horizon, as integers in billionths.

From here on everything is integer arithmetic on these moves, so that a scenario set is what it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.arithmetic.cholesky import check_correlation, cholesky
from zkmargin.margin.arithmetic.fixed import ONE, ONE_BITS, div, from_fraction, ln, mul, nearest_shift, sqrt
from zkmargin.margin.arithmetic.kernels import exponentials
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.market.history import BILLION, PriceHistory, plain_moves
from zkmargin.margin.parameters.joint import DRAWN_CELLS, ScenarioSection
from zkmargin.margin.scenarios.quantile import normal_draws

LARGEST_MOVE: Final = 1000
"""A price that rises a thousandfold within the horizon is a fault of the data."""

SEED_DAYS: Final = 30
"""The filter's variance starts at the mean square of the first returns, at most so many."""
_SMALLEST_VARIANCE: Final = 1 << 24
"""About 1e-12 in Q64: a price that never moves has returns of zero, and zero over this stays zero."""

_BEYOND: Final = 7 * ONE
"""e^7 is above 1 + LARGEST_MOVE."""

_DAYS_A_YEAR: Final = 365


@dataclass(frozen=True)
class ScenarioSet:
    """S joint scenarios of U underlyings."""

    labels: tuple[str, ...]
    """For people: the days of a historical scenario, the number of a drawn one."""
    moves: NDArray[np.int64]
    """(S, U): relative moves in billionths, -0.1 being -100,000,000."""


def scenario_set(
    section: ScenarioSection, names: Sequence[str], history: PriceHistory | None, where: str
) -> ScenarioSet:
    """The scenarios of these underlyings, in their order.

    Raises InputError if there is no history where one is needed, if it is too short or lacks an underlying,
    or if a move leaves the range.
    """
    if not names:
        raise InputError(where, "coins", Finding("none"), "scenarios need an instrument whose price moves")
    if section.source == "drawn":
        return drawn_moves(section, names, where)
    if history is None:
        remedy = "the snapshot has no price history; build it with --history FILE, or set source = drawn"
        raise InputError(where, "source", section.source, remedy)
    return historical_moves(section, names, history, where)


# From history -------------------------------------------------------------------------------------


def historical_moves(
    section: ScenarioSection, names: Sequence[str], history: PriceHistory, where: str
) -> ScenarioSet:
    """The most recent overlapping moves over the horizon. Raises InputError."""
    for name in names:
        if name not in history.prices:
            remedy = f"the history has {', '.join(history.prices)}"
            raise InputError(where, "history", name, f"no such column: {remedy}")
    begin = max(history.begins[name] for name in names)
    available = history.days - begin - section.horizon
    cells = available if section.cells is None else section.cells
    if available < 1 or cells > available:
        wanted = 1 if section.cells is None else section.cells
        remedy = (
            f"the history is too short: {wanted} moves over {section.horizon} days of {', '.join(names)} are "
            f"wanted; it has {max(0, available)}, from {history.date_of(min(begin, history.days - 1))} on"
        )
        raise InputError(where, "cells", wanted, remedy)
    ends = range(history.days - cells, history.days)
    if section.filter_lambda is None:
        columns = [plain_moves(history, name, section.horizon, ends) for name in names]
    else:
        columns = [
            Filtered.of(history, name, section.filter_lambda).moves(section.horizon, ends) for name in names
        ]
    labels = tuple(f"{history.date_of(end - section.horizon)} to {history.date_of(end)}" for end in ends)
    return _checked(labels, names, columns, where)


@dataclass(frozen=True)
class Filtered:
    """One underlying's returns, freed of the volatility of their day: filtered historical simulation.

    With log returns r_t, s_(t+1)^2 = lambda s_t^2 + (1 - lambda) r_t^2, and u_t = r_t / s_t, the scenario of
    the days t - h .. t, seen from day T, is exp(s_T (u_(t-h+1) + .. + u_t)) - 1. After G. Barone-Adesi,
    K. Giannopoulos, L. Vosper (Journal of Futures Markets 19, 1999), with the volatility of RiskMetrics.
    """

    begin: int
    """The day of the first price."""
    deviations: tuple[int, ...]
    """s in Q64: number k is what is known at the close of day begin + k about the return of the next day."""
    sums: tuple[int, ...]
    """Q64: number k is the sum of the first k standardised returns."""

    @classmethod
    def of(cls, history: PriceHistory, name: str, decay: Decimal) -> "Filtered":
        """The filter over all days from the first price on."""
        begin = history.begins[name]
        prices = [Fraction(price or 0) for price in history.closes[name][begin:]]
        ratios = (after / before for before, after in pairwise(prices))
        returns = [ln(max(1, from_fraction(ratio))) for ratio in ratios]
        keep = from_fraction(Fraction(decay))
        first = [mul(r, r) for r in returns[:SEED_DAYS]]
        variance = max(_SMALLEST_VARIANCE, sum(first) // max(1, len(first)))
        deviations, sums = [sqrt(variance)], [0]
        for r in returns:
            sums.append(sums[-1] + div(r, deviations[-1]))
            moved = keep * variance + (ONE - keep) * mul(r, r)
            variance = max(_SMALLEST_VARIANCE, nearest_shift(moved, ONE_BITS))
            deviations.append(sqrt(variance))
        return cls(begin, tuple(deviations), tuple(sums))

    def moves(self, horizon: int, ends: range, today: int | None = None) -> list[int]:
        """The scenarios that end on these days, at the volatility known at the close of day `today`; by
        default the last day.
        """
        now = self.deviations[-1 if today is None else today - self.begin]
        places = (end - self.begin for end in ends)
        return _growths([mul(now, self.sums[end] - self.sums[end - horizon]) for end in places])


# Drawn --------------------------------------------------------------------------------------------


def drawn_moves(section: ScenarioSection, names: Sequence[str], where: str) -> ScenarioSet:
    """exp(s z - s^2 / 2) - 1 with s = volatility sqrt(horizon in years), z = L n, L L' the correlations.

    The n are standard normal, drawn cell by cell in the order of `coins`. Raises InputError if an underlying
    has no volatility.
    """
    for name in names:
        if name not in section.coins:
            remedy = f"add the coin with its volatility and correlations to {', '.join(section.coins)}"
            raise InputError(where, "coins", name, remedy)
    lower = cholesky(where, section.coins, check_correlation(where, section.coins, section.correlation))
    years = from_fraction(Fraction(section.horizon, _DAYS_A_YEAR))
    deviations = [mul(from_fraction(Fraction(v)), sqrt(years)) for v in section.volatilities]
    width, cells = len(section.coins), section.cells or DRAWN_CELLS
    stream = list(normal_draws(section.seed or "", width * cells))
    chosen = [section.coins.index(name) for name in names]
    exponents: list[list[int]] = [[] for _ in names]
    for start in range(0, len(stream), width):
        normals = stream[start : start + width]
        for column, coin in zip(exponents, chosen, strict=True):
            # The row of L is as long as the normals that it takes.
            joint = nearest_shift(sum(map(int.__mul__, lower[coin], normals)), ONE_BITS)
            s = deviations[coin]
            column.append(mul(s, joint) - mul(s, s) // 2)
    columns = [_growths(column) for column in exponents]
    return _checked(tuple(f"draw {k + 1}" for k in range(cells)), names, columns, where)


# Both ---------------------------------------------------------------------------------------------


def _growths(exponents: Sequence[int]) -> list[int]:
    """e^x - 1 in billionths, rounded to nearest; beyond every allowed move, nothing need be told apart."""
    grown = exponentials([min(x, _BEYOND) for x in exponents])
    return [nearest_shift((y - ONE) * BILLION, ONE_BITS) for y in grown]


def _checked(
    labels: tuple[str, ...], names: Sequence[str], columns: Sequence[Sequence[int]], where: str
) -> ScenarioSet:
    for name, column in zip(names, columns, strict=True):
        largest = max(column)
        if largest > LARGEST_MOVE * BILLION:
            remedy = f"{name} rises more than {LARGEST_MOVE} times; check the prices and volatilities"
            raise InputError(where, "scenario", labels[column.index(largest)], remedy)
    return ScenarioSet(labels, np.array(columns, dtype=np.int64).T)
