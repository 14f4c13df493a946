"""The tables a snapshot publishes: integers per contract, all that a requirement and its proof depend on.

Every entry is in quanta of USD per 10^contract_exponent of quantity. The slot index i runs over the
universe (N slots), the cell index s over the scenarios (S cells). q_i are lots; the money of q lots at
entry v is q * v * scale_i.
"""

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar, Literal

import numpy as np
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
from zkmargin.margin.tables.grid_additions import (
    ConfidenceCharge,
    Coverage,
    ExpiryBucket,
    ExposureCharge,
    HedgeCharge,
    MinimumCharge,
)
from zkmargin.margin.tables.schema import STRICT, Amount, Column, Matrix, Ratio
from zkmargin.margin.units import LEVELS, ByLevel

VolatilityMove = Literal["up", "none", "down", "linear", "absolute"]
SKEWS: tuple[VolatilityMove, ...] = ("linear", "absolute")
"""Cells that tilt the volatility smile: they charge every bucket's change, whichever its sign."""


def _empty(entries: Sized) -> bool:
    return not entries


def _absent(part: object) -> bool:
    return part is None


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
    buckets: Annotated[tuple[ExpiryBucket, ...], Field(exclude_if=_empty)] = ()
    confidences: Annotated[tuple[ConfidenceCharge, ...], Field(exclude_if=_empty)] = ()
    exposures: Annotated[tuple[ExposureCharge, ...], Field(exclude_if=_empty)] = ()
    minimums: Annotated[tuple[MinimumCharge, ...], Field(exclude_if=_empty)] = ()
    """At most one a unit."""
    allowances: Annotated[tuple[Amount, ...], Field(exclude_if=_empty)] = ()
    """(S,): what a unit may lose in a cell before it counts, in quanta of USD; none where there are no such."""
    hedges: Annotated[tuple[HedgeCharge, ...], Field(exclude_if=_empty)] = ()
    unit_cells: Annotated[tuple[tuple[Cell, ...], ...], Field(exclude_if=_empty)] = ()
    """(U, S): the scenarios of each unit, where they differ from unit to unit; in place of `cells`."""
    unit_allowances: Annotated[tuple[tuple[Amount, ...], ...], Field(exclude_if=_empty)] = ()
    """(U, S): allowances that differ from unit to unit; in place of `allowances`."""
    coverage: Annotated[Coverage | None, Field(exclude_if=_absent)] = None
    """Settlement currencies that each cover their own requirement."""

    @property
    def netted(self) -> bool:
        """Whether every position of a unit nets against every other, in linear sums: no buckets, and charges
        of the kinds that every grid has.
        """
        parts = (self.buckets, self.confidences, self.exposures, self.minimums, self.allowances)
        apart = self.unit_allowances or self.coverage or self.hedges
        return not any(parts) and not apart and not any(c.exempt for c in self.collaterals)

    @cached_property
    def bucketed(self) -> frozenset[int]:
        """The slots that some bucket values."""
        return frozenset(slot for bucket in self.buckets for slot in bucket.slots)

    @cached_property
    def columns(self) -> list[list[int]]:
        """(N, S): the changes of value by slot, as Python integers, ready for repeated use."""
        columns: list[list[int]] = self.risk.T.tolist()
        return columns

    def cells_of(self, unit: int) -> tuple[Cell, ...]:
        """(S,): the scenarios of a unit."""
        return self.unit_cells[unit] if self.unit_cells else self.cells

    def allowances_of(self, unit: int) -> tuple[int, ...]:
        """(S,): what a unit may lose in each cell, in quanta of USD; empty where there are no such."""
        return self.unit_allowances[unit] if self.unit_allowances else self.allowances

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
        for hedge in self.hedges:
            for leg in hedge.legs:
                self._check_part(hedge, (leg.exposure,), slots, where, leg.slots)
        for minimum in self.minimums:
            self._check_part(minimum, (minimum.long, minimum.short), slots, where)
        if len({minimum.unit for minimum in self.minimums}) != len(self.minimums):
            raise InputError(where, "minimums", Finding("a unit has two"), "keep one for each unit")
        if self.allowances:
            check_length(self.allowances, len(self.cells), where, "allowances")
        self._check_units(slots, where)

    def _check_units(self, slots: int, where: str) -> None:
        for field, parts in (("unit_cells", self.unit_cells), ("unit_allowances", self.unit_allowances)):
            if parts:
                check_length(parts, len(self.units), where, field)
                for part in parts:
                    check_length(part, len(self.cells), where, field)
        if self.coverage is not None:
            check_length(self.coverage.marks, slots, where, "marks")
            for currency in self.coverage.currencies:
                check_slots(currency.slots, slots, f"{where}, {currency.name}")
                if max(currency.units) >= len(self.units):
                    found, remedy = max(currency.units), "names a unit that is not listed; build it again"
                    raise InputError(f"{where}, {currency.name}", "unit", found, remedy)

    def _check_part(
        self,
        part: ExposureCharge | HedgeCharge | MinimumCharge,
        columns: Iterable[Sized],
        slots: int,
        where: str,
        members: Sequence[int] | None = None,
    ) -> None:
        place = f"{where}, {part.name}"
        held = part.slots if members is None and not isinstance(part, HedgeCharge) else members or ()
        check_slots(held, slots, place)
        if part.unit >= len(self.units):
            raise InputError(place, "unit", part.unit, "names a unit that is not listed; build it again")
        for column in columns:
            check_length(column, len(held), place, "charge")

    def _check_bucket(self, bucket: ExpiryBucket, slots: int, where: str) -> None:
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
        self._add_parts(largest)
        weights = [factor * weight for weight in largest]
        for confidence in self.confidences:
            for slot in confidence.slots:
                weights[slot] += max(confidence.gated.values())
        for perpetual in self.perpetuals:
            weights[perpetual.slot] += max(perpetual.charge.values())
        for strike in self.strikes:
            for slot in strike.slots:
                weights[slot] += max(strike.charge.values())
        weights = add_haircuts(weights, self.collaterals)
        if self.coverage is not None:
            marks = np.abs(self.coverage.marks).tolist()
            weights = [2 * (weight + mark) for weight, mark in zip(weights, marks, strict=True)]
        return weights

    def _add_parts(self, largest: list[int]) -> None:
        """What is added to the losses of units, by slot."""
        for exposure in self.exposures:
            for slot, entry in zip(exposure.slots, exposure.exposure, strict=True):
                largest[slot] += max(slope for slope, _ in exposure.tiers) * abs(entry)
        for hedge in self.hedges:
            for leg in hedge.legs:
                for slot, entry in zip(leg.slots, leg.exposure, strict=True):
                    largest[slot] += max(slope for slope, _ in hedge.tiers) * abs(entry)
        for minimum in self.minimums:
            for slot, *sides in zip(minimum.slots, minimum.long, minimum.short, strict=True):
                largest[slot] += max(slope for slope, _ in minimum.tiers) * max(sides)
