"""Rows of what is added to a unit's worst loss, and of the least that a unit is asked for.

    y - x >= 0,  y + x >= 0         y is at least |x|, x = sum exposure q
    c - slope y + offset >= 0       for every tier: c is at least what the tier asks for, and at least 0
    c - slope y + offset + M b >= 0, c - cap y + M (1 - b) >= 0, 1 - b >= 0     where a charge has a limit
    L - W - sum c >= 0              L is at least the loss with what is added
    L - slope z + offset >= 0       and at least every tier of z = sum long P + short (P - q), P >= max(q, 0)

Slopes are positive, so a larger y, P, c or W only makes what follows larger, and L is required in full. The least of
tiers and a limit is not convex: a bit says which of the two c is to reach, and c is at least one of them, that is, at
least the lesser. M is a public bound; were it too small, an honest account would be refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.circuits.relation import Unit
from zkmargin.margin.tables.grid_additions import PLAIN, ExposureCharge, MinimumCharge

CHOICE = Unit("or 1")
"""The unit of a bit."""


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
    limit = _limited(account, charge, form, (asked, size)) if charge.cap else {}
    for number, (slope, offset) in enumerate(charge.tiers, 1):
        terms = {asked: 1, size: -slope, **limit}
        rows.row(
            f"{name}, tier {number}", usd, {}, terms, constant=offset * account.snapshot.tick, closes=asked
        )
    return asked


def _limited(
    account: AccountRows, charge: ExposureCharge, form: Mapping[int, int], pair: tuple[int, int]
) -> dict[int, int]:
    """What lifts the tiers where the limit on the charge is the lesser: a term on the bit that lays the limit down."""
    rows, tick, name = account.rows, account.snapshot.tick, f"{charge.name}: {charge.kind}"
    asked, size = pair
    most = max(charge.cap, *(slope for slope, _ in charge.tiers))
    most *= sum(abs(money) * rows.honest[slot] for slot, money in form.items())

    def reached(lots: Sequence[int], _: object) -> int:
        held = abs(sum(money * lots[slot] for slot, money in form.items()))
        return int(max(slope * held - offset * tick for slope, offset in charge.tiers) > charge.cap * held)

    bit = rows.free(f"{name}, at its limit", CHOICE, choice=reached, limit=1)
    rows.row(f"{name}, at its limit or not", CHOICE, {}, {bit: -1}, constant=1)
    terms = {asked: 1, size: -charge.cap, bit: -most}
    rows.row(f"{name}, limit", account.usd, {}, terms, constant=most, closes=asked)
    return {bit: most}


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
