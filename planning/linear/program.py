"""The linear program of a plan: the rows that a proof is about, with trades as variables.

A relation (`zkmargin.circuits`) says that integers y are not negative, each free or a linear form of the holdings q
and of other y, and that the last of them is the excess over the threshold. Here q = q0 + sum of trades, so that

    minimise    sum c_k x_k
    subject to  base_e + sum_i A[e,i] d_i + sum_s E[e,s] y_s >= 0     for every equation e,
                d = trades, their legs in the balances, less what rounding the legs down may take,
                0 <= x_k <= u_k,  y >= 0,

where base is what the account comes to as it stands. Dropping that y and x are whole numbers makes it linear; every
plan in whole lots is a point of it, so that its least cost is a lower bound on what any plan costs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from zkmargin.circuits import Relation, build_relation
from zkmargin.circuits.matrix import IntMatrix
from zkmargin.circuits.relation import Row
from zkmargin.margin.arithmetic.decimals import ceil_div, floor_div
from zkmargin.margin.instruments.instrument import CASH
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level
from zkmargin.planning.costs import Pricing

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Move:
    """One side of one instrument, as far as a user allows it, in lots.

    Attributes:
        slot: of the instrument.
        sign: +1 bought, -1 sold.
        most: the largest trade.
    """

    slot: int
    sign: int
    most: int


@dataclass(frozen=True)
class Column:
    """One segment of a move: a variable of the program.

    Attributes:
        move: its move's number.
        slot, sign: the move's.
        most: lots of the segment.
        cost: USD for a lot.
        leg_slot: the balance that pays.
        leg: lots of the balance for a lot of the trade, cost included.
    """

    move: int
    slot: int
    sign: int
    most: int
    cost: Fraction
    leg_slot: int
    leg: Fraction


class Program:
    """The program of one account, under one model and level, with the trades that are allowed."""

    def __init__(
        self, pricing: Pricing, lots: Sequence[int], moves: Sequence[Move], model: str, level: Level
    ) -> None:
        """Lay the program out. Raises InputError as `build_relation` does, or where a move has no cost."""
        self.pricing, self.snapshot = pricing, pricing.snapshot
        self.lots, self.moves, self.model, self.level = list(lots), tuple(moves), model, level
        self.columns = tuple(column for number in range(len(moves)) for column in self._segments(number))
        self.balances = tuple(sorted({column.leg_slot for column in self.columns} | {self.cash}))
        self.within = self._within()
        self.relation = relation_within(self.snapshot, model, level, self.within)
        count = len(self.snapshot.universe)
        self.base = self._bases()
        # The first equations only bound each quantity, as the trades' own limits do.
        self.equations = range(bounding_equations(self.relation, count), self.relation.equations)

    @property
    def cash(self) -> int:
        """The slot of the USD balance."""
        return self.snapshot.universe.slot(CASH)

    @cached_property
    def unit(self) -> int:
        """Steps of the last row to one USD."""
        row: Row = self.relation.rows[self.closing_row]
        return row.unit.scale

    @property
    def closing(self) -> int:
        """The equation of the excess."""
        return self.relation.equations - 1

    @property
    def closing_row(self) -> int:
        """Its row."""
        return self.relation.defines[self.closing]

    def target(self, ticks: int) -> int:
        """An excess in steps of the last row."""
        return ticks * self.unit // int(10**self.snapshot.quantum_decimals)

    def discards(self, balance: int) -> int:
        """The most lots of a balance that rounding the legs down can take: one for each instrument."""
        return len({column.slot for column in self.columns if column.leg_slot == balance})

    @cached_property
    def nonlinear(self) -> tuple[int, ...]:
        """The equations with products."""
        counts = np.diff(self.relation.v_terms.indptr)
        return tuple(int(e) for e in np.flatnonzero(counts) if e in self.equations)

    @cached_property
    def discrete(self) -> tuple[int, ...]:
        """The rows that choose: bits and counts that must be whole numbers for a row to mean what it says."""
        return choosing_rows(self.relation)

    def net(self, amounts: Floats) -> dict[int, float]:
        """Lots bought by slot from the values of the columns."""
        found: dict[int, float] = {}
        for column, amount in zip(self.columns, amounts.tolist(), strict=True):
            if amount:
                found[column.slot] = found.get(column.slot, 0.0) + column.sign * amount
        return found

    def _segments(self, number: int) -> list[Column]:
        move = self.moves[number]
        payer = self.pricing.payer(move.slot)
        columns, left = [], move.most
        for lots, cost, leg in self.pricing.stretches(move.slot, buy=move.sign > 0):
            most = min(left, lots)
            left -= most
            if most > 0:
                columns.append(Column(number, move.slot, move.sign, most, cost, payer, leg))
        return columns

    def _within(self) -> dict[int, int]:
        """The most lots of each slot that the account can come to hold."""
        reach = [abs(held) for held in self.lots]
        sides: dict[tuple[int, int], int] = {}
        legs: dict[int, Fraction] = {}
        for column in self.columns:
            side = column.slot, column.sign
            sides[side] = sides.get(side, 0) + column.most
            legs[column.leg_slot] = legs.get(column.leg_slot, Fraction(0)) + abs(column.leg) * column.most
        for slot in {slot for slot, _ in sides}:
            ends = (self.lots[slot] + sides.get((slot, 1), 0), self.lots[slot] - sides.get((slot, -1), 0))
            reach[slot] = max(map(abs, (*ends, self.lots[slot])))
        for slot, moved in legs.items():
            reach[slot] += ceil_div(moved) + self.discards(slot)
        instruments = self.snapshot.universe.instruments
        return {slot: min(instrument.bound, reach[slot]) for slot, instrument in enumerate(instruments)}

    def _bases(self) -> list[int]:
        relation = self.relation
        q = [*self.lots, *([0] * (relation.columns * relation.domain - len(self.lots)))]
        return [a + c for a, c in zip(relation.holdings.times(q), relation.constants, strict=True)]


_RELATIONS: WeakKeyDictionary[Snapshot, dict[tuple[str, Level], Relation]] = WeakKeyDictionary()


def relation_within(snapshot: Snapshot, model: str, level: Level, within: Mapping[int, int]) -> Relation:
    """The relation of a model and level: one for all accounts where it has no bits, and else one for these bounds.

    Bits switch rows by constants, which must be as small as the account allows for a solver to see them.
    """
    kept = _RELATIONS.setdefault(snapshot, {})
    if (model, level) not in kept:
        kept[model, level] = build_relation(snapshot, model=model, level=level)
    found = kept[model, level]
    if not choosing_rows(found) and not found.squares:
        return found
    return build_relation(snapshot, model=model, level=level, within=within)


def choosing_rows(relation: Relation) -> tuple[int, ...]:
    """Free rows that a prover chooses, and that count in ones; top limbs of quantities are none."""
    tops = top_limbs(relation)
    return tuple(
        index
        for index, row in enumerate(relation.rows)
        if row.free
        and row.choice is not None
        and row.unit.scale == 1
        and row.limbs == 1
        and index not in tops
    )


def bounding_equations(relation: Relation, count: int) -> int:
    """How many leading equations only bound the quantities of `count` slots, as `RelationBuilder.ranged` writes them.

    One for each slot in turn, and after all of these, in the same order, a second where a slot needs one: that its top
    limb is capped, or the other side of its bound.
    """
    end = count
    for slot in range(count):
        first, name = _free_terms(relation, slot), relation.rows[relation.defines[slot]].name
        if end == relation.equations or relation.defines[end] < 0:
            break
        same = relation.rows[relation.defines[end]].name == name
        form, terms = relation.holdings.row(end), _free_terms(relation, end)
        capped = bool(first) and not form and terms == dict.fromkeys(first, -1)
        if same and (capped or (not first and form == {slot: -1} and not terms)):
            end += 1
    return end


def top_limbs(relation: Relation) -> frozenset[int]:
    """The free rows that hold the top limbs of quantities: the equation of a slot's range speaks of nothing else."""
    found: set[int] = set()
    for e, target in enumerate(relation.defines):
        if target < 0 or relation.holdings.row(e) != {e: 1}:
            break
        found.update(_free_terms(relation, e))
    return frozenset(found)


