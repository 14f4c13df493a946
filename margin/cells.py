"""The scenarios of the grid: every spot shock with three volatility moves, then the damped tails."""

from decimal import Decimal
from fractions import Fraction

from zkmargin.margin.decimals import canonical_decimal
from zkmargin.margin.parameters import Grid
from zkmargin.margin.tables import Cell, VolatilityMove

_MOVES: tuple[VolatilityMove, ...] = ("up", "none", "down")
_WORDS = {"up": "volatility up", "none": "volatility unchanged", "down": "volatility down"}


def grid_cells(grid: Grid) -> tuple[Cell, ...]:
    """All cells: the core in order of spot and volatility, then the tails (volatility up)."""
    core = [_cell(spot, move, Fraction(1), tail=False) for spot in grid.spot_shocks for move in _MOVES]
    tails = [_cell(spot, "up", tail_damping(grid, spot), tail=True) for spot in grid.tail_shocks]
    return (*core, *tails)


def tail_damping(grid: Grid, shock: Decimal) -> Fraction:
    """tail_damping * (largest spot shock) / |shock|, at most 1."""
    largest = max(abs(spot) for spot in grid.spot_shocks)
    return min(Fraction(1), Fraction(grid.tail_damping) * Fraction(largest) / abs(Fraction(shock)))


def _cell(spot: Decimal, move: VolatilityMove, damping: Fraction, *, tail: bool) -> Cell:
    return Cell(_label(spot, move, tail), canonical_decimal(spot), move, str(damping), tail)


def _label(spot: Decimal, move: VolatilityMove, tail: bool) -> str:
    percent = canonical_decimal(spot.scaleb(2))
    signed = f"+{percent}" if spot > 0 else percent
    return f"{'tail' if tail else 'spot'} {signed} %, {_WORDS[move]}"
