"""The sections `collateral.COIN` of the parameters: haircuts that rise with size, and follow volatility and
liquidity; what a borrowed balance counts for.
"""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from zkmargin.margin.parameters.types import Factor, Multiples, Number, Rates, Strict

LARGEST_SIZE = 10**9
_LARGEST_VOLUME = 10**15

_Size = Annotated[Number, Field(gt=0, le=LARGEST_SIZE)]
_Volume = Annotated[Number, Field(gt=0, le=_LARGEST_VOLUME)]
_Volatility = Annotated[Number, Field(gt=0, le=100)]
_Most = Annotated[Factor, Field(ge=1)]


def _absent(part: object) -> bool:
    return part is None


class Tier(Rates):
    """The haircut on what lies above a size."""

    above: _Size
    """Coins, or USD where `measured_in` says so."""


class VolatilityScaling(Strict):
    """The haircut is multiplied by volatility / reference: never below 1, and `most` at most."""

    reference: _Volatility
    """A year, as a fraction."""
    observed: _Volatility | None = None
    """Such as an implied volatility; None: that of the price history."""
    days: Annotated[int, Field(strict=True, ge=2, le=5000)] = 30
    """Daily moves of the history, the last ones."""
    most: _Most = Decimal(3)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.observed is not None and self.days != type(self).model_fields["days"].default:
            raise ValueError(
                f"days: {self.days} of the history do not count beside observed; keep one of the two"
            )
        return self


class LiquidityScaling(Strict):
    """The haircut is multiplied by reference / observed: never below 1, and `most` at most."""

    reference: _Volume
    """USD that trade in a day, of a coin that is liquid."""
    observed: _Volume
    """USD that trade in a day."""
    most: _Most = Decimal(3)


class Collateral(Strict):
    """Of one coin. What lies within the first tier has the coin's haircut."""

    tiers: tuple[Tier, ...] = ()
    measured_in: Literal["coin", "usd"] = "coin"
    volatility: VolatilityScaling | None = None
    liquidity: LiquidityScaling | None = None
    liability: Annotated[Multiples | None, Field(exclude_if=_absent)] = None
    """What a negative balance counts for in every model, as a multiple of its value; at least 1. None: `debts` of the
    parameters, in the models that do not move the balance by themselves."""

    @model_validator(mode="after")
    def _convex(self) -> Self:
        for smaller, larger in zip(self.tiers, self.tiers[1:], strict=False):
            if larger.above <= smaller.above:
                raise ValueError(
                    f"tiers: {larger.above} comes after {smaller.above}; put them in order of size"
                )
        for smaller, larger in zip(self.tiers, self.tiers[1:], strict=False):
            check_rising(smaller, larger)
        if self.measured_in == "usd" and not self.tiers:
            raise ValueError(
                "measured_in: there are no tiers that it could measure; add tiers or leave it out"
            )
        if self.liability is not None and self.liability.maintenance < 1:
            raise ValueError(f"liability: {self.liability.maintenance} is below 1; a debt counts in full")
        return self


def check_rising(smaller: Rates, larger: Tier) -> None:
    """Raises ValueError unless the haircut rises with size: otherwise splitting a sum would not be its worst case."""
    if larger.initial < smaller.initial or larger.maintenance < smaller.maintenance:
        raise ValueError(f"tiers: the haircut above {larger.above} is below that of smaller sizes; raise it")
