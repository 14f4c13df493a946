"""Signed fixed point with 64 fractional bits, on Python integers.

A number x is held as the integer x * 2^64 and must fit into 128 bits, so |x| < 2^63 with a step of 2^-64.
Nothing here touches floating point: every function is a short sequence of integer operations whose rounding
is written down, and the native twin (native/src/fixed.rs) performs the same sequence, bit for bit.

Two scales occur. Q64 is the public one. Inside a function, series run at WIDE_BITS = 104 fractional bits, and
the result is brought to Q64 by one rounding to nearest. "Rounded to nearest" always means floor(x + 1/2); a
right shift of a signed integer is always the floor.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import factorial, isqrt
from typing import Final

ONE_BITS: Final = 64
ONE: Final = 1 << ONE_BITS
HALF: Final = ONE >> 1
LARGEST: Final = (1 << 127) - 1
SMALLEST: Final = -(1 << 127)

WIDE_BITS: Final = 104
WIDE: Final = 1 << WIDE_BITS
GUARD_BITS: Final = WIDE_BITS - ONE_BITS


class RangeError(ValueError):
    """An operand or a result lies outside what the fixed-point format or the function can hold."""


def checked(value: int, operation: str) -> int:
    """`value` itself if it fits into 128 bits; RangeError naming the operation otherwise."""
    if SMALLEST <= value <= LARGEST:
        return value
    raise RangeError(f"{operation} leaves the range of 64.64 fixed point, |x| < 2^63")


def nearest_shift(value: int, bits: int) -> int:
    """floor(value / 2^bits + 1/2), for bits >= 1."""
    return (value + (1 << (bits - 1))) >> bits


# In and out ---------------------------------------------------------------------------------------


def from_fraction(value: Fraction | int) -> int:
    """The Q64 number nearest to an exact rational; ties go away from zero. RangeError if it does not fit."""
    exact = Fraction(value)
    size = (2 * ONE * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return checked(size if exact >= 0 else -size, "conversion")


def from_decimal(value: str | Decimal | int | Fraction) -> int:
    """The Q64 number nearest to an exact decimal (`"0.25"`, `Decimal`) or rational; ties away from zero.

    Raises RangeError for text that is no decimal number, for NaN and infinities, and for |value| >= 2^63.
    """
    if isinstance(value, Fraction | int):
        return from_fraction(value)
    try:
        exact = Decimal(value)
    except InvalidOperation:
        raise RangeError(f"{value!r} is not a decimal number") from None
    if not exact.is_finite():
        raise RangeError(f"{value!r} is not a finite number")
    # An exponent far outside the format is settled here, before an exact rational of that size is ever built.
    if exact.is_zero() or exact.adjusted() < -40:
        return 0
    if exact.adjusted() > 40:
        raise RangeError("conversion leaves the range of 64.64 fixed point, |x| < 2^63")
    return from_fraction(Fraction(exact))


def to_fraction(x: int) -> Fraction:
    """The exact value of a Q64 number."""
    return Fraction(x, ONE)


def to_decimal(x: int, places: int = 18) -> Decimal:
    """A Q64 number for display, rounded to `places` decimals; ties go away from zero."""
    size = (2 * abs(x) * 10**places + ONE) // (2 * ONE)
    return Decimal((1 if x < 0 else 0, tuple(map(int, str(size))), -places))


# Arithmetic ---------------------------------------------------------------------------------------


def mul(a: int, b: int) -> int:
    """a b, rounded to nearest. RangeError on overflow."""
    return checked(nearest_shift(a * b, ONE_BITS), "multiplication")


def div(a: int, b: int) -> int:
    """a / b, rounded to nearest. RangeError if b is zero or on overflow."""
    if b == 0:
        raise RangeError("division by zero")
    if b < 0:
        a, b = -a, -b
    return checked(((a << (ONE_BITS + 1)) + b) // (2 * b), "division")


def sqrt(x: int) -> int:
    """The square root, rounded to nearest (a tie cannot occur). RangeError if x < 0."""
    if x < 0:
        raise RangeError("square root of a negative number")
    square = x << ONE_BITS
    root = isqrt(square)
    return root + (square - root * root > root)


# Logarithm ----------------------------------------------------------------------------------------


def _log_ratio(a: int, b: int) -> int:
    """ln(a / b) = 2 artanh((a - b) / (a + b)) at the wide scale, 0 < b <= a <= 2 b < 2^14; error < 2^-96."""
    p, q = a - b, a + b
    power, total = (p << WIDE_BITS) // q, 0
    for n in range(1, 80, 2):
        total += power // n
        power = power * p // q * p // q
    return 2 * total


LN_2: Final = _log_ratio(2, 1)

# For m in [1, 2), with j the first 7 bits of m after the point: RECIPROCALS[j] is the 12-bit number nearest
# to 4096 / (1 + (j + 1/2) / 128), so that |m RECIPROCALS[j] / 4096 - 1| < 2^-7.8, and LOGARITHMS[j] =
# ln(4096 / RECIPROCALS[j]).
LOG_INDEX_BITS: Final = 7
RECIPROCAL_BITS: Final = 12
RECIPROCALS: Final = tuple(((1 << 21) + 257 + 2 * j) // (2 * (257 + 2 * j)) for j in range(128))
LOGARITHMS: Final = tuple(_log_ratio(1 << RECIPROCAL_BITS, c) for c in RECIPROCALS)
LOG_SERIES: Final = tuple((WIDE if n % 2 else -WIDE) // n for n in range(1, 11))
RESIDUE_BITS: Final = 70


def ln(x: int) -> int:
    """The natural logarithm; |error| < 2^-64. RangeError if x <= 0.

    x = 2^k m with m in [1, 2); ln m = ln(4096 / c) + ln(1 + e), where c / 4096 is tabulated, e = m c /
    4096 - 1 is kept to 70 bits, and ten terms of the series of ln(1 + e) leave an error below 2^-80.
    """
    if x <= 0:
        raise RangeError("logarithm of a number that is not positive")
    k = x.bit_length() - 1
    m = x << (WIDE_BITS - k) if k <= WIDE_BITS else x >> (k - WIDE_BITS)
    j = (m >> (WIDE_BITS - LOG_INDEX_BITS)) - (1 << LOG_INDEX_BITS)
    e = m * RECIPROCALS[j] - (WIDE << RECIPROCAL_BITS) >> (WIDE_BITS + RECIPROCAL_BITS - RESIDUE_BITS)
    series = 0
    for coefficient in reversed(LOG_SERIES):
        series = coefficient + (series * e >> RESIDUE_BITS)
    return nearest_shift((k - ONE_BITS) * LN_2 + LOGARITHMS[j] + (series * e >> RESIDUE_BITS), GUARD_BITS)


# Exponential and powers ---------------------------------------------------------------------------

EXP_SERIES: Final = tuple(WIDE // factorial(n) for n in range(29))
_EXP_VANISHES: Final = -(46 << ONE_BITS)
_EXP_OVERFLOWS: Final = 44 << ONE_BITS


def exp_wide(x: int) -> tuple[int, int]:
    """(y, k) with e^x = y 2^k, y in [1, 2) at the wide scale, relative error < 2^-91, for |x| <= 64.

    k = floor(x / ln 2); e^(x - k ln 2) by 29 terms of the series.
    """
    k, r = divmod(x << GUARD_BITS, LN_2)
    y = 0
    for coefficient in reversed(EXP_SERIES):
        y = coefficient + (y * r >> WIDE_BITS)
    return y, k


def exp(x: int) -> int:
    """e^x; |error| <= 2^-65 + 2^-91 e^x. RangeError on overflow (x above 63 ln 2)."""
    if x < _EXP_VANISHES:
        return 0
    if x >= _EXP_OVERFLOWS:
        return checked(1 << 127, "exponential")
    y, k = exp_wide(x)
    if k >= GUARD_BITS:
        return checked(y << (k - GUARD_BITS), "exponential")
    return nearest_shift(y, GUARD_BITS - k)


def power(x: int, p: int) -> int:
    """x^p = exp(p ln x), with p ln x rounded to nearest first; relative error about (1 + |p|) 2^-64.

    0^p is 0 for p > 0, and x^0 is 1. RangeError if x < 0, if x = 0 and p < 0, or on overflow.
    """
    if p == 0:
        return ONE
    if x == 0 and p > 0:
        return 0
    return exp(mul(p, ln(x)))
