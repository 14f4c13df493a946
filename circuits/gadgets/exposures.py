"""Rows of what is added to a unit's worst loss, and of the least that a unit is asked for. All of them are convex.

    y - x >= 0,  y + x >= 0         y is at least |x|, x = sum exposure q
    c - slope y + offset >= 0       for every tier: c is at least what the tier asks for, and at least 0
    L - W - sum c >= 0              L is at least the loss with what is added
    L - slope z + offset >= 0       and at least every tier of z = sum long P + short (P - q), P >= max(q, 0)

Slopes are positive, so a larger y, P, c or W only makes what follows larger, and L is required in full.
"""

from __future__ import annotations

from collections.abc import Mapping

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.margin.tables.grid_additions import PLAIN, ExposureCharge, MinimumCharge


def exposure_row(account: AccountRows, charge: ExposureCharge) -> int:
    """The row of what an exposure charge asks for."""
    rows, usd, name = account.rows, account.usd, f"{charge.name}: {charge.kind}"
    pairs = zip(charge.slots, charge.exposure, strict=True)
    form = {slot: account.charge(slot, entry) for slot, entry in pairs if entry}
    size = rows.free(f"{name}, size of the exposure", usd)
    rows.row(f"{name}, exposure up", usd, form, {size: 1}, closes=size)
    rows.row(f"{name}, exposure down", usd, {s: -money for s, money in form.items()}, {size: 1}, closes=size)
    if charge.tiers == PLAIN:
        return size
    asked = rows.free(name, usd)
    for number, (slope, offset) in enumerate(charge.tiers, 1):
        terms = {asked: 1, size: -slope}
        rows.row(
            f"{name}, tier {number}", usd, {}, terms, constant=offset * account.snapshot.tick, closes=asked
        )
    return asked


def minimum_row(account: AccountRows, charge: MinimumCharge, loss: Mapping[int, int]) -> int:
    """The row of a unit's loss, given as terms on rows, that is not below its minimum."""
    rows, usd, name = account.rows, account.usd, f"{charge.name}: loss"
    total = rows.free(name, usd)
    terms = {total: 1, **{row: -factor for row, factor in loss.items()}}
    rows.row(f"{name} in the cells, and what is added", usd, {}, terms, closes=total)
    form: dict[int, int] = {}
    sides: dict[int, int] = {}
    for slot, long, short in zip(charge.slots, charge.long, charge.short, strict=True):
        if long or short:
            form[slot] = -account.charge(slot, short)
            sides[account.long_side(slot)] = account.charge(slot, long + short)
    for number, (slope, offset) in enumerate(charge.tiers, 1):
        rows.row(
            f"{name} not below the minimum, tier {number}",
            usd,
            {slot: -slope * money for slot, money in form.items()},
            {total: 1, **{row: -slope * money for row, money in sides.items()}},
            constant=offset * account.snapshot.tick,
            closes=total,
        )
    return total
