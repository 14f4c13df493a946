"""Black's formula: published values, two independent implementations, limits and bounds."""

import json
import os
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import pytest
import QuantLib
from hypothesis import given, settings
from hypothesis import strategies as st

from zkmargin.margin.arithmetic import black76, fixed
from zkmargin.margin.arithmetic.fixed import HALF, LARGEST, ONE, RangeError, from_decimal, from_fraction

PUBLISHED = Path(__file__).resolve().parents[3] / "../shared/data/black76.json"
PRECISION = 200

FORWARD = 70_000 * ONE
VOL = from_decimal("0.6")
YEAR = ONE


def test_published_prices() -> None:
    if not PUBLISHED.exists():
        assert "CI" not in os.environ, f"{PUBLISHED} must be there in CI"
        pytest.skip(f"the published prices are not there: {PUBLISHED}")
    tolerance = Fraction(1, 10**12)
    for seconds, vol, forward, strike, discount, call, put, delta in json.loads(PUBLISHED.read_text())[
        "rows"
    ]:
        years = from_fraction(Fraction(seconds, black76.SECONDS_A_YEAR))
        terms = (from_decimal(forward), from_decimal(strike), from_decimal(vol), years)
        found = black76.prices(*terms, from_decimal(discount))
        assert abs(fixed.to_fraction(found[0]) - Fraction(call)) <= tolerance
        assert abs(fixed.to_fraction(found[1]) - Fraction(put)) <= tolerance
        assert abs(fixed.to_fraction(black76.greeks(*terms).delta) - Fraction(delta)) <= tolerance


def random_terms(source: random.Random) -> tuple[int, int, int, int, int]:
    forward = 10 ** source.uniform(-2, 6)
    strike = forward * 10 ** source.uniform(-1, 1)
    numbers = (forward, strike, 10 ** source.uniform(-2, 1), 10 ** source.uniform(-5, 1), source.random())
    forward_, strike_, vol, years, discount = (from_fraction(Fraction(number)) for number in numbers)
    return forward_, strike_, vol, years, discount


def exact(terms: tuple[int, int, int, int, int]) -> dict[str, Any]:
    """Everything that `greeks` gives for a call, and the put's value, in mpmath."""
    F, K, vol, T, D = (mpmath.mpf(number) / ONE for number in terms)
    s = vol * mpmath.sqrt(T)
    d1 = mpmath.log(F / K) / s + s / 2
    value = D * (F * mpmath.ncdf(d1) - K * mpmath.ncdf(d1 - s))
    weight = D * mpmath.npdf(d1)
    return {
        "value": value,
        "put": value - D * (F - K),
        "delta": D * mpmath.ncdf(d1),
        "gamma": weight / (F * s),
        "vega": F * weight * mpmath.sqrt(T),
        "theta": -mpmath.log(D) / T * value - F * weight * vol / (2 * mpmath.sqrt(T)),
    }


def test_against_mpmath() -> None:
    source = random.Random(76)
    for _ in range(300):
        terms = random_terms(source)
        with mpmath.workprec(PRECISION):
            expected = {name: value * ONE for name, value in exact(terms).items()}
            scale = (terms[0] + terms[1]) / ONE + 1
            call, put = black76.prices(*terms)
            greeks = black76.greeks(*terms)
            assert abs(call - expected["value"]) <= 4 * scale
            assert abs(put - expected["put"]) <= 4 * scale
            # The first-order effect of a rounded d1 is 2^-64 / s.
            loose = 40 + 40 * ONE / black76.deviation(terms[2], terms[3])
            assert abs(greeks.delta - expected["delta"]) <= loose
            assert abs(greeks.vega - expected["vega"]) <= loose * scale * 10
            assert abs(greeks.gamma - expected["gamma"]) <= loose * loose * (1 + ONE / terms[0])
            tolerance = loose * scale * (1 + terms[2] / ONE) * (1 + ONE / terms[3]) * 100
            assert abs(greeks.theta - expected["theta"]) <= tolerance


def test_against_quantlib() -> None:
    source = random.Random(1973)
    for _ in range(500):
        terms = random_terms(source)
        F, K, vol, T, D = (number / ONE for number in terms)
        for call, side in ((True, QuantLib.Option.Call), (False, QuantLib.Option.Put)):
            expected = QuantLib.blackFormula(side, K, F, vol * T**0.5, D)
            found = black76.price(*terms, call=call) / ONE
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-12 * (F + K))


