"""The parameters of SPAN: combined commodities with their ranges, tiers, spreads and charges.

A size is a number of USD per unit of the underlying, or a percentage: of the index for prices and charges
("15%"), of the option's own volatility for the volatility scan range.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    model_validator,
)

from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal, places
from zkmargin.margin.instruments.instrument import Instrument
from zkmargin.margin.parameters.types import Graded, Strict

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?", re.ASCII)

SPOT = "spot"
"""The period of what never expires: balances and perpetuals."""

SCENARIOS = 16


@dataclass(frozen=True)
class Size:
    """A number of USD, or a fraction of something."""

    number: Decimal
    relative: bool

    def of(self, base: Fraction) -> Fraction:
        """The number itself, or that fraction of the base."""
        return Fraction(self.number) * (base if self.relative else 1)

    def over(self, base: Fraction) -> Fraction:
        """The same as a fraction of the base."""
        return Fraction(self.number) / (1 if self.relative else base)

    def __str__(self) -> str:
        return f"{canonical_decimal(self.number * 100)}%" if self.relative else canonical_decimal(self.number)


def _size(value: object) -> Size:
    if isinstance(value, Size):
        return value
    relative = isinstance(value, str) and value.rstrip().endswith("%")
    text = str(value).rstrip()[:-1] if relative else value
    number = parse_decimal(text, "parameters", "size")
    if not 0 <= number <= 10**9:
        raise ValueError("write a number from 0 to 1000000000, or a percentage")
    return Size(number.scaleb(-2) if relative else number, relative)


def _decimal(value: object) -> Decimal:
    return parse_decimal(value, "parameters", "number")


def _month(value: object) -> object:
    if isinstance(value, str) and _MONTH.fullmatch(value):
        return value
    raise ValueError("write a month such as 2026-03, or a day such as 2026-03-27")


def _four_places(number: Decimal) -> Decimal:
    if places(number) > 4:
        raise ValueError("write at most four decimal places")
    return number


AnySize = Annotated[Size, BeforeValidator(_size), PlainSerializer(str, return_type=str)]
_Number = Annotated[Decimal, BeforeValidator(_decimal), PlainSerializer(canonical_decimal, return_type=str)]
Fractional = Annotated[_Number, Field(ge=0, le=1), AfterValidator(_four_places)]
Positive = Annotated[_Number, Field(gt=0, le=10_000), AfterValidator(_four_places)]
Cents = Annotated[_Number, Field(ge=-(10**9), le=10**9)]
Month = Annotated[str, BeforeValidator(_month)]
Name = Annotated[str, Field(min_length=1, max_length=40)]
Side = Literal["A", "B"]
PriceRisk = Literal["scan_range", "normal", "scan_range_cap"]

ZERO = Size(Decimal(0), relative=False)


class Ratios(Graded[Decimal]):
    """What the risk is multiplied by; initial is never below maintenance."""

    initial: Positive = Decimal("1.1")
    maintenance: Positive = Decimal(1)


class Tier(Strict):
    """A range of periods; one without a first month begins with what never expires."""

    name: Name
    first: Month | None = None
    last: Month | None = None
    price_scan_range: AnySize | None = None
    volatility_scan_range: AnySize | None = None
    short_option_minimum: AnySize | None = None

    def holds(self, period: str) -> bool:
        """Whether a period (a day, or SPOT) lies in the range."""
        if period == SPOT:
            return self.first is None
        after = self.first is None or period[: len(self.first)] >= self.first
        return after and (self.last is None or period[: len(self.last)] <= self.last)


class Leg(Strict):
    """One leg of a calendar spread: a tier or a single month, its side, and the deltas for one spread."""

    tier: Name | None = None
    period: Month | None = None
    side: Side
    ratio: Positive = Decimal(1)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.tier is None) == (self.period is None):
            raise ValueError("a leg names either its tier or its period; give one of them")
        return self


class IntraSpread(Strict):
    """A calendar spread: charged for every spread that the deltas form, in order of priority."""

    priority: Annotated[int, Field(ge=1)]
    charge: AnySize
    legs: Annotated[tuple[Leg, ...], Field(max_length=20)]

    @model_validator(mode="after")
    def _sides(self) -> Self:
        two_sided(f"intra-commodity spread {self.priority}", (leg.side for leg in self.legs))
        return self


class Delivery(Strict):
    """The charge of a delivery month, on each delta within calendar spreads and on each delta left over."""

    period: Month
    spread_charge: AnySize
    outright_charge: AnySize


class Commodity(Strict):
    """A combined commodity: all instruments on one underlying."""

    name: Name
    underlying: Name
    price_scan_range: AnySize
    volatility_scan_range: AnySize
    extreme_multiple: Positive = Decimal(2)
    extreme_cover: Fractional = Decimal("0.35")
    tiers: tuple[Tier, ...] = ()
    intra_spreads: tuple[IntraSpread, ...] = ()
    delivery: tuple[Delivery, ...] = ()
    short_option_minimum: AnySize = ZERO
    short_option_method: Literal["gross", "max"] = "gross"
    cap_option_value: bool = False
    """Whether option value beyond the commodity's own risk may not serve other risk."""
    price_risk: PriceRisk = "scan_range"
    """What a delta within a weighted inter-commodity spread is credited for."""
    delta_rounding: Annotated[_Number, Field(ge=Decimal("0.000001"), le=10**6)] = Decimal(1)
    """The net delta is rounded to a multiple of this before price risk is divided by it."""
    ratio: Ratios = Ratios()

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, document: Any) -> Any:
        """What must not be missing is named together with the commodity that lacks it."""
        if isinstance(document, dict):
            document = {"underlying": document.get("name"), **document}
            for key in ("price_scan_range", "volatility_scan_range"):
                if document.get(key) is None:
                    commodity = document.get("name")
                    raise ValueError(f"combined commodity {commodity}: the {key} is missing; add the key")
        return document

    @model_validator(mode="after")
    def _known_tiers(self) -> Self:
        names = [tier.name for tier in self.tiers]
        distinct(f"combined commodity {self.name}: tier", names)
        for spread in self.intra_spreads:
            for leg in spread.legs:
                if leg.tier is not None and leg.tier not in names:
                    raise ValueError(
                        f"combined commodity {self.name}, intra-commodity spread {spread.priority}: "
                        f"the tier {leg.tier!r} is missing; define it under tiers"
                    )
        distinct(f"combined commodity {self.name}: delivery month", [d.period for d in self.delivery])
        return self


