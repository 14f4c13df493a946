"""Parameters of a portfolio margin like Deribit's, with the numbers its interface publishes for BTC and ETH.

In brackets stands the name there (`model_params` of private/pme/simulate). One set of numbers serves all coins.
"""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from zkmargin.margin.parameters.types import (
    Factor,
    FloorDays,
    LossRates,
    Number,
    Rate,
    Rates,
    Shock,
    Strict,
    rates,
)

TailMove = Annotated[Shock, Field(ge=Decimal("-0.999"))]
"""What pays in coin loses without end as the price falls to nothing."""


class Deribit(Strict):
    """Nine price moves with three volatility moves, damped tails, delta and roll shocks; see
    `zkmargin.margin.models.grid.deribit` for what each number does.
    """

    price_range: Annotated[Number, Field(ge=Decimal("0.001"), le=Decimal("0.99"))] = Decimal("0.16")
    """[price_range]"""
    buckets: Annotated[int, Field(ge=1, le=10)] = 4
    """Price moves on either side, evenly spaced up to the range [buckets_count]."""
    volatility_up: Factor = Decimal("0.5")
    """[volatility_range_up]"""
    volatility_down: Rate = Decimal("0.25")
    """[volatility_range_down]"""
    volatility_minimum: Factor = Decimal("0.5")
    """[min_volatility_for_shock_up]"""
    short_power: Rate = Decimal("0.3")
    """[short_term_vega_power]"""
    long_power: Rate = Decimal("0.13")
    """[long_term_vega_power]"""
    floor_days: FloorDays = Decimal(1)
    tail_moves: Annotated[tuple[TailMove, ...], Field(max_length=40)] = tuple(
        Decimal(percent).scaleb(-2) for percent in (-66, -33, 50, 100, 200, 300, 400, 500)
    )
    tail_factor: Rate = Decimal(1)
    """A tail's profit or loss counts tail_factor * price_range / |move| times [extended_table_factor]."""
    dampener: Annotated[Number, Field(ge=0, le=10**9)] = Decimal(25000)
    """USD that a tail may lose before it counts, times |move| / price_range - 1 [extended_dampener]."""
    gain_offset: Rate = Decimal(0)
    """How much of the gain in one settlement currency pays losses in another, of the same coin [pnl_offset]."""
    delta_shock: Rate = Decimal("0.1")
    """The further move that a delta of `delta_threshold` is asked for, and less in proportion [max_delta_shock]."""
    delta_threshold: Annotated[Number, Field(gt=0, le=10**11)] = Decimal(20_000_000)
    """USD [delta_total_liq_shock_threshold]"""
    annual_move: Rate = Decimal("0.075")
    """The roll shock of an expiry a year away [annualised_move_risk]."""
    least_move: Rate = Decimal("0.01")
    """The least roll shock of any expiry [min_annualised_move]."""
    loss_factor: LossRates = LossRates(initial=Decimal(1), maintenance=Decimal("0.8"))
    """At most 12 decimal places [mm_factor]."""
    haircut: Rates = rates("0", "0")
    """On the equity of every coin."""

    @model_validator(mode="after")
    def _tails_move(self) -> Self:
        if Decimal(0) in self.tail_moves:
            raise ValueError("tail_moves: a move of 0 is no tail; leave it out")
        return self
