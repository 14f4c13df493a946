"""TIMS, as rows. x is the profit of a class or a group at a valuation point.

    u >= 0,  d u - (d - n) x >= 0     u: what of a member's gain does not count, where the offset is n/d
    W >= 0,  W + x >= 0               W: at least the loss at every point, of each node in no group
    P >= 0,  P - q >= 0               P: at least the contracts held long, of every option and future
    S >= 0,  S + sum W - M >= 0       S: at least what the losses are short of the minimum
    A - factor (sum W + S) - threshold >= 0

For a class x is linear in the holdings, for a group it is the sum of x - u over its members. The minimum is
M = sum of long P + short (P - q). Where it is held against each node, W has the one more row W - M >= 0 with
the M of the node, instead of S.

No row needs a bit: every slack enters the last row, over however many others, with a negative sign, and a
prover who takes a larger one only harms himself. A larger u lowers the x of its group. What a group passes
on, x - u with the least u, is x for a loss and floor(n x / d) for a gain; both never fall as x rises, so a
lower x is passed on as no more, and W is no less. A larger W leaves S with no more to give back than W took.
A larger P raises M.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zkmargin.circuits.account_rows import AccountRows
from zkmargin.circuits.relation import Unit
from zkmargin.margin.models.tims.tables import POINTS, TimsTables


@dataclass(frozen=True)
class _Form:
    """A linear form of holdings and earlier rows, with the most that it can amount to either way."""

    holdings: Mapping[int, int]
    rows: Mapping[int, int]
    reach: int = 0

    def plus(self, other: _Form, factor: int = 1) -> _Form:
        """The sum with ``factor`` times another form."""
        return _Form(
            _sum(self.holdings, other.holdings, factor),
            _sum(self.rows, other.rows, factor),
            self.reach + abs(factor) * other.reach,
        )

    def value(self, q: Sequence[int], rows: Mapping[int, int]) -> int:
        """What it amounts to for an account."""
        held = sum(a * q[slot] for slot, a in self.holdings.items())
        return held + sum(a * rows[row] for row, a in self.rows.items())


def _sum(left: Mapping[int, int], right: Mapping[int, int], factor: int) -> Mapping[int, int]:
    total = dict(left)
    for index, value in right.items():
        total[index] = total.get(index, 0) + factor * value
    return total


_NOTHING = _Form({}, {})


def build(account: AccountRows) -> int:
    """Add the rows of TIMS; returns the denominator by which the requirement was multiplied."""
    tables: TimsTables = account.tables
    profits = _profits(account, tables)
    minima = _minima(account, tables)
    worst = {node: _worst_loss(account, tables, node, profits[node]) for node in tables.top()}
    losses = list(worst.values())
    if tables.minimum_scope == "group":
        for node, slack in worst.items():
            below = [minima[number] for number in tables.classes_of(node)]
            _minimum(account, f"{tables.name(node)}: minimum per contract", below, [slack], slack)
    elif any(form.rows for form in minima):
        missing = account.rows.free("short of the minimum per contract", account.usd)
        _minimum(account, "minimum per contract", minima, [missing, *losses], missing)
        losses.append(missing)
    return account.count(losses, tables.factor[account.level])


def _profits(account: AccountRows, tables: TimsTables) -> list[list[_Form]]:
    """The profit of every node at every valuation point, classes first."""
    bounds = [instrument.bound for instrument in account.snapshot.universe.instruments]
    nodes: list[list[_Form]] = []
    for number in range(len(tables.classes)):
        slots = (tables.class_of == number).nonzero()[0]
        forms = [account.money(column, slots) for column in tables.risk]
        nodes.append([_Form(form, {}, sum(abs(a) * bounds[s] for s, a in form.items())) for form in forms])
    for group in tables.groups:
        total = [_NOTHING] * POINTS
        for member in group.members:
            for point, (label, form) in enumerate(zip(tables.labels(member), nodes[member], strict=True)):
                name = f"{tables.name(member)}, {label}"
                lost = _uncounted(account, name, form, *group.offset)
                passed = form if lost is None else form.plus(_Form({}, {lost: 1}), -1)
                # Losses in full, gains at most: what is passed on is within the member's own reach.
                total[point] = total[point].plus(_Form(passed.holdings, passed.rows, form.reach))
        nodes.append(total)
    return nodes


def _uncounted(account: AccountRows, name: str, form: _Form, part: int, whole: int) -> int | None:
    """A slack of at least the share of a gain that does not count; None if all of it counts."""
    rest = whole - part
    if not rest:
        return None

    def least(q: Sequence[int], rows: Mapping[int, int]) -> int:
        return -(-rest * max(0, form.value(q, rows)) // whole)

    limit = -(-rest * form.reach // whole)
    slack = account.rows.free(f"{name}: gain that does not count", account.usd, choice=least, limit=limit)
    unit = Unit("USD", whole * account.usd.scale)
    held = {slot: -rest * a for slot, a in form.holdings.items()}
    earlier = {row: -rest * a for row, a in form.rows.items()}
    account.rows.row(f"{name}: gain within what counts", unit, held, {**earlier, slack: whole})
    return slack


def _worst_loss(account: AccountRows, tables: TimsTables, node: int, points: Sequence[_Form]) -> int:
    name = tables.name(node)
    worst = account.rows.free(f"{name}: worst loss", account.usd)
    for label, form in zip(tables.labels(node), points, strict=True):
        rows = {**form.rows, worst: 1}
        account.rows.row(f"{name}, {label}", account.usd, form.holdings, rows, closes=worst)
    return worst


def _minima(account: AccountRows, tables: TimsTables) -> list[_Form]:
    """The minimum of every class: a rate per contract of either side."""
    forms = [_NOTHING] * len(tables.classes)
    columns = (tables.class_of, tables.minimum_long, tables.minimum_short)
    for slot, (number, long, short) in enumerate(zip(*(each.tolist() for each in columns), strict=True)):
        if number >= 0 and (long or short):
            held, owed = account.charge(slot, long), account.charge(slot, short)
            forms[number] = forms[number].plus(_Form({slot: -owed}, {account.long_side(slot): held + owed}))
    return forms


def _minimum(
    account: AccountRows, name: str, below: Sequence[_Form], slacks: Sequence[int], closes: int
) -> None:
    """The slacks together are at least the minimum of the classes below."""
    form = _Form({}, dict.fromkeys(slacks, 1))
    for minimum in below:
        form = form.plus(minimum, -1)
    if form.holdings:
        account.rows.row(name, account.usd, form.holdings, form.rows, closes=closes)
