"""Decimal numbers: strictly read, written one way."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkmargin.margin.arithmetic.decimals import (
    canonical_decimal,
    ceil_div,
    floor_div,
    nearest,
    parse_decimal,
    parse_positive,
    places,
    scaled_decimal,
)
from zkmargin.margin.errors import InputError


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1", "1"),
        ("+1.50", "1.5"),
        ("-0.0", "0"),
        (".5", "0.5"),
        ("1e3", "1000"),
        ("2.5E-3", "0.0025"),
        (7, "7"),
    ],
)
def test_numbers_have_one_writing(text: object, canonical: str) -> None:
    assert canonical_decimal(parse_decimal(text, "file", "field")) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "nan",
        "NaN",
        "inf",
        "-Infinity",
        "1,000",
        "1_000",
        "0x10",
        "1.2.3",
        "e5",
        "--1",
        "\u0661",
        "1 2",
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"file: field"):
        parse_decimal(text, "file", "field")


@pytest.mark.parametrize("value", [1.5, True, None, [1]])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(InputError, match="write a decimal number"):
        parse_decimal(value, "file", "field")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1e20", "too large"),
        ("1e-21", "too precise"),
        ("1" * 15 + "." + "1" * 15, "too many digits"),
        ("9e999", "large"),
    ],
)
def test_numbers_beyond_fixed_point_are_refused(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse_decimal(text, "file", "field")


@pytest.mark.parametrize("text", ["0", "-1", "-0.00001"])
def test_positive_numbers_only(text: str) -> None:
    with pytest.raises(InputError, match="greater than zero"):
        parse_positive(text, "file", "field")


def test_places_counts_what_is_needed() -> None:
    assert [places(Decimal(x)) for x in ("1.50", "100", "1e2", "0.001", "0")] == [1, 0, 0, 3, 0]


@pytest.mark.parametrize(
    ("units", "decimals", "text"),
    [(5, 2, "0.05"), (-5, 2, "-0.05"), (1234, 2, "12.34"), (7, 0, "7"), (7, -2, "700")],
)
def test_scaled(units: int, decimals: int, text: str) -> None:
    assert scaled_decimal(units, decimals) == text


@given(st.fractions())
@settings(max_examples=50)
def test_roundings(value: Fraction) -> None:
    assert floor_div(value) <= value < floor_div(value) + 1
    assert ceil_div(value) - 1 < value <= ceil_div(value)
    assert -Fraction(1, 2) < nearest(value) - value <= Fraction(1, 2)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9))
@settings(max_examples=50)
def test_canonical_is_a_fixed_point(number: Decimal) -> None:
    text = canonical_decimal(number)
    assert canonical_decimal(parse_decimal(text, "", "")) == text
    assert Decimal(text) == number
