"""TIMS, as rows. x is a node's profit at a valuation point, F = D x its integer multiple.

    u >= 0,  u - F >= 0               u: at least the gain of a member of a group, at every point
    W >= 0,  W + F >= 0               W: at least the greatest loss of a node in no group, at every point
    P >= 0,  P - q >= 0               P: at least the contracts held long, for every option and future
    S >= 0,  S + sum W - M >= 0       S: at least what the losses are short of the minimum
    A - factor (sum W + S) - threshold >= 0

For a class F is linear in the holdings and D = 1. For a group with offset n/d it is the sum over the members
of d F_m - (d - n) u_m, brought to a common denominator: d (F_m - u_m) + n u_m is d times the loss and n times
the gain if u_m is the gain. M = sum of short (P - q) + long P. With the minimum held against each node, W
has the one more row W - M_node >= 0 instead of S.

Every row is convex, none needs a bit. The function d F - (d - n) max(F, 0) has the slopes d and n, so it
never falls in F: a larger u lowers the group's F, by that every u and F above it, and raises W. A larger W
leaves S with no more to give back than W took. A larger P raises M. So each slack enters the last row, over
however many others, with a negative sign, and a prover who takes a larger one only harms himself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from math import lcm

from zkmargin.circuits.ledger import LOTS, Ledger
from zkmargin.circuits.relation import Unit
from zkmargin.margin.models.tims.tables import POINTS, TimsTables


@dataclass(frozen=True)
class _Form:
    """A linear form of holdings and earlier rows, worth ``denominator`` times what it stands for."""

    holdings: Mapping[int, int]
    rows: Mapping[int, int]
    denominator: int = 1

    def plus(self, other: _Form, factor: int) -> _Form:
        """The sum with ``factor`` times another form, at this one's denominator."""
        return _Form(
            _sum(self.holdings, other.holdings, factor), _sum(self.rows, other.rows, factor), self.denominator
        )


def _sum(left: Mapping[int, int], right: Mapping[int, int], factor: int) -> Mapping[int, int]:
    total = dict(left)
    for index, value in right.items():
        total[index] = total.get(index, 0) + factor * value
    return total


def build(ledger: Ledger) -> int:
    """Add the rows of TIMS; returns the denominator by which the requirement was multiplied."""
    tables: TimsTables = ledger.tables
    nodes = _profits(ledger, tables)
    common = reduce(lcm, (nodes[node][0].denominator for node in tables.top()))
    numerator, denominator = tables.factor[ledger.level]
    contracts = _contracts(ledger, tables)
    worst: dict[int, int] = {}
    for node in tables.top():
        slack = _worst_loss(ledger, tables, node, nodes[node])
        worst[slack] = common // nodes[node][0].denominator
        if tables.minimum_scope == "group":
            _node_minimum(
                ledger,
                tables.name(node),
                slack,
                nodes[node][0].denominator,
                [contracts[number] for number in tables.classes_of(node)],
            )
    ledger.require({}, {slack: numerator * weight for slack, weight in worst.items()})
    if tables.minimum_scope == "account":
        _account_minimum(ledger, contracts, worst, common, numerator)
    return denominator * common


def _profits(ledger: Ledger, tables: TimsTables) -> list[list[_Form]]:
    """The profit of every node at every valuation point; a group's speaks of its members' gains."""
    nodes: list[list[_Form]] = []
    for number in range(len(tables.classes)):
        slots = (tables.class_of == number).nonzero()[0]
        nodes.append([_Form(ledger.money(column, slots), {}) for column in tables.risk])
    for group in tables.groups:
        part, whole = group.offset
        inner = reduce(lcm, (nodes[member][0].denominator for member in group.members))
        total = [_Form({}, {}, inner * whole) for _ in range(POINTS)]
        for member in group.members:
            factor = inner // nodes[member][0].denominator
            for point, form in enumerate(nodes[member]):
                total[point] = total[point].plus(form, factor * whole)
                if part < whole:
                    gain = _gain(ledger, f"{tables.name(member)}, {tables.labels(member)[point]}", form)
                    total[point] = total[point].plus(gain, -factor * (whole - part))
        nodes.append(total)
    return nodes


def _unit(ledger: Ledger, denominator: int) -> Unit:
    return Unit("USD", denominator * ledger.usd.scale)


def _gain(ledger: Ledger, name: str, form: _Form) -> _Form:
    """A slack of at least the gain at one point, by itself as a form."""
    unit = _unit(ledger, form.denominator)
    slack = ledger.rows.free(f"{name}: gain", unit)
    negative = _Form({}, {slack: 1}).plus(form, -1)
    ledger.rows.row(f"{name}: gain in full", unit, negative.holdings, negative.rows, closes=slack)
    return _Form({}, {slack: 1})


def _worst_loss(ledger: Ledger, tables: TimsTables, node: int, points: list[_Form]) -> int:
    name, unit = tables.name(node), _unit(ledger, points[0].denominator)
    worst = ledger.rows.free(f"{name}: worst loss", unit)
    for label, form in zip(tables.labels(node), points, strict=True):
        rows = {**form.rows, worst: 1}
        ledger.rows.row(f"{name}, {label}", unit, form.holdings, rows, closes=worst)
    return worst


def _contracts(ledger: Ledger, tables: TimsTables) -> list[_Form]:
    """The minimum of every class: a rate per contract of either side."""
    forms = [_Form({}, {}) for _ in tables.classes]
    sides = zip(tables.minimum_long.tolist(), tables.minimum_short.tolist(), strict=True)
    for slot, (long, short) in enumerate(sides):
        if long or short:
            name = ledger.snapshot.universe.instruments[slot].name
            positive = ledger.rows.free(f"{name}: long side", LOTS)
            ledger.rows.row(f"{name}: long side covers it", LOTS, {slot: -1}, {positive: 1}, closes=positive)
            held, owed = ledger.charge(slot, long), ledger.charge(slot, short)
            number = int(tables.class_of[slot])
            forms[number] = forms[number].plus(_Form({slot: -owed}, {positive: held + owed}), 1)
    return forms


def _total(forms: list[_Form]) -> _Form:
    return reduce(lambda total, form: total.plus(form, 1), forms, _Form({}, {}))


def _node_minimum(ledger: Ledger, name: str, worst: int, denominator: int, below: list[_Form]) -> None:
    """W of a node is at least the minimum of its contracts, too."""
    form = _Form({}, {worst: 1}).plus(_total(below), -denominator)
    if form.holdings:
        unit = _unit(ledger, denominator)
        ledger.rows.row(f"{name}: minimum per contract", unit, form.holdings, form.rows, closes=worst)


def _account_minimum(
    ledger: Ledger, contracts: list[_Form], worst: Mapping[int, int], common: int, numerator: int
) -> None:
    """What all losses are short of the minimum of all contracts is added to them."""
    minimum = _total(contracts)
    if minimum.holdings:
        unit = _unit(ledger, common)
        missing = ledger.rows.free("short of the minimum per contract", unit)
        form = _Form({}, {missing: 1, **worst}).plus(minimum, -common)
        ledger.rows.row("minimum per contract", unit, form.holdings, form.rows, closes=missing)
        ledger.require({}, {missing: numerator})
