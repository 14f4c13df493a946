"""Portfolio margin on a grid of scenarios, as rows.

    W_u + PnL_u(s) >= 0          for every unit u and cell s: W_u is at least the worst loss
    W_u - sum c_e >= 0           and at least the basis contingencies of its buckets
    x - slope y + offset >= 0    for every tier of an amount y: y >= |sum e q| for an exposure, by its two sides
    d F - n sum L_u >= 0         only where the factor n/d is a fine one: F is what the losses count in the last row
    L_u - W_u - sum x >= 0       for a unit with a minimum: L_u is what it loses with what is added
    L_u - slope y + offset >= 0  and at least its minimum, y = sum long P + short (P - q)
    P - q >= 0                   for every size |q| = 2 P - q at the least P
    a + sum q >= 0               for every strike: a is at least its naked short contracts
    h - sum charge q >= 0        for every collateral
    M g - |p| >= 0               g is 1 while a gate is held, and then
    x - (hi - lo) sum |q| + M (1 - g) >= 0
    A - factor sum W - charges - threshold >= 0

All slacks W, L, P, a, h and x enter the last row with a negative sign, so a prover who takes a larger one only harms
himself; so does one who sets the bit g without need. PnL_u(s) is linear but for its buckets: what is theirs, and which
of their rows are exact, is said in `zkmargin.circuits.buckets`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from zkmargin.circuits.additions import exposure_row, minimum_row
from zkmargin.circuits.buckets import CHOICE, BucketRows
from zkmargin.circuits.contingencies import contingencies
from zkmargin.circuits.ledger import LOTS, Ledger
from zkmargin.margin.tables import ConfidenceCharge, GridTables


def build(ledger: Ledger) -> int:
    """Add the rows of the grid; returns the denominator by which the requirement was multiplied."""
    tables: GridTables = ledger.tables
    denominator = ledger.count(_losses(ledger, tables), tables.loss_factor[ledger.level])
    contingencies(ledger, denominator)
    _confidences(ledger, tables, denominator)
    ledger.haircuts(tables.collaterals, denominator)
    return denominator


def _losses(ledger: Ledger, tables: GridTables) -> list[int]:
    """The rows whose sum is what all units lose."""
    losses: list[int] = []
    for unit, name in enumerate(tables.units):
        buckets = [BucketRows(ledger, tables, bucket) for bucket in tables.buckets if bucket.unit == unit]
        slots = [
            slot for slot in (tables.unit_of == unit).nonzero()[0].tolist() if slot not in tables.bucketed
        ]
        basis = [row for bucket in buckets if (row := bucket.basis()) is not None]
        worst = ledger.rows.free(f"{name}: worst loss", ledger.usd)
        if basis:
            terms = {worst: 1, **dict.fromkeys(basis, -1)}
            ledger.rows.row(f"{name}: basis contingency", ledger.usd, {}, terms, closes=worst)
        for number, (cell, risk) in enumerate(zip(tables.cells, tables.risk, strict=True)):
            form, rows = ledger.money(risk, slots), {worst: 1}
            for bucket in buckets:
                linear, own = bucket.cell(number)
                form |= linear
                rows |= own
            allowance = tables.allowances[number] * ledger.snapshot.tick if tables.allowances else 0
            ledger.rows.row(f"{name}, {cell.label}", ledger.usd, form, rows, constant=allowance, closes=worst)
        loss = {worst: 1, **{exposure_row(ledger, e): 1 for e in tables.exposures if e.unit == unit}}
        for minimum in tables.minimums:
            if minimum.unit == unit:
                loss = {minimum_row(ledger, minimum, loss): 1}
        losses += loss
    return losses


def _confidences(ledger: Ledger, tables: GridTables, denominator: int) -> None:
    """A charge on sum |q| by each slot's long side P: |q| = 2 P - q, and what a held gate adds."""
    bits: dict[tuple[int, ...], int] = {}
    for charge in tables.confidences:
        low, high = charge.charge[ledger.level], charge.gated[ledger.level]
        if high:
            sizes = {slot: ledger.long_side(slot) for slot in charge.slots}
            money = {slot: ledger.charge(slot, 1) for slot in charge.slots}
            ledger.require(
                {slot: -denominator * low * money[slot] for slot in charge.slots},
                {row: 2 * denominator * low * money[slot] for slot, row in sizes.items()},
            )
            if high > low:
                if charge.gates not in bits:
                    bits[charge.gates] = _gate(ledger, charge.gates)
                extra = _extra(ledger, charge, sizes, bits[charge.gates], high - low)
                ledger.require({}, {extra: denominator})


def _gate(ledger: Ledger, gates: Sequence[int]) -> int:
    """A bit that can only be 0 while no gate is held."""
    rows, names = ledger.rows, ledger.snapshot.universe.instruments
    name = f"{' / '.join(names[slot].name for slot in gates)}: held"
    bit = rows.free(name, CHOICE, choice=partial(_held, gates), limit=1)
    rows.row(f"{name}, or not", CHOICE, {}, {bit: -1}, constant=1)
    for slot in gates:
        most = rows.honest[slot]
        rows.row(f"{names[slot].name}: no long position unless held", LOTS, {slot: -1}, {bit: most})
        rows.row(f"{names[slot].name}: no short position unless held", LOTS, {slot: 1}, {bit: most})
    return bit


def _held(gates: Sequence[int], lots: Sequence[int], _: object) -> int:
    return int(any(lots[slot] for slot in gates))


def _extra(ledger: Ledger, charge: ConfidenceCharge, sizes: dict[int, int], bit: int, more: int) -> int:
    """What the gated charge adds: at least `more` sum |q| while the bit is 1."""
    rows, name = ledger.rows, f"{charge.name}: confidence of what is held beside it"
    money = {slot: more * ledger.charge(slot, 1) for slot in charge.slots}
    most = sum(money[slot] * rows.honest[slot] for slot in charge.slots)
    extra = rows.free(name, ledger.usd)
    terms = {extra: 1, bit: -most, **{row: -2 * money[slot] for slot, row in sizes.items()}}
    rows.row(f"{name}, covered", ledger.usd, money, terms, constant=most, closes=extra)
    return extra
