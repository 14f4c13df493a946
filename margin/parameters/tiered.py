"""The section `tiered`: the account value from which portfolio margin applies."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from zkmargin.margin.arithmetic.decimals import places
from zkmargin.margin.parameters.types import Graded, Number, Strict
from zkmargin.margin.units import QUANTUM_DECIMALS

LARGEST_THRESHOLD = 9 * 10**9
"""USD; counted in billionths it still fits 64 bits."""


def _in_quanta(number: Decimal) -> Decimal:
    if places(number) > QUANTUM_DECIMALS[0]:
        raise ValueError(f"at most {QUANTUM_DECIMALS[0]} decimal places; round it")
    return number


_Threshold = Annotated[Number, Field(ge=0, le=LARGEST_THRESHOLD), AfterValidator(_in_quanta)]


class TierThresholds(Graded[Decimal]):
    """USD for each level; initial is never below maintenance."""

    initial: _Threshold
    maintenance: _Threshold

    @model_validator(mode="before")
    @classmethod
    def _both(cls, value: Any) -> Any:
        """A single number counts for both levels."""
        single = isinstance(value, str | int | Decimal) and not isinstance(value, bool)
        return {"initial": value, "maintenance": value} if single else value


class Tiered(Strict):
    """The section `tiered`."""

    threshold: TierThresholds
    """An account worth at least this has portfolio margin."""
