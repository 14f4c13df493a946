"""The requirement of an account: exact, and with its reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from zkmargin.margin.arithmetic.decimals import floor_div, scaled_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.models import MODELS
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.assessment import Assessment
from zkmargin.margin.tables.bounds import check_lots
from zkmargin.margin.units import LEVELS, Level


@dataclass(frozen=True)
class Requirement:
    """What an account is worth and what it must hold. Money is in units of 10^-money_decimals USD."""

    snapshot_id: str
    model: str
    level: Level
    account_value: int
    requirement: Fraction
    assessment: Assessment
    """The parts of the requirement."""
    money_decimals: int
    quantum_decimals: int

    @property
    def excess(self) -> Fraction:
        """Account value minus requirement, exactly."""
        return self.account_value - self.requirement

    @property
    def excess_ticks(self) -> int:
        """The excess in ticks, floored: the largest threshold that can be proven."""
        return floor_div(self.excess / self._tick)

    @property
    def account_value_ticks(self) -> int:
        """The account value in ticks, floored."""
        return self.account_value // self._tick

    @property
    def requirement_ticks(self) -> int:
        """Displayed account value minus displayed excess, so that what is shown adds up."""
        return self.account_value_ticks - self.excess_ticks

    @property
    def account_value_usd(self) -> Decimal:
        """The account value in USD, floored to a tick."""
        return Decimal(self.show(self.account_value_ticks))

    @property
    def requirement_usd(self) -> Decimal:
        """The requirement in USD: account value less excess, as both are shown."""
        return Decimal(self.show(self.requirement_ticks))

    @property
    def excess_usd(self) -> Decimal:
        """The excess in USD, floored to a tick."""
        return Decimal(self.show(self.excess_ticks))

    @property
    def _tick(self) -> int:
        return int(10 ** (self.money_decimals - self.quantum_decimals))

    def show(self, ticks: int) -> str:
        """Ticks as a decimal number of USD."""
        return scaled_decimal(ticks, self.quantum_decimals)


def account_value(snapshot: Snapshot, lots: Sequence[int]) -> int:
    """sum of lots * mark in money units; InputError if a slot's bound is passed."""
    check_lots(snapshot.universe, lots)
    return sum(
        held * mark * factor
        for held, mark, factor in zip(lots, snapshot.marks.tolist(), snapshot.scale, strict=True)
        if held
    )


def requirement(
    snapshot: Snapshot, lots: Sequence[int], *, model: str = "grid", level: Level = "initial"
) -> Requirement:
    """The requirement of an account with `lots` by slot, by the tables of the snapshot.

    Raises InputError for an unknown model or level, a vector of the wrong length, or a slot beyond its bound.
    """
    if model not in snapshot.models:
        raise InputError(f"snapshot {snapshot.id}", "model", model, snapshot.lacking(model))
    if level not in LEVELS:
        raise InputError("requirement", "level", level, f"use one of {', '.join(LEVELS)}")
    value = account_value(snapshot, lots)
    tables = snapshot.models[model]
    assessment = MODELS[model].requirement(tables, snapshot.universe, snapshot.scale, lots, level)
    return Requirement(
        snapshot.id,
        model,
        level,
        value,
        assessment.amount,
        assessment,
        snapshot.money_decimals,
        snapshot.quantum_decimals,
    )
