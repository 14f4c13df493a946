"""What a risk desk sets of TIMS: the ranges of the kinds of securities, classes, groups with their offsets,
the minimum per contract, and factors by level. Defaults: the ranges and the minimum of FINRA Rule 4210(g),
every underlying a class of its own, and no groups.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from zkmargin.margin.instruments.instrument import Security
from zkmargin.margin.parameters.types import FACTOR_PLACES, Factor, Graded, Rate, Strict, at_most

Scope = Literal["account", "group"]
OFFSET_PLACES = 6


Name = Annotated[str, Field(min_length=1, max_length=64)]


class Range(Strict):
    """How far a class is moved, as fractions of its price; both above zero."""

    down: Annotated[Rate, Field(gt=0, lt=1)]
    up: Annotated[Factor, Field(gt=0)]


def _range(down: str, up: str) -> Range:
    return Range(down=Decimal(down), up=Decimal(up))


# FINRA Rule 4210(g)(2)(F). An ETF counts as an equity unless its class is given the range of its index.
RANGES: Mapping[Security, Range] = {
    "equity": _range("0.15", "0.15"),
    "etf": _range("0.15", "0.15"),
    "narrow-index": _range("0.15", "0.15"),
    "broad-index": _range("0.1", "0.1"),
    "large-broad-index": _range("0.08", "0.06"),
}


class Class(Strict):
    """Underlyings that count as one, such as an index and the ETFs on it: gains and losses net in full."""

    underlyings: Annotated[tuple[Name, ...], Field(min_length=1)]
    range: Security | Range | None = None
    """A range, or the kind whose range it has; None: the kind of its underlyings, which must be one."""


class Group(Strict):
    """Classes or groups whose gains, in part, offset each other's losses at the same valuation point."""

    members: Annotated[tuple[Name, ...], Field(min_length=1)]
    offset: Annotated[Rate, at_most(OFFSET_PLACES)]
    """The share of a member's gain that counts: 0.9 in a group with an offset of 90 %."""


class Factors(Graded[Decimal]):
    """One factor per level; initial is never below maintenance."""

    initial: Annotated[Factor, at_most(FACTOR_PLACES)]
    maintenance: Annotated[Factor, at_most(FACTOR_PLACES)]


class TimsParameters(Strict):
    """The section "tims" of a parameter file."""

    ranges: Mapping[Security, Range] = RANGES
    classes: Mapping[Name, Class] = {}
    """By name; an underlying that no class lists is a class by its own name."""
    groups: Mapping[Name, Group] = {}
    """By name, which no class has; members are names of classes and of other groups, each in one group."""
    minimum: Factor = Decimal("0.375")
    """USD for each unit of a contract's multiplier."""
    minimum_scope: Scope = "account"
    """Whether the minimum is held against the whole account's losses, or group by group."""
    factor: Factors = Factors(initial=Decimal(1), maintenance=Decimal(1))

    @field_validator("ranges", mode="before")
    @classmethod
    def _with_defaults(cls, given: Any) -> Any:
        """Kinds that the file leaves out keep their ranges."""
        return {**RANGES, **given} if isinstance(given, Mapping) else given
