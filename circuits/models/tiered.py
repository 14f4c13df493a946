"""Tiered margin, as rows: cross below a threshold T of the account value A, portfolio margin from it on.

    b >= 0,  1 - b >= 0                          a bit: portfolio margin
    A - T + B (1 - b) >= 0                       it is 0 unless the account reaches the threshold
    T - 1 - A + B b >= 0                         and 1 unless it stays below
    R >= 0                                       the requirement that counts, in whole money units
    d R + d B b - d (requirement of cross) >= 0
    d R + d B (1 - b) - d (requirement of grid) >= 0
    A - R - threshold of the statement >= 0

The bit is exact: A and T are whole money units, and of any two of them just one of the two rows leaves the bit a
choice, that which is right. R is a convex slack, at least the requirement of the branch that the bit opens; the other
branch's row holds by B, the most that its requirement can be. Both branches have all their rows, as the two models
have them; each B is public, and one too small could only refuse an honest prover.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import lcm

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.circuits.models import cross, grid
from zkmargin.circuits.relation import Unit
from zkmargin.margin.models.tiered import TieredTables

CHOICE = Unit("of 0 or 1")


def build(account: AccountRows) -> int:
    """Add the rows of both branches; the requirement is collected as it is (denominator 1)."""
    tables: TieredTables = account.tables
    low, high = account.branch(tables.cross), account.branch(tables.grid)
    parts = cross.build(low), grid.build(high)
    denominator = lcm(*parts)
    bit = _reached(account, tables)
    unit = Unit("USD", denominator * account.usd.scale)
    counted = account.rows.free("requirement of the tier", account.usd)
    opened = (
        ("cross margin, below the threshold", low, parts[0], tables.cross.weights(), 1),
        ("portfolio margin, from the threshold on", high, parts[1], tables.grid.weights(), -1),
    )
    for name, branch, part, weights, sign in opened:
        holdings, rows = branch.collected(-denominator // part)
        most = denominator * _most(account, weights)
        terms = {**rows, counted: denominator, bit: sign * most}
        constant = most if sign < 0 else 0
        account.rows.row(name, unit, holdings, terms, constant=constant, closes=counted)
    account.require({}, {counted: 1})
    return 1


def _reached(account: AccountRows, tables: TieredTables) -> int:
    """The bit that says whether the account value reaches the threshold."""
    snapshot, rows = account.snapshot, account.rows
    least = tables.smallest(snapshot.universe, account.level)
    value = account.money(tables.marks, range(len(snapshot.universe)))
    most = _most(account, tables.marks.tolist()) + least + 1

    def reached(lots: Sequence[int], _: Mapping[int, int]) -> int:
        return int(sum(each * lots[slot] for slot, each in value.items()) >= least)

    bit = rows.free("portfolio margin", CHOICE, choice=reached, limit=1)
    rows.row("portfolio margin, or cross margin", CHOICE, {}, {bit: -1}, constant=1)
    rows.row(
        "portfolio margin only from the threshold on", account.usd, value, {bit: -most}, constant=most - least
    )
    below = {slot: -each for slot, each in value.items()}
    rows.row("cross margin only below the threshold", account.usd, below, {bit: most}, constant=least - 1)
    return bit


def _most(account: AccountRows, entries: Sequence[int]) -> int:
    """The largest sum of |q| times the size of an entry, in money units."""
    slots = zip(account.snapshot.universe.instruments, entries, account.snapshot.scale, strict=True)
    return sum(i.bound * abs(entry) * factor for i, entry, factor in slots)
