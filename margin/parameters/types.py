"""The numbers that parameters are made of: decimals within a range, and pairs of them by level."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Generic, Protocol, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal, places
from zkmargin.margin.units import Level


def _decimal(value: object) -> Decimal:
    return parse_decimal(value, "parameters", "number")


Number = Annotated[Decimal, BeforeValidator(_decimal), PlainSerializer(canonical_decimal, return_type=str)]
Rate = Annotated[Number, Field(ge=0, le=1)]
Shock = Annotated[Number, Field(gt=-1, le=10)]
Factor = Annotated[Number, Field(ge=0, le=10)]
FloorDays = Annotated[Number, Field(ge=Decimal("0.000001"), le=30)]
"""The term in days below which volatility shocks grow no more."""

FACTOR_PLACES = 12


def at_most(decimals: int) -> AfterValidator:
    """What multiplies rows of a proof enters them as a whole number, which must not grow out of bounds.

    All other numbers are folded into tables, and may have as many decimals as a number can be read with.
    """

    def check(number: Decimal) -> Decimal:
        if places(number) > decimals:
            raise ValueError(f"at most {decimals} decimal places; round it")
        return number

    return AfterValidator(check)


N = TypeVar("N", int, Decimal, Fraction)


class Strict(BaseModel):
    """Parameters that refuse unknown keys and cannot change."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Graded(Strict, Generic[N]):
    """One number for each level, of a type that the subclass narrows; initial is never below maintenance."""

    initial: N
    maintenance: N

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.initial < self.maintenance:
            raise ValueError(f"initial {self.initial} is below maintenance {self.maintenance}; raise it")
        return self

    def at(self, level: Level) -> N:
        """The number of a level."""
        return self.initial if level == "initial" else self.maintenance


class Rates(Graded[Decimal]):
    """One rate per level; initial is never below maintenance."""

    initial: Rate
    maintenance: Rate


class LossRates(Rates):
    """How many times the worst loss counts: once at most, at either level."""

    initial: Annotated[Rate, at_most(FACTOR_PLACES)]
    maintenance: Annotated[Rate, at_most(FACTOR_PLACES)]


class Multiples(Graded[Decimal]):
    """One factor for each level; initial is never below maintenance."""

    initial: Factor
    maintenance: Factor


class ByLevel(Protocol):
    """A number for either level."""

    def at(self, level: Level) -> Decimal:
        """The number of a level."""


class Contingency(Strict):
    """A rate at maintenance, and what initial margin adds on top of it."""

    maintenance: Factor
    addition: Factor

    def at(self, level: Level) -> Decimal:
        """The rate of a level."""
        return self.maintenance + self.addition if level == "initial" else self.maintenance


def rates(initial: str, maintenance: str) -> Rates:
    """Rates from decimal text."""
    return Rates(initial=Decimal(initial), maintenance=Decimal(maintenance))
