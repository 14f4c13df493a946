"""The exact engine as plans ask it: one account after another, under one model and level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zkmargin.margin.account.book import Accounts, excesses
from zkmargin.margin.account.requirement import Requirement, requirement
from zkmargin.margin.arithmetic.decimals import scaled_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level


@dataclass(frozen=True)
class Engine:
    """Excesses in ticks of the snapshot, by lots of each slot."""

    snapshot: Snapshot
    model: str = "grid"
    level: Level = "initial"

    def __post_init__(self) -> None:
        """Raises InputError for a model that the snapshot lacks, or an unknown level."""
        if self.model not in self.snapshot.models:
            where = f"snapshot {self.snapshot.id}"
            raise InputError(where, "model", self.model, self.snapshot.lacking(self.model))
        if getattr(self.snapshot.models[self.model], "coverage", None) is not None:
            where = f"snapshot {self.snapshot.id}"
            remedy = "settlement currencies that cover their own cannot be planned; build it with collateral = cross"
            raise InputError(where, "model", self.model, remedy)
        if self.level not in LEVELS:
            raise InputError("planning", "level", self.level, f"use one of {', '.join(LEVELS)}")

    def requirement(self, lots: Sequence[int]) -> Requirement:
        """What the account is worth and must hold, with the reasons."""
        return requirement(self.snapshot, lots, model=self.model, level=self.level)

    def excess(self, lots: Sequence[int]) -> int:
        """The excess in ticks, floored."""
        return self.excesses([lots])[0]

    def excesses(self, accounts: Sequence[Sequence[int]]) -> list[int]:
        """The excesses of many accounts; on the grid by the native kernel, all at once."""
        if self.model != "grid":
            return [self.requirement(lots).excess_ticks for lots in accounts]
        made = Accounts.of(accounts)
        return [int(n) for n in excesses(self.snapshot, made, level=self.level).excesses]

    def usd(self, ticks: int) -> str:
        """Ticks as a decimal number of USD."""
        return scaled_decimal(ticks, self.snapshot.quantum_decimals)
