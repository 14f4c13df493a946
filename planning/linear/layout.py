"""The columns and rows of a program as floats, scaled so that numbers are near one.

Columns: the segments of trades, the change of each balance, what rounding may take from it, and the rows y that
equations speak of. Rows: the linear equations. Money is counted in USD, what is not money in parts of its greatest
value, trades in lots where these are coarse and in stretches of about 1,000 USD where they are not.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from zkmargin.planning.linear.norms import Norm, credits_of, find_norms
from zkmargin.planning.linear.program import Column, Floats, Program, entries_of, top_limbs

Indices = NDArray[np.int64]

COARSE_LOT = 10
"""USD of notional from which a lot is large enough for the search to count lots; smaller ones are rounded after it."""
CLOSED = 1e10
"""A bit that moves a row by more than this many USD switches it: no float could tell by how much."""
_FINE_STRETCH = 1000.0
_PARTS = 64.0


class Layout:
    """The matrix of one program.

    Attributes:
        row_of: the matrix row of each linear equation.
        y_at: the column of each row of the relation that equations speak of.
        upper, cost, leg: of the segments' columns: their size, USD, and lots of the balance for a lot.
        balance_at, discard_at: the columns of each balance's change, and of what rounding takes from it.
        entries: matrix row, column and value.
        equal_rows: equations of defined rows that others speak of; these hold with equality.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        relation = program.relation
        self.norms: dict[int, Norm]
        self.norms, self.products = find_norms(program)
        self.credits = credits_of(program, self.products)
        self._holdings = entries_of(relation.holdings)
        self._terms = entries_of(relation.row_terms)
        targets = np.array(relation.defines)
        self.y_scale = self._row_scales()
        self.row_scale = np.where(targets >= 0, 1.0 / self.y_scale[np.maximum(targets, 0)], 1.0)
        self.x_scale = np.array([_column_scale(program, column) for column in program.columns])
        self.upper = np.array([float(column.most) for column in program.columns]) / self.x_scale
        self.cost = np.array([float(column.cost) for column in program.columns]) * self.x_scale
        self.leg = np.array([float(column.leg) for column in program.columns])
        dropped = {*self.norms, *self.products}
        wanted = [e for e in program.equations if targets[e] >= 0 and e not in dropped]
        self.row_of = {e: n for n, e in enumerate(wanted)}
        self._row_at = np.full(relation.equations, -1)
        self._row_at[wanted] = np.arange(len(wanted))
        self._place()
        self.entries = tuple(
            np.concatenate(parts) for parts in zip(self._trade_entries(), self._row_entries(), strict=True)
        )

    @cached_property
    def leg_rows(self) -> tuple[dict[int, float], ...]:
        """For each balance, what the legs come to, less its change and what rounding takes: zero."""
        found = []
        for slot, at in self.balance_at.items():
            terms = {at: -1.0, self.discard_at[slot]: -1.0}
            paid = [n for n, column in enumerate(self.program.columns) if column.leg_slot == slot]
            terms.update(
                zip(paid, (self.leg[paid] / self.whole(slot) * self.x_scale[paid]).tolist(), strict=True)
            )
            found.append(terms)
        return tuple(found)

    def whole(self, slot: int) -> float:
        """Lots of a balance to one unit of it."""
        return float(10.0 ** -self.program.snapshot.universe.instruments[slot].lot_exponent)

    def coarse(self, slot: int) -> bool:
        """Whether a lot is so large that the search counts lots."""
        return _coarse(self.program, slot)

    @cached_property
    def switches(self) -> tuple[int, ...]:
        """Bits that switch whole models."""
        _, cols, values = self.bit_entries
        wide = {int(s) for s in cols[np.abs(values) > CLOSED]}
        return tuple(s for s in self.program.discrete if s in wide)

    @cached_property
    def bit_entries(self) -> tuple[Indices, Indices, Floats]:
        """Matrix row, row of the relation and USD for each step of it."""
        rows, cols, values = self._terms
        keep = self._row_at[rows] >= 0
        rows, cols, values = rows[keep], cols[keep], values[keep]
        return self._row_at[rows], cols, values * self.row_scale[rows]

    def _place(self) -> None:
        program, relation = self.program, self.program.relation
        count, balances = len(program.columns), len(program.balances)
        self.balance_at = {slot: count + n for n, slot in enumerate(program.balances)}
        self.discard_at = {slot: count + balances + n for n, slot in enumerate(program.balances)}
        rows, cols, _ = self._terms
        own = np.array(relation.defines)[rows] == cols
        spoken = set(np.unique(cols[(self._row_at[rows] >= 0) & ~own]).tolist())
        tops = top_limbs(relation)
        kept = [
            s
            for s, row in enumerate(relation.rows)
            if row.upper_of is None and (row.free or s in spoken) and s not in tops
        ]
        self.y_at = {s: count + 2 * balances + n for n, s in enumerate(kept)}
        self.width = count + 2 * balances + len(kept)
        equation_of = {target: e for e, target in enumerate(relation.defines)}
        self.equal_rows = {equation_of[s] for s in kept if not relation.rows[s].free}

    def _trade_entries(self) -> tuple[Indices, Indices, Floats]:
        """What trades and legs add to the equations, by the coefficients on the holdings."""
        program = self.program
        rows, slots, values = self._holdings
        keep = self._row_at[rows] >= 0
        rows, slots, values = rows[keep], slots[keep], (values * self.row_scale[rows])[keep]
        order = np.argsort(slots, kind="stable")
        rows, slots, values = self._row_at[rows[order]], slots[order], values[order]
        starts = np.searchsorted(slots, np.arange(program.relation.domain + 1))
        placed = [
            *((column.slot, n, column.sign * self.x_scale[n]) for n, column in enumerate(program.columns)),
            *((slot, at, self.whole(slot)) for slot, at in self.balance_at.items()),
        ]
        spans = [np.arange(starts[slot], starts[slot + 1]) for slot, _, _ in placed]
        lengths = [len(span) for span in spans]
        chosen = np.concatenate(spans)
        columns = np.repeat([at for _, at, _ in placed], lengths)
        factors = np.repeat([factor for _, _, factor in placed], lengths)
        return rows[chosen], columns, values[chosen] * factors

    def _row_entries(self) -> tuple[Indices, Indices, Floats]:
        """What rows of the relation add; a defined row enters its own equation only where others speak of it."""
        relation = self.program.relation
        rows, cols, values = self._terms
        column_of = np.full(len(relation.rows), -1)
        column_of[list(self.y_at)] = list(self.y_at.values())
        keep = (self._row_at[rows] >= 0) & (column_of[cols] >= 0)
        rows, cols, values = rows[keep], cols[keep], values[keep]
        return self._row_at[rows], column_of[cols], values * self.row_scale[rows] * self.y_scale[cols]

    def _row_scales(self) -> Floats:
        """What each row is counted in: USD where it is money, and else a part of its greatest value here."""
        relation = self.program.relation
        rows, slots, values = self._holdings
        within = np.zeros(relation.domain * relation.columns)
        for slot, most in self.program.within.items():
            within[slot] = most
        reach = np.bincount(rows, np.abs(values) * within[slots], relation.equations)
        reach += np.abs(np.array(self.program.base, np.float64))
        # A row is no larger than what any one of its equations can give it.
        greatest = np.full(len(relation.rows), np.inf)
        e_rows, cols, terms = self._terms
        np.minimum.at(greatest, cols, reach[e_rows] / np.abs(terms))
        units = np.array([float(row.unit.scale) for row in relation.rows])
        counts = np.array([row.choice is not None for row in relation.rows])
        parts = 2.0 ** np.floor(np.log2(np.maximum(1.0, greatest / _PARTS)))
        scales: Floats = np.where(units > 1, units, np.where(counts, 1.0, parts))
        return scales


def _coarse(program: Program, slot: int) -> bool:
    return program.pricing.notional(slot) >= COARSE_LOT


def _column_scale(program: Program, column: Column) -> float:
    if _coarse(program, column.slot):
        return 1.0
    return max(1.0, _FINE_STRETCH / float(program.pricing.notional(column.slot)))
