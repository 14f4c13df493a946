"""The numbers that parameters are made of: decimals within a range, and pairs of them by level."""

from decimal import Decimal
from typing import Annotated, Protocol, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from zkmargin.margin.decimals import canonical_decimal, parse_decimal
from zkmargin.margin.levels import Level


def _decimal(value: object) -> Decimal:
    return parse_decimal(value, "parameters", "number")


Number = Annotated[Decimal, BeforeValidator(_decimal), PlainSerializer(canonical_decimal, return_type=str)]
Rate = Annotated[Number, Field(ge=0, le=1)]
Shock = Annotated[Number, Field(gt=-1, le=10)]
Factor = Annotated[Number, Field(ge=0, le=10)]


class Strict(BaseModel):
    """Parameters that refuse unknown keys and cannot change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rates(Strict):
    """One rate per level; initial is never below maintenance."""

    initial: Rate
    maintenance: Rate

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.initial < self.maintenance:
            raise ValueError(f"initial {self.initial} is below maintenance {self.maintenance}; raise it")
        return self

    def at(self, level: Level) -> Decimal:
        """The rate of a level."""
        return self.initial if level == "initial" else self.maintenance


class Multiples(Strict):
    """One factor for each level; initial is never below maintenance."""

    initial: Factor
    maintenance: Factor

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.initial < self.maintenance:
            raise ValueError(f"initial {self.initial} is below maintenance {self.maintenance}; raise it")
        return self

    def at(self, level: Level) -> Decimal:
        """The factor of a level."""
        return self.initial if level == "initial" else self.maintenance


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
