"""What a snapshot publishes for correlation margin: exposures by contract, and integer factors of covariance."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.tables.charges import (
    CollateralCharge,
    PerpetualCharge,
    StrikeCharge,
    add_haircuts,
    check_collaterals,
    check_length,
    check_slots,
)
from zkmargin.margin.tables.schema import STRICT, Amount, Column, Matrix
from zkmargin.margin.units import (
    LEVELS,
    ByLevel,
    Level,
)

FACTOR_BITS = 52
"""Factors of covariance, and what the stress takes, are integers in units of 2^-52."""

LEAST_BITS = -64


@dataclass(frozen=True)
class CovarianceFactor:
    """L, lower triangular, in units of 2^-52: the covariance is L L', multiplier and horizon included."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    label: str
    """For people, such as "stressed correlations"."""
    lower: ByLevel[Matrix]
    """(U, U)."""


@dataclass(frozen=True)
class CorrelationTables:
    """Exposures x_u = sum of q_i delta_i scale_i over the slots i of underlying u, in money units.

    requirement(level) = K + all charges, K the least number of money units that is at least the norm of L' x for every
    factor L, and at least the sum of undiversified_u |x_u|. L' x is the sum over the slots of q_i times an entry,
    L[u, k] delta_i scale_i rounded to units of 2^-bits; K is whole, and a multiple of 2^-bits where bits are negative.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    units: Annotated[tuple[str, ...], Field(min_length=1)]
    unit_of: Column
    """(N,): index into units, -1 for slots without risk (cash)."""
    delta: Column
    """(N,): change of value at today's slope if the price of the underlying doubled."""
    bits: Annotated[int, Field(ge=LEAST_BITS, le=FACTOR_BITS)]
    factors: Annotated[tuple[CovarianceFactor, ...], Field(min_length=1)]
    undiversified: ByLevel[tuple[Amount, ...]]
    """(U,) in units of 2^-52: what an exposure of 1 loses in the stress without offsets."""
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
        weights = [
            0 if unit < 0 else 1 + (abs(delta) * steepest[unit] >> FACTOR_BITS) for unit, delta in pairs
        ]
        for perpetual in self.perpetuals:
            weights[perpetual.slot] += max(perpetual.charge.values())
        for strike in self.strikes:
            for slot in strike.slots:
                weights[slot] += max(strike.charge.values())
        return add_haircuts(weights, self.collaterals)

    def steepest(self) -> list[int]:
        """Per underlying, at least what an exposure of 1 adds to 2^52 K, at either level.

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

    @property
    def step(self) -> int:
        """The money units that K is a multiple of."""
        return 1 << max(0, -self.bits)

    def entries(self, factor: CovarianceFactor, level: Level, slot: int, scale: int) -> list[int]:
        """What one lot of a slot adds to each sum of L' x, in units of 2^-bits."""
        unit, shift = int(self.unit_of[slot]), FACTOR_BITS - self.bits
        money, half = int(self.delta[slot]) * scale, 1 << shift >> 1
        row = factor.lower[level][unit].tolist() if unit >= 0 else []
        return [each * money + half >> shift for each in row]

    def sums(
        self, factor: CovarianceFactor, level: Level, scale: Sequence[int], lots: Sequence[int]
    ) -> list[int]:
        """L' x of an account, in units of 2^-bits."""
        found = [0] * len(self.units)
        for slot, held in enumerate(lots[: len(scale)]):
            if held:
                for column, each in enumerate(self.entries(factor, level, slot, scale[slot])):
                    found[column] += held * each
        return found

    def measures(self, scale: Sequence[int], lots: Sequence[int], level: Level) -> list[tuple[str, int]]:
        """What is lost under every matrix, and in the stress without offsets: the least K for each."""
        fine = max(0, self.bits)
        found = []
        for factor in self.factors:
            square = sum(part * part for part in self.sums(factor, level, scale, lots))
            found.append((factor.label, rounded_up(ceil_root(square), fine) * self.step))
        pairs = zip(self.undiversified[level], self.exposures(scale, lots), strict=True)
        apart = rounded_up(sum(each * abs(exposure) for each, exposure in pairs), FACTOR_BITS)
        return [*found, ("no offsets", -(-apart // self.step) * self.step)]


def ceil_root(square: int) -> int:
    """The least integer whose square is at least this one.

    >>> [ceil_root(n) for n in (0, 1, 2, 4, 5)]
    [0, 1, 2, 2, 3]
    """
    return isqrt(square - 1) + 1 if square else 0


def rounded_up(value: int, bits: int) -> int:
    """value * 2^-bits, rounded up."""
    return -(-value >> bits)
