"""Normal quantiles and the numbers drawn from a seed."""

import random

import mpmath
import pytest

from zkmargin.margin.arithmetic.fixed import HALF, ONE, RangeError
from zkmargin.margin.arithmetic.normal import distribution
from zkmargin.margin.scenarios.quantile import normal_draws, quantile

BORDERS = [1, 3, HALF, HALF + 1, ONE - 1, ONE * 3 // 40, ONE * 37 // 40, int(ONE * 1.3887943864964021e-11)]

GOLDEN = [-31546472518148680283, -27977175777361785796, -12234905826329044042]


DRAWN = random.Random("quantiles")


@pytest.mark.parametrize("p", BORDERS + [1 + DRAWN.randrange(ONE - 1) for _ in range(40)])
def test_quantiles_agree_with_mpmath(p: int) -> None:
    with mpmath.workdps(40):
        x = mpmath.mpf(quantile(p)) / ONE
        # One step of Newton's method from the claimed root says how far it is off.
        tail = mpmath.erfc(abs(x) / mpmath.sqrt(2)) / 2
        wanted = mpmath.mpf(p if p < HALF else ONE - p) / ONE
        error = (tail - wanted) / mpmath.npdf(x)
        assert abs(error) < 1e-15 * max(1, abs(x))


def test_quantiles_are_odd_and_invert_the_distribution() -> None:
    for p in (1, 12345, ONE // 3, ONE // 20, HALF - 1):
        assert quantile(ONE - p) == -quantile(p)
        assert abs(distribution(quantile(p)) - p) < 1 << 12
    assert quantile(HALF) == 0


@pytest.mark.parametrize("p", [0, ONE, -5, ONE + 5])
def test_there_is_no_quantile_outside(p: int) -> None:
    with pytest.raises(RangeError):
        quantile(p)


def test_a_seed_gives_the_same_numbers_everywhere() -> None:
    first = list(normal_draws("seven", 1000))
    assert first[:3] == GOLDEN
    assert first == list(normal_draws("seven", 1000))
    assert first[:500] == list(normal_draws("seven", 500))
    assert first != list(normal_draws("Seven", 1000))


def test_draws_are_normal() -> None:
    draws = [x / ONE for x in normal_draws("a longer seed", 20000)]
    count = len(draws)
    mean = sum(draws) / count
    variance = sum(x * x for x in draws) / count
    beyond = sum(abs(x) > 1.959964 for x in draws) / count
    assert abs(mean) < 4 / count**0.5
    assert abs(variance - 1) < 4 * (2 / count) ** 0.5
    assert abs(beyond - 0.05) < 4 * (0.05 * 0.95 / count) ** 0.5
