"""Decimal numbers as people write them: read strictly, written one way only, scaled to integers exactly."""

import re
from decimal import Decimal
from fractions import Fraction

from zkmargin.margin.errors import InputError

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)

# Twenty places on either side of the point, and 28 digits together, hold every price, volatility and quantity
# that a venue quotes; what goes beyond is a broken export, and would be silently lost in fixed point.
INTEGER_DIGITS = 20
DECIMAL_PLACES = 20
SIGNIFICANT_DIGITS = 28


def parse_decimal(text: object, where: str, field: str) -> Decimal:
    """A finite decimal of at most 20 digits before and 20 after the point, 28 in all, from text, int or
    Decimal.

    Raises InputError for anything else: empty, NaN, infinity, thousands separators, floats, booleans.
    """
    if isinstance(text, bool) or not isinstance(text, str | int | Decimal):
        raise InputError(where, field, text, "write a decimal number")
    written = str(text).strip()
    if not written:
        raise InputError(where, field, text, "the number is missing; write a decimal number")
    if not _NUMBER.fullmatch(written):
        raise InputError(where, field, text, "write a finite decimal number, such as 12.5")
    number = Decimal(written)
    if number and number.adjusted() >= INTEGER_DIGITS:
        raise InputError(
            where, field, text, f"the number is too large; at most {INTEGER_DIGITS} digits before the point"
        )
    if places(number) > DECIMAL_PLACES:
        raise InputError(
            where, field, text, f"the number is too precise; at most {DECIMAL_PLACES} decimal places"
        )
    if len(number.as_tuple().digits) > SIGNIFICANT_DIGITS:
        raise InputError(where, field, text, f"too many digits; at most {SIGNIFICANT_DIGITS} in all")
    return number


def parse_positive(text: object, where: str, field: str) -> Decimal:
    """As parse_decimal, and greater than zero."""
    number = parse_decimal(text, where, field)
    if number <= 0:
        raise InputError(where, field, text, "write a number greater than zero")
    return number


def places(number: Decimal) -> int:
    """Decimal places that the number really needs: 1.50 needs one, 100 none."""
    _, _, part = canonical_decimal(number).partition(".")
    return len(part)


def canonical_decimal(number: Decimal) -> str:
    """The one way to write a number: no exponent, no leading plus, no trailing zeros, never -0."""
    if not number:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def scaled_decimal(units: int, decimals: int) -> str:
    """units * 10^-decimals with exactly `decimals` places, as money is shown."""
    if decimals <= 0:
        return str(units * 10**-decimals)
    whole, part = divmod(abs(units), 10**decimals)
    return f"{'-' if units < 0 else ''}{whole}.{part:0{decimals}d}"


def floor_div(value: Fraction) -> int:
    """The greatest integer not above value."""
    return value.numerator // value.denominator


def ceil_div(value: Fraction) -> int:
    """The least integer not below value."""
    return -(-value.numerator // value.denominator)


def nearest(value: Fraction) -> int:
    """floor(value + 1/2): the nearest integer, halves up."""
    return floor_div(value + Fraction(1, 2))
