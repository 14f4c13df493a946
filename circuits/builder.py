"""Building a relation row by row, in the words of a margin model.

The builder finds every row's width by itself: it follows the greatest value that an honest account within the
universe's bounds can give the row, so that no such account is ever refused for want of bits, and no limb is spent
on more. A defined row y that needs more bits than a row can have is written as two, y - 2^120 h >= 0 and h >= 0:
together they say that y is not negative, whatever h is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from zkmargin.circuits.errors import RelationError
from zkmargin.circuits.matrix import IntMatrix, MatrixRow
from zkmargin.circuits.relation import Choice, Relation, Row, Unit, most_limbs
from zkmargin.margin.tables.bounds import proven_bound

_NONE: Mapping[int, int] = {}

SPLIT = 120
"""The bits of a defined row that is too wide for one; what lies above them is a row of its own."""

LEAST_REACH = 1 << 64
"""The magnitude of a threshold, in ticks, that every relation with a threshold allows."""


@dataclass(frozen=True)
class _Equation:
    """The right-hand side that defines a row (target >= 0) or a square cell (target < 0)."""

    target: int
    holdings: Mapping[int, int] | MatrixRow
    rows: Mapping[int, int]
    u: Mapping[int, int]
    v: Mapping[int, int]
    constant: int


@dataclass(frozen=True)
class _Draft:
    """A row whose width is not known yet; ``limit`` is a stated greatest value."""

    name: str
    unit: Unit
    equation: int | None
    closes: int | None = None
    choice: Choice | None = None
    limit: int | None = None


@dataclass
class RelationBuilder:
    """Collects rows and equations over ``columns`` holdings columns of ``domain`` slots.

    Attributes:
        honest: the greatest magnitude of each variable in an honest account, in lots.
    """

    domain: int
    columns: int = 1
    honest: dict[int, int] = field(default_factory=dict)
    _drafts: list[_Draft] = field(default_factory=list)
    _equations: list[_Equation] = field(default_factory=list)
    _closers: dict[int, list[int]] = field(default_factory=dict)
    _ranged: dict[int, int] = field(default_factory=dict)
    _others: list[tuple[_Draft, Mapping[int, int], Mapping[int, int], int]] = field(default_factory=list)
    """Second rows of bounds, which follow when all bounds are stated: draft, holdings, rows and constant."""
    _squares: int = 0
    _reach: dict[IntMatrix, list[int]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows there are: the index of the next."""
        self._finish_bounds()
        return len(self._drafts)

    def bounded(self, variable: int, limit: int) -> None:
        """Assume ``|q| <= limit`` without proving it; the attester guarantees it. Raises RelationError."""
        if not 0 <= variable < self.columns * self.domain:
            raise RelationError(f"variable {variable} lies outside the {self.columns * self.domain} slots")
        if variable in self.honest or limit < 0:
            raise RelationError(f"variable {variable} needs one bound, which is not negative")
        self.honest[variable] = limit

    def ranged(self, name: str, variable: int, limit: int) -> None:
        """Prove ``|q| <= limit`` with the fewest cells; where these have one value more, of ``q = -limit - 1`` as well.

        One row of whole limbs where ``2 * limit + 2`` are all its values; where these fill its lower limbs, a row of
        those and a top limb that is capped; or else a row for either side. Of several bounds the rows of the quantities
        come first, slot by slot, and all others after them: programs leave out what such leading rows say.
        """
        self.bounded(variable, limit)
        lots, bits, values = Unit("lots"), self.domain.bit_length() - 1, 2 * limit + 2
        lower = bits * (((values - 1).bit_length() - 1) // bits)
        weight, shift = 1 << lower, proven_bound(limit)
        self._ranged[variable] = shift
        if values == weight << bits:
            self._add(_Draft(name, lots, None, limit=values - 1), {variable: 1}, _NONE, shift)
        elif lower and values % weight == 0:
            most = values // weight - 1
            top = self._chosen(f"{name}, top limb", lots, lambda q, _: q[variable] + shift >> lower, most)
            self._add(_Draft(name, lots, None, limit=weight - 1), {variable: 1}, {top: -weight}, shift)
            self._others.append((_Draft(name, lots, None), {}, {top: -1}, most))
        else:
            self._ranged[variable] = limit
            self._add(_Draft(name, lots, None), {variable: 1}, _NONE, limit)
            self._others.append((_Draft(name, lots, None), {variable: -1}, _NONE, limit))

    def reach(self, matrix: IntMatrix) -> list[int]:
        """How far honest holdings can move each row of a matrix of coefficients, either way."""
        if matrix not in self._reach:
            bounds = [self.honest.get(variable, 0) for variable in range(matrix.cols)]
            if not all(variable in self.honest for variable in np.unique(matrix.indices).tolist()):
                raise RelationError("a matrix speaks of a variable that nothing bounds")
            self._reach[matrix] = matrix.magnitudes.times(bounds)
        return self._reach[matrix]

    def free(self, name: str, unit: Unit, *, choice: Choice | None = None, limit: int | None = None) -> int:
        """Add a row that the prover chooses; without a choice it is the least that its closing rows allow."""
        if choice is not None and limit is None:
            raise RelationError(f"{name}: a chosen row needs its greatest value")
        self._finish_bounds()
        return self._chosen(name, unit, choice, limit)

    def _chosen(self, name: str, unit: Unit, choice: Choice | None, limit: int | None) -> int:
        self._drafts.append(_Draft(name, unit, None, choice=choice, limit=limit))
        return len(self._drafts) - 1

    def _add(
        self, draft: _Draft, holdings: Mapping[int, int], rows: Mapping[int, int], constant: int
    ) -> None:
        """Add a defined row of a bound."""
        self._drafts.append(replace(draft, equation=len(self._equations)))
        self._equations.append(_Equation(len(self._drafts) - 1, holdings, rows, _NONE, _NONE, constant))

    def _finish_bounds(self) -> None:
        """Add the second rows of the bounds stated so far."""
        others, self._others = self._others, []
        for other in others:
            self._add(*other)

    def row(
        self,
        name: str,
        unit: Unit,
        holdings: Mapping[int, int] | MatrixRow,
        rows: Mapping[int, int] = _NONE,
        *,
        u: Mapping[int, int] = _NONE,
        v: Mapping[int, int] = _NONE,
        constant: int = 0,
        closes: int | None = None,
        limit: int | None = None,
    ) -> int:
        """Add a defined row: it equals the linear form given, and is thereby shown not to be negative.

        Args:
            name: what it says, in the words of margin.
            unit: what one step of it is worth.
            holdings: coefficients on the variables, per lot; the row of a matrix where there are thousands.
            rows: coefficients on earlier rows.
            u: coefficients on square cells.
            v: coefficients on their squares.
            constant: the public constant.
            closes: the free row, with a positive coefficient in ``rows``, that must be large enough for this one.
            limit: the greatest value an honest account gives it, where its terms cancel and their ranges tell less.
        """
        self._finish_bounds()
        index = len(self._drafts)
        self._check_earlier(name, rows, {**u, **v})
        if closes is not None:
            closed = self._drafts[closes] if rows.get(closes, 0) > 0 else None
            if closed is None or closed.equation is not None or closed.choice is not None:
                raise RelationError(
                    f"{name}: only a free row entered with a positive coefficient can be closed"
                )
            self._closers.setdefault(closes, []).append(index)
        self._drafts.append(_Draft(name, unit, len(self._equations), closes=closes, limit=limit))
        self._equations.append(_Equation(index, holdings, rows, u, v, constant))
        return index

    def square(self, holdings: Mapping[int, int], rows: Mapping[int, int] = _NONE, constant: int = 0) -> int:
        """Add a cell U of the square column, defined by the linear form given; its square becomes available."""
        self._finish_bounds()
        cell = self._squares
        self._check_earlier(f"square cell {cell}", rows, _NONE)
        self._squares += 1
        self._equations.append(_Equation(-1 - cell, holdings, rows, _NONE, _NONE, constant))
        return cell

    def greatest(self, row: int) -> int:
        """The greatest value that an honest account within its bounds gives a row."""
        return _Limits(self).of(row)

    def build(self, group: int | None = None, *, step: int = 0) -> Relation:
        """Find all widths, lay the limbs out, and check that nothing can wrap around.

        Args:
            group: limb columns to a lookup helper; by default what makes the proof short, and quickly made.
            step: what one tick of a threshold takes off the constant of the last row, which is written at the
                threshold 0; without one there is no threshold. It reaches, up and down, beyond anything that an
                honest account gives that row.

        Raises:
            RelationError: the relation is empty, badly defined, too large, or could wrap around in the field.
        """
        self._finish_bounds()
        if not self._drafts:
            raise RelationError("a relation without rows says nothing")
        bits = self.domain.bit_length() - 1
        reach = max(LEAST_REACH, _Limits(self).magnitude(self._equations[-1]) // step) if step else 0
        rows, high = self._rows(bits, step * reach)
        columns = -(-sum(row.limbs for row in rows) // self.domain)
        width = self.columns * self.domain
        return Relation(
            domain=self.domain,
            columns=self.columns,
            rows=rows,
            squares=self._squares,
            holdings=IntMatrix.from_rows((eq.holdings for eq in self._equations), width),
            row_terms=IntMatrix.from_rows(
                ({**eq.rows, **_defining(eq.target, high)} for eq in self._equations),
                len(rows),
            ),
            u_terms=IntMatrix.from_rows(
                ({**eq.u, -1 - eq.target: -1} if eq.target < 0 else eq.u for eq in self._equations),
                self.domain,
            ),
            v_terms=IntMatrix.from_rows((eq.v for eq in self._equations), self.domain),
            constants=tuple(eq.constant for eq in self._equations),
            defines=tuple(eq.target for eq in self._equations),
            holding_bounds=tuple(
                self._ranged.get(variable, self.honest.get(variable, 0)) for variable in range(width)
            ),
            group=balanced_group(columns) if group is None else group,
            step=step,
            reach=reach,
        )

    def _rows(self, bits: int, more: int) -> tuple[tuple[Row, ...], dict[int, int]]:
        """The rows with their widths, and for each that is split the row of what lies above.

        The last row can grow by as much as the least threshold adds.
        """
        limits = _Limits(self)
        used = {row for eq in self._equations for row in eq.rows}
        rows: list[Row] = []
        upper: list[Row] = []
        high: dict[int, int] = {}
        for index, draft in enumerate(self._drafts):
            limit = limits.of(index) + (more if index == len(self._drafts) - 1 else 0)
            low, above = widths(limit, bits)
            if above and (draft.equation is None or index in used):
                low, above = -(-limit.bit_length() // bits), 0
            free = draft.equation is None
            rows.append(Row(draft.name, low, free, draft.unit, draft.closes, draft.choice))
            if above:
                high[index] = len(self._drafts) + len(upper)
                upper.append(Row(f"{draft.name}: upper bits", above, True, draft.unit, upper_of=index))
        return (*rows, *upper), high

    def _check_earlier(self, name: str, rows: Mapping[int, int], cells: Mapping[int, int]) -> None:
        """An equation speaks of what is there already."""
        there = all(0 <= row < len(self._drafts) for row in rows)
        if not there or not all(0 <= cell < self._squares for cell in cells):
            raise RelationError(f"{name}: it speaks of a row or a square that is not there yet")


def widths(limit: int, bits: int) -> tuple[int, int]:
    """The limbs of a row that reaches a limit, and those of what lies above it if it must be split.

    >>> widths((1 << 120) - 1, 8), widths(1 << 140, 8)
    ((15, 0), (15, 3))
    """
    needed = -(-max(1, limit.bit_length()) // bits)
    if needed <= most_limbs(bits):
        return needed, 0
    return -(-SPLIT // bits), -(-(limit >> SPLIT).bit_length() // bits)


def _defining(target: int, high: Mapping[int, int]) -> dict[int, int]:
    """The terms on rows by which an equation defines its row, or nothing where it defines a square cell."""
    if target < 0:
        return {}
    return {target: -1, high[target]: -1 << SPLIT} if target in high else {target: -1}


class _Limits:
    """The greatest honest values, by interval arithmetic over ``|q| <= honest``."""

    def __init__(self, builder: RelationBuilder) -> None:
        self.builder = builder
        self.square_of = {eq.target: eq for eq in builder._equations if eq.target < 0}
        self.known: dict[int, int] = {}
        self.begun: set[int] = set()

    def of(self, target: int) -> int:
        """The greatest value of row ``target``, or the greatest magnitude of square cell ``-1 - target``."""
        if target not in self.known:
            if target in self.begun:
                name = self.builder._drafts[target].name if target >= 0 else f"square cell {-1 - target}"
                raise RelationError(f"{name}: it depends on itself")
            self.begun.add(target)
            self.known[target] = self._row(target) if target >= 0 else self._cell(target)
        return self.known[target]

    def magnitude(self, eq: _Equation) -> int:
        """The greatest magnitude of what defines a row, whether that may be negative or not."""
        return abs(eq.constant) + self._reach(eq) + max(self._squares(eq, 1), self._squares(eq, -1))

    def _cell(self, target: int) -> int:
        eq = self.square_of[target]
        return self._reach(eq) + abs(eq.constant)

    def _row(self, index: int) -> int:
        draft = self.builder._drafts[index]
        if draft.equation is not None:
            upper = max(0, self._upper(self.builder._equations[draft.equation], draft.closes))
            return upper if draft.limit is None else min(upper, draft.limit)
        closers = self.builder._closers.get(index, [])
        if draft.choice is None and not closers:
            raise RelationError(f"{draft.name}: a free row that nothing closes says nothing")
        needed = [self._needed(index, closer) for closer in closers]
        return draft.limit if draft.limit is not None else max(0, *needed)

    def _reach(self, eq: _Equation) -> int:
        """How far the holdings, rows and squares of an equation can move it."""
        return self._holdings(eq) + sum(abs(a) * self.of(s) for s, a in eq.rows.items())

    def _holdings(self, eq: _Equation) -> int:
        honest = self.builder.honest
        try:
            if isinstance(eq.holdings, MatrixRow):
                return self.builder.reach(eq.holdings.matrix)[eq.holdings.index]
            return sum(abs(a) * honest[i] for i, a in eq.holdings.items())
        except KeyError as missing:
            raise RelationError(f"variable {missing.args[0]} is used but nothing bounds it") from None

    def _squares(self, eq: _Equation, sign: int) -> int:
        """The greatest of ``sign`` times the square terms."""
        u = sum(abs(a) * self.of(-1 - c) for c, a in eq.u.items())
        return u + sum(max(0, sign * a) * self.of(-1 - c) ** 2 for c, a in eq.v.items())

    def _upper(self, eq: _Equation, closes: int | None) -> int:
        """The greatest value of a row.

        The only row that closes a slack with coefficient a is the form without it, or less than a.
        """
        alone = closes if closes is not None and len(self.builder._closers[closes]) == 1 else None
        rows = sum(a * self.of(s) for s, a in eq.rows.items() if a > 0 and s != alone)
        form = eq.constant + self._holdings(eq) + rows + self._squares(eq, 1)
        return form if alone is None else max(form, eq.rows[alone] - 1)

    def _needed(self, free: int, closer: int) -> int:
        """The most that the free row may have to make up for in one of its closing rows."""
        equation = self.builder._drafts[closer].equation
        assert equation is not None  # closes= is only ever taken from defined rows
        eq = self.builder._equations[equation]
        rows = sum(-a * self.of(s) for s, a in eq.rows.items() if a < 0 and s != free)
        return -(-(-eq.constant + self._holdings(eq) + rows + self._squares(eq, -1)) // eq.rows[free])


def shortest_group(columns: int) -> int:
    """g: each helper commitment saves a quotient chunk elsewhere; the sum of both counts is least.

    >>> tuple(shortest_group(k) for k in (1, 2, 4, 9))
    (1, 1, 2, 3)
    """
    return min(range(1, columns + 1), key=lambda g: (-(-columns // g) + g, g))


def balanced_group(columns: int) -> int:
    """g: the shortest, unless one column less to a group halves the prover's work.

    The quotient is computed on a domain of a power of two above g n, so that 4, 8, .. columns to a group double it
    for the sake of one commitment or two.

    >>> tuple(balanced_group(k) for k in (1, 2, 4, 9, 16, 79))
    (1, 1, 2, 3, 3, 7)
    """
    shortest = shortest_group(columns)
    return shortest - 1 if shortest >= 4 and shortest & (shortest - 1) == 0 else shortest
