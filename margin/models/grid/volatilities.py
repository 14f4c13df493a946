"""Volatilities as PMRM 2 moves them: up and down by term, and tilted by moneyness in the skew cells. All Q64.

Every function is a few lines of the integer arithmetic of `zkmargin.margin.arithmetic.fixed`. Moves by term stop at a
factor of e^27: a volatility that large is worth the same as a larger one, and still fits the format.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from zkmargin.margin.arithmetic.fixed import ONE, ONE_BITS, exp, from_decimal, from_fraction, ln, mul, sqrt
from zkmargin.margin.parameters.venues.pmrm2 import Skew, SkewCap, Volatility

MICROSECONDS_A_DAY: Final = 86400 * 10**6
_SECOND: Final = 10**6
_LARGEST_EXPONENT: Final = 27 * ONE


@dataclass(frozen=True)
class Smile:
    """One option's volatilities."""

    base: int
    up: int
    down: int
    linear: int
    absolute: int

    def row(self) -> tuple[int, ...]:
        """In the order of `COLUMNS`."""
        return self.base, self.up, self.down, self.linear, self.absolute


COLUMNS: Final = {"none": 0, "up": 1, "down": 2, "linear": 3, "absolute": 4}


@dataclass(frozen=True)
class Term:
    """What all options of one expiry share.

    scale: m = (30 d / max(t, floor))^p. root: sqrt(T). caps: of the linear and the absolute skew. k_star:
    where both level out, at least the smallest step of the format.
    """

    scale: int
    root: int
    caps: tuple[int, int]
    k_star: int


def term(microseconds: int, volatility: Volatility, skew: Skew) -> Term:
    """The shocks of an expiry that is so far away; negative once expired."""
    root = sqrt(from_fraction(Fraction(max(microseconds, 0), 365 * MICROSECONDS_A_DAY)))
    slope = from_decimal(skew.level) + mul(root, from_decimal(skew.trend))
    k_star = max(from_decimal(skew.minimum), mul(mul(root, from_decimal(skew.width)), slope), 1)
    caps = (_cap(skew.linear, root), _cap(skew.absolute, root))
    return Term(_scale(microseconds, volatility), root, caps, k_star)


def _cap(cap: SkewCap, root: int) -> int:
    return from_decimal(cap.base) + mul(from_decimal(cap.slope), root)


def _scale(microseconds: int, volatility: Volatility) -> int:
    month = 30 * MICROSECONDS_A_DAY
    power = volatility.short_power if microseconds <= month else volatility.long_power
    floor = Fraction(volatility.floor_days) * MICROSECONDS_A_DAY
    ratio = from_fraction(Fraction(month) / max(Fraction(microseconds), floor, Fraction(_SECOND)))
    return exp(min(mul(from_decimal(power), ln(ratio)), _LARGEST_EXPONENT))


def smile(vol: int, strike: int, forward: int, shared: Term, volatility: Volatility) -> Smile:
    """The volatilities of an option."""
    raised = mul(vol, ONE + mul(from_decimal(volatility.up), shared.scale))
    lowered = mul(vol, max(0, ONE - mul(from_decimal(volatility.down), shared.scale)))
    k = ln(strike) - ln(forward)
    linear, absolute = (
        mul(vol, max(0, ONE + _tilt(moneyness, cap, shared.k_star)))
        for moneyness, cap in zip((k, abs(k)), shared.caps, strict=True)
    )
    return Smile(vol, max(raised, from_decimal(volatility.minimum)), lowered, linear, absolute)


def _tilt(k: int, cap: int, k_star: int) -> int:
    """min(cap, k cap / k*) for k >= 0, max(-cap, k cap / k*) below."""
    slope = (2 * k * cap + k_star) // (2 * k_star)
    return min(cap, slope) if k >= 0 else max(-cap, slope)


def discounted(value: int, discount: int, base: int, weights: Sequence[int]) -> int:
    """(discount value - base) times the weights, rounded once to nearest; all but the last weight are Q64."""
    product, bits = (discount * value - (base << ONE_BITS)), ONE_BITS * (len(weights) + 1)
    for weight in weights:
        product *= weight
    return (product + (1 << (bits - 1))) >> bits