def _free_terms(relation: Relation, equation: int) -> dict[int, int]:
    """The terms of an equation on rows other than the one that it defines."""
    own = relation.defines[equation]
    return {s: a for s, a in relation.row_terms.row(equation).items() if s != own}


def floats(matrix: IntMatrix) -> Floats:
    """The stored entries of a matrix, as near as floats come."""
    found: Floats = matrix.high.astype(np.float64) * 2.0**64 + matrix.low.astype(np.float64)
    # A small negative number is the difference of two large ones there, and exact here.
    small = matrix.high == matrix.low.view(np.int64) >> 63
    found[small] = matrix.low[small].view(np.int64).astype(np.float64)
    return found


def entries_of(matrix: IntMatrix) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Row, column and value of every stored entry."""
    rows = np.repeat(np.arange(matrix.rows, dtype=np.int64), np.diff(matrix.indptr))
    return rows, matrix.indices.astype(np.int64), floats(matrix)


def closing_moves(
    pricing: Pricing, lots: Sequence[int], allowed: Collection[int], largest: Mapping[int, int]
) -> list[Move]:
    """Moves that only bring positions nearer to zero; `largest` by slot is in lots."""
    moves = []
    for slot in sorted(allowed):
        held = lots[slot]
        if held:
            sign = -1 if held > 0 else 1
            most = min(abs(held), largest.get(slot, abs(held)), pricing.ladder(slot, buy=sign > 0).most)
            moves.append(Move(slot, sign, most))
    return moves


def hedging_moves(
    pricing: Pricing, lots: Sequence[int], allowed: Collection[int], largest: Mapping[int, int]
) -> list[Move]:
    """Moves either way; `largest` by slot is in lots, and by default the gross size of the book in the underlying."""
    snapshot = pricing.snapshot
    instruments = snapshot.universe.instruments
    gross: dict[str, Fraction] = {}
    for slot, held in enumerate(lots):
        running = snapshot.inputs.quotes[slot].settled is None
        if held and running and instruments[slot].underlying != CASH:
            coin = instruments[slot].underlying
            gross[coin] = gross.get(coin, Fraction(0)) + abs(held) * pricing.notional(slot)
    moves = []
    for slot in sorted(allowed):
        instrument = instruments[slot]
        usual = floor_div(gross.get(instrument.underlying, Fraction(0)) / pricing.notional(slot))
        limit = largest.get(slot, max(usual, abs(lots[slot])))
        for sign in (1, -1):
            room = instrument.bound - sign * lots[slot]
            most = min(limit, room, pricing.ladder(slot, buy=sign > 0).most)
            if most > 0:
                moves.append(Move(slot, sign, most))
    return moves
