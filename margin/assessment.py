"""What a model finds about an account at one level: the amount, and every part of it by name."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

ChargeKind = Literal["perpetual", "naked short", "haircut", "long", "short"]


@dataclass(frozen=True)
class Charge:
    """One charge beside the scenarios, in money units."""

    kind: ChargeKind
    name: str
    """The instrument, the strike, or the coin that is charged."""
    amount: int


@dataclass(frozen=True)
class UnitLoss:
    """The scenarios of one risk unit."""

    unit: str
    profit: tuple[int, ...]
    """Profit or loss in each cell, in money units."""
    worst: int
    """The first cell with the least profit."""
    loss: int
    """max(0, -profit[worst])."""


@dataclass(frozen=True)
class Assessment:
    """amount = factor * sum of the units' losses + sum of the charges, exactly, in money units."""

    amount: Fraction
    factor: Fraction
    units: tuple[UnitLoss, ...]
    charges: tuple[Charge, ...]


def assess(factor: Fraction, units: tuple[UnitLoss, ...], charges: tuple[Charge, ...]) -> Assessment:
    """Add up; charges of zero are left out."""
    amount = factor * sum(unit.loss for unit in units) + sum(charge.amount for charge in charges)
    return Assessment(amount, factor, units, tuple(charge for charge in charges if charge.amount))
