"""Charges that the tables of several models share, and checks of their shapes."""

import operator
from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.tables.schema import STRICT, Amount, Entry, Slot
from zkmargin.margin.units import LEVELS, ByLevel, Level


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
