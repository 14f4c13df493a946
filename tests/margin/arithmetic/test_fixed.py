"""Fixed point: every operation against exact rationals or mpmath, at its documented rounding and error."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from math import floor

import mpmath
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from zkmargin.margin.arithmetic import fixed
from zkmargin.margin.arithmetic.fixed import HALF, LARGEST, ONE, SMALLEST, RangeError

HALF_UNIT = Fraction(1, 2)
PRECISION = 320


@st.composite
def numbers(draw: st.DrawFn, lowest: int = SMALLEST) -> int:
    """Q64 numbers of every size, edges and neighbours of one included."""
    bits = draw(st.integers(0, 127))
    size = draw(st.integers(0, (1 << bits) - 1))
    near = draw(st.sampled_from([0, 0, 0, ONE, HALF, LARGEST]))
    number = draw(st.sampled_from([1, -1])) * size + near
    return min(max(number, lowest), LARGEST)


def exactly_rounded(exact: Fraction) -> int:
    return floor(exact + HALF_UNIT)


def fits(number: int) -> bool:
    return SMALLEST <= number <= LARGEST


def error_in_units(result: int, reference: Callable[[mpmath.mpf], mpmath.mpf], x: int) -> float:
    """|result - reference(x)| in units of 2^-64."""
    with mpmath.workprec(PRECISION):
        return float(abs(result - reference(mpmath.mpf(x) / ONE) * ONE))


# In and out ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("1", ONE),
        ("-2.5", -5 * HALF),
        ("1e-3", (ONE * 2 + 1000) // 2000),
        ("0e999999999", 0),
        ("1e-999999999", 0),
        (Decimal("0.1"), (2 * ONE + 10) // 20),
        (Fraction(1, 3), ONE // 3),
        (7, 7 * ONE),
        (Fraction(1, 2 * ONE), 1),
        (Fraction(-1, 2 * ONE), -1),
        ("-9223372036854775808", SMALLEST),
    ],
)
def test_decimals_become_the_nearest_number(text: str | Decimal | int | Fraction, expected: int) -> None:
    assert fixed.from_decimal(text) == expected


@pytest.mark.parametrize(
    "text", ["", "a lot", "nan", "-inf", "9223372036854775808", "1e30", "1e999999999", "-9223372036854775809"]
)
def test_what_is_no_number_of_the_format_is_refused(text: str) -> None:
    with pytest.raises(RangeError):
        fixed.from_decimal(text)


@given(numbers())
@settings(max_examples=50)
def test_display_loses_nothing_but_the_places_beyond(x: int) -> None:
    assert fixed.to_fraction(x) == Fraction(x, ONE)
    assert fixed.from_decimal(fixed.to_decimal(x, 25)) == x
    assert abs(Fraction(fixed.to_decimal(x, 6)) - Fraction(x, ONE)) <= Fraction(1, 2 * 10**6)


def test_display_rounds_ties_away_from_zero() -> None:
    assert str(fixed.to_decimal(ONE + HALF, 0)) == "2"
    assert str(fixed.to_decimal(-HALF, 0)) == "-1"
    assert str(fixed.to_decimal(ONE // 4, 3)) == "0.250"


# Arithmetic ---------------------------------------------------------------------------------------------


@given(numbers(), numbers())
@settings(max_examples=200)
def test_products_and_quotients_are_rounded_to_nearest(a: int, b: int) -> None:
    product = exactly_rounded(Fraction(a * b, ONE))
    if fits(product):
        assert fixed.mul(a, b) == product
    else:
        with pytest.raises(RangeError, match="multiplication leaves the range"):
            fixed.mul(a, b)
    assume(b != 0)
    quotient = exactly_rounded(Fraction(a * ONE, b))
    if fits(quotient):
        assert fixed.div(a, b) == quotient
    else:
        with pytest.raises(RangeError, match="division leaves the range"):
            fixed.div(a, b)


def test_ties_of_products_and_quotients_go_up() -> None:
    assert (fixed.mul(1, HALF), fixed.mul(-1, HALF)) == (1, 0)
    assert (fixed.div(1, 2 * ONE), fixed.div(-1, 2 * ONE), fixed.div(1, -2 * ONE)) == (1, 0, 0)


@given(numbers(lowest=0))
@settings(max_examples=100)
def test_the_root_is_the_nearest(x: int) -> None:
    root = fixed.sqrt(x)
    assert (2 * root - 1) ** 2 <= 4 * x * ONE < (2 * root + 1) ** 2 or root == x == 0


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (lambda: fixed.div(ONE, 0), "division by zero"),
        (lambda: fixed.sqrt(-1), "square root of a negative"),
        (lambda: fixed.ln(0), "not positive"),
        (lambda: fixed.ln(-ONE), "not positive"),
        (lambda: fixed.exp(44 * ONE), "exponential leaves the range"),
        (lambda: fixed.exp(4367 * ONE // 100), "exponential leaves the range"),
        (lambda: fixed.exp(LARGEST), "exponential leaves the range"),
        (lambda: fixed.power(0, -ONE), "not positive"),
        (lambda: fixed.power(-ONE, ONE), "not positive"),
        (lambda: fixed.power(LARGEST, 2 * ONE), "exponential leaves the range"),
    ],
)
def test_outside_the_domain_is_an_error(operation: Callable[[], int], message: str) -> None:
    with pytest.raises(RangeError, match=message):
        operation()


# Logarithm, exponential, powers -------------------------------------------------------------------------


@given(numbers(lowest=1))
@settings(max_examples=300)
def test_logarithm(x: int) -> None:
    assert error_in_units(fixed.ln(x), mpmath.log, x) < 1


def test_logarithm_at_the_borders_of_its_table() -> None:
    assert fixed.ln(ONE) == 0
    for j in range(129):
        border = ONE + j * (ONE >> 7)
        for x in (border - 1, border, border + 1):
            assert error_in_units(fixed.ln(x), mpmath.log, x) < 1


@given(st.integers(-50 * ONE, 43 * ONE))
@settings(max_examples=300)
def test_exponential(x: int) -> None:
    with mpmath.workprec(PRECISION):
        allowed = 0.5 + float(mpmath.exp(mpmath.mpf(x) / ONE)) * 2.0**-27
    assert error_in_units(fixed.exp(x), mpmath.exp, x) <= allowed


def test_exponential_at_its_edges() -> None:
    assert fixed.exp(0) == ONE
    assert fixed.exp(SMALLEST) == fixed.exp(-46 * ONE) == 0
    largest = 4366 * ONE // 100
    assert error_in_units(fixed.exp(largest), mpmath.exp, largest) < fixed.exp(largest) * 2.0**-90


@given(st.integers(1, 10**6 * ONE), st.integers(-2 * ONE, 2 * ONE))
@settings(max_examples=200)
def test_power(x: int, p: int) -> None:
    with mpmath.workprec(PRECISION):
        exact = mpmath.power(mpmath.mpf(x) / ONE, mpmath.mpf(p) / ONE) * ONE
        assume(exact < LARGEST // 2)
        assert abs(fixed.power(x, p) - exact) <= 1 + (2 + abs(p) / ONE) * exact / ONE


def test_powers_without_logarithm() -> None:
    assert fixed.power(0, ONE) == 0
    assert fixed.power(0, 0) == fixed.power(5, 0) == fixed.power(ONE, LARGEST) == ONE


def test_tables_follow_from_their_definitions() -> None:
    with mpmath.workprec(PRECISION):
        scale = mpmath.mpf(2) ** fixed.WIDE_BITS
        assert abs(fixed.LN_2 - mpmath.log(2) * scale) < 256
        for reciprocal, logarithm in zip(fixed.RECIPROCALS, fixed.LOGARITHMS, strict=True):
            assert abs(logarithm - mpmath.log(mpmath.mpf(4096) / reciprocal) * scale) < 256
