"""What an account loses on a grid: cell by cell and unit by unit, in exact integers.

A bucket is worth the lesser of two linear sums in a cell (the greater, if it says so), and in a skew cell
it costs the magnitude of that. Everything else is a linear sum.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import mul

from zkmargin.margin.tables.assessment import Charge, UnitLoss
from zkmargin.margin.tables.grid import SKEWS, GridTables
from zkmargin.margin.tables.grid_additions import (
    ExpiryBucket,
    ExposureCharge,
    HedgeCharge,
    MinimumCharge,
    Tiers,
)


@dataclass(frozen=True)
class _BucketValue:
    """A bucket's part of every cell: the side that counts, with its sign, and its basis contingency."""

    worth: list[int]
    long: list[bool]
    sign: list[int]
    basis: int


def unit_losses(
    tables: GridTables, scale: Sequence[int], lots: Sequence[int], tick: int
) -> tuple[UnitLoss, ...]:
    """Profit in every cell, the worst of them and the loss, for every unit; `tick` is the money of a quantum."""
    bucketed = tables.bucketed
    profits = [[0] * len(tables.cells) for _ in tables.units]
    contingencies = [0] * len(tables.units)
    unit_of: list[int] = tables.unit_of.tolist()
    for slot, held in enumerate(lots):
        if held and slot not in bucketed:
            unit = unit_of[slot]
            if unit >= 0:
                profits[unit] = _plus(profits[unit], held * scale[slot], tables.columns[slot])
    for bucket in tables.buckets:
        if any(lots[slot] for slot in bucket.slots):
            value = _bucket_value(tables, bucket, scale, lots)
            profits[bucket.unit] = _plus(profits[bucket.unit], 1, value.worth)
            contingencies[bucket.unit] += value.basis
    if tables.allowances or tables.unit_allowances:
        profits = [_allowed(profit, tables.allowances_of(unit), tick) for unit, profit in enumerate(profits)]
    added: list[list[Charge]] = [[] for _ in tables.units]
    weights = [held * money for held, money in zip(lots, scale, strict=True)]
    for exposure in tables.exposures:
        if charge := _exposure(exposure, weights, tick):
            added[exposure.unit].append(Charge(exposure.kind, exposure.name, charge))
    for hedge in tables.hedges:
        if charge := _hedge(hedge, weights, tick):
            added[hedge.unit].append(Charge(hedge.kind, hedge.name, charge))
    least = [0] * len(tables.units)
    for minimum in tables.minimums:
        least[minimum.unit] = _minimum(minimum, weights, tick)
    units = zip(tables.units, profits, contingencies, added, least, strict=True)
    losses = (_unit_loss(*unit) for unit in units)
    return tuple(
        replace(loss, cells=tables.unit_cells[unit]) if tables.unit_cells else loss
        for unit, loss in enumerate(losses)
    )


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
    tables: GridTables, bucket: ExpiryBucket, scale: Sequence[int], lots: Sequence[int]
) -> _BucketValue:
    cells = len(tables.cells)
    long, short, basis = [0] * cells, [0] * cells, [0, 0]
    for column, slot in enumerate(bucket.slots):
        if held := lots[slot]:
            weight = held * scale[slot]
            long = _plus(long, weight, tables.columns[slot])
            short = _plus(short, weight, bucket.short[:, column].tolist())
            basis = _plus(basis, weight, bucket.basis[:, column].tolist())
    sides = [a == b or (a > b) == bucket.greater for a, b in zip(long, short, strict=True)]
    chosen = [a if side else b for side, a, b in zip(sides, long, short, strict=True)]
    skewed = [cell.volatility in SKEWS for cell in tables.cells]
    signs = [-1 if skew and value > 0 else 1 for skew, value in zip(skewed, chosen, strict=True)]
    worth = [sign * value for sign, value in zip(signs, chosen, strict=True)]
    return _BucketValue(worth, sides, signs, max(0, -basis[0], -basis[1]))


def _plus(total: Sequence[int], weight: int, column: Sequence[int]) -> list[int]:
    return [held + weight * change for held, change in zip(total, column, strict=True)]


def _allowed(profit: Sequence[int], allowances: Sequence[int], tick: int) -> list[int]:
    """A loss is less by what a cell allows, and never a gain for it."""
    pairs = zip(profit, allowances, strict=True)
    return [value if value >= 0 else min(0, value + allowance * tick) for value, allowance in pairs]


def _exposure(charge: ExposureCharge, weights: Sequence[int], tick: int) -> int:
    size = abs(_sum(charge.slots, charge.exposure, weights))
    asked = _tiered(size, charge.tiers, tick) if size else 0
    return min(asked, charge.cap * size) if charge.cap else asked


def _hedge(charge: HedgeCharge, weights: Sequence[int], tick: int) -> int:
    sides = [_sum(leg.slots, leg.exposure, weights) for leg in charge.legs]
    hedged = min(sum(max(0, side) for side in sides), sum(max(0, -side) for side in sides))
    return _tiered(hedged, charge.tiers, tick) if hedged else 0


def _minimum(charge: MinimumCharge, weights: Sequence[int], tick: int) -> int:
    sides = zip(map(weights.__getitem__, charge.slots), charge.long, charge.short, strict=True)
    return _tiered(
        sum(held * long if held > 0 else -held * short for held, long, short in sides), charge.tiers, tick
    )


def _sum(slots: Sequence[int], entries: Sequence[int], weights: Sequence[int]) -> int:
    return sum(map(mul, map(weights.__getitem__, slots), entries))


def _tiered(amount: int, tiers: Tiers, tick: int) -> int:
    return max(0, *(slope * amount - offset * tick for slope, offset in tiers))


def _unit_loss(unit: str, profit: Sequence[int], basis: int, added: Iterable[Charge], least: int) -> UnitLoss:
    worst, extra = min(range(len(profit)), key=profit.__getitem__), tuple(added)
    loss = max(0, -profit[worst], basis) + sum(int(charge.amount) for charge in extra)
    return UnitLoss(unit, tuple(profit), worst, max(loss, least), basis, added=extra, minimum=least)
