"""The tail of losses against its definitions."""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkmargin.margin.scenarios.tail import tail

LOSSES = st.lists(st.integers(-50, 50), min_size=1, max_size=30)
CONFIDENCES = st.fractions(min_value=Fraction(1, 100), max_value=Fraction(99, 100), max_denominator=100)


def by_integral(losses: list[int], confidence: Fraction) -> Fraction:
    """Expected shortfall as the mean of the quantile function over the tail: every loss by its share of it."""
    share, left, total = Fraction(1, len(losses)), 1 - confidence, Fraction(0)
    for loss in sorted(losses, reverse=True):
        taken = min(share, left)
        total, left = total + taken * loss, left - taken
    return total / (1 - confidence)


def threshold_form(losses: list[int], eta: int, weight: Fraction) -> Fraction:
    """eta + sum max(0, loss - eta) / m."""
    return eta + sum(max(0, loss - eta) for loss in losses) / weight


@settings(max_examples=200, deadline=None)
@given(LOSSES, CONFIDENCES)
def test_the_mean_is_the_tail_mean_and_the_least_over_all_thresholds(
    losses: list[int], confidence: Fraction
) -> None:
    found = tail(losses, confidence)
    assert found.mean == by_integral(losses, confidence)
    assert found.mean == threshold_form(losses, found.quantile, found.weight)
    # The form is piecewise linear with corners at the losses, so its least value is at one of them.
    assert found.mean == min(threshold_form(losses, eta, found.weight) for eta in losses)


@settings(max_examples=100, deadline=None)
@given(LOSSES, CONFIDENCES)
def test_the_quantile_is_the_next_after_those_excused(losses: list[int], confidence: Fraction) -> None:
    found = tail(losses, confidence)
    assert found.quantile == sorted(losses, reverse=True)[floor(len(losses) * (1 - confidence))]
    assert sum(loss > found.quantile for loss in losses) <= len(losses) * (1 - confidence)
    assert found.quantile <= found.mean <= max(losses)
    assert [losses[cell] for cell in found.cells] == sorted(losses, reverse=True)[: len(found.cells)]


@settings(max_examples=50, deadline=None)
@given(LOSSES, CONFIDENCES, CONFIDENCES)
def test_more_confidence_never_asks_for_less(losses: list[int], one: Fraction, other: Fraction) -> None:
    low, high = tail(losses, min(one, other)), tail(losses, max(one, other))
    assert low.mean <= high.mean
    assert low.quantile <= high.quantile


def test_fractional_tails_ties_and_a_single_loss() -> None:
    # Three scenarios at 1/2: the worst counts whole, the next by half.
    assert tail([10, 4, 1], Fraction(1, 2)).mean == Fraction(10 + 2, 1) / Fraction(3, 2)
    assert tail([10, 4, 1], Fraction(1, 2)).quantile == 4
    assert tail([7, 7, 7, 7], Fraction(9, 10)).mean == tail([7, 7, 7, 7], Fraction(9, 10)).quantile == 7
    assert tail([-3], Fraction(1, 2)) == tail([-3], Fraction(1, 2))
    assert tail([-3], Fraction(99, 100)).mean == -3
    assert tail([5, 1], Fraction(99, 100)).mean == 5


@pytest.mark.parametrize(
    ("losses", "confidence"), [([], Fraction(1, 2)), ([1], Fraction(0)), ([1], Fraction(1))]
)
def test_there_is_no_tail_of_nothing(losses: list[int], confidence: Fraction) -> None:
    with pytest.raises(ValueError, match="a tail needs losses"):
        tail(losses, confidence)
