"""Quantiles of the normal distribution in 64.64 fixed point, and a stream of them from a seed.

The quantile is algorithm AS 241 (M. J. Wichura, The percentage points of the normal distribution, Applied
Statistics 37, 1988, routine PPND16) on integers: rational functions of degree seven, relative error below
1e-15. Draws are SHAKE-256 of the seed, 63 bits each, taken as the middles of 2^63 equal intervals of (0, 1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from zkmargin.margin.arithmetic.fixed import HALF, ONE, ONE_BITS, div, from_decimal, ln, mul, sqrt


def _q64(*coefficients: str) -> tuple[int, ...]:
    return tuple(map(from_decimal, coefficients))


_CENTRE: Final = from_decimal("0.425")
_CENTRE_SQUARE: Final = from_decimal("0.180625")
_NEAR: Final = from_decimal("1.6")
_FAR: Final = from_decimal("5")

# Numerators and denominators, lowest power first, as published.
_CENTRAL: Final = (
    _q64(
        "3.3871328727963666080",
        "133.14166789178437745",
        "1971.5909503065514427",
        "13731.693765509461125",
        "45921.953931549871457",
        "67265.770927008700853",
        "33430.575583588128105",
        "2509.0809287301226727",
    ),
    _q64(
        "1",
        "42.313330701600911252",
        "687.18700749205790830",
        "5394.1960214247511077",
        "21213.794301586595867",
        "39307.895800092710610",
        "28729.085735721942674",
        "5226.4952788528545610",
    ),
)
_TAIL: Final = (
    _q64(
        "1.42343711074968357734",
        "4.63033784615654529590",
        "5.76949722146069140550",
        "3.64784832476320460504",
        "1.27045825245236838258",
        "0.241780725177450611770",
        "0.0227238449892691845833",
        "0.000774545014278341407640",
    ),
    _q64(
        "1",
        "2.05319162663775882187",
        "1.67638483018380384940",
        "0.689767334985100004550",
        "0.148103976427480074590",
        "0.0151986665636164571966",
        "0.000547593808499534494600",
        "1.05075007164441684324e-9",
    ),
)
_FAR_TAIL: Final = (
    _q64(
        "6.65790464350110377720",
        "5.46378491116411436990",
        "1.78482653991729133580",
        "0.296560571828504891230",
        "0.0265321895265761230930",
        "0.00124266094738807843860",
        "2.71155556874348757815e-5",
        "2.01033439929228813265e-7",
    ),
    _q64(
        "1",
        "0.599832206555887937690",
        "0.136929880922735805310",
        "0.0148753612908506148525",
        "0.000786869131145613259100",
        "1.84631831751005468180e-5",
        "1.42151175831644588870e-7",
        "2.04426310338993978564e-15",
    ),
)


def _polynomial(coefficients: Sequence[int], x: int) -> int:
    """By Horner's rule, each product rounded down."""
    total = 0
    for coefficient in reversed(coefficients):
        total = coefficient + (total * x >> ONE_BITS)
    return total


def _ratio(pair: tuple[Sequence[int], Sequence[int]], x: int) -> int:
    return div(_polynomial(pair[0], x), _polynomial(pair[1], x))


def quantile(p: int) -> int:
    """x with N(x) = p, for 0 < p < 1 in Q64. RangeError for other p."""
    q = p - HALF
    if abs(q) <= _CENTRE:
        return mul(q, _ratio(_CENTRAL, _CENTRE_SQUARE - mul(q, q)))
    r = sqrt(-ln(p if q < 0 else ONE - p))
    x = _ratio(_TAIL, r - _NEAR) if r <= _FAR else _ratio(_FAR_TAIL, r - _FAR)
    return -x if q < 0 else x


def normal_draws(seed: str, count: int) -> Iterator[int]:
    """`count` normal numbers in Q64, the same for the same seed everywhere; they are not secret."""
    stream = hashlib.shake_256(b"zkmargin/scenarios/1;" + seed.encode()).digest(8 * count)
    # The middle of the interval of a word without its last bit is an odd multiple of 2^-64: exact in Q64.
    return (quantile(int.from_bytes(stream[k : k + 8], "little") | 1) for k in range(0, len(stream), 8))
