"""The tables a snapshot publishes: integers per contract, all that a requirement and its proof depend on.

Every entry is in quanta of USD per 10^contract_exponent of quantity. The slot index i runs over the
universe (N slots), the cell index s over the scenarios (S cells). q_i are lots; the money of q lots at
entry v is q * v * scale_i.
"""

import operator
from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from pydantic import ConfigDict, Field

from zkmargin.margin.buckets import Bucket, ConfidenceCharge, ExposureCharge, MinimumCharge
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.forms import STRICT, Amount, AmountColumn, Column, Entry, Matrix, Ratio, Slot
from zkmargin.margin.levels import LEVELS, ByLevel, Level

__all__ = [
    "LEVELS",
    "SKEWS",
    "Bucket",
    "ByLevel",
    "Cell",
    "CollateralCharge",
    "ConfidenceCharge",
    "ExposureCharge",
    "GridTables",
    "Level",
    "MinimumCharge",
    "PerpetualCharge",
    "RateTables",
    "ScenarioTables",
    "StrikeCharge",
    "Tables",
    "VolatilityMove",
    "add_haircuts",
    "check_collaterals",
    "check_length",
    "check_slots",
]

VolatilityMove = Literal["up", "none", "down", "linear", "absolute"]
SKEWS: tuple[VolatilityMove, ...] = ("linear", "absolute")
"""Cells that tilt the volatility smile: they charge every bucket's change, whichever its sign."""


def _empty(entries: Sized) -> bool:
    return not entries


@dataclass(frozen=True)
class Cell:
    """One scenario: a spot shock with a volatility move, damped in the tails."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    label: str
    """For people, such as "spot -16 %, volatility up"."""
    spot: str
    """Canonical decimal; -0.16 is a fall of 16 %."""
    volatility: VolatilityMove
    damping: str
    """Canonical decimal or fraction "a/b"; 1 but in tails."""
    tail: bool


@dataclass(frozen=True)
class PerpetualCharge:
    """A contingency on |q| of a perpetual."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    slot: Slot
    charge: ByLevel[Amount]


@dataclass(frozen=True)
class StrikeCharge:
    """A contingency on the naked short options of a strike and expiry: charge * max(0, -(sum of q over
    slots)).

    All slots share lot and contract exponents and the multiplier, so that their lots add up.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    underlying: str
    expiry: int
    strike: str
    slots: Annotated[tuple[Slot, ...], Field(min_length=1)]
    charge: ByLevel[Amount]


@dataclass(frozen=True)
class CollateralCharge:
    """A haircut on a coin's equity: max(0, sum of charge_k * q_k - charge_0 * exempt), where the legs of inverse
    contracts count against.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    slots: tuple[Slot, ...]
    charge: ByLevel[tuple[Entry, ...]]
    exempt: Annotated[Amount, Field(exclude_if=operator.not_)] = 0
    """Lots of the first slot, the coin's balance, that are free of this charge."""

    def money(self, scale: Sequence[int], lots: Sequence[int], level: Level) -> int:
        """What it comes to for an account, in money units."""
        entries = zip(self.slots, self.charge[level], strict=True)
        return max(
            0, sum(charge * lots[slot] * scale[slot] for slot, charge in entries) - self.free(scale, level)
        )

    def free(self, scale: Sequence[int], level: Level) -> int:
        """What is taken off for the lots that are free of it, in money units."""
        return self.charge[level][0] * self.exempt * scale[self.slots[0]] if self.exempt else 0


