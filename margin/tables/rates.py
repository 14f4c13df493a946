"""Tables of rates per position, without netting."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import ConfigDict, Field

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.tables.charges import (
    CollateralCharge,
    add_haircuts,
    check_collaterals,
    check_length,
    check_slots,
)
from zkmargin.margin.tables.grid import _empty
from zkmargin.margin.tables.rate_additions import ExpiryCap, SizeCharge
from zkmargin.margin.tables.schema import STRICT, AmountColumn
from zkmargin.margin.units import LEVELS, ByLevel


@dataclass(frozen=True)
class RateTables:
    """Margin by public rates per position, without netting.

    requirement(level) = sum_i long_i * max(q_i, 0) + short_i * max(-q_i, 0) + sum of collateral charges, of which an
    expiry with a cap takes no more than that; and the charges on sizes.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    long: ByLevel[AmountColumn]
    """(N,), each >= 0."""
    short: ByLevel[AmountColumn]
    """(N,), each >= 0."""
    collaterals: tuple[CollateralCharge, ...]
    expiries: Annotated[tuple[ExpiryCap, ...], Field(exclude_if=_empty)] = ()
    """Each slot in one of them at most."""
    sizes: Annotated[tuple[SizeCharge, ...], Field(exclude_if=_empty)] = ()

    @property
    def plain(self) -> bool:
        """Whether there are rates and haircuts, and nothing beside them."""
        return not (self.expiries or self.sizes or any(c.exempt for c in self.collaterals))

    def check(self, slots: int, where: str) -> None:
        """Raises InputError unless all shapes fit a universe of `slots` instruments."""
        for side in (self.long, self.short):
            for level in LEVELS:
                check_length(side[level], slots, where, "rates")
        check_collaterals(self.collaterals, slots, where)
        for expiry in self.expiries:
            self._check_expiry(expiry, slots, where)
        capped = [slot for expiry in self.expiries for slot in expiry.slots]
        if len(set(capped)) != len(capped):
            raise InputError(where, "expiries", Finding("a slot is in two"), "put each slot into one expiry")
        for charge in self.sizes:
            check_slots(charge.slots, slots, where)
            for column in (charge.long, charge.short):
                for level in LEVELS:
                    check_length(column[level], len(charge.slots), where, f"charge of {charge.name}")

    def _check_expiry(self, expiry: ExpiryCap, slots: int, where: str) -> None:
        place, count = f"{where}, {expiry.label}", len(expiry.slots)
        check_slots(expiry.slots, slots, place)
        check_length(expiry.payoffs, len(expiry.prices), place, "payoffs")
        check_length(expiry.payoffs[0], count, place, "payoffs")
        check_length(expiry.strikes, count, place, "strikes")
        if max(expiry.strikes) >= len(expiry.prices):
            found, remedy = max(expiry.strikes), "names a price that is not listed; build it again"
            raise InputError(place, "strikes", found, remedy)
        for level in LEVELS:
            check_length(expiry.unpaired[level], count, place, "unpaired")

    def weights(self) -> list[int]:
        """Per slot, at least what one lot can add to a requirement, in table entries."""
        sides = [side[level] for side in (self.long, self.short) for level in LEVELS]
        weights = [sum(map(int, rates)) for rates in zip(*sides, strict=True)]
        for expiry in self.expiries:
            largest = np.abs(expiry.payoffs).max(axis=0).tolist()
            unpaired = zip(*(expiry.unpaired[level] for level in LEVELS), strict=True)
            for slot, payoff, calls in zip(expiry.slots, largest, unpaired, strict=True):
                weights[slot] += payoff + max(calls)
        for charge in self.sizes:
            columns = (side[level] for side in (charge.long, charge.short) for level in LEVELS)
            for slot, *entries in zip(charge.slots, *columns, strict=True):
                weights[slot] += max(entries)
        return add_haircuts(weights, self.collaterals)