class InterLeg(Strict):
    """One leg of an inter-commodity spread; without a tier it takes the whole commodity."""

    commodity: Name
    tier: Name | None = None
    side: Side
    ratio: Positive = Decimal(1)


class InterSpread(Strict):
    """A spread over commodities and its credit: a rate on the price risk of each leg, or USD a spread."""

    priority: Annotated[int, Field(ge=1)]
    credit_rate: Fractional | None = None
    flat_credit: Annotated[_Number, Field(ge=0, le=10**9)] | None = None
    legs: Annotated[tuple[InterLeg, ...], Field(max_length=20)]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.credit_rate is None) == (self.flat_credit is None):
            raise ValueError(
                f"inter-commodity spread {self.priority}: give either credit_rate or flat_credit"
            )
        two_sided(f"inter-commodity spread {self.priority}", (leg.side for leg in self.legs))
        places = [(leg.commodity, leg.tier, leg.side) for leg in self.legs]
        distinct(f"inter-commodity spread {self.priority}: leg", places)
        return self


class RiskArray(Strict):
    """A contract's risk array as a clearing house publishes it, instead of the model's."""

    losses: Annotated[tuple[Cents, ...], Field(min_length=SCENARIOS, max_length=SCENARIOS)]
    """USD that one long contract loses in each scenario; a gain is negative."""
    delta: Annotated[_Number, Field(ge=-(10**6), le=10**6)]
    """Composite delta of one long contract."""
    period: Month | None = None
    """The contract month that its delta counts in; by default the day it expires."""


class SpanParameters(Strict):
    """All parameters of SPAN."""

    commodities: Annotated[tuple[Commodity, ...], Field(min_length=1)]
    inter_spreads: tuple[InterSpread, ...] = ()
    look_ahead_days: Annotated[_Number, Field(ge=0, le=30)] = Decimal(1)
    """Options are valued in the scenarios as if this time had passed."""
    delta_weights: Annotated[tuple[Fractional, ...], Field(min_length=7, max_length=7)] = tuple(
        Decimal(weight) for weight in ("0.270", "0.217", "0.217", "0.110", "0.110", "0.037", "0.037")
    )
    """Of the deltas at price moves of 0, +1/3, -1/3, +2/3, -2/3, +1 and -1 of the scan range."""
    arrays: dict[str, RiskArray] = Field(default_factory=dict)
    """Published risk arrays by instrument, for one unit of quantity."""

    def published(self, instrument: Instrument) -> RiskArray | None:
        """The array of a contract; a balance, which a contract may have come to, has none."""
        return None if instrument.kind == "balance" else self.arrays.get(instrument.name)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        by_name = {commodity.name: commodity for commodity in self.commodities}
        distinct("combined commodity", [commodity.name for commodity in self.commodities])
        distinct("underlying", [commodity.underlying for commodity in self.commodities])
        if not sum(self.delta_weights):
            raise ValueError("delta_weights are all zero; give at least one a weight")
        for spread in self.inter_spreads:
            where = f"inter-commodity spread {spread.priority}"
            for leg in spread.legs:
                if leg.commodity not in by_name:
                    raise ValueError(f"{where}: the combined commodity {leg.commodity!r} of a leg is missing")
                tiers = {tier.name for tier in by_name[leg.commodity].tiers}
                if leg.tier is not None and leg.tier not in tiers:
                    raise ValueError(f"{where}: {leg.commodity} lacks the tier {leg.tier!r}; define it")
        return self


def two_sided(where: str, sides: Iterable[str]) -> None:
    """Raises ValueError unless there is a leg on either side."""
    found = set(sides)
    for side in ("A", "B"):
        if side not in found:
            raise ValueError(f"{where}: a leg on side {side} is missing; add it")


def distinct(what: str, names: list[Any]) -> None:
    """Raises ValueError naming what occurs twice."""
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{what} {name!r} is listed twice; keep one")


def default_parameters(underlyings: Iterable[str]) -> SpanParameters | None:
    """What holds where no parameters are given: each underlying a commodity of its own, without credits."""
    commodities = tuple(
        Commodity.model_validate(
            {
                "name": underlying,
                "price_scan_range": "15%",
                "volatility_scan_range": "25%",
                "tiers": [{"name": "all"}],
                "intra_spreads": [
                    {
                        "priority": 1,
                        "charge": "1%",
                        "legs": [{"tier": "all", "side": "A"}, {"tier": "all", "side": "B"}],
                    }
                ],
                "short_option_minimum": "1%",
            }
        )
        for underlying in underlyings
    )
    return SpanParameters(commodities=commodities) if commodities else None
