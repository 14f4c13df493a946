"""Black's formula for options on a forward (F. Black, The pricing of commodity contracts, 1976), in Q64.

    call = D (F N(d1) - K N(d2)),   put = call - D (F - K),
    d1 = ln(F / K) / s + s / 2,   d2 = d1 - s,   s = vol sqrt(T).

Every number is a Q64 integer of `zkmargin.margin.arithmetic.fixed`: forward F and strike K in the currency of the
price, volatility per square root of a year (1.0 = 100 %), T in years of 365 days, D the discount factor
to payment. The native twin is native/src/black76.rs. A price is within 2^-62 (F + K) D of the exact one.

Limits are part of the definition. Once expired (T <= 0), at volatility zero, at F = 0 or K = 0, and
wherever |ln(F / K)| >= 16 s (so that N(d1) and N(d2) are both 0 or both 1 to the last bit), the price is
the discounted intrinsic value. s is capped at 64, where the call has long reached D F and the put D K.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zkmargin.margin.arithmetic.fixed import (
    HALF,
    ONE,
    ONE_BITS,
    RangeError,
    checked,
    div,
    ln,
    mul,
    nearest_shift,
    sqrt,
)
from zkmargin.margin.arithmetic.normal import density, distribution

SECONDS_A_YEAR: Final = 365 * 86400
DAYS_A_YEAR: Final = 365
# Beyond this many standard deviations from the strike the option's value is its intrinsic value.
_DEVIATIONS: Final = 16
_WIDEST: Final = 64 << ONE_BITS


@dataclass(frozen=True, slots=True)
class Greeks:
    """Price and sensitivities of one option, in Q64.

    value: as `price`.
    delta: change of value per 1 of the forward, D N(d1) for a call.
    gamma: change of delta per 1 of the forward.
    vega: change of value per 1.00 of volatility (divide by 100 for a volatility point).
    theta: change of value per year of passing time, forward and discount rate fixed (`theta_per_day`
    beside it).

    In the intrinsic limit gamma and vega are zero, and delta at F = K is half of D.
    """

    value: int
    delta: int
    gamma: int
    vega: int
    theta: int

    @property
    def theta_per_day(self) -> int:
        """theta / 365, rounded to nearest."""
        return nearest_quotient(self.theta, DAYS_A_YEAR)


def nearest_quotient(value: int, divisor: int) -> int:
    """floor(value / divisor + 1/2)."""
    return (2 * value + divisor) // (2 * divisor)


def _check(forward: int, strike: int, vol: int, discount: int) -> None:
    if forward < 0:
        raise RangeError("the forward is negative")
    if strike < 0:
        raise RangeError("the strike is negative")
    if vol < 0:
        raise RangeError("the volatility is negative")
    if discount < 0:
        raise RangeError("the discount factor is negative")


def deviation(vol: int, years: int) -> int:
    """s = vol sqrt(max(years, 0)), rounded to nearest, at most 64."""
    return min(nearest_shift(vol * sqrt(max(years, 0)), ONE_BITS), _WIDEST)


def _d1(forward: int, strike: int, s: int) -> int | None:
    """d1, or None in the intrinsic limit. The half of s is rounded down."""
    if forward == 0 or strike == 0:
        return None
    moneyness = ln(forward) - ln(strike)
    if abs(moneyness) >= _DEVIATIONS * s:
        return None
    return div(moneyness, s) + (s >> 1)


def _undiscounted(forward: int, strike: int, s: int, d1: int | None, call: bool) -> int:
    """F N(d1) - K N(d2), each product rounded, kept between max(F - K, 0) and F; the put by parity."""
    value = max(forward - strike, 0)
    if d1 is not None:
        model = mul(forward, distribution(d1)) - mul(strike, distribution(d1 - s))
        value = min(max(model, value), forward)
    return value if call else value - (forward - strike)


def price(forward: int, strike: int, vol: int, years: int, discount: int = ONE, *, call: bool = True) -> int:
    """The price of one option. RangeError for a negative operand (years may be negative) or an overflow."""
    _check(forward, strike, vol, discount)
    s = deviation(vol, years)
    return mul(_undiscounted(forward, strike, s, _d1(forward, strike, s), call), discount)


def prices(forward: int, strike: int, vol: int, years: int, discount: int = ONE) -> tuple[int, int]:
    """(call, put), each as `price` gives it."""
    _check(forward, strike, vol, discount)
    s = deviation(vol, years)
    d1 = _d1(forward, strike, s)
    call, put = (_undiscounted(forward, strike, s, d1, side) for side in (True, False))
    return mul(call, discount), mul(put, discount)


def _call_delta(forward: int, strike: int, d1: int | None) -> int:
    """N(d1), or its limit: 0, 1/2 or 1."""
    if d1 is not None:
        return distribution(d1)
    return HALF * (forward >= strike) + HALF * (forward > strike)


def _discount_rate(discount: int, years: int) -> int:
    """r with D = e^(-r T); 0 once expired or if D = 0 (nothing is left to earn interest)."""
    return div(-ln(discount), years) if discount > 0 and years > 0 else 0


def greeks(
    forward: int, strike: int, vol: int, years: int, discount: int = ONE, *, call: bool = True
) -> Greeks:
    """Price and sensitivities. RangeError as for `price`, also where gamma exceeds the format.

    gamma = D phi(d1) / (F s),  vega = D F phi(d1) sqrt(T),  theta = r V - D F phi(d1) vol / (2 sqrt(T)).
    """
    _check(forward, strike, vol, discount)
    s = deviation(vol, years)
    d1 = _d1(forward, strike, s)
    value = mul(_undiscounted(forward, strike, s, d1, call), discount)
    delta = mul(_call_delta(forward, strike, d1) - (0 if call else ONE), discount)
    interest = mul(_discount_rate(discount, years), value)
    if d1 is None:
        return Greeks(value, delta, 0, 0, interest)
    root = sqrt(years)
    weight = mul(discount, density(d1))
    exposure = mul(forward, weight)
    decay = div(mul(exposure, vol), 2 * root)
    return Greeks(
        value,
        delta,
        div(div(weight, s), forward),
        mul(exposure, root),
        checked(interest - decay, "subtraction"),
    )
