"""The caps of expiries and the charges on sizes, added to an assessment by rates. Exact integers."""

from collections.abc import Sequence
from dataclasses import dataclass

from zkmargin.margin.tables.assessment import Assessment, Charge, assess
from zkmargin.margin.tables.rate_additions import ExpiryCap
from zkmargin.margin.tables.rates import RateTables
from zkmargin.margin.units import Level


@dataclass(frozen=True)
class ExpiryLoss:
    """The two amounts of which an expiry is asked for the lesser, in money units."""

    isolated: int
    """The charges of its positions one by one."""
    marks: int
    """The value of its positions at their marks, long less short."""
    least: int
    """The greatest of 0 and of what they come to owe at a settlement price."""
    price: str
    """The settlement price at which they come to owe that much."""
    unpaired: int
    """The charge on short calls that no long call pays for."""

    @property
    def maximum(self) -> int:
        """The value of the expiry at its marks, and the greatest loss beyond that."""
        return self.marks + self.least + self.unpaired

    @property
    def relief(self) -> int:
        """The amount that the cap takes off the positions' own charges; not negative."""
        return max(0, self.isolated - self.maximum)


def expiry_loss(
    expiry: ExpiryCap, tables: RateTables, scale: Sequence[int], lots: Sequence[int], level: Level
) -> ExpiryLoss | None:
    """The amounts of an account's options of one expiry, at a level; None if it holds none.

    Args:
        expiry: the cap.
        tables: the rates, in quanta per contract.
        scale: money units per lot and quantum, by slot.
        lots: the holdings, by slot.
        level: initial or maintenance.
    """
    held = [(n, slot, lots[slot] * scale[slot]) for n, slot in enumerate(expiry.slots) if lots[slot]]
    if not held:
        return None
    long, short = tables.long[level], tables.short[level]
    isolated = sum(w * int(long[slot]) if w > 0 else -w * int(short[slot]) for _, slot, w in held)
    marks = sum(w * int(long[slot]) for _, slot, w in held)
    highest = max(expiry.strikes[n] for n, _, _ in held)
    columns = [n for n, _, _ in held]
    rows = expiry.payoffs[: highest + 1, columns].tolist()
    sums = [sum(w * pays for (_, _, w), pays in zip(held, row, strict=True)) for row in rows]
    worst = min(range(len(sums)), key=sums.__getitem__)
    calls = sum(w * expiry.unpaired[level][n] for n, _, w in held)
    return ExpiryLoss(isolated, marks, max(0, -sums[worst]), expiry.prices[worst], max(0, -calls))


def with_additions(
    found: Assessment, tables: RateTables, scale: Sequence[int], lots: Sequence[int], level: Level
) -> Assessment:
    """An assessment by rates with what the tables have beside them."""
    if not (tables.expiries or tables.sizes):
        return found
    charges = list(found.charges)
    for expiry in tables.expiries:
        loss = expiry_loss(expiry, tables, scale, lots, level)
        if loss is not None and loss.relief:
            charges.append(Charge("maximum loss", f"{expiry.label}, settled at {loss.price}", -loss.relief))
    charges.extend(Charge(size.kind, size.name, size.money(scale, lots, level)) for size in tables.sizes)
    return assess(found.factor, found.units, tuple(charges))
