"""The requirement that explains itself: every cell, every position in the worst cell, every charge, and
what other models would ask.

Amounts are ticks of 10^-quantum_decimals USD: values and profits floored, charges and losses rounded up,
so that nothing looks better than it is; sums of shown parts may differ from shown sums by a tick each.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from zkmargin.margin.account.greeks import Greeks, net_greeks, totals
from zkmargin.margin.account.holdings import Entry, Holdings
from zkmargin.margin.account.requirement import Requirement, requirement
from zkmargin.margin.account.tail_report import TailReport, tail_report
from zkmargin.margin.arithmetic.decimals import canonical_decimal, ceil_div, nearest, scaled_decimal
from zkmargin.margin.instruments.instrument import Security
from zkmargin.margin.market.times import format_time
from zkmargin.margin.models import MODELS
from zkmargin.margin.models.grid.losses import cell_entries
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.assessment import Charge, UnitLoss
from zkmargin.margin.tables.grid import Cell, GridTables
from zkmargin.margin.tables.interfaces import ScenarioTables
from zkmargin.margin.units import Level

_GREEK_DECIMALS = 8


@dataclass(frozen=True)
class CellProfit:
    """One cell of a unit's grid."""

    cell: Cell
    profit: int


@dataclass(frozen=True)
class PositionProfit:
    """What one position adds to a cell, its leg in cash or coin included."""

    instrument: str
    quantity: Decimal
    profit: int


@dataclass(frozen=True)
class ChargeReport:
    """One charge beside the scenarios."""

    kind: str
    name: str
    amount: int


@dataclass(frozen=True)
class UnitReport:
    """One underlying: the grid, its worst cell and who lost there."""

    unit: str
    loss: int
    worst: int
    """Index of the worst cell."""
    cells: tuple[CellProfit, ...]
    positions: tuple[PositionProfit, ...]
    """In the worst cell, largest loss first."""
    uncounted: int
    """What of the positions' gains in the worst cell does not count against losses."""
    basis: int = 0
    """The basis contingencies of all expiries; they are the loss where they exceed the worst cell."""
    added: tuple[ChargeReport, ...] = ()
    """What the loss has beside the worst cell."""
    minimum: int = 0
    """The loss is at least this."""


@dataclass(frozen=True)
class PositionValue:
    """One position and what it is worth, its leg included."""

    instrument: str
    quantity: Decimal
    entry_price: Decimal | None
    value: int


@dataclass(frozen=True)
class GreeksReport:
    """Net sensitivities to an underlying, of one expiry or (expiry None) of balances, shares and perpetuals."""

    underlying: str
    expiry: int | None
    greeks: Greeks
    unit: str = "coins"
    """What delta counts: coins, shares, or units of an index."""


@dataclass(frozen=True)
class Comparison:
    """What another model asks of the same account."""

    model: str
    requirement: int
    excess: int
    saving: int
    """How much less the reported model requires."""


@dataclass(frozen=True)
class Report:
    """Amounts in ticks."""

    snapshot_id: str
    valuation_time: int
    model: str
    level: Level
    quantum_decimals: int
    account_value: int
    requirement: int
    excess: int
    loss_factor: Fraction
    units: tuple[UnitReport, ...]
    charges: tuple[ChargeReport, ...]
    positions: tuple[PositionValue, ...]
    greeks: tuple[GreeksReport, ...]
    totals: tuple[GreeksReport, ...]
    """By coin, over all expiries."""
    comparisons: tuple[Comparison, ...]
    tail: TailReport | None = None
    """Of models over joint scenarios."""
    considered: tuple[ChargeReport, ...] = ()
    """Of models that take one of several amounts: all of them."""
    note: str | None = None
    """What the model does not see, where that must be known of every requirement by it."""
    without: tuple[str, ...] = ()
    """Rules of the market's source that the snapshot was asked to leave out."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: amounts as decimal strings of USD at the tick."""
        money = _Money(self.quantum_decimals)
        considered = {"considered": _charges_json(self.considered, money)} if self.considered else {}
        tail = {"tail": self.tail.to_json(self.quantum_decimals)} if self.tail else {}
        note: dict[str, Any] = {"note": self.note} if self.note else {}
        note |= {"without": list(self.without)} if self.without else {}
        return {
            "snapshot": self.snapshot_id,
            "valuation_time": format_time(self.valuation_time),
            "model": self.model,
            "level": self.level,
            "account_value": money(self.account_value),
            "requirement": money(self.requirement),
            "excess": money(self.excess),
            "loss_factor": str(self.loss_factor),
            "units": [_unit_json(unit, money) for unit in self.units],
            "charges": _charges_json(self.charges, money),
            **considered,
            "positions": [_position_json(position, money) for position in self.positions],
            "greeks": [_greeks_json(row) for row in self.greeks],
            "totals": [_greeks_json(row) for row in self.totals],
            "comparisons": [
                {
                    "model": c.model,
                    "requirement": money(c.requirement),
                    "excess": money(c.excess),
                    "saving": money(c.saving),
                }
                for c in self.comparisons
            ],
            **tail,
            **note,
        }


