"""An account margined beside what its venue says of it: cell by cell and charge by charge, in the venue's currency."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.account.requirement import Requirement, requirement
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.venue_answers.deribit import Answer, Node

SHARE, LEAST = Decimal("0.001"), Decimal("0.000001")
"""Two numbers agree that differ by no more than this share of the venue's, or by this much."""
PLACES = 12

_ABSENT = {
    "correlation_contingency": "how coins that move alike are offset is not published",
    "spot_margin": "of orders on spot pairs; an account states none",
    "mmp_margin": "of market makers' protection; an account states none",
    "open_orders_margin": "of open orders; an account may state what is reserved for them",
}


@dataclass(frozen=True)
class Line:
    """One number of ours beside the venue's, in the venue's currency."""

    part: str
    of: str
    ours: Decimal | None
    """None where no rule of ours makes it."""
    venue: Decimal
    note: str = ""

    @property
    def difference(self) -> Decimal:
        """Ours less the venue's."""
        return (self.ours or Decimal(0)) - self.venue

    @property
    def agrees(self) -> bool:
        """Whether the two are the same but for rounding."""
        return abs(self.difference) <= max(LEAST, SHARE * abs(self.venue))

    def document(self) -> dict[str, Any]:
        """For --json."""
        ours = None if self.ours is None else format(self.ours, "f")
        return {
            "part": self.part,
            "of": self.of,
            "ours": ours,
            "venue": format(self.venue, "f"),
            "difference": format(self.difference, "f"),
            "agrees": self.agrees,
            "note": self.note,
        }


@dataclass(frozen=True)
class VenueComparison:
    """All lines about one answer."""

    currency: str
    cells: tuple[Line, ...]
    """Every cell of every position's vector, and of the aggregated ones."""
    charges: tuple[Line, ...]

    @property
    def widest(self) -> tuple[Line, ...]:
        """For each position, the cell that differs most."""
        found: dict[str, Line] = {}
        for line in self.cells:
            if line.of not in found or abs(line.difference) > abs(found[line.of].difference):
                found[line.of] = line
        return tuple(found.values())

    def to_json(self) -> dict[str, Any]:
        """For --json."""
        return {
            "currency": self.currency,
            "agrees": all(line.agrees for line in (*self.cells, *self.charges)),
            "cells": [line.document() for line in self.cells],
            "charges": [line.document() for line in self.charges],
        }


def compare_answer(answer: Answer) -> VenueComparison:
    """The same account under the same parameters, beside the answer. Raises InputError if it cannot be margined."""
    made = Snapshot.build(answer.market, answer.parameters, only=["grid"])
    positions = [Position(name, quantity) for name, quantity in answer.quantities.items()]
    lots = Holdings.of(positions, made).vector(made)
    found = {level: requirement(made, lots, level=level) for level in ("initial", "maintenance")}
    tables = made.models["grid"]
    assert isinstance(tables, GridTables)  # the rules of a venue are those of a grid
    return VenueComparison(
        answer.currency,
        (*_cells(answer, made, tables, lots), *_aggregated(answer, made, tables, found["initial"])),
        tuple(_charges(answer, made, tables, found)),
    )


def _shown(answer: Answer, made: Snapshot, money: Fraction | int) -> Decimal:
    """Money units in the venue's currency."""
    amount = Fraction(money, made.tick * 10**made.quantum_decimals) / answer.rate()
    return (Decimal(amount.numerator) / Decimal(amount.denominator)).quantize(Decimal(1).scaleb(-PLACES))


def _order(count: int, *, reverse: bool) -> list[int]:
    """Places of the venue's cells: the volatility moves of a price move from up to down, or from down to up."""
    core = count - 8
    return [k - k % 3 + 2 - k % 3 if reverse and k < core else k for k in range(count)]


def _cells(answer: Answer, made: Snapshot, tables: GridTables, lots: Sequence[int]) -> list[Line]:
    """Every position's vector, in the nearer order of volatility moves: the venue does not document its own."""
    ways = []
    for reverse in (False, True):
        lines = []
        for name, vector in answer.vectors.items():
            slot = made.universe.slot(name)
            cells = tables.cells_of(int(tables.unit_of[slot]))
            for place, number in zip(_order(len(vector), reverse=reverse), vector, strict=True):
                money = lots[slot] * int(tables.risk[place, slot]) * made.scale[slot]
                lines.append(Line(cells[place].label, name, _shown(answer, made, money), number))
        ways.append(lines)
    return min(ways, key=lambda lines: sum(abs(line.difference) for line in lines))


def _aggregated(answer: Answer, made: Snapshot, tables: GridTables, found: Requirement) -> list[Line]:
    """Each unit's vector with its dampener, of which the venue keeps gains in part."""
    lines = []
    for pair, vector in answer.aggregated.items():
        coin = pair.partition("_")[0].upper()
        unit = next(
            (u for u in found.assessment.units if u.unit.split(",")[0] == coin and any(u.profit)), None
        )
        if unit is None:
            continue
        cells = tables.cells_of(found.assessment.units.index(unit))
        core = len(vector) - 8
        for place, number in enumerate(vector):
            ours = _shown(answer, made, unit.profit[place])
            # The venue dampens gains as it does losses; ours are shown as they are, and count for nothing.
            if ours > 0 and place >= core:
                continue
            kept = ours * answer.gain_offset if ours > 0 else ours
            lines.append(Line(cells[place].label, f"{coin}, all", kept, number))
    return lines


def _charges(answer: Answer, made: Snapshot, tables: GridTables, found: dict[str, Requirement]) -> list[Line]:
    units = found["initial"].assessment.units
    margins = answer.margins
    details = margins.at("initial_margin_details")
    matrix = details.at("risk_matrix_margin_details")

    def ours(kind: str) -> Decimal:
        return _shown(
            answer, made, sum(int(c.amount) for unit in units for c in unit.added if c.kind == kind)
        )

    worst = _shown(answer, made, sum(max(0, -unit.profit[unit.worst]) for unit in units))
    loss = sum(unit.loss for unit in units)
    kept = found["maintenance"].assessment.factor * loss
    lines = [
        Line("worst case", "risk matrix", worst, matrix.at("worst_case").number()),
        Line("roll shock", "risk matrix", ours("roll shock"), matrix.at("roll_shock").number()),
        Line("delta shock", "risk matrix", ours("delta shock"), matrix.at("delta_shock").number()),
        _absent("correlation_contingency", matrix),
        Line("risk matrix", "initial", _shown(answer, made, loss), details.at("risk_matrix_margin").number()),
        *(_absent(name, details) for name in ("spot_margin", "mmp_margin", "open_orders_margin")),
        Line("maintenance", "all", _shown(answer, made, kept), margins.at("maintenance_margin").number()),
    ]
    whole = margins.at("initial_margin").number()
    missing = any(line.venue for line in lines if line.ours is None)
    note = "with the parts that no rule here makes" if missing else ""
    return [*lines, Line("initial", "all", _shown(answer, made, loss), whole, note)]


def _absent(name: str, details: Node) -> Line:
    number = details.at(name).number()
    return Line(name.replace("_", " "), "initial", None, number, _ABSENT[name] if number else "")
