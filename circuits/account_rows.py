"""What every model's rows have in common: the snapshot's slots as variables, money, and the closing row.

A account opens a relation over one holdings column with a range row for each slot, so that no wrapped-around
quantity can pass for a holding whoever made the commitment, and closes it with the one row that says that the
account value covers the requirement and the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zkmargin.circuits.builder import RelationBuilder
from zkmargin.circuits.matrix import IntMatrix
from zkmargin.circuits.relation import Relation, Unit
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.charges import CollateralCharge
from zkmargin.margin.units import Level

LOTS = Unit("lots")

FINEST_FACTOR = 1 << 10
"""The greatest denominator by which the closing row is multiplied as a whole."""


class AccountRows:
    """A relation in the making for one snapshot, model and level.

    Attributes:
        snapshot: what prices everything.
        level: initial or maintenance.
        tables: the model's tables in the snapshot.
        rows: the builder of the relation.
    """

    def __init__(self, snapshot: Snapshot, model: str, level: Level) -> None:
        self.snapshot, self.level = snapshot, level
        self.tables: Any = snapshot.models[model]
        self.rows = RelationBuilder(snapshot.universe.domain)
        self.usd = Unit("USD", 10**snapshot.money_decimals)
        self._holdings: dict[int, int] = {}
        self._slacks: dict[int, int] = {}
        self._long_sides: dict[int, int] = {}
        for slot, instrument in enumerate(snapshot.universe.instruments):
            self.rows.ranged(f"{instrument.name}: quantity within its bound", slot, instrument.bound)

    def money(self, table: NDArray[np.int64], slots: Sequence[int] | NDArray[np.intp]) -> dict[int, int]:
        """Money per lot of each slot for a table of quanta per contract: exact coefficients."""
        scale = self.snapshot.scale
        entries = zip(np.asarray(slots).tolist(), table[slots].tolist(), strict=True)
        return {slot: value * scale[slot] for slot, value in entries if value}

    def money_rows(self, tables: NDArray[np.int64]) -> IntMatrix:
        """Like `money`, for many tables (rows, N) at once."""
        return IntMatrix.scaled(tables, self.snapshot.scale)

    def charge(self, slot: int, rate: int) -> int:
        """Money per lot of a slot for one rate in quanta per contract."""
        return rate * self.snapshot.scale[slot]

    def require(self, holdings: Mapping[int, int], rows: Mapping[int, int]) -> None:
        """Add money to the requirement: a linear form of holdings and of rows."""
        for total, terms in ((self._holdings, holdings), (self._slacks, rows)):
            for index, value in terms.items():
                total[index] = total.get(index, 0) + value

    def branch(self, tables: Any) -> AccountRows:
        """A account over the same rows, for a requirement of its own by other tables."""
        other = copy(self)
        other.tables, other._holdings, other._slacks = tables, {}, {}
        return other

    def collected(self, factor: int) -> tuple[dict[int, int], dict[int, int]]:
        """`factor` times the requirement collected so far, as a linear form of holdings and one of rows."""
        holdings, rows = (
            {index: factor * value for index, value in total.items()}
            for total in (self._holdings, self._slacks)
        )
        return holdings, rows

    def long_side(self, slot: int) -> int:
        """The row ``P >= max(q, 0)`` of a slot: a slack, the same wherever it is asked for."""
        if slot not in self._long_sides:
            name = self.snapshot.universe.instruments[slot].name
            positive = self.rows.free(f"{name}: long side", LOTS)
            self.rows.row(f"{name}: long side covers it", LOTS, {slot: -1}, {positive: 1}, closes=positive)
            self._long_sides[slot] = positive
        return self._long_sides[slot]

    def magnitude(self, slot: int, long: int, short: int) -> None:
        """Charge ``long max(q, 0) + short max(-q, 0)``, money per lot, through ``P >= max(q, 0)``."""
        self.require({slot: -short}, {self.long_side(slot): long + short})

    def count(self, losses: Sequence[int], factor: tuple[int, int]) -> int:
        """Add a factor n/d times the sum of some rows to the requirement.

        Where d is large, all but this sum would be multiplied by it in vain: a row F, d F - n sum >= 0, holds the
        losses as often as they count, rounded up to a whole money unit. Account value, charges and threshold are
        whole, so that nothing is lost by the rounding.

        Returns:
            the denominator by which all that is required is to be multiplied: d, or 1.
        """
        numerator, denominator = factor
        if denominator <= FINEST_FACTOR:
            self.require({}, dict.fromkeys(losses, numerator))
            return denominator
        if losses:
            self.require(
                {}, {self.whole("losses, as often as they count", denominator, losses, numerator): 1}
            )
        return 1

    def whole(self, name: str, denominator: int, rows: Sequence[int], numerator: int) -> int:
        """The row of n/d times a sum of rows, rounded up to a whole money unit."""
        rounded = self.rows.free(name, self.usd)
        terms = {rounded: denominator, **dict.fromkeys(rows, -numerator)}
        unit = Unit("USD", denominator * self.usd.scale)
        self.rows.row(f"{name}, in full", unit, {}, terms, closes=rounded)
        return rounded

    def haircuts(self, collaterals: Sequence[CollateralCharge], denominator: int) -> None:
        """A haircut on coin equity: a slack of at least its charge, and of at least zero.

        Tiers that rise with size are one such charge each, on what lies above; one on debts has negative rates.
        """
        for collateral in collaterals:
            charges = collateral.charge[self.level]
            pairs = zip(collateral.slots, charges, strict=True)
            form = {slot: -self.charge(slot, charge) for slot, charge in pairs if charge}
            if form:
                slack = self.rows.free(f"{collateral.name}: haircut", self.usd)
                name = f"{collateral.name}: haircut on the equity"
                free = collateral.free(self.snapshot.scale, self.level)
                self.rows.row(name, self.usd, form, {slack: 1}, constant=free, closes=slack)
                self.require({}, {slack: denominator})

    def close(self, denominator: int = 1) -> Relation:
        """The row that everything is for: account value - requirement - threshold >= 0, at the threshold 0.

        Args:
            denominator: the requirement collected is this many times the requirement itself.
        """
        unit = Unit("USD", denominator * self.usd.scale)
        value = self.money(self.snapshot.marks, range(len(self.snapshot.universe)))
        holdings = {
            slot: denominator * value.get(slot, 0) - self._holdings.get(slot, 0)
            for slot in sorted(value.keys() | self._holdings.keys())
        }
        self.rows.row(
            f"account value less the {self.level} requirement and the threshold",
            unit,
            holdings,
            {row: -charge for row, charge in self._slacks.items()},
        )
        return self.rows.build(step=denominator * self.snapshot.tick)
