"""The sections `es` and `var` of the parameters: where the scenarios come from, and how far into the tail.

A confidence is an exact rational, written as a decimal ("0.975") or a fraction ("39/40").
"""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    InstanceOf,
    PlainSerializer,
    field_validator,
    model_validator,
)

from zkmargin.margin.arithmetic.cholesky import check_correlation
from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.parameters.types import Factor, Graded, Rates, Strict

Source = Literal["history", "drawn"]

MOST_CELLS = 20_000
LARGEST_DENOMINATOR = 10**9
DRAWN_CELLS = 1000

_FRACTION = re.compile(r"(\d{1,10})/(\d{1,10})", re.ASCII)


def confidence(value: object, where: str = "parameters", field: str = "confidence") -> Fraction:
    """A rational strictly between 0 and 1 from "0.975" or "39/40"; InputError for anything else."""
    if isinstance(value, Fraction):
        found = value
    elif isinstance(value, str) and (match := _FRACTION.fullmatch(value.strip())) and int(match[2]):
        found = Fraction(int(match[1]), int(match[2]))
    else:
        found = Fraction(parse_decimal(value, where, field))
    if not 0 < found < 1:
        raise InputError(where, field, value, "must lie strictly between 0 and 1, such as 0.975 or 39/40")
    if found.denominator > LARGEST_DENOMINATOR:
        remedy = f"the denominator must be at most {LARGEST_DENOMINATOR}; write fewer digits"
        raise InputError(where, field, value, remedy)
    return found


def _correlation(value: object) -> Decimal:
    number = parse_decimal(value, "parameters", "correlation")
    if abs(number) > 1:
        raise InputError("parameters", "correlation", value, "a correlation lies between -1 and 1")
    return number


_Confidence = Annotated[
    InstanceOf[Fraction], BeforeValidator(confidence), PlainSerializer(str, return_type=str)
]
CorrelationEntry = Annotated[
    Decimal, BeforeValidator(_correlation), PlainSerializer(canonical_decimal, return_type=str)
]
_Whole = Annotated[int, Field(strict=True)]
Coin = Annotated[str, Field(pattern=r"^[A-Z0-9^][A-Z0-9./^-]{0,11}$")]


class Confidences(Graded[Fraction]):
    """One confidence per level; initial is never below maintenance."""

    initial: _Confidence
    maintenance: _Confidence

    @model_validator(mode="before")
    @classmethod
    def _both(cls, value: Any) -> Any:
        """A single number counts for both levels."""
        single = isinstance(value, str | int | Decimal | Fraction)
        return {"initial": value, "maintenance": value} if single else value


def no_charge() -> Rates:
    """Rates of zero."""
    return Rates(initial=Decimal(0), maintenance=Decimal(0))


class ScenarioSection(Strict):
    """Where joint scenarios come from, and what is read off them.

    From history: overlapping moves over `horizon` days, the most recent `cells` of them, or all that the
    history has for every underlying. Drawn: `cells` moves from `volatilities` (a year, as fractions) and a
    `correlation` matrix, both in the order of `coins`, by the numbers that follow from `seed`.
    """

    source: Source = "history"
    confidence: Confidences
    horizon: Annotated[_Whole, Field(ge=1, le=60)] = 1
    """Days."""
    cells: Annotated[_Whole, Field(ge=1, le=MOST_CELLS)] | None = None
    filter_lambda: Factor | None = None
    """History only: returns are scaled to current volatility, the root of an exponentially weighted mean
    of squares whose weight falls by this factor a day, such as 0.94; left out, returns count as they were.
    """
    coins: tuple[Coin, ...] = ()
    volatilities: tuple[Factor, ...] = ()
    correlation: tuple[tuple[CorrelationEntry, ...], ...] = ()
    seed: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    volatility_response: Factor = Decimal(0)
    """An option's volatility is multiplied by 1 + volatility_response * |relative move of its underlying|."""
    perpetual: Rates = Field(default_factory=no_charge)
    """Contingency on the notional of perpetuals, beside the scenarios."""
    naked_short: Rates = Field(default_factory=no_charge)
    """Contingency on the price of the underlying per naked short option of a strike and expiry."""

    @field_validator("filter_lambda")
    @classmethod
    def _decays(cls, value: Decimal | None) -> Decimal | None:
        if value is not None and not 0 < value < 1:
            raise ValueError("must lie strictly between 0 and 1, such as 0.94")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        drawn = {
            "coins": self.coins,
            "volatilities": self.volatilities,
            "correlation": self.correlation,
            "seed": self.seed,
        }
        if self.source == "history":
            for name, value in drawn.items():
                if value:
                    raise ValueError(f"{name} is for source = drawn; leave it out")
            return self
        for name, value in drawn.items():
            if not value:
                raise ValueError(f"source = drawn needs {name}")
        if self.filter_lambda is not None:
            raise ValueError("filter_lambda is for source = history; leave it out")
        if len(set(self.coins)) != len(self.coins):
            raise ValueError("coins lists one twice; keep one")
        if len(self.volatilities) != len(self.coins):
            raise ValueError(f"volatilities needs {len(self.coins)} numbers, one for each coin")
        check_correlation("parameters", self.coins, self.correlation)
        return self