@given(
    st.integers(0, 10**6 * ONE),
    st.integers(0, 10**6 * ONE),
    st.integers(0, 100 * ONE),
    st.integers(-ONE, 10 * ONE),
)
@settings(max_examples=200)
def test_no_arbitrage(forward: int, strike: int, vol: int, years: int) -> None:
    call, put = black76.prices(forward, strike, vol, years)
    assert call - put == forward - strike
    assert max(forward - strike, 0) <= call <= forward
    assert max(strike - forward, 0) <= put <= strike
    assert (black76.price(forward, strike, vol, years), put) == (
        call,
        black76.price(forward, strike, vol, years, call=False),
    )


INTRINSIC = 20_000 * ONE


@pytest.mark.parametrize(
    ("forward", "strike", "vol", "years", "expected"),
    [
        (FORWARD, 50_000 * ONE, VOL, 0, (INTRINSIC, 0)),
        (FORWARD, 90_000 * ONE, VOL, -YEAR, (0, INTRINSIC)),
        (FORWARD, 90_000 * ONE, 0, YEAR, (0, INTRINSIC)),
        (FORWARD, FORWARD, 0, YEAR, (0, 0)),
        (FORWARD, FORWARD, VOL, 0, (0, 0)),
        (0, FORWARD, VOL, YEAR, (0, FORWARD)),
        (FORWARD, 0, VOL, YEAR, (FORWARD, 0)),
        (0, 0, VOL, YEAR, (0, 0)),
        (FORWARD, 90_000 * ONE, 1000 * ONE, YEAR, (FORWARD, 90_000 * ONE)),
        (FORWARD, 90_000 * ONE, LARGEST, LARGEST, (FORWARD, 90_000 * ONE)),
        (FORWARD, ONE, from_decimal("0.1"), YEAR, (FORWARD - ONE, 0)),
        (ONE, FORWARD, from_decimal("0.1"), YEAR, (0, FORWARD - ONE)),
        (LARGEST, 1, VOL, YEAR, (LARGEST - 1, 0)),
        (FORWARD, FORWARD + 1, 1, 1, (0, 1)),
    ],
)
def test_limits(forward: int, strike: int, vol: int, years: int, expected: tuple[int, int]) -> None:
    assert black76.prices(forward, strike, vol, years) == expected


def test_greeks_in_the_limit() -> None:
    for strike, delta in ((FORWARD - 1, ONE), (FORWARD, HALF), (FORWARD + 1, 0)):
        call = black76.greeks(FORWARD, strike, VOL, 0)
        put = black76.greeks(FORWARD, strike, VOL, 0, call=False)
        assert (call.delta, put.delta) == (delta, delta - ONE)
        assert (call.gamma, call.vega, call.theta) == (0, 0, 0)
    worthless = black76.greeks(FORWARD, FORWARD, VOL, YEAR, 0)
    assert worthless == black76.Greeks(0, 0, 0, 0, 0)


def test_an_option_that_is_sure_to_be_exercised_earns_its_rate() -> None:
    greeks = black76.greeks(FORWARD, 0, VOL, YEAR, fixed.exp(-ONE // 10))
    assert abs(greeks.theta - greeks.value // 10) <= FORWARD // ONE + 2


def test_the_day_is_a_365th_of_the_year() -> None:
    greeks = black76.greeks(FORWARD, FORWARD, VOL, YEAR)
    assert greeks.theta < 0
    assert greeks.theta_per_day == black76.nearest_quotient(greeks.theta, 365)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ((-1, ONE, ONE, ONE, ONE), "the forward is negative"),
        ((ONE, -1, ONE, ONE, ONE), "the strike is negative"),
        ((ONE, ONE, -1, ONE, ONE), "the volatility is negative"),
        ((ONE, ONE, ONE, ONE, -1), "the discount factor is negative"),
        ((LARGEST, ONE, ONE, ONE, 2 * ONE), "multiplication leaves the range"),
    ],
)
def test_operands_out_of_range(terms: tuple[int, int, int, int, int], message: str) -> None:
    for function in (black76.price, black76.prices, black76.greeks):
        with pytest.raises(RangeError, match=message):
            function(*terms)
