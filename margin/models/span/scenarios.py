"""The sixteen scenarios: the underlying's price against its scan range, volatility up and down, two extremes.

1, 2    price unchanged, volatility up and down
3 - 14  price up and down by 1/3, 2/3 and 3/3 of the range, each with volatility up and down
15, 16  price up and down by a multiple of the range, volatility unchanged, a fraction of the loss counts
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from zkmargin.margin.arithmetic.decimals import canonical_decimal, nearest
from zkmargin.margin.parameters.span import Commodity
from zkmargin.margin.tables.grid import Cell, VolatilityMove

DELTA_MOVES = (
    Fraction(0), Fraction(1, 3), Fraction(-1, 3), Fraction(2, 3), Fraction(-2, 3), Fraction(1), Fraction(-1),
)  # fmt: skip
"""Thirds of the scan range at which deltas are weighted into the composite delta."""

_VOLATILITY: tuple[tuple[VolatilityMove, str], ...] = (("up", "volatility up"), ("down", "volatility down"))


@dataclass(frozen=True)
class Scenario:
    """A move of price, in scan ranges, and of volatility; `cover` is the part of the loss that counts."""

    move: Fraction
    volatility: VolatilityMove
    cover: Fraction


def scenarios(commodity: Commodity) -> tuple[Scenario, ...]:
    """The sixteen scenarios of a commodity."""
    core = [Scenario(move, volatility, Fraction(1)) for move in DELTA_MOVES for volatility, _ in _VOLATILITY]
    multiple, cover = Fraction(commodity.extreme_multiple), Fraction(commodity.extreme_cover)
    return (*core, Scenario(multiple, "none", cover), Scenario(-multiple, "none", cover))


def cells() -> tuple[Cell, ...]:
    """The scenarios for people; `spot` is in scan ranges, of which each commodity has its own."""
    core = [
        Cell(f"{_words(move)}, {words}", _places(move), volatility, "1", False)
        for move in DELTA_MOVES
        for volatility, words in _VOLATILITY
    ]
    extremes = [
        Cell(f"price {way} beyond the range, volatility unchanged", sign, "none", "1", True)
        for way, sign in (("up", "1"), ("down", "-1"))
    ]
    return (*core, *extremes)


def _places(move: Fraction) -> str:
    return canonical_decimal(Decimal(nearest(move * 10**4)).scaleb(-4))


def _words(move: Fraction) -> str:
    if not move:
        return "price unchanged"
    part = f"{abs(move)} of the" if abs(move) < 1 else "the"
    return f"price {'up' if move > 0 else 'down'} {part} range"
