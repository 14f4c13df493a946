"""Rows of what is worth the lesser, or the greater, of two linear sums: a bucket of the grid, cell by cell.

With A and B the bucket's two sums in a cell, M a public bound on what an honest account can make of them, and b a
bit (b >= 0 and 1 - b >= 0):

    lesser     v = A - u          u >= 0,  u - A + B >= 0                                      (convex)
    greater    v = A + t          t >= 0,  M b - t >= 0,  B - A + M (1 - b) - t >= 0           (exact)
    skew       v = -a             a + A >= 0,  a + B >= 0,
                                  a - A + M b >= 0,  a - B + M (1 - b) >= 0                    (exact)
               and A, B negated where the bucket is worth the greater
    basis      c >= 0,  c + up >= 0,  c + down >= 0                                            (convex)

Lesser: u is at least max(0, A - B), so v is at most min(A, B): a larger u only costs. Greater: with b = 0 t is 0,
with b = 1 t is at most B - A: v is never above max(A, B). Skew: the first two rows say a >= -min(A, B) and the
last two that a is at least A or at least B, that is a >= min(A, B); together a >= |min(A, B)|, which a slack without
bits could not say, because |min| is not convex. For the greater, |max(A, B)| = |min(-A, -B)|. Basis: a larger c
only costs. The bound M binds nobody to the truth of anything; were it too small, an honest account would be
refused, and never a false one accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.circuits.relation import Unit
from zkmargin.margin.tables.grid import SKEWS, GridTables
from zkmargin.margin.tables.grid_additions import ExpiryBucket

CHOICE = Unit("or 1")
"""The unit of a bit."""

Form = dict[int, int]
"""Money per lot by slot."""


class BucketRows:
    """The rows of one bucket; what each cell takes of it are terms on rows."""

    def __init__(self, account: AccountRows, tables: GridTables, bucket: ExpiryBucket) -> None:
        self.account, self.tables, self.bucket = account, tables, bucket

    def cell(self, number: int) -> tuple[Form, Mapping[int, int]]:
        """The bucket's worth in a cell: money per lot of its slots, and terms on its rows."""
        cell, slots = self.tables.cells_of(self.bucket.unit)[number], self.bucket.slots
        long = self._form(self.tables.risk[number, list(slots)].tolist())
        short = self._form(self.bucket.short[number].tolist())
        name = f"{self.bucket.label}, {cell.label}"
        if cell.volatility in SKEWS:
            return {}, self._skew(name, long, short)
        if long == short:
            return long, {}
        if self.bucket.greater:
            return long, self._greater(name, long, short)
        return long, self._lesser(name, long, short)

    def basis(self) -> int | None:
        """The row of the bucket's basis contingency; None where it has none."""
        moves = [self._form(row) for row in self.bucket.basis.tolist()]
        if not any(moves):
            return None
        rows, usd, name = self.account.rows, self.account.usd, f"{self.bucket.label}: basis contingency"
        contingency = rows.free(name, usd)
        for move, form in zip(("up", "down"), moves, strict=True):
            rows.row(f"{name}, basis {move}", usd, form, {contingency: 1}, closes=contingency)
        return contingency

    def _form(self, entries: Sequence[int]) -> Form:
        pairs = zip(self.bucket.slots, entries, strict=True)
        return {slot: self.account.charge(slot, entry) for slot, entry in pairs if entry}

    def _lesser(self, name: str, long: Form, short: Form) -> Mapping[int, int]:
        rows, usd = self.account.rows, self.account.usd
        less = rows.free(f"{name}: discount of what is owed", usd)
        rows.row(f"{name}: owed side", usd, _difference(short, long), {less: 1}, closes=less)
        return {less: -1}

    def _greater(self, name: str, long: Form, short: Form) -> Mapping[int, int]:
        rows, usd = self.account.rows, self.account.usd
        gain = _difference(short, long)
        most = self._reach(gain)
        bit = self._bit(f"{name}: the owed side is greater", gain)
        more = rows.free(
            f"{name}: gain of the owed side", usd, choice=lambda q, _: max(0, _value(gain, q)), limit=most
        )
        rows.row(f"{name}: no gain unless that side counts", usd, {}, {bit: most, more: -1})
        rows.row(f"{name}: no more than its gain", usd, gain, {bit: -most, more: -1}, constant=most)
        return {more: 1}

    def _skew(self, name: str, long: Form, short: Form) -> Mapping[int, int]:
        rows, usd = self.account.rows, self.account.usd
        if self.bucket.greater:
            long, short = _negated(long), _negated(short)
        change = rows.free(f"{name}: size of the change", usd)
        rows.row(f"{name}: a loss", usd, long, {change: 1}, closes=change)
        if long == short:
            rows.row(f"{name}: a gain", usd, _negated(long), {change: 1}, closes=change)
            return {change: -1}
        rows.row(f"{name}: a loss of the owed side", usd, short, {change: 1}, closes=change)
        most = max(self._reach(long), self._reach(short))
        bit = self._bit(f"{name}: the owed side is less", _difference(long, short))
        rows.row(f"{name}: a gain", usd, _negated(long), {change: 1, bit: most}, closes=change)
        owed = {change: 1, bit: -most}
        rows.row(f"{name}: a gain of the owed side", usd, _negated(short), owed, constant=most, closes=change)
        return {change: -1}

    def _bit(self, name: str, sign: Form) -> int:
        """A bit that is 1 where a form is positive."""
        rows = self.account.rows
        bit = rows.free(name, CHOICE, choice=lambda q, _: int(_value(sign, q) > 0), limit=1)
        rows.row(f"{name}, or not", CHOICE, {}, {bit: -1}, constant=1)
        return bit

    def _reach(self, form: Form) -> int:
        """The greatest magnitude of a form in an honest account."""
        return sum(abs(money) * self.account.rows.honest[slot] for slot, money in form.items())


def _value(form: Form, lots: Sequence[int]) -> int:
    return sum(money * lots[slot] for slot, money in form.items())


def _negated(form: Form) -> Form:
    return {slot: -money for slot, money in form.items()}


def _difference(form: Form, other: Form) -> Form:
    """form - other."""
    slots = sorted(form.keys() | other.keys())
    return {slot: money for slot in slots if (money := form.get(slot, 0) - other.get(slot, 0))}
