"""What a model finds about an account at one level: the amount, and every part of it by name."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from zkmargin.margin.tables.grid import Cell

ChargeKind = Literal[
    "perpetual",
    "short options of a strike",
    "haircut",
    "long",
    "short",
    "minimum",
    "intra-commodity spread",
    "delivery",
    "inter-commodity credit",
    "short option minimum",
    "initial ratio",
    "option value cap",
    "confidence",
    "depeg",
    "maximum loss",
    "delta shock",
    "roll shock",
    "basis risk",
    "rate risk",
    "bracket",
    "coverage",
    "vega spread",
    "delta spread",
    "stablecoin spread",
    "correlated loss",
    "cross",
    "portfolio",
]


@dataclass(frozen=True)
class Charge:
    """One charge beside the scenarios, in money units."""

    kind: ChargeKind
    name: str
    """The instrument, the strike, or the coin that is charged."""
    amount: int | Fraction


@dataclass(frozen=True)
class UnitLoss:
    """The scenarios of one risk unit."""

    unit: str
    profit: tuple[int, ...]
    """Profit or loss in each cell, in money units."""
    worst: int
    """The first cell with the least profit."""
    loss: int
    """max(0, -profit[worst], basis) and what is added, and at least the minimum."""
    basis: int = 0
    """The basis contingencies of all expiries, which compete with the cells."""
    cells: tuple[Cell, ...] = ()
    """This unit's scenarios, where they differ from unit to unit."""
    uncounted: int = 0
    """What gains in the worst cell but does not count against losses there."""
    added: tuple[Charge, ...] = ()
    """What is added to the worst loss; in money units, and counted as often as it is."""
    minimum: int = 0


@dataclass(frozen=True)
class TailLoss:
    """What is read off the losses over joint scenarios of all underlyings."""

    title: str
    """Such as "expected shortfall"."""
    confidence: Fraction
    cells: int
    """How many scenarios there are."""
    weight: Fraction
    """How many of them the tail has, fractions included."""
    amount: Fraction
    """What it adds to the requirement, in money units."""
    worst: tuple[tuple[int, int], ...]
    """The scenarios of the tail by their numbers, each with its loss, the worst first."""


@dataclass(frozen=True)
class Assessment:
    """amount = factor * sum of the units' losses + the tail's amount + sum of the charges, in money units."""

    amount: Fraction
    factor: Fraction
    units: tuple[UnitLoss, ...]
    charges: tuple[Charge, ...]
    tail: TailLoss | None = None
    """Of models over joint scenarios."""
    considered: tuple[Charge, ...] = ()
    """Of models that take one of several amounts: all of them, the one that counts being part of `amount` as well."""


def assess(factor: Fraction, units: tuple[UnitLoss, ...], charges: tuple[Charge, ...]) -> Assessment:
    """Add up; charges of zero are left out."""
    amount = factor * sum(unit.loss for unit in units) + sum(charge.amount for charge in charges)
    return Assessment(amount, factor, units, tuple(charge for charge in charges if charge.amount))
