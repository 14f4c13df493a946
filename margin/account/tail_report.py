"""What a report says of joint scenarios: the tail that decides, scenario by scenario.

Amounts are ticks of 10^-quantum_decimals USD, losses rounded up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from zkmargin.margin.account.holdings import Entry
from zkmargin.margin.arithmetic.decimals import canonical_decimal, ceil_div, scaled_decimal
from zkmargin.margin.scenarios.tables import JointTables
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.assessment import TailLoss

_MOVE_DECIMALS = 9


@dataclass(frozen=True)
class TailCell:
    """One scenario of the tail."""

    label: str
    moves: Mapping[str, Decimal]
    """Relative move of each underlying."""
    loss: int


@dataclass(frozen=True)
class TailPosition:
    """What one position loses in the worst scenario, its leg in cash or coin included."""

    instrument: str
    quantity: Decimal
    loss: int


@dataclass(frozen=True)
class TailReport:
    """What is read off the losses over joint scenarios."""

    title: str
    confidence: Fraction
    scenarios: int
    weight: Fraction
    amount: int
    """What it adds to the requirement."""
    cells: tuple[TailCell, ...]
    """The worst first."""
    positions: tuple[TailPosition, ...]
    """In the worst scenario, the largest loss first."""

    def to_json(self, decimals: int) -> dict[str, Any]:
        """Plain JSON values: amounts as decimal strings of USD at the tick."""
        return {
            "title": self.title,
            "confidence": str(self.confidence),
            "scenarios": self.scenarios,
            "tail_weight": str(self.weight),
            "amount": scaled_decimal(self.amount, decimals),
            "cells": [
                {
                    "label": cell.label,
                    "moves": {unit: canonical_decimal(move) for unit, move in cell.moves.items()},
                    "loss": scaled_decimal(cell.loss, decimals),
                }
                for cell in self.cells
            ],
            "positions": [
                {
                    "instrument": position.instrument,
                    "quantity": canonical_decimal(position.quantity),
                    "loss": scaled_decimal(position.loss, decimals),
                }
                for position in self.positions
            ],
        }


def tail_report(
    snapshot: Snapshot, model: str, found: TailLoss | None, entries: Sequence[Entry]
) -> TailReport | None:
    """The tail in ticks and words; None for models without joint scenarios."""
    tables = snapshot.models[model]
    if found is None or not isinstance(tables, JointTables):
        return None
    worst = tables.risk[found.worst[0][0]].tolist()
    positions = [
        TailPosition(entry.position.instrument, entry.position.quantity, _loss(snapshot, entry, worst))
        for entry in entries
    ]
    return TailReport(
        title=found.title,
        confidence=found.confidence,
        scenarios=found.cells,
        weight=found.weight,
        amount=ceil_div(found.amount / snapshot.tick),
        cells=tuple(_cell(snapshot, tables, cell, loss) for cell, loss in found.worst),
        positions=tuple(sorted(positions, key=lambda position: -position.loss)),
    )


def _cell(snapshot: Snapshot, tables: JointTables, cell: int, loss: int) -> TailCell:
    moves = (Decimal(move).scaleb(-_MOVE_DECIMALS) for move in tables.moves[cell].tolist())
    return TailCell(
        tables.labels[cell],
        dict(zip(tables.units, moves, strict=True)),
        ceil_div(Fraction(loss, snapshot.tick)),
    )


def _loss(snapshot: Snapshot, entry: Entry, changes: Sequence[int]) -> int:
    """What a position and its leg lose at changes of value by slot."""
    own = entry.lots * changes[entry.slot] * snapshot.scale[entry.slot]
    leg = entry.leg_lots * changes[entry.leg_slot] * snapshot.scale[entry.leg_slot]
    return ceil_div(Fraction(-own - leg, snapshot.tick))
