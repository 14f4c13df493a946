"""The tail of a loss distribution: value at risk and expected shortfall of equally likely losses, exactly.

With N losses and confidence a, the tail has weight m = N (1 - a), a rational number of scenarios.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from zkmargin.margin.arithmetic.decimals import floor_div


@dataclass(frozen=True)
class Tail:
    """What is read off a distribution of losses."""

    confidence: Fraction
    weight: Fraction
    """m: how many scenarios the tail has, fractions included."""
    quantile: int
    """The (k+1)-th largest loss, k = floor(m): value at risk, before it is cut off at zero."""
    mean: Fraction
    """The mean of the worst m losses, the last one by its fraction: expected shortfall."""
    cells: tuple[int, ...]
    """The scenarios that lie in the tail, the worst first, up to the one that is its quantile."""


def tail(losses: Sequence[int], confidence: Fraction) -> Tail:
    """The tail of the losses. ValueError if there is none, or the confidence is not in (0, 1)."""
    if not losses or not 0 < confidence < 1:
        raise ValueError("a tail needs losses, and a confidence between 0 and 1")
    weight = len(losses) * (1 - confidence)
    whole = floor_div(weight)
    order = sorted(range(len(losses)), key=losses.__getitem__, reverse=True)
    worst = [losses[cell] for cell in order[: whole + 1]]
    # As m < N, there are more than `whole` losses: the next one is there to count by its fraction.
    mean = (sum(worst[:whole]) + (weight - whole) * worst[whole]) / weight
    return Tail(confidence, weight, worst[whole], mean, tuple(order[: whole + 1]))
