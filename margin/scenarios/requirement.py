"""What an account must hold by its losses over joint scenarios, with the scenarios that decide it."""

from collections.abc import Callable, Sequence
from fractions import Fraction

from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.scenarios.tables import JointTables
from zkmargin.margin.scenarios.tail import Tail, tail
from zkmargin.margin.tables.assessment import Assessment, TailLoss
from zkmargin.margin.units import Level
from zkmargin.margin.valuation.charges import haircuts
from zkmargin.margin.valuation.contingencies import contingencies

Measure = Callable[[Tail], Fraction]
"""What is read off the tail: its mean, or the loss that it begins with."""


def account_profits(tables: JointTables, scale: Sequence[int], lots: Sequence[int]) -> list[int]:
    """Profit or loss in every scenario, in money units."""
    return tables.profits.of([held * factor for held, factor in zip(lots, scale, strict=True)])


def scenario_requirement(
    tables: JointTables,
    universe: Universe,
    scale: Sequence[int],
    lots: Sequence[int],
    level: Level,
    *,
    measure: Measure,
    title: str,
) -> Assessment:
    """max(0, what the measure reads off the tail) and the charges beside it, exactly, in money units."""
    losses = [-profit for profit in account_profits(tables, scale, lots)]
    found = tail(losses, Fraction(*tables.confidence[level]))
    amount = max(Fraction(0), measure(found))
    charges = contingencies(tables, universe, scale, lots, level)
    charges += haircuts(tables.collaterals, scale, lots, level)
    return Assessment(
        amount + sum(charge.amount for charge in charges),
        Fraction(1),
        (),
        tuple(charge for charge in charges if charge.amount),
        TailLoss(
            title,
            found.confidence,
            len(losses),
            found.weight,
            amount,
            tuple((cell, losses[cell]) for cell in found.cells),
        ),
    )
