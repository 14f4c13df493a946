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
    C >= A - R - (E_c - R_c)     where settlement currencies cover themselves: see `zkmargin.circuits.gadgets.coverage`
    A - factor sum W - charges - threshold >= 0

All slacks W, L, P, a, h and x enter the last row with a negative sign, so a prover who takes a larger one only harms
himself; so does one who sets the bit g without need. PnL_u(s) is linear but for its buckets: what is theirs, and which
of their rows are exact, is said in `zkmargin.circuits.gadgets.expiry_value`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from zkmargin.circuits.account_rows import LOTS, AccountRows
from zkmargin.circuits.gadgets.contingencies import contingencies
from zkmargin.circuits.gadgets.coverage import cover
from zkmargin.circuits.gadgets.expiry_value import CHOICE, BucketRows
from zkmargin.circuits.gadgets.exposures import exposure_row, minimum_row
from zkmargin.circuits.gadgets.hedges import hedge_row
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.tables.grid_additions import ConfidenceCharge


def build(account: AccountRows) -> int:
    """Add the rows of the grid; returns the denominator by which the requirement was multiplied."""
    tables: GridTables = account.tables
    losses, factor = _losses(account, tables), tables.loss_factor[account.level]
    denominator = account.count([row for unit in losses for row in unit], factor)
    contingencies(account, denominator)
    _confidences(account, tables, denominator)
    account.haircuts(tables.collaterals, denominator)
    if tables.coverage is not None:
        cover(account, tables.coverage, losses, denominator)
    return denominator


def _losses(account: AccountRows, tables: GridTables) -> list[list[int]]:
    """For each unit the rows whose sum is what it loses."""
    losses: list[list[int]] = []
    for unit, name in enumerate(tables.units):
        buckets = [BucketRows(account, tables, bucket) for bucket in tables.buckets if bucket.unit == unit]
        slots = [
            slot for slot in (tables.unit_of == unit).nonzero()[0].tolist() if slot not in tables.bucketed
        ]
        basis = [row for bucket in buckets if (row := bucket.basis()) is not None]
        worst = account.rows.free(f"{name}: worst loss", account.usd)
        if basis:
            terms = {worst: 1, **dict.fromkeys(basis, -1)}
            account.rows.row(f"{name}: basis contingency", account.usd, {}, terms, closes=worst)
        allowances = tables.allowances_of(unit)
        for number, (cell, risk) in enumerate(zip(tables.cells_of(unit), tables.risk, strict=True)):
            form, rows = account.money(risk, slots), {worst: 1}
            for bucket in buckets:
                linear, own = bucket.cell(number)
                form |= linear
                rows |= own
            allowance = allowances[number] * account.snapshot.tick if allowances else 0
            account.rows.row(
                f"{name}, {cell.label}", account.usd, form, rows, constant=allowance, closes=worst
            )
        loss = {worst: 1, **{exposure_row(account, e): 1 for e in tables.exposures if e.unit == unit}}
        loss |= {hedge_row(account, hedge): 1 for hedge in tables.hedges if hedge.unit == unit}
        for minimum in tables.minimums:
            if minimum.unit == unit:
                loss = {minimum_row(account, minimum, loss): 1}
        losses.append(list(loss))
    return losses


def _confidences(account: AccountRows, tables: GridTables, denominator: int) -> None:
    """A charge on sum |q| by each slot's long side P: |q| = 2 P - q, and what a held gate adds."""
    bits: dict[tuple[int, ...], int] = {}
    for charge in tables.confidences:
        low, high = charge.charge[account.level], charge.gated[account.level]
        if high:
            sizes = {slot: account.long_side(slot) for slot in charge.slots}
            money = {slot: account.charge(slot, 1) for slot in charge.slots}
            account.require(
                {slot: -denominator * low * money[slot] for slot in charge.slots},
                {row: 2 * denominator * low * money[slot] for slot, row in sizes.items()},
            )
            if high > low:
                if charge.gates not in bits:
                    bits[charge.gates] = _gate(account, charge.gates)
                extra = _extra(account, charge, sizes, bits[charge.gates], high - low)
                account.require({}, {extra: denominator})


def _gate(account: AccountRows, gates: Sequence[int]) -> int:
    """A bit that can only be 0 while no gate is held."""
    rows, names = account.rows, account.snapshot.universe.instruments
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


def _extra(account: AccountRows, charge: ConfidenceCharge, sizes: dict[int, int], bit: int, more: int) -> int:
    """What the gated charge adds: at least `more` sum |q| while the bit is 1."""
    rows, name = account.rows, f"{charge.name}: confidence of what is held beside it"
    money = {slot: more * account.charge(slot, 1) for slot in charge.slots}
    most = sum(money[slot] * rows.honest[slot] for slot in charge.slots)
    extra = rows.free(name, account.usd)
    terms = {extra: 1, bit: -most, **{row: -2 * money[slot] for slot, row in sizes.items()}}
    rows.row(f"{name}, covered", account.usd, money, terms, constant=most, closes=extra)
    return extra