def build_report(
    snapshot: Snapshot, holdings: Holdings, *, model: str = "grid", level: Level = "initial"
) -> Report:
    """The report of an account; raises InputError as `requirement` does."""
    entries = holdings.entries(snapshot)
    lots = holdings.vector(snapshot)
    found = requirement(snapshot, lots, model=model, level=level)
    buckets = net_greeks(snapshot, entries)
    return Report(
        snapshot_id=snapshot.id,
        valuation_time=snapshot.valuation_time,
        model=model,
        level=level,
        quantum_decimals=snapshot.quantum_decimals,
        account_value=found.account_value_ticks,
        requirement=found.requirement_ticks,
        excess=found.excess_ticks,
        loss_factor=found.assessment.factor,
        units=_units(snapshot, model, found.assessment.units, entries, lots),
        charges=tuple(_charge(snapshot, charge) for charge in found.assessment.charges),
        positions=tuple(_value(snapshot, entry) for entry in entries),
        greeks=tuple(
            GreeksReport(name, expiry, greeks, _unit_of(snapshot, name))
            for (name, expiry), greeks in buckets.items()
        ),
        totals=tuple(
            GreeksReport(name, None, greeks, _unit_of(snapshot, name))
            for name, greeks in totals(buckets).items()
        ),
        comparisons=tuple(
            _comparison(found, requirement(snapshot, lots, model=other, level=level))
            for other in snapshot.models
            if other != model
        ),
        tail=tail_report(snapshot, model, found.assessment.tail, entries),
        considered=tuple(_charge(snapshot, charge) for charge in found.assessment.considered),
        note=MODELS[model].note,
        without=snapshot.inputs.without,
    )


_SHARES: Collection[Security] = ("equity", "etf")


def _unit_of(snapshot: Snapshot, underlying: str) -> str:
    """What is held of an underlying."""
    kinds = {i.security for i in snapshot.universe.instruments if i.underlying == underlying} - {None}
    if not kinds:
        return "coins"
    return "shares" if kinds & set(_SHARES) else "index units"


def _units(
    snapshot: Snapshot,
    model: str,
    losses: Sequence[UnitLoss],
    entries: Sequence[Entry],
    lots: Sequence[int],
) -> tuple[UnitReport, ...]:
    tables = snapshot.models[model]
    if not isinstance(tables, ScenarioTables):
        return ()
    units = []
    for number, loss in enumerate(losses):
        changes = _changes(snapshot, tables, loss, lots)
        held = [entry for entry in entries if tables.unit_of[entry.slot] == number]
        units.append(_unit(snapshot, tables.cells, loss, held, changes))
    return tuple(units)


def _changes(
    snapshot: Snapshot, tables: ScenarioTables, loss: UnitLoss, lots: Sequence[int]
) -> Sequence[int]:
    """Entries by slot whose sum over the account is the unit's profit in its worst cell."""
    if isinstance(tables, GridTables) and tables.buckets:
        return cell_entries(tables, snapshot.scale, lots, loss.worst)
    changes: list[int] = tables.risk[loss.worst].tolist()
    return changes


