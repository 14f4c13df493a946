"""The section `grid`: spot shocks, tails, volatility moves and contingencies."""

import operator
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from zkmargin.margin.parameters.types import Factor, FloorDays, LossRates, Rate, Rates, Shock, Strict, rates


class VolatilityShock(Strict):
    """Volatility moves that are larger for short expiries.

    With m = (30 days / max(t, floor_days))^p and p = short_power up to 30 days, long_power beyond: up is
    max(vol * (1 + up * m), minimum), down is vol * max(0, 1 - down * m).
    """

    up: Factor = Decimal("0.5")
    down: Rate = Decimal("0.275")
    minimum: Factor = Decimal("0.5")
    short_power: Rate = Decimal("0.3")
    long_power: Rate = Decimal("0.13")
    floor_days: FloorDays = Decimal(1)


class Grid(Strict):
    """Portfolio margin: every spot shock with three volatility moves, and damped tails with volatility up."""

    spot_shocks: Annotated[tuple[Shock, ...], Field(min_length=1, max_length=41)] = tuple(
        Decimal(percent).scaleb(-2) for percent in range(-16, 17, 4)
    )
    tail_shocks: Annotated[tuple[Shock, ...], Field(max_length=40)] = tuple(
        Decimal(percent).scaleb(-2) for percent in (-66, -33, 50, 100, 200, 300)
    )
    tail_damping: Rate = Decimal("0.2")
    """A tail counts with tail_damping * (largest spot shock) / |tail shock|, at most 1."""
    volatility: VolatilityShock = VolatilityShock()
    loss_factor: LossRates = LossRates(initial=Decimal(1), maintenance=Decimal("0.8"))
    """At most 12 decimal places."""
    perpetual: Rates = rates("0.02", "0.01")
    """Contingency on the notional of perpetuals."""
    naked_short: Rates = rates("0.01", "0.005")
    """Contingency on the spot price per naked short option of a strike and expiry."""
    currencies: Annotated[Mapping[str, Rate], Field(exclude_if=operator.not_)] = {}
    """Stablecoins and other currencies: how much of every spot shock they move by; other coins move by all of it."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for name, shocks in (("spot_shocks", self.spot_shocks), ("tail_shocks", self.tail_shocks)):
            if len(set(shocks)) != len(shocks):
                raise ValueError(f"{name} lists a shock twice; keep one")
        if Decimal(0) in self.tail_shocks:
            raise ValueError("a tail shock of 0 has no damping; leave it out")
        return self
