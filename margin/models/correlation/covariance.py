"""Daily covariance of relative moves, as exact fractions."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Final

from zkmargin.margin.arithmetic.cholesky import Square
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.market.history import BILLION, PriceHistory, plain_moves
from zkmargin.margin.parameters.correlation import CorrelationSection

_DAYS_A_YEAR: Final = 365


@dataclass(frozen=True)
class Covariance:
    """One covariance matrix of daily moves."""

    label: str
    """For people, such as "365 days to 2026-03-13"."""
    matrix: Square


def covariances(
    section: CorrelationSection, names: Sequence[str], history: PriceHistory | None, where: str
) -> tuple[Covariance, ...]:
    """The matrix of these underlyings, and the stressed one if there is one.

    Raises InputError if there is no history where one is needed, if it is too short or lacks an underlying,
    or if the given matrices lack one.
    """
    if not names:
        raise InputError(where, "coins", Finding("none"), "correlations need an instrument whose price moves")
    if section.source == "given":
        return _given(section, names, where)
    if history is None:
        remedy = "the snapshot has no price history; build it with --history FILE, or set source = given"
        raise InputError(where, "source", section.source, remedy)
    return _historical(section, names, history, where)


def _given(section: CorrelationSection, names: Sequence[str], where: str) -> tuple[Covariance, ...]:
    for name in names:
        if name not in section.coins:
            remedy = f"add the coin with its volatility and correlations to {', '.join(section.coins)}"
            raise InputError(where, "coins", name, remedy)
    places = [section.coins.index(name) for name in names]
    found = [Covariance("normal correlations", _daily(section.volatilities, section.correlation, places))]
    if section.stressed_volatilities or section.stressed_correlation:
        found.append(Covariance("stressed correlations", _daily(*section.stressed, places)))
    return tuple(found)


def _daily(
    volatilities: Sequence[Decimal], correlation: Sequence[Sequence[Decimal]], places: Sequence[int]
) -> Square:
    """v_i v_j c_ij / 365, volatilities being yearly."""
    exact = [Fraction(volatility) for volatility in volatilities]
    return tuple(
        tuple(exact[i] * exact[j] * Fraction(correlation[i][j]) / _DAYS_A_YEAR for j in places)
        for i in places
    )


def _historical(
    section: CorrelationSection, names: Sequence[str], history: PriceHistory, where: str
) -> tuple[Covariance, ...]:
    for name in names:
        if name not in history.prices:
            remedy = f"no such column: the history has {', '.join(history.prices)}"
            raise InputError(where, "history", name, remedy)
    days, longest = daily_moves(history, names), max(section.window, section.stressed_window or 0)
    if days < longest:
        field = "window" if longest == section.window else "stressed_window"
        remedy = f"the history is too short: it has {days} daily moves of {', '.join(names)}"
        raise InputError(where, field, longest, remedy)
    begin = history.days - days
    moves = [plain_moves(history, name, 1, range(begin, history.days)) for name in names]

    def of(start: int, length: int) -> Covariance:
        last = history.date_of(begin + start + length - 1)
        return Covariance(
            f"{length} days to {last}", moments([column[start : start + length] for column in moves])
        )

    found = [of(days - section.window, section.window)]
    if section.stressed_window is not None:
        found.append(of(stormiest(moves, section.stressed_window), section.stressed_window))
    return tuple(found)


def daily_moves(history: PriceHistory, names: Sequence[str]) -> int:
    """On how many days on end all of these underlyings have a move, up to the last day."""
    begin = 1 + max((history.begins[name] for name in names), default=history.days)
    return max(0, history.days - begin)


def moments(moves: Sequence[Sequence[int]]) -> Square:
    """Mean products of moves in billionths, about zero: a daily mean cannot be told from it."""
    days, unit = len(moves[0]), BILLION * BILLION
    return tuple(
        tuple(Fraction(sum(map(int.__mul__, left, right)), days * unit) for right in moves) for left in moves
    )


def stormiest(moves: Sequence[Sequence[int]], length: int) -> int:
    """The first day of the `length` days on end over which the squares of all moves add up to most."""
    squares = [sum(move * move for move in day) for day in zip(*moves, strict=True)]
    sums = [0, *accumulate(squares)]
    return max(range(len(squares) - length + 1), key=lambda start: sums[start + length] - sums[start])
