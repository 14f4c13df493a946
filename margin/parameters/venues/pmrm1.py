"""The parameters of Derive's first portfolio margin risk manager, PMRM.

Names follow what they do; in brackets stands the name in the venue's contracts. The defaults are those of its
published cases (`getPMRMParams` and `getDefaultScenarios` of config-local). Ranges are those outside which
the contracts refuse a number: PMRM.setScenarios and, in PMRMLib, setVolShockParams, setMarginParams,
setBasisContingencyParams and setOtherContingencyParams. Times are years of 365 days where nothing else is said.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from zkmargin.margin.parameters.types import Number, Rate, Strict
from zkmargin.margin.parameters.venues.pmrm2 import (
    Confidence,
    Discount,
    Fall,
    Peg,
    Scenario,
    Skew,
    Volatility,
)
from zkmargin.margin.units import Level

_Upto2 = Annotated[Number, Field(ge=0, le=2)]
_Upto5 = Annotated[Number, Field(ge=0, le=5)]
_Power = Annotated[Number, Field(ge=0, le=Decimal("0.5"))]


class PlainScenario(Scenario):
    """One cell: spot and forwards move by `spot`, volatilities as `volatility` says."""

    spot: Annotated[Number, Field(ge=-1, le=2)]
    volatility: Literal["up", "none", "down"]
    damping: Annotated[Number, Field(ge=1, le=1)] = Decimal(1)


class PlainVolatility(Volatility):
    """Volatility moves by term: m = (30 days / max(t, floor_days))^p, p = short_power up to 30 days and
    long_power beyond; up is vol (1 + up m), down is vol max(0, 1 - down m).
    """

    up: _Upto2 = Decimal("0.45")
    down: _Upto2 = Decimal("0.3")
    minimum: Annotated[Number, Field(ge=0, le=0)] = Decimal(0)
    short_power: _Power = Decimal("0.3")
    long_power: _Power = Decimal("0.13")
    floor_days: Annotated[Number, Field(ge=Decimal("0.01"), le=100)] = Decimal(1)


class StaticDiscount(Discount):
    """The static discount on an expiry that is worth something: base e^(-T (rate multiplier + addition))."""

    base: Rate = Decimal("0.95")
    """[baseStaticDiscount]"""
    multiplier: _Upto5 = Decimal(4)
    """[rateMultScale]"""
    addition: _Upto5 = Decimal("0.05")
    """[rateAddScale]"""


class PlainBasis(Strict):
    """The basis contingency of an expiry: what it loses in the worse of two spot moves, times
    (addition + multiplier T).
    """

    up: Annotated[Number, Field(gt=0, le=2)] = Decimal("0.05")
    down: Fall = Decimal("-0.05")
    addition: _Upto5 = Decimal("0.25")
    multiplier: _Upto5 = Decimal("0.01")


class PlainPeg(Peg):
    """Below `threshold` USD for one unit of cash, initial margin's factor grows by factor * (threshold - price)."""

    threshold: Rate = Decimal("0.98")
    factor: Annotated[Number, Field(ge=0, le=20)] = Decimal(2)


class PlainConfidence(Confidence):
    """A feed whose confidence c is below `threshold` costs initial margin (1 - c) margin of the notional."""

    threshold: Rate = Decimal("0.6")
    margin: Annotated[Number, Field(ge=0, le=Decimal("1.5"))] = Decimal("0.5")


class InitialFactor(Strict):
    """How many times initial margin counts the worst loss with its static contingencies; maintenance counts it once."""

    initial: Annotated[Number, Field(ge=1, le=4)] = Decimal("1.3")
    """[imFactor]"""

    def at(self, level: Level) -> Decimal:
        """The factor of a level."""
        return self.initial if level == "initial" else Decimal(1)


def _scenarios() -> tuple[PlainScenario, ...]:
    moves: tuple[Literal["up", "none", "down"], ...] = ("up", "none", "down")
    return tuple(
        PlainScenario(spot=Decimal(percent).scaleb(-2), volatility=move)
        for percent in range(15, -16, -5)
        for move in moves
    )


class Pmrm1(Strict):
    """All of PMRM. Contingencies are of the spot price, undivided by the price of cash."""

    scenarios: Annotated[tuple[PlainScenario, ...], Field(min_length=1, max_length=40)] = _scenarios()
    volatility: PlainVolatility = PlainVolatility()
    long_discount: StaticDiscount = StaticDiscount()
    """On an expiry that is worth something; one that owes is not discounted."""
    basis: PlainBasis = PlainBasis()
    loss_factor: InitialFactor = InitialFactor()
    peg: PlainPeg = PlainPeg()
    confidence: PlainConfidence = PlainConfidence()
    perpetual: Rate = Decimal("0.02")
    """On the size of perpetuals and futures [perpPercent]."""
    base: Rate = Decimal("0.02")
    """On the size of coins [basePercent]."""
    naked_short: Rate = Decimal("0.01")
    """On every short option that no long option of its strike and expiry covers [optionPercent]."""
    averaging_minutes: Annotated[Number, Field(ge=0, le=1440)] = Decimal(30)
    """Settlement is the average of this long before expiry: what has passed of it no longer moves."""

    @property
    def short_discount(self) -> Discount:
        """On an expiry that owes: none."""
        return Discount(base=Decimal(1), multiplier=Decimal(0), addition=Decimal(0))

    @property
    def skew(self) -> Skew:
        """Of skew cells, which this manager does not have."""
        return Skew()
