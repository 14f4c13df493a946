"""Tests of coverage: are losses above value at risk as frequent as they should be, and do they come in clusters?"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import erfc, exp, log, sqrt


@dataclass(frozen=True)
class Kupiec:
    """The test of proportion of failures: how far the number of exceedances is from the expected number.

    P. H. Kupiec, Techniques for verifying the accuracy of risk measurement models, Journal of Derivatives 3, 1995.
    """

    trials: int
    exceedances: int
    expected: float
    statistic: float
    """-2 ln of the likelihood ratio; chi-squared with one degree of freedom if the model is right."""
    p_value: float


@dataclass(frozen=True)
class Christoffersen:
    """The tests of independence and of conditional coverage.

    P. F. Christoffersen, Evaluating interval forecasts, International Economic Review 39, 1998, sections 3.2 and 3.3.
    """

    transitions: tuple[int, int, int, int]
    """Numbers of consecutive periods without and without, without and with, with and without, with and with an
    exceedance."""
    independence: float
    """-2 ln of the likelihood ratio of independence against a first-order Markov chain; chi-squared, one degree."""
    independence_p_value: float
    coverage: float
    """Kupiec's statistic plus that of independence; chi-squared with two degrees of freedom."""
    coverage_p_value: float


def kupiec_test(trials: int, exceedances: int, rate: Fraction) -> Kupiec:
    """-2 ln of (1 - p)^(n - x) p^x over the same with x / n for p, and its p-value.

    Args:
        trials: n, the number of periods.
        exceedances: x, the number of losses above value at risk.
        rate: p, one minus the confidence.
    """
    expected = float(trials * rate)
    statistic = 2 * (
        _likelihood(trials, exceedances, exceedances / trials) - _likelihood(trials, exceedances, float(rate))
    )
    statistic = max(0.0, statistic)
    return Kupiec(trials, exceedances, expected, statistic, _one_degree(statistic))


def christoffersen_test(exceeded: Sequence[bool], rate: Fraction) -> Christoffersen:
    """Whether an exceedance makes the next one more likely, alone and together with Kupiec's test.

    Args:
        exceeded: one entry a period, in order: whether the loss passed value at risk.
        rate: p, one minus the confidence.
    """
    counts = Counter(itertools.pairwise(exceeded))
    quiet, begins, ends, lasts = (
        counts[pair] for pair in ((False, False), (False, True), (True, False), (True, True))
    )
    after_quiet, after_loss = quiet + begins, ends + lasts
    pairs, exceedances = after_quiet + after_loss, begins + lasts
    chain = _likelihood(after_quiet, begins, begins / after_quiet if after_quiet else 0.0) + _likelihood(
        after_loss, lasts, lasts / after_loss if after_loss else 0.0
    )
    same = _likelihood(pairs, exceedances, exceedances / pairs if pairs else 0.0)
    independence = max(0.0, 2 * (chain - same))
    both = kupiec_test(len(exceeded), sum(exceeded), rate).statistic + independence
    return Christoffersen(
        transitions=(quiet, begins, ends, lasts),
        independence=independence,
        independence_p_value=_one_degree(independence),
        coverage=both,
        coverage_p_value=exp(-both / 2),
    )


def _one_degree(statistic: float) -> float:
    """The upper tail of chi-squared with one degree of freedom: both tails of the normal at the root."""
    return erfc(sqrt(statistic / 2))


def _likelihood(trials: int, exceedances: int, rate: float) -> float:
    """Logarithm of the likelihood; an event that does not happen needs no logarithm."""
    kept = trials - exceedances
    return (exceedances * log(rate) if exceedances else 0.0) + (kept * log(1 - rate) if kept else 0.0)