def _unit(
    snapshot: Snapshot,
    cells: Sequence[Cell],
    loss: UnitLoss,
    entries: Sequence[Entry],
    changes: Sequence[int],
) -> UnitReport:
    positions = [
        PositionProfit(
            entry.position.instrument,
            entry.position.quantity,
            _money(snapshot, entry, changes) // snapshot.tick,
        )
        for entry in entries
    ]
    return UnitReport(
        loss.unit,
        ceil_div(Fraction(loss.loss, snapshot.tick)),
        loss.worst,
        tuple(
            CellProfit(cell, profit // snapshot.tick)
            for cell, profit in zip(loss.cells or cells, loss.profit, strict=True)
        ),
        tuple(sorted(positions, key=lambda position: position.profit)),
        ceil_div(Fraction(loss.uncounted, snapshot.tick)),
        ceil_div(Fraction(loss.basis, snapshot.tick)),
        tuple(_charge(snapshot, charge) for charge in loss.added),
        ceil_div(Fraction(loss.minimum, snapshot.tick)),
    )


def _money(snapshot: Snapshot, entry: Entry, table: Sequence[int]) -> int:
    """Money units of a position and its leg at table entries by slot."""
    own = entry.lots * table[entry.slot] * snapshot.scale[entry.slot]
    return own + entry.leg_lots * table[entry.leg_slot] * snapshot.scale[entry.leg_slot]


def _value(snapshot: Snapshot, entry: Entry) -> PositionValue:
    value = _money(snapshot, entry, snapshot.marks.tolist()) // snapshot.tick
    position = entry.position
    return PositionValue(position.instrument, position.quantity, position.entry_price, value)


def _charge(snapshot: Snapshot, charge: Charge) -> ChargeReport:
    return ChargeReport(charge.kind, charge.name, ceil_div(Fraction(charge.amount, snapshot.tick)))


def _comparison(found: Requirement, other: Requirement) -> Comparison:
    saving = other.requirement_ticks - found.requirement_ticks
    return Comparison(other.model, other.requirement_ticks, other.excess_ticks, saving)


class _Money:
    """Ticks as decimal text."""

    def __init__(self, decimals: int) -> None:
        self.decimals = decimals

    def __call__(self, ticks: int) -> str:
        return scaled_decimal(ticks, self.decimals)


def _charges_json(charges: Sequence[ChargeReport], money: _Money) -> list[dict[str, str]]:
    return [{"kind": c.kind, "name": c.name, "amount": money(c.amount)} for c in charges]


def _unit_json(unit: UnitReport, money: _Money) -> dict[str, Any]:
    return {
        "unit": unit.unit,
        "loss": money(unit.loss),
        "worst_cell": unit.cells[unit.worst].cell.label,
        "basis_contingency": money(unit.basis),
        "added": _charges_json(unit.added, money),
        "minimum": money(unit.minimum),
        "cells": [{**vars(cell.cell), "profit": money(cell.profit)} for cell in unit.cells],
        "uncounted": money(unit.uncounted),
        "positions": [
            {"instrument": p.instrument, "quantity": canonical_decimal(p.quantity), "profit": money(p.profit)}
            for p in unit.positions
        ],
    }


def _position_json(position: PositionValue, money: _Money) -> dict[str, Any]:
    entry = position.entry_price
    return {
        "instrument": position.instrument,
        "quantity": canonical_decimal(position.quantity),
        "entry_price": None if entry is None else canonical_decimal(entry),
        "value": money(position.value),
    }


def _greeks_json(row: GreeksReport) -> dict[str, Any]:
    sensitivities = {
        name: scaled_decimal(nearest(value * 10**_GREEK_DECIMALS), _GREEK_DECIMALS)
        for name, value in vars(row.greeks).items()
    }
    expiry = None if row.expiry is None else format_time(row.expiry)
    return {"underlying": row.underlying, "expiry": expiry, **sensitivities, "delta_unit": row.unit}
