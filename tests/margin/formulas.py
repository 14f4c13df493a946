"""Plain formulas in floating point, written down apart from the product."""

from math import erf, log, sqrt


def black76(forward: float, strike: float, vol: float, years: float, call: bool) -> float:
    """Undiscounted, in floating point."""
    s = vol * sqrt(years)
    d1 = log(forward / strike) / s + s / 2
    value = forward * (1 + erf(d1 / sqrt(2))) / 2 - strike * (1 + erf((d1 - s) / sqrt(2))) / 2
    return value if call else value - (forward - strike)
