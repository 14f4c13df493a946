"""The scenarios of the grid: every spot shock with three volatility moves, then the tails."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.parameters.grid import Grid
from zkmargin.margin.parameters.venues.pmrm2 import Scenario
from zkmargin.margin.tables.grid import Cell, VolatilityMove

_MOVES: tuple[VolatilityMove, ...] = ("up", "none", "down")
_WORDS = {
    "up": "volatility up",
    "none": "volatility unchanged",
    "down": "volatility down",
    "linear": "linear skew",
    "absolute": "absolute skew",
}
_PLACES = Decimal("1e-8")
"""Shocks may come from binary floating point; their labels leave its last digits out."""


@dataclass(frozen=True)
class Shocks:
    """Moves of spot, and tails with how often their profit or loss counts."""

    core: tuple[Decimal, ...]
    tails: tuple[tuple[Decimal, Fraction], ...]
    tail_moves: tuple[VolatilityMove, ...]
    """The volatility moves of the tails; the core has all three."""


def grid_cells(grid: Grid) -> tuple[Cell, ...]:
    """All cells: the core in order of spot and volatility, then the tails (volatility up)."""
    tails = tuple((spot, tail_damping(grid, spot)) for spot in grid.tail_shocks)
    return shock_cells(Shocks(grid.spot_shocks, tails, ("up",)))


def tail_damping(grid: Grid, shock: Decimal) -> Fraction:
    """tail_damping * (largest spot shock) / |shock|, at most 1."""
    largest = max(abs(spot) for spot in grid.spot_shocks)
    return min(Fraction(1), Fraction(grid.tail_damping) * Fraction(largest) / abs(Fraction(shock)))


def shock_cells(shocks: Shocks) -> tuple[Cell, ...]:
    """The core in order of spot and volatility, then the tails."""
    core = [_cell(spot, move, Fraction(1), tail=False) for spot in shocks.core for move in _MOVES]
    tails = [
        _cell(spot, move, damping, tail=True) for spot, damping in shocks.tails for move in shocks.tail_moves
    ]
    return (*core, *tails)


def _cell(spot: Decimal, move: VolatilityMove, damping: Fraction, *, tail: bool) -> Cell:
    return Cell(_label(spot, move, tail), canonical_decimal(spot), move, str(damping), tail)


def _label(spot: Decimal, move: VolatilityMove, tail: bool) -> str:
    percent = canonical_decimal(spot.scaleb(2).quantize(_PLACES))
    signed = f"+{percent}" if spot > 0 else percent
    return f"{'tail' if tail else 'spot'} {signed} %, {_WORDS[move]}"


def scenario_cells(scenarios: Iterable[Scenario]) -> tuple[Cell, ...]:
    """The cells of a list of scenarios, in its order; those that count in part are tails."""
    return tuple(_scenario_cell(scenario) for scenario in scenarios)


def _scenario_cell(scenario: Scenario) -> Cell:
    tail = scenario.damping < 1
    spot, damping = canonical_decimal(scenario.spot), canonical_decimal(scenario.damping)
    return Cell(_label(scenario.spot, scenario.volatility, tail), spot, scenario.volatility, damping, tail)