@dataclass(frozen=True)
class GridTables:
    """Portfolio margin on a grid of scenarios.

    requirement(level) = loss_factor * sum_u L_u + all other charges. L_u is the worst loss W_u of unit u with
    its exposure charges, and at least its minimum. W_u is the greatest of 0, of -PnL_u(s) - allowance_s over
    the cells, and of the sum of the basis contingencies of its buckets; PnL_u(s) is the sum of
    q_i * risk[s, i] * scale_i over the slots i of unit u, with what its buckets are worth in place of their
    slots.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    cells: Annotated[tuple[Cell, ...], Field(min_length=1)]
    units: tuple[str, ...]
    unit_of: Column
    """(N,): index into units, -1 for slots without risk (cash)."""
    risk: Matrix
    """(S, N): damped change of value."""
    perpetuals: tuple[PerpetualCharge, ...]
    strikes: tuple[StrikeCharge, ...]
    collaterals: tuple[CollateralCharge, ...]
    loss_factor: ByLevel[Ratio]
    """Numerator and denominator."""
    buckets: Annotated[tuple[Bucket, ...], Field(exclude_if=_empty)] = ()
    confidences: Annotated[tuple[ConfidenceCharge, ...], Field(exclude_if=_empty)] = ()
    exposures: Annotated[tuple[ExposureCharge, ...], Field(exclude_if=_empty)] = ()
    minimums: Annotated[tuple[MinimumCharge, ...], Field(exclude_if=_empty)] = ()
    """At most one a unit."""
    allowances: Annotated[tuple[Amount, ...], Field(exclude_if=_empty)] = ()
    """(S,): what a unit may lose in a cell before it counts, in quanta of USD; none where there are no such."""

    @property
    def netted(self) -> bool:
        """Whether every position of a unit nets against every other, in linear sums: no buckets, and charges
        of the kinds that every grid has.
        """
        parts = (self.buckets, self.confidences, self.exposures, self.minimums, self.allowances)
        return not any(parts) and not any(c.exempt for c in self.collaterals)

    @cached_property
    def bucketed(self) -> frozenset[int]:
        """The slots that some bucket values."""
        return frozenset(slot for bucket in self.buckets for slot in bucket.slots)

    def check(self, slots: int, where: str) -> None:
        """Raises InputError unless all shapes fit a universe of `slots` instruments."""
        check_length(self.risk, len(self.cells), where, "risk")
        check_length(self.risk[0], slots, where, "risk")
        check_length(self.unit_of, slots, where, "unit_of")
        if not -1 <= min(self.unit_of) <= max(self.unit_of) < len(self.units):
            raise InputError(where, "unit_of", int(max(self.unit_of)), "names a unit that is not listed")
        check_slots((p.slot for p in self.perpetuals), slots, where)
        check_slots((slot for s in self.strikes for slot in s.slots), slots, where)
        check_collaterals(self.collaterals, slots, where)
        for bucket in self.buckets:
            self._check_bucket(bucket, slots, where)
        if len(self.bucketed) != sum(len(bucket.slots) for bucket in self.buckets):
            raise InputError(where, "buckets", Finding("a slot is in two"), "put each slot into one bucket")
        for charge in self.confidences:
            check_slots((*charge.slots, *charge.gates), slots, where)
            if any(charge.gated[level] < charge.charge[level] for level in LEVELS):
                remedy = "a gated charge is at least the other; build it again"
                raise InputError(where, "gated", charge.name, remedy)
        for exposure in self.exposures:
            self._check_part(exposure, (exposure.exposure,), slots, where)
        for minimum in self.minimums:
            self._check_part(minimum, (minimum.long, minimum.short), slots, where)
        if len({minimum.unit for minimum in self.minimums}) != len(self.minimums):
            raise InputError(where, "minimums", Finding("a unit has two"), "keep one for each unit")
        if self.allowances:
            check_length(self.allowances, len(self.cells), where, "allowances")

    def _check_part(
        self, part: ExposureCharge | MinimumCharge, columns: Iterable[Sized], slots: int, where: str
    ) -> None:
        place = f"{where}, {part.name}"
        check_slots(part.slots, slots, place)
        if part.unit >= len(self.units):
            raise InputError(place, "unit", part.unit, "names a unit that is not listed; build it again")
        for column in columns:
            check_length(column, len(part.slots), place, "charge")

    def _check_bucket(self, bucket: Bucket, slots: int, where: str) -> None:
        place = f"{where}, {bucket.label}"
        check_slots(bucket.slots, slots, place)
        if any(self.unit_of[slot] != bucket.unit for slot in bucket.slots):
            raise InputError(place, "unit", bucket.unit, "its slots are of another unit; build it again")
        for field, matrix, rows in (("short", bucket.short, len(self.cells)), ("basis", bucket.basis, 2)):
            check_length(matrix, rows, place, field)
            check_length(matrix[0], len(bucket.slots), place, field)

    def weights(self) -> list[int]:
        """Per slot, at least what one lot can add to a requirement, in table entries."""
        factor = max(
            1, *(-(-numerator // denominator) for numerator, denominator in self.loss_factor.values())
        )
        largest = np.abs(self.risk).max(axis=0).tolist()
        for bucket in self.buckets:
            for column, slot in enumerate(bucket.slots):
                other = (*bucket.short[:, column].tolist(), *bucket.basis[:, column].tolist())
                largest[slot] = max(largest[slot], *map(abs, other))
        for exposure in self.exposures:
            for slot, entry in zip(exposure.slots, exposure.exposure, strict=True):
                largest[slot] += max(slope for slope, _ in exposure.tiers) * abs(entry)
        for minimum in self.minimums:
            for slot, *sides in zip(minimum.slots, minimum.long, minimum.short, strict=True):
                largest[slot] += max(slope for slope, _ in minimum.tiers) * max(sides)
        weights = [factor * weight for weight in largest]
        for confidence in self.confidences:
            for slot in confidence.slots:
                weights[slot] += max(confidence.gated.values())
        for perpetual in self.perpetuals:
            weights[perpetual.slot] += max(perpetual.charge.values())
        for strike in self.strikes:
            for slot in strike.slots:
                weights[slot] += max(strike.charge.values())
        return add_haircuts(weights, self.collaterals)


@dataclass(frozen=True)
class RateTables:
    """Margin by public rates per position, without netting.

    requirement(level) = sum_i long_i * max(q_i, 0) + short_i * max(-q_i, 0) + sum of collateral charges.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    long: ByLevel[AmountColumn]
    """(N,), each >= 0."""
    short: ByLevel[AmountColumn]
    """(N,), each >= 0."""
    collaterals: tuple[CollateralCharge, ...]

    def check(self, slots: int, where: str) -> None:
        """Raises InputError unless all shapes fit a universe of `slots` instruments."""
        for side in (self.long, self.short):
            for level in LEVELS:
                check_length(side[level], slots, where, "rates")
        check_collaterals(self.collaterals, slots, where)

    def weights(self) -> list[int]:
        """Per slot, at least what one lot can add to a requirement, in table entries."""
        sides = [side[level] for side in (self.long, self.short) for level in LEVELS]
        return add_haircuts([sum(map(int, rates)) for rates in zip(*sides, strict=True)], self.collaterals)


