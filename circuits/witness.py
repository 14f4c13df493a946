"""The witness in the clear: filling the rows of a relation from holdings, and checking them one by one.

This is the plain twin of the proof: `check` accepts exactly the integers that a proof can be made for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from zkmargin.circuits.errors import WitnessError
from zkmargin.circuits.relation import Relation


@dataclass(frozen=True)
class Witness:
    """All secret integers of one proof. Never printed.

    Attributes:
        holdings: q in lots, one for each variable (columns * n).
        rows: y, one for each row.
        squares: U, one for each used square cell.
    """

    holdings: tuple[int, ...] = field(repr=False)
    rows: tuple[int, ...] = field(repr=False)
    squares: tuple[int, ...] = field(repr=False)


def assign(relation: Relation, holdings: Sequence[int]) -> Witness:
    """Fill every row as an honest prover would: free rows as small as their closing rows allow.

    Rows come out negative where the account does not meet them; `check` says so.

    Args:
        relation: the relation to fill.
        holdings: q in lots; missing variables at the end count as 0.

    Raises:
        WitnessError: more holdings than the relation has variables.
    """
    width = relation.columns * relation.domain
    if len(holdings) > width:
        raise WitnessError(f"{len(holdings)} holdings for {width} variables", "holdings")
    q = [*holdings, *([0] * (width - len(holdings)))]
    base = [a + c for a, c in zip(relation.holdings.times(q), relation.constants, strict=True)]
    return _Filling(relation, q, base).fill()


class _Filling:
    """One pass over the rows; equations are evaluated once what they use is known."""

    def __init__(self, relation: Relation, q: list[int], base: list[int]) -> None:
        self.relation, self.q, self.base = relation, q, base
        self.equation_of = {target: e for e, target in enumerate(relation.defines)}
        self.closers: dict[int, list[int]] = {}
        for index, row in enumerate(relation.rows):
            if row.closes is not None:
                self.closers.setdefault(row.closes, []).append(index)
        self.upper = {
            row.upper_of: index for index, row in enumerate(relation.rows) if row.upper_of is not None
        }
        self.row_terms = relation.row_terms.mappings
        self.u_terms = relation.u_terms.mappings
        self.v_terms = relation.v_terms.mappings
        self.rows: dict[int, int] = {}
        self.cells: dict[int, int] = {}

    def fill(self) -> Witness:
        """The whole witness."""
        rows = tuple(self._row(index) for index in range(len(self.relation.rows)))
        squares = tuple(self._cell(cell) for cell in range(self.relation.squares))
        return Witness(tuple(self.q), rows, squares)

    def _row(self, index: int) -> int:
        if index not in self.rows:
            row = self.relation.rows[index]
            if not row.free:
                self._define(index)
            elif row.upper_of is not None:
                self._row(row.upper_of)
            elif row.choice is not None:
                chosen = row.choice(self.q, self.rows)
                self.rows.update({index: chosen} if isinstance(chosen, int) else chosen)
            else:
                self.rows[index] = max(0, *(self._needed(index, c) for c in self.closers.get(index, [])))
        return self.rows[index]

    def _define(self, index: int) -> None:
        """A defined row, and the row of its upper bits where it has one; negative ones have none."""
        equation, high = self.equation_of[index], self.upper.get(index)
        if high is None:
            self.rows[index] = self._form(equation, index)
            return
        value, weight = self._form(equation, index, high), -self.row_terms[equation][high]
        self.rows[high] = max(0, value) // weight
        self.rows[index] = value - weight * self.rows[high]

    def _needed(self, free: int, closer: int) -> int:
        """The least that a free row may be for one of its closing rows not to be negative."""
        equation = self.equation_of[closer]
        form = self._form(equation, closer, free, self.upper.get(closer, -1))
        return -(form // self.row_terms[equation][free])

    def _cell(self, cell: int) -> int:
        if cell not in self.cells:
            self.cells[cell] = self._form(self.equation_of[-1 - cell], skip_cell=cell)
        return self.cells[cell]

    def _form(self, equation: int, *skipped: int, skip_cell: int = -1) -> int:
        """The right-hand side of an equation, leaving out what it defines and the free row that it closes."""
        total = self.base[equation]
        for s, a in self.row_terms[equation].items():
            if s not in skipped:
                total += a * self._row(s)
        for c, a in self.u_terms[equation].items():
            if c != skip_cell:
                total += a * self._cell(c)
        for c, a in self.v_terms[equation].items():
            total += a * self._cell(c) ** 2
        return total


def check(relation: Relation, witness: Witness) -> None:
    """Check every row's range and every equation over the integers.

    Raises:
        WitnessError: names the first row that fails, in the words of margin, and by how much it is short.
    """
    bits = relation.bits
    for row, value in zip(relation.rows, witness.rows, strict=True):
        if value < 0:
            raise WitnessError(f"{row.name}: short by {row.unit.show(-value)}", row.name, -value)
        if value >> (bits * row.limbs):
            raise WitnessError(f"{row.name}: {row.unit.show(value)} is beyond the row's range", row.name)
    u = [*witness.squares, *([0] * (relation.domain - relation.squares))]
    sums = zip(
        relation.holdings.times(witness.holdings),
        relation.row_terms.times(witness.rows),
        relation.u_terms.times(u),
        relation.v_terms.times([cell * cell for cell in u]),
        relation.constants,
        strict=True,
    )
    for equation, terms in enumerate(sums):
        if sum(terms):
            target = relation.defines[equation]
            name = relation.rows[target].name if target >= 0 else f"square cell {-1 - target}"
            raise WitnessError(f"{name}: the equation does not hold", name)


def limbs(relation: Relation, rows: Sequence[int]) -> list[list[int]]:
    """The limb columns: every row's limbs, least first, packed densely; k lists of n small integers."""
    mask, bits = relation.domain - 1, relation.bits
    cells = [
        (value >> (bits * j)) & mask
        for row, value in zip(relation.rows, rows, strict=True)
        for j in range(row.limbs)
    ]
    n = relation.domain
    cells += [0] * (relation.limb_columns * n - len(cells))
    return [cells[start : start + n] for start in range(0, len(cells), n)]
