"""Parameters of a portfolio margin like Bybit's.

Sources: [A] *Margin Calculations under Portfolio Margin (Unified Trading Account)* (help centre, September 2024:
maximum loss and contingencies, and their formulas); [B] *Bybit Portfolio Margin Model: Risk Parameter Adjustment in
2025* (10 January 2025: price moves of BTC and ETH). What stands under neither is ours.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from zkmargin.margin.parameters.types import Factor, FloorDays, Number, Rate, Strict
from zkmargin.margin.parameters.venues.okx import RoundLossFactors

_Range = Annotated[Number, Field(ge=Decimal("0.001"), le=Decimal("0.99"))]


class Bybit(Strict):
    """MM = maximum loss + contingencies for each coin, IM a multiple of it [A]; see
    `zkmargin.margin.models.grid.bybit`.
    """

    majors: tuple[str, ...] = ("BTC", "ETH")
    price_range: _Range = Decimal("0.1")
    """Of the majors [B]."""
    other_range: _Range = Decimal("0.2")
    """Of all other coins."""
    buckets: Annotated[int, Field(ge=1, le=10)] = 5
    """Price moves on either side, evenly spaced up to the range."""
    volatility_up: Factor = Decimal("0.35")
    volatility_down: Rate = Decimal("0.3")
    short_power: Rate = Decimal("0.3")
    long_power: Rate = Decimal("0.13")
    floor_days: FloorDays = Decimal(1)
    option_rate: Rate = Decimal("0.005")
    """Short options: of the index, on the net short options of a strike and expiry [A: the formula]."""
    future_rate: Rate = Decimal("0.005")
    """Perpetuals and futures: of the notional, either side [A: the formula]."""
    vega_rate: Rate = Decimal("0.0003")
    """Vega spread: a day between two expiries, on the vega that they hedge of each other [A: 0.03 %]."""
    delta_rate: Annotated[Number, Field(ge=0, le=10)] = Decimal("0.45")
    """Delta spread: a year between two expiries, on the delta that they hedge of each other [A: 45 %]."""
    stable_rate: Rate = Decimal("0.005")
    """On the delta that contracts in dollars and in stablecoins hedge of each other [A: the charge]."""
    loss_factor: RoundLossFactors = RoundLossFactors(initial=Decimal("1.2"), maintenance=Decimal(1))
    """Initial margin as a multiple of maintenance, of the charges beside the losses as well."""