class Tables(Protocol):
    """What a snapshot holds of a model: a frozen dataclass over the types of `forms`."""

    def check(self, slots: int, where: str) -> None:
        """Raises InputError unless all shapes fit a universe of `slots` instruments."""

    def weights(self) -> list[int]:
        """Per slot, at least what one lot can add to a requirement, in table entries."""


@runtime_checkable
class ScenarioTables(Protocol):
    """Tables whose units lose what the worst of some cells takes: a report shows them cell by cell."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The scenarios, the same for all units."""

    @property
    def unit_of(self) -> Column:
        """(N,): index into the units, -1 for slots without risk."""

    @property
    def risk(self) -> Matrix:
        """(S, N): change of value of one long contract."""


def check_length(values: Sized, expected: int, where: str, field: str) -> None:
    """Raises InputError unless there are as many values as expected."""
    if len(values) != expected:
        raise InputError(
            where, field, Finding(f"{len(values)} entries"), f"must have {expected}; build it again"
        )


def check_slots(named: Iterable[int], slots: int, where: str) -> None:
    """Raises InputError if a slot lies outside the universe."""
    for slot in named:
        if slot >= slots:
            raise InputError(where, "slot", slot, f"the universe has {slots} slots; build it again")


def check_collaterals(collaterals: Iterable[CollateralCharge], slots: int, where: str) -> None:
    """Raises InputError unless every haircut names slots of the universe, and one charge for each."""
    for collateral in collaterals:
        check_slots(collateral.slots, slots, where)
        if collateral.exempt and not collateral.slots:
            raise InputError(
                where, "exempt", collateral.exempt, "there is no balance to be free of it; build it again"
            )
        for level in LEVELS:
            check_length(
                collateral.charge[level], len(collateral.slots), where, f"charge of {collateral.name}"
            )
            if collateral.exempt and collateral.charge[level][0] < 0:
                found, remedy = collateral.charge[level][0], "lots are free of a charge that is not negative"
                raise InputError(where, f"charge of {collateral.name}", found, f"{remedy}; build it again")


def add_haircuts(weights: list[int], collaterals: Iterable[CollateralCharge]) -> list[int]:
    """The weights with those of haircuts added."""
    for collateral in collaterals:
        for level in LEVELS:
            for slot, charge in zip(collateral.slots, collateral.charge[level], strict=True):
                weights[slot] += abs(charge)
    return weights
