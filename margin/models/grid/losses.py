"""What an account loses on a grid: cell by cell and unit by unit, in exact integers.

A bucket is worth the lesser of two linear sums in a cell (the greater, if it says so), and in a skew cell
it costs the magnitude of that. Everything else is a linear sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from zkmargin.margin.assessment import UnitLoss
from zkmargin.margin.tables import SKEWS, Bucket, GridTables


@dataclass(frozen=True)
class _BucketValue:
    """A bucket's part of every cell: the side that counts, with its sign, and its basis contingency."""

    worth: list[int]
    long: list[bool]
    sign: list[int]
    basis: int


def unit_losses(tables: GridTables, scale: Sequence[int], lots: Sequence[int]) -> tuple[UnitLoss, ...]:
    """Profit in every cell, the worst of them and the loss, for every unit."""
    bucketed = tables.bucketed
    profits = [[0] * len(tables.cells) for _ in tables.units]
    contingencies = [0] * len(tables.units)
    for slot, held in enumerate(lots):
        if held and slot not in bucketed:
            unit = int(tables.unit_of[slot])
            if unit >= 0:
                profits[unit] = _plus(profits[unit], held * scale[slot], tables.risk[:, slot].tolist())
    for bucket in tables.buckets:
        if any(lots[slot] for slot in bucket.slots):
            value = _bucket_value(tables, bucket, scale, lots)
            profits[bucket.unit] = _plus(profits[bucket.unit], 1, value.worth)
            contingencies[bucket.unit] += value.basis
    return tuple(map(_unit_loss, tables.units, profits, contingencies))


def cell_entries(tables: GridTables, scale: Sequence[int], lots: Sequence[int], cell: int) -> list[int]:
    """Entries by slot whose sum over the account is the cell's profit: the side of each bucket that counts."""
    found: list[int] = tables.risk[cell].tolist()
    for bucket in tables.buckets:
        value = _bucket_value(tables, bucket, scale, lots)
        for column, slot in enumerate(bucket.slots):
            entry = found[slot] if value.long[cell] else int(bucket.short[cell, column])
            found[slot] = value.sign[cell] * entry
    return found


def _bucket_value(
    tables: GridTables, bucket: Bucket, scale: Sequence[int], lots: Sequence[int]
) -> _BucketValue:
    cells = len(tables.cells)
    long, short, basis = [0] * cells, [0] * cells, [0, 0]
    for column, slot in enumerate(bucket.slots):
        if held := lots[slot]:
            weight = held * scale[slot]
            long = _plus(long, weight, tables.risk[:, slot].tolist())
            short = _plus(short, weight, bucket.short[:, column].tolist())
            basis = _plus(basis, weight, bucket.basis[:, column].tolist())
    sides = [(a >= b) == bucket.greater or a == b for a, b in zip(long, short, strict=True)]
    chosen = [a if side else b for side, a, b in zip(sides, long, short, strict=True)]
    skewed = [cell.volatility in SKEWS for cell in tables.cells]
    signs = [-1 if skew and value > 0 else 1 for skew, value in zip(skewed, chosen, strict=True)]
    worth = [sign * value for sign, value in zip(signs, chosen, strict=True)]
    return _BucketValue(worth, sides, signs, max(0, -basis[0], -basis[1]))


def _plus(total: Sequence[int], weight: int, column: Sequence[int]) -> list[int]:
    return [held + weight * change for held, change in zip(total, column, strict=True)]


def _unit_loss(unit: str, profit: Sequence[int], basis: int) -> UnitLoss:
    worst = min(range(len(profit)), key=profit.__getitem__)
    return UnitLoss(unit, tuple(profit), worst, max(0, -profit[worst], basis), basis)
