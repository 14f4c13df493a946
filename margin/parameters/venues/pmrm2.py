"""The parameters of Derive's second portfolio margin risk manager, PMRM 2.

Names follow what they do; in brackets stands the name in the venue's contracts. The defaults are those of
its published portfolio cases on ETH. Times are years of 365 days where nothing else is said.

Ranges are those outside which the contracts refuse a number: PMRM_2.setScenarios and, in PMRMLib_2,
setBasisContingencyParams, setOtherContingencyParams, setMarginParams, setVolShockParams, setSkewShockParameters and
setCollateralParameters. Where a contract states no upper end (spot moves, damping), 20 stands for it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from zkmargin.margin.parameters.types import Contingency, Factor, Number, Rate, Strict
from zkmargin.margin.units import Level

_LARGEST = Decimal(20)
_NOISE = Decimal("1e-12")

Signed = Annotated[Number, Field(ge=-_LARGEST, le=_LARGEST)]
Positive = Annotated[Number, Field(ge=0, le=_LARGEST)]
Move = Annotated[Number, Field(ge=-1, le=_LARGEST)]
Rise = Annotated[Number, Field(gt=0, lt=2)]
Fall = Annotated[Number, Field(ge=-1, lt=0)]
Slope = Annotated[Number, Field(ge=-10, le=10)]
StaticBase = Annotated[Number, Field(ge=0, le=4)]


class Scenario(Strict):
    """One cell: spot and forwards move by `spot`, volatilities as `volatility` says, and the change counts
    `damping` times. In a skew cell (linear, absolute) options stay on their forward.
    """

    spot: Move
    volatility: Literal["up", "none", "down", "linear", "absolute"]
    damping: Positive = Decimal(1)


class Volatility(Strict):
    """Volatility moves by term: m = (30 days / max(t, floor_days))^p, p = short_power up to 30 days and
    long_power beyond; up is max(vol (1 + up m), minimum), down is vol max(0, 1 - down m).
    """

    up: Factor = Decimal("0.5")
    down: Factor = Decimal("0.275")
    minimum: Positive = Decimal("0.45")
    short_power: Factor = Decimal("0.3")
    long_power: Factor = Decimal("0.13")
    floor_days: Annotated[Number, Field(ge=0, le=400)] = Decimal(1)


class SkewCap(Strict):
    """cap = base + slope sqrt(T), the greatest relative move of a volatility; it may come out negative."""

    base: Factor
    slope: Slope


class Skew(Strict):
    """Skew cells: with k = ln(K/F) (linear) or |k| (absolute) and k* = max(minimum, sqrt(T) width (level +
    sqrt(T) trend)), a volatility is multiplied by 1 + min(cap, k cap / k*) for k >= 0 and by
    1 + max(-cap, k cap / k*) below, at least 0.
    """

    linear: SkewCap = SkewCap(base=Decimal("0.15"), slope=Decimal("-0.05"))
    absolute: SkewCap = SkewCap(base=Decimal("0.15"), slope=Decimal("-0.05"))
    minimum: Factor = Decimal("0.01")
    """[minKStar]"""
    width: Factor = Decimal(4)
    """[widthScale]"""
    level: Factor = Decimal("0.6")
    """[volParamStatic]"""
    trend: Signed = Decimal("-0.1")
    """[volParamScale]"""


class Discount(Strict):
    """A static discount base e^(-T (rate multiplier + addition)), or with the opposite sign of the exponent."""

    base: StaticBase
    multiplier: Factor
    addition: Factor


class BasisRules(Strict):
    """The basis contingency of an expiry: what it loses in the worse of two spot moves, times
    (addition + multiplier T).
    """

    up: Rise = Decimal("0.045")
    down: Fall = Decimal("-0.045")
    addition: Positive = Decimal("0.5")
    multiplier: Positive = Decimal(2)


class Peg(Strict):
    """Below `threshold` USD for one unit of cash, initial margin's loss factor grows by
    factor * (threshold - price).
    """

    threshold: Annotated[Number, Field(ge=0, le=100)] = Decimal("0.98")
    factor: Factor = Decimal(2)


class Confidence(Strict):
    """A feed whose confidence c is below `threshold` costs initial margin (1 - c) margin of the notional."""

    threshold: Rate = Decimal("0.55")
    margin: Positive = Decimal(1)


class LossFactors(Strict):
    """How many times the worst loss counts."""

    initial: Annotated[Number, Field(ge=Decimal("0.5"), le=10)] = Decimal(1)
    maintenance: Annotated[Number, Field(ge=Decimal("0.1"), le=10)] = Decimal("0.8")

    def at(self, level: Level) -> Decimal:
        """The factor of a level."""
        return self.initial if level == "initial" else self.maintenance


class Haircut(Contingency):
    """The haircut on a coin: at maintenance, and what initial margin adds; no more than all of it together."""

    maintenance: Rate
    addition: Rate

    @model_validator(mode="after")
    def _at_most_all(self) -> Self:
        # Cases write the addition as a difference in binary floating point, whose last digits are no part of it.
        if self.at("initial") > 1 + _NOISE:
            raise ValueError(f"maintenance and addition come to {self.at('initial')}; at most 1 together")
        return self


class PerpetualSize(Contingency):
    """The size contingency of perpetuals, of the spot price."""

    maintenance: Annotated[Number, Field(ge=0, le=3)]
    addition: Annotated[Number, Field(ge=0, le=3)]


class NakedShort(Contingency):
    """The contingency of naked short options, of the spot price."""

    maintenance: Annotated[Number, Field(ge=0, le=2)]
    addition: Annotated[Number, Field(ge=0, le=2)]


class Collateral(Strict):
    """A coin held as collateral: its haircut, and the underlying whose moves it follows, if any."""

    haircut: Haircut
    cancels: str | None = None


def _scenarios() -> tuple[Scenario, ...]:
    moves: tuple[Literal["down", "none", "up"], ...] = ("down", "none", "up")
    core = [
        Scenario(spot=Decimal(tenths).scaleb(-3), volatility=move)
        for tenths in range(135, -136, -45)
        for move in moves
    ]
    edges = [Scenario(spot=Decimal(spot), volatility="up") for spot in ("0.18", "-0.18")]
    tails = [
        Scenario(spot=Decimal(spot), volatility="up", damping=Decimal(damping))
        for spot, damping in (
            ("-0.66", "0.054545454545454536"),
            ("-0.33", "0.10909090909090907"),
            ("0.5", "0.072"),
            ("1", "0.036"),
            ("2", "0.018"),
            ("3", "0.011999999999999999"),
        )
    ]
    skews = [
        Scenario(spot=Decimal(0), volatility="linear"),
        Scenario(spot=Decimal(0), volatility="absolute"),
    ]
    return (edges[0], *core, edges[1], *tails, *skews)


class Pmrm2(Strict):
    """All of PMRM 2. Contingencies are of the spot price, haircuts of the value in cash."""

    scenarios: Annotated[tuple[Scenario, ...], Field(min_length=1, max_length=40)] = _scenarios()
    volatility: Volatility = Volatility()
    skew: Skew = Skew()
    long_discount: Discount = Discount(base=Decimal("0.95"), multiplier=Decimal(1), addition=Decimal("0.08"))
    """On an expiry that is worth something [longBaseStaticDiscount ...]."""
    short_discount: Discount = Discount(
        base=Decimal("1.04"), multiplier=Decimal("0.5"), addition=Decimal("0.08")
    )
    """On an expiry that owes, never beyond what undoes its own discounting [shortBaseStaticDiscount ...]."""
    basis: BasisRules = BasisRules()
    loss_factor: LossFactors = LossFactors()
    peg: Peg = Peg()
    confidence: Confidence = Confidence()
    perpetual: PerpetualSize = PerpetualSize(maintenance=Decimal("0.015"), addition=Decimal("0.005"))
    """On the size of perpetuals and futures."""
    naked_short: NakedShort = NakedShort(maintenance=Decimal("0.003"), addition=Decimal("0.002"))
    """On every short option that no long option of its strike and expiry covers."""
    collaterals: Mapping[str, Collateral] = {}
    """By coin. One that is not listed has the haircut of every other model, and follows its own derivatives."""
    averaging_minutes: Annotated[Number, Field(ge=0, le=1440)] = Decimal(30)
    """Settlement is the average of this long before expiry: what has passed of it no longer moves."""

    @model_validator(mode="after")
    def _skews(self) -> Self:
        """A skew cell stays at the spot price, and there is one of each kind (PMRM_2.setScenarios)."""
        for kind in ("linear", "absolute"):
            cells = [cell for cell in self.scenarios if cell.volatility == kind]
            if any(cell.spot for cell in cells):
                raise ValueError(f"scenarios: the {kind} skew cell has no move of spot; set its spot to 0")
            if len(cells) > 1:
                raise ValueError(f"scenarios: two {kind} skew cells; keep one")
        return self
