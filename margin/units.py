"""Initial and maintenance margin: two sets of numbers of one model."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator

Level = Literal["initial", "maintenance"]
LEVELS: tuple[Level, Level] = ("initial", "maintenance")

T = TypeVar("T")


def _both_levels(values: Mapping[Level, T]) -> Mapping[Level, T]:
    if set(values) != set(LEVELS):
        raise ValueError(f"must have both levels, {' and '.join(LEVELS)}; build it again")
    return values


ByLevel = Annotated[Mapping[Level, T], AfterValidator(_both_levels)]
"""One value for each level, none left out."""


QUANTUM_DECIMALS = (6, 9)
"""What a snapshot's table entries may be counted in: millionths of a dollar, or billionths for parity checks."""
