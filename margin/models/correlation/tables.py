"""What a snapshot publishes for correlation margin: exposures by contract, and integer factors of covariance."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.forms import STRICT, Amount, Column, Matrix
from zkmargin.margin.tables import (
    LEVELS,
    ByLevel,
    CollateralCharge,
    Level,
    PerpetualCharge,
    StrikeCharge,
    add_haircuts,
    check_collaterals,
    check_length,
    check_slots,
)

MOST_BITS = 24


@dataclass(frozen=True)
class CovarianceFactor:
    """L, lower triangular, in units of 2^-bits: the covariance is L L', multiplier and horizon included."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    label: str
    """For people, such as "stressed correlations"."""
    lower: ByLevel[Matrix]
    """(U, U)."""

    def norm_square(self, exposures: Sequence[int], level: Level) -> int:
        """|L' x|^2 in units of 4^-bits: exactly x' L L' x."""
        rows = self.lower[level].tolist()
        sums = (
            sum(row[column] * exposure for row, exposure in zip(rows, exposures, strict=True))
            for column in range(len(rows))
        )
        return sum(part * part for part in sums)


@dataclass(frozen=True)
class CorrelationTables:
    """Exposures x_u = sum of q_i delta_i scale_i over the slots i of underlying u, in money units.

    requirement(level) = K + all charges, K the least whole number of money units with (2^bits K)^2 >= |L' x|^2 for
    every factor L, and 2^bits K >= sum of undiversified_u |x_u|.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    units: Annotated[tuple[str, ...], Field(min_length=1)]
    unit_of: Column
    """(N,): index into units, -1 for slots without risk (cash)."""
    delta: Column
    """(N,): change of value at today's slope if the price of the underlying doubled."""
    bits: Annotated[int, Field(ge=1, le=MOST_BITS)]
    factors: Annotated[tuple[CovarianceFactor, ...], Field(min_length=1)]
    undiversified: ByLevel[tuple[Amount, ...]]
    """(U,) in units of 2^-bits: what an exposure of 1 loses in the stress without offsets."""
    perpetuals: tuple[PerpetualCharge, ...]
    strikes: tuple[StrikeCharge, ...]
    collaterals: tuple[CollateralCharge, ...]

    def check(self, slots: int, where: str) -> None:
        """Raises InputError unless all shapes fit a universe of `slots` instruments."""
        check_length(self.unit_of, slots, where, "unit_of")
        check_length(self.delta, slots, where, "delta")
        if not -1 <= min(self.unit_of) <= max(self.unit_of) < len(self.units):
            raise InputError(where, "unit_of", int(max(self.unit_of)), "names a unit that is not listed")
        for level in LEVELS:
            check_length(self.undiversified[level], len(self.units), where, "undiversified")
            for factor in self.factors:
                self._check_factor(factor.lower[level].tolist(), f"{where}, {factor.label}")
        check_slots((p.slot for p in self.perpetuals), slots, where)
        check_slots((slot for s in self.strikes for slot in s.slots), slots, where)
        check_collaterals(self.collaterals, slots, where)

    def _check_factor(self, rows: list[list[int]], where: str) -> None:
        check_length(rows, len(self.units), where, "lower")
        for place, row in enumerate(rows):
            check_length(row, len(self.units), where, "lower")
            if any(row[place + 1 :]):
                found = Finding(f"row {place + 1}")
                raise InputError(where, "lower", found, "is not lower triangular; build it again")

    def weights(self) -> list[int]:
        """Per slot, at least what one lot can add to a requirement, in table entries."""
        steepest = self.steepest()
        pairs = zip(self.unit_of.tolist(), self.delta.tolist(), strict=True)
        weights = [0 if unit < 0 else 1 + (abs(delta) * steepest[unit] >> self.bits) for unit, delta in pairs]
        for perpetual in self.perpetuals:
            weights[perpetual.slot] += max(perpetual.charge.values())
        for strike in self.strikes:
            for slot in strike.slots:
                weights[slot] += max(strike.charge.values())
        return add_haircuts(weights, self.collaterals)

    def steepest(self) -> list[int]:
        """Per underlying, at least what an exposure of 1 adds to 2^bits K, at either level.

        The norm of L' x is at most the sum of the norms of its rows times |x|.
        """
        return [
            max(
                *(self.undiversified[level][unit] for level in LEVELS),
                *(
                    sum(map(abs, factor.lower[level][unit].tolist()))
                    for level in LEVELS
                    for factor in self.factors
                ),
            )
            for unit in range(len(self.units))
        ]

    def exposures(self, scale: Sequence[int], lots: Sequence[int]) -> list[int]:
        """x, in money units."""
        found = [0] * len(self.units)
        for slot, held in enumerate(lots[: len(scale)]):
            unit = int(self.unit_of[slot]) if held else -1
            if unit >= 0:
                found[unit] += held * int(self.delta[slot]) * scale[slot]
        return found

    def measures(self, exposures: Sequence[int], level: Level) -> list[tuple[str, int]]:
        """What is lost under every matrix, and in the stress without offsets: the least K for each."""
        found = [
            (factor.label, rounded_up(ceil_root(factor.norm_square(exposures, level)), self.bits))
            for factor in self.factors
        ]
        pairs = zip(self.undiversified[level], exposures, strict=True)
        apart = sum(each * abs(exposure) for each, exposure in pairs)
        return [*found, ("no offsets", rounded_up(apart, self.bits))]


def ceil_root(square: int) -> int:
    """The least integer whose square is at least this one.

    >>> [ceil_root(n) for n in (0, 1, 2, 4, 5)]
    [0, 1, 2, 2, 3]
    """
    return isqrt(square - 1) + 1 if square else 0


def rounded_up(value: int, bits: int) -> int:
    """value * 2^-bits, rounded up."""
    return -(-value >> bits)
