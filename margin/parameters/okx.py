"""Parameters of a portfolio margin like OKX's, with the numbers it announced for BTC and ETH in January 2025.

Of the venue's parts these are MR1 (spot shock), MR4 (basis risk), MR6 (extreme move) and MR7 (minimum charge).
One set of numbers serves all coins.
"""

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from zkmargin.margin.parameters.pmrm2 import LossFactors, Positive
from zkmargin.margin.parameters.types import (
    FACTOR_PLACES,
    Factor,
    FloorDays,
    Number,
    Rate,
    Shock,
    Strict,
    at_most,
)


class Step(Strict):
    """From `start` USD of the raw minimum charge on, every further dollar of it counts `multiplier` times."""

    start: Annotated[Number, Field(ge=0, le=10**11)]
    multiplier: Annotated[int, Field(ge=1, le=1000)]


class RoundLossFactors(LossFactors):
    """Factors of at most 12 decimal places."""

    initial: Annotated[Positive, at_most(FACTOR_PLACES)]
    maintenance: Annotated[Positive, at_most(FACTOR_PLACES)]


_STEPS = tuple(
    Step(start=Decimal(start), multiplier=multiplier)
    for start, multiplier in (
        (0, 1), (250_000, 2), (500_000, 4), (1_000_000, 6), (2_000_000, 8), (3_000_000, 10), (4_000_000, 12),
    )
)  # fmt: skip


class Okx(Strict):
    """MMR = max(max(MR1, MR6) + MR4, MR7) for each coin, and IMR 1.3 times that; see
    `zkmargin.margin.models.grid.okx`.
    """

    spot_shocks: Annotated[tuple[Shock, ...], Field(min_length=1, max_length=41)] = tuple(
        Decimal(percent).scaleb(-2) for percent in range(-12, 13, 4)
    )
    """MR1, each with volatility up, unchanged and down."""
    extreme_moves: Annotated[tuple[Shock, ...], Field(max_length=8)] = (Decimal("-0.24"), Decimal("0.24"))
    """MR6, each with the same three."""
    extreme_damping: Rate = Decimal("0.5")
    volatility_up: Factor = Decimal("0.5")
    volatility_down: Rate = Decimal("0.25")
    short_power: Rate = Decimal("0.3")
    long_power: Rate = Decimal("0.13")
    floor_days: FloorDays = Decimal(1)
    annual_move: Rate = Decimal("0.05")
    """MR4: the move of a forward a year away against spot."""
    future_cost: Rate = Decimal("0.0005")
    """MR7: of the notional of futures and perpetuals, either side."""
    option_cost: Rate = Decimal("0.0003")
    """MR7: of the index, for every short option."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)] = _STEPS
    """MR7: the multipliers, rising."""
    loss_factor: RoundLossFactors = RoundLossFactors(initial=Decimal("1.3"), maintenance=Decimal(1))

    @model_validator(mode="after")
    def _rising(self) -> Self:
        starts = [step.start for step in self.steps]
        multipliers = [step.multiplier for step in self.steps]
        rising = all(a < b for a, b in pairwise(starts)) and all(a < b for a, b in pairwise(multipliers))
        if starts[0] or not rising:
            raise ValueError("steps: start at 0, and let starts and multipliers rise from step to step")
        return self
