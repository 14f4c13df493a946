"""The normal distribution against mpmath, its symmetry, and that it never falls."""

from itertools import pairwise

import mpmath
from hypothesis import given, settings
from hypothesis import strategies as st

from zkmargin.margin.arithmetic import normal
from zkmargin.margin.arithmetic.fixed import HALF, LARGEST, ONE, ONE_BITS, SMALLEST, WIDE_BITS

PRECISION = 320
ARGUMENTS = st.integers(-10 * ONE, 10 * ONE)


@given(ARGUMENTS)
@settings(max_examples=300)
def test_distribution_and_density(x: int) -> None:
    with mpmath.workprec(PRECISION):
        at = mpmath.mpf(x) / ONE
        assert abs(normal.distribution(x) - mpmath.ncdf(at) * ONE) < 1
        assert abs(normal.density(x) - mpmath.npdf(at) * ONE) < 4


@given(ARGUMENTS)
@settings(max_examples=50)
def test_symmetry_is_exact(x: int) -> None:
    assert normal.distribution(-x) == ONE - normal.distribution(x)
    assert normal.density(-x) == normal.density(x)


def test_centre_and_far_out() -> None:
    assert normal.distribution(0) == HALF
    for x in (normal.TAIL_ENDS, 40 * ONE, LARGEST):
        assert (normal.distribution(x), normal.distribution(-x)) == (ONE, 0)
    assert normal.distribution(SMALLEST) == normal.density(SMALLEST) == normal.density(LARGEST) == 0


def test_the_table_holds_the_distribution_and_the_density() -> None:
    with mpmath.workprec(PRECISION):
        scale = mpmath.mpf(2) ** WIDE_BITS
        assert abs(normal.PHI_0 - scale / mpmath.sqrt(2 * mpmath.pi)) < 1
        for j, piece in enumerate(normal.PIECES):
            centre = mpmath.mpf(j) / 16
            assert abs(piece.tail - mpmath.ncdf(-centre) * scale) < 2**6
            assert abs(piece.density - mpmath.npdf(centre) * scale) < 2**6


def test_the_tail_never_rises_at_a_border_of_two_pieces() -> None:
    for j in range(len(normal.PIECES)):
        border = (2 * j + 1) << (ONE_BITS - normal.SPACING_BITS - 1)
        values = [normal.tail(x) for x in range(border - 40, border + 40)]
        assert all(left >= right for left, right in pairwise(values))


@given(ARGUMENTS, st.integers(0, 70))
@settings(max_examples=300)
def test_the_distribution_never_falls(x: int, bits: int) -> None:
    assert normal.distribution(x) <= normal.distribution(x + 1) <= normal.distribution(x + (1 << bits))


def test_the_inner_sum_outruns_its_roundings() -> None:
    """What monotony within a piece rests on: the sum's slope exceeds the roundings by orders of magnitude."""
    unit = 1 << (WIDE_BITS - ONE_BITS)
    roundings = 4 * normal.TERMS
    steepest = mpmath.exp(-(mpmath.mpf(37) / 4 / 32 + mpmath.mpf(1) / 2048))
    assert unit * steepest > 1000 * roundings
