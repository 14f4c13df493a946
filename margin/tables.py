"""The tables a snapshot publishes: integers per contract, all that a requirement and its proof depend on.

Every entry is in quanta of USD per 10^contract_exponent of quantity. The slot index i runs over the
universe (N slots), the cell index s over the scenarios (S cells). q_i are lots; the money of q lots at
entry v is q * v * scale_i.
"""

from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from pydantic import ConfigDict, Field

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.forms import STRICT, Amount, AmountColumn, Column, Entry, Matrix, Ratio, Slot

Level = Literal["initial", "maintenance"]
LEVELS: tuple[Level, Level] = ("initial", "maintenance")

VolatilityMove = Literal["up", "none", "down"]


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
    charge: Mapping[Level, Amount]


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
    charge: Mapping[Level, Amount]


@dataclass(frozen=True)
class CollateralCharge:
    """A haircut on a coin's equity: max(0, sum of charge_k * q_k), where the legs of inverse contracts count
    against.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    slots: tuple[Slot, ...]
    charge: Mapping[Level, tuple[Entry, ...]]


@dataclass(frozen=True)
class GridTables:
    """Portfolio margin on a grid of scenarios.

    requirement(level) = loss_factor * sum_u W_u + sum of perpetual, strike and collateral charges, with
    W_u = max(0, max_s -PnL_u(s)) and PnL_u(s) = sum over the slots i of unit u of q_i * risk[s, i] * scale_i.
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
    loss_factor: Mapping[Level, Ratio]
    """Numerator and denominator."""

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

    def weights(self) -> list[int]:
        """Per slot, at least what one lot can add to a requirement, in table entries."""
        factor = max(
            1, *(-(-numerator // denominator) for numerator, denominator in self.loss_factor.values())
        )
        weights = [factor * int(weight) for weight in np.abs(self.risk).max(axis=0)]
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

    long: Mapping[Level, AmountColumn]
    """(N,), each >= 0."""
    short: Mapping[Level, AmountColumn]
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
        for level in LEVELS:
            check_length(
                collateral.charge[level], len(collateral.slots), where, f"charge of {collateral.name}"
            )


def add_haircuts(weights: list[int], collaterals: Iterable[CollateralCharge]) -> list[int]:
    """The weights with those of haircuts added."""
    for collateral in collaterals:
        for level in LEVELS:
            for slot, charge in zip(collateral.slots, collateral.charge[level], strict=True):
                weights[slot] += abs(charge)
    return weights
