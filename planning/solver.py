"""The program as HiGHS takes it, and what it answers (Huangfu and Hall, Parallelizing the dual revised simplex method,
Mathematical Programming Computation, 2018).

Norms (correlation margin) are approached from outside by cuts: 2^s K >= |U| holds if 2^s K >= w U for all |w| <= 1, and
the cut at the current U is the one that is missing. Products of secrets (credits of SPAN) are not convex; what they
would lower is held fixed instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isqrt, sqrt
from typing import Literal

import highspy
import numpy as np
from highspy._core import _Highs  # the class above it prints a banner when it is made
from numpy.typing import NDArray

from zkmargin.circuits import Relation
from zkmargin.planning.program import Column, Floats, Program, entries_of

Status = Literal["optimal", "infeasible", "time limit", "failed"]

INFINITY = highspy.kHighsInf
COARSE_LOT = 10
"""USD of notional from which a lot is large enough for the search to count lots; smaller ones are rounded after it."""
WEIGHT_BITS = 40
"""A cut's weights are whole multiples of 2^-40."""
_CLOSED = 1e10
"""A row that a fixed bit moves by more than this many USD says nothing."""
_CUT_ROUNDS = 40
_ENOUGH = 1e-7


@dataclass(frozen=True)
class Cut:
    """One direction in which a norm is measured: sum weights U <= root K, weights in multiples of 2^-40.

    Attributes:
        equation: of the norm.
        weights: by square cell; the sum of their squares is at most 2^80.
    """

    equation: int
    weights: Mapping[int, int]


@dataclass(frozen=True)
class LinearBand:
    """low <= sum coefficients d <= high, over what is traded, by slot in lots."""

    coefficients: Mapping[int, float]
    low: float
    high: float


@dataclass
class Question:
    """What the program is asked.

    Attributes:
        target: the excess that must be reached, in USD; None asks for the greatest.
        budget: USD that may be spent where the greatest excess is asked for.
        bands: further conditions on what is traded.
        legs: the largest number of instruments that are traded.
        whole: whether trades are whole lots and bits are bits.
        pinned: lots by slot that are not left to the solver.
        fixed: values of rows that are not left to the solver.
        time_limit: seconds.
        gap: relative gap at which a search for whole lots stops.
    """

    target: float | None
    budget: float | None = None
    bands: Sequence[LinearBand] = ()
    legs: int | None = None
    whole: bool = False
    pinned: Mapping[int, int] = field(default_factory=dict)
    fixed: Mapping[int, int] = field(default_factory=dict)
    time_limit: float = 10.0
    gap: float = 1e-6


@dataclass(frozen=True)
class Answer:
    """What came out.

    Attributes:
        amounts: lots by column.
        objective: USD: the cost, or the excess where that was asked for.
        bound: what no point of the program goes beyond, as far as floats go.
        duals: USD for each unit of each equation; only of linear programs.
    """

    status: Status
    amounts: Floats
    objective: float
    bound: float
    duals: Floats
    cuts: tuple[Cut, ...] = ()


class Solver:
    """Holds the matrix of one program, and answers questions about it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        relation = program.relation
        self.row_scale = np.array([1.0 / _scale(program, e) for e in range(relation.equations)])
        self.y_scale = np.array([_row_scale(relation, s) for s in range(len(relation.rows))])
        self.x_scale = np.array([_column_scale(program, column) for column in program.columns])
        self.norms, self.products = _norms(program)
        self.credits = _credits(program, self.products)
        self.cuts: list[Cut] = [cut for e in self.norms for cut in _first_cuts(program, e)]
        self._lay_out()

    def _lay_out(self) -> None:
        program, relation = self.program, self.program.relation
        count = len(program.columns)
        self.balance_at = {slot: count + n for n, slot in enumerate(program.balances)}
        self.discard_at = {slot: count + len(program.balances) + n for n, slot in enumerate(program.balances)}
        first = count + 2 * len(program.balances)
        kept = [s for s, row in enumerate(relation.rows) if row.free and row.upper_of is None]
        self.y_at = {s: first + n for n, s in enumerate(kept)}
        self.width = first + len(kept)
        dropped = set(self.norms) | set(self.products)
        wanted = [e for e in program.equations if relation.defines[e] >= 0 and e not in dropped]
        self.row_of = {e: n for n, e in enumerate(wanted)}
        self._slot_columns()

    def _slot_columns(self) -> None:
        """The entries of the equations' rows, on columns of the program."""
        relation, program = self.program.relation, self.program
        row_at = np.full(relation.equations, -1)
        for e, n in self.row_of.items():
            row_at[e] = n
        rows, slots, values = entries_of(relation.holdings)
        values = values * self.row_scale[rows]
        keep = row_at[rows] >= 0
        rows, slots, values = rows[keep], slots[keep], values[keep]
        order = np.argsort(slots, kind="stable")
        rows, slots, values = row_at[rows[order]], slots[order], values[order]
        starts = np.searchsorted(slots, np.arange(relation.domain + 1))
        parts_r, parts_c, parts_v = [], [], []
        for n, column in enumerate(program.columns):
            span = slice(starts[column.slot], starts[column.slot + 1])
            parts_r.append(rows[span])
            parts_c.append(np.full(span.stop - span.start, n))
            parts_v.append(values[span] * column.sign * self.x_scale[n])
        for slot, at in self.balance_at.items():
            span = slice(starts[slot], starts[slot + 1])
            parts_r.append(rows[span])
            parts_c.append(np.full(span.stop - span.start, at))
            parts_v.append(values[span] * self._whole(slot))
        e_rows, e_cols, e_values = entries_of(relation.row_terms)
        column_of = np.full(len(relation.rows), -1)
        for s, at in self.y_at.items():
            column_of[s] = at
        keep = (row_at[e_rows] >= 0) & (column_of[e_cols] >= 0)
        e_rows, e_cols, e_values = e_rows[keep], e_cols[keep], e_values[keep]
        self.e_entries = (row_at[e_rows], e_cols, e_values * self.row_scale[e_rows])
        parts_r.append(row_at[e_rows])
        parts_c.append(column_of[e_cols])
        parts_v.append(e_values * self.row_scale[e_rows] * self.y_scale[e_cols])
        self.entries = [np.concatenate(p) for p in (parts_r, parts_c, parts_v)]
        self._defined_terms(row_at)

    def _defined_terms(self, row_at: NDArray[np.int64]) -> None:
        """Equations may speak of defined rows, too: those become variables, with an equality each."""
        relation = self.program.relation
        rows, cols, values = entries_of(relation.row_terms)
        own = np.array(relation.defines)[rows] == cols
        used = {
            int(s)
            for s in np.unique(cols[(row_at[rows] >= 0) & ~own])
            if not relation.rows[int(s)].free
        }
        self.equal_rows = {relation.defines.index(s): s for s in sorted(used)}
        for s in sorted(used):
            self.y_at[s] = self.width
            self.width += 1
        extra = [(row_at[r], self.y_at[int(c)], v * self.row_scale[r] * self.y_scale[c])
                 for r, c, v, o in zip(rows, cols, values, own, strict=True)
                 if row_at[r] >= 0 and int(c) in used and (not o or int(r) in self.equal_rows)]
        if extra:
            more = [np.array(part) for part in zip(*extra, strict=True)]
            self.entries = [np.concatenate(pair) for pair in zip(self.entries, more, strict=True)]

    @cached_property
    def switches(self) -> tuple[int, ...]:
        """Bits that switch whole models: no float could tell the rows that they close from others."""
        rows, cols, values = self.e_entries
        wide = {int(s) for s in cols[np.abs(values) > _CLOSED]}
        return tuple(s for s in self.program.discrete if s in wide)

    def ask(self, question: Question) -> Answer:
        """Solve, adding cuts until the norms hold. Duals are those of the last linear program."""
        for _ in range(_CUT_ROUNDS):
            answer, values = self._once(question)
            if answer.status not in ("optimal", "time limit") or not self.norms or not len(values):
                break
            missing = [cut for e in self.norms if (cut := self._missing(e, values)) is not None]
            if not missing:
                break
            self.cuts.extend(missing)
        return answer

    def _once(self, question: Question) -> tuple[Answer, Floats]:
        program, relation = self.program, self.program.relation
        lower, upper, cost = np.zeros(self.width), np.full(self.width, INFINITY), np.zeros(self.width)
        for n, column in enumerate(program.columns):
            upper[n], cost[n] = column.most / self.x_scale[n], float(column.cost) * self.x_scale[n]
        for slot, at in self.balance_at.items():
            lower[at] = -INFINITY
            upper[self.discard_at[slot]] = program.discards(slot) / self._whole(slot)
        for s, value in question.fixed.items():
            lower[self.y_at[s]] = upper[self.y_at[s]] = value / self.y_scale[s]
        self._pin(question.pinned, lower, upper)
        rows = len(self.row_of)
        low, high = np.empty(rows), np.full(rows, INFINITY)
        for e, n in self.row_of.items():
            low[n] = -float(program.base[e]) * self.row_scale[e]
            if e in self.equal_rows:
                high[n] = low[n]
        closing = self.row_of[program.closing]
        if question.target is not None:
            low[closing] += question.target
        self._close(question.fixed, low)
        r, c, v = self.entries
        more = _Rows(rows)
        for slot, at in self.balance_at.items():
            terms = {at: -1.0, self.discard_at[slot]: -1.0}
            for n, column in enumerate(program.columns):
                if column.leg_slot == slot:
                    terms[n] = float(column.leg) / self._whole(slot) * self.x_scale[n]
            # The leg is part of what the balance changes by; a coin that is itself traded adds to its own slot.
            more.add(terms, 0.0, 0.0)
        for cut in self.cuts:
            terms, bound = self._cut_row(cut)
            more.add(terms, bound, INFINITY)
        for band in question.bands:
            terms = {}
            for n, column in enumerate(program.columns):
                value = column.sign * band.coefficients.get(column.slot, 0.0)
                value += float(column.leg) * band.coefficients.get(column.leg_slot, 0.0)
                if value:
                    terms[n] = value * self.x_scale[n]
            more.add(terms, band.low, band.high)
        if question.budget is not None:
            more.add(dict(enumerate(cost[: len(program.columns)].tolist())), -INFINITY, question.budget)
        integer = np.zeros(self.width, np.int8)
        if question.whole:
            for n, column in enumerate(program.columns):
                integer[n] = _coarse(program, column.slot)
            for s in program.discrete:
                integer[self.y_at[s]] = 1
        if question.legs is not None:
            slots = sorted({column.slot for column in program.columns})
            place = {slot: self.width + n for n, slot in enumerate(slots)}
            lower, cost = (np.concatenate((a, np.zeros(len(slots)))) for a in (lower, cost))
            upper = np.concatenate((upper, np.ones(len(slots))))
            integer = np.concatenate((integer, np.ones(len(slots), np.int8)))
            for n, column in enumerate(program.columns):
                more.add({place[column.slot]: upper[n], n: -1.0}, 0.0, INFINITY)
            more.add(dict.fromkeys(place.values(), 1.0), 0.0, float(question.legs))
        if question.target is None:
            # The closing row's own value is what is asked for: its entries become the objective.
            inside = r == closing
            cost = np.zeros(len(cost))
            np.subtract.at(cost, c[inside], v[inside])
            low[closing] = -INFINITY
        matrix = (
            np.concatenate((r, more.rows)), np.concatenate((c, more.columns)), np.concatenate((v, more.values))
        )
        bounds = np.concatenate((low, more.low)), np.concatenate((high, more.high))
        return self._run(question, (lower, upper, cost, integer), matrix, bounds)

    def _pin(self, pinned: Mapping[int, int], lower: Floats, upper: Floats) -> None:
        """Fix the columns of a slot, the cheapest segments first."""
        left = dict(pinned)
        for n, column in enumerate(self.program.columns):
            if column.slot in left:
                part = min(column.most, max(0, left[column.slot] * column.sign))
                left[column.slot] -= part * column.sign
                lower[n] = upper[n] = part / self.x_scale[n]

    def _close(self, fixed: Mapping[int, int], low: Floats) -> None:
        """Rows that a fixed bit switches off hold for every account; a float could not tell by how much."""
        rows, cols, values = self.e_entries
        for s, value in fixed.items():
            for n, v in zip(rows[cols == s], values[cols == s], strict=True):
                if abs(v) > _CLOSED and (v > 0) == (value > 0):
                    low[n] = -INFINITY

    def _run(
        self,
        question: Question,
        columns: tuple[Floats, Floats, Floats, NDArray[np.int8]],
        matrix: tuple[NDArray[np.int64], NDArray[np.int64], Floats],
        bounds: tuple[Floats, Floats],
    ) -> tuple[Answer, Floats]:
        lower, upper, cost, integer = columns
        r, c, v = matrix
        order = np.lexsort((r, c))
        r, c, v = r[order], c[order], v[order]
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(cost), len(bounds[0])
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, lower, upper
        lp.row_lower_, lp.row_upper_ = bounds
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.searchsorted(c, np.arange(len(cost) + 1)).astype(np.int32)
        lp.a_matrix_.index_, lp.a_matrix_.value_ = r.astype(np.int32), v
        mixed = bool(integer.any())
        if mixed:
            kinds = highspy.HighsVarType
            lp.integrality_ = [kinds.kInteger if flag else kinds.kContinuous for flag in integer]
        highs = _Highs()
        for option, value in (
            ("output_flag", False), ("threads", 1), ("random_seed", 1), ("time_limit", question.time_limit),
            ("mip_rel_gap", question.gap), ("small_matrix_value", 1e-12), ("large_matrix_value", 1e16),
            ("primal_feasibility_tolerance", 1e-8), ("mip_feasibility_tolerance", 1e-7),
        ):  # fmt: skip
            highs.setOptionValue(option, value)
        highs.passModel(lp)
        highs.run()
        return self._read(question, highs, mixed)

    def _read(self, question: Question, highs: _Highs, mixed: bool) -> tuple[Answer, Floats]:
        kinds = highspy.HighsModelStatus
        found, solution, info = highs.getModelStatus(), highs.getSolution(), highs.getInfo()
        names: dict[highspy.HighsModelStatus, Status] = {
            kinds.kOptimal: "optimal", kinds.kInfeasible: "infeasible",
            kinds.kUnboundedOrInfeasible: "infeasible", kinds.kTimeLimit: "time limit",
        }  # fmt: skip
        status = names.get(found, "failed")
        usable = status in ("optimal", "time limit") and info.primal_solution_status == 2
        values = np.array(solution.col_value) if usable else np.zeros(0)
        if status == "time limit" and not usable:
            status = "failed"
        sign, shift = 1.0, 0.0
        if question.target is None:
            sign, shift = -1.0, float(self.program.base[self.program.closing]) * self.row_scale[-1]
        objective = sign * info.objective_function_value + shift
        bound = sign * (info.mip_dual_bound if mixed else info.objective_function_value) + shift
        duals = np.array(solution.row_dual) if usable and not mixed else np.zeros(0)
        self.cut_duals = duals[len(self.row_of) + len(self.balance_at) :][: len(self.cuts)]
        amounts = values[: len(self.program.columns)] * self.x_scale if usable else np.zeros(0)
        return Answer(status, amounts, objective, bound, duals, tuple(self.cuts)), values

    def coarse(self, slot: int) -> bool:
        """Whether a lot is so large that the search counts lots."""
        return _coarse(self.program, slot)

    def _whole(self, slot: int) -> float:
        """Lots of a balance to one unit of it."""
        return float(10.0 ** -self.program.snapshot.universe.instruments[slot].lot_exponent)

    def _cells(self, equation: int) -> tuple[int, dict[int, tuple[float, dict[int, float]]]]:
        """The row K of a norm, and each cell U as constant and terms on columns, in USD."""
        return self.norms[equation].row, {
            cell: self._cell(cell, self.norms[equation].scale) for cell in self.norms[equation].cells
        }

    def _cell(self, cell: int, scale: float) -> tuple[float, dict[int, float]]:
        program = self.program
        e = program.relation.defines.index(-1 - cell)
        form = program.relation.holdings.row(e)
        terms: dict[int, float] = {}
        for n, column in enumerate(program.columns):
            if form.get(column.slot):
                terms[n] = column.sign * float(form[column.slot]) / scale * self.x_scale[n]
        for slot, at in self.balance_at.items():
            if form.get(slot):
                terms[at] = terms.get(at, 0.0) + float(form[slot]) / scale * self._whole(slot)
        return float(program.base[e]) / scale, terms

    def _cut_row(self, cut: Cut) -> tuple[dict[int, float], float]:
        """root K - sum w U >= 0 as terms and a bound."""
        row, cells = self._cells(cut.equation)
        terms: dict[int, float] = {self.y_at[row]: 1.0}
        constant = 0.0
        for cell, weight in cut.weights.items():
            base, form = cells[cell]
            share = weight / 2.0**WEIGHT_BITS
            constant -= share * base
            for at, value in form.items():
                terms[at] = terms.get(at, 0.0) - share * value
        return terms, -constant

    def _missing(self, equation: int, values: Floats) -> Cut | None:
        row, cells = self._cells(equation)
        sums = {cell: base + sum(v * values[at] for at, v in form.items()) for cell, (base, form) in cells.items()}
        norm = sqrt(sum(each * each for each in sums.values()))
        if norm <= values[self.y_at[row]] + _ENOUGH * max(1.0, norm):
            return None
        return unit_cut(equation, {cell: each / norm for cell, each in sums.items()})


@dataclass(frozen=True)
class Norm:
    """2^s K >= |U|: the row K, the cells, and how many steps of a cell make a USD of K."""

    row: int
    cells: tuple[int, ...]
    root: int
    scale: float


class _Rows:
    """Further rows of a matrix, in the making."""

    def __init__(self, first: int) -> None:
        self.next = first
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.values: list[float] = []
        self.low: list[float] = []
        self.high: list[float] = []

    def add(self, terms: Mapping[int, float], low: float, high: float) -> None:
        self.rows.extend([self.next] * len(terms))
        self.columns.extend(terms)
        self.values.extend(terms.values())
        self.low.append(low)
        self.high.append(high)
        self.next += 1


def unit_cut(equation: int, weights: Mapping[int, float]) -> Cut:
    """Weights of norm 1, rounded towards zero to multiples of 2^-40, so that their norm is at most 1."""
    return Cut(equation, {cell: int(weight * (1 - 2.0**-50) * 2**WEIGHT_BITS) for cell, weight in weights.items()})


def _first_cuts(program: Program, equation: int) -> list[Cut]:
    cells = sorted(c for c, v in program.relation.v_terms.row(equation).items() if v < 0)
    return [unit_cut(equation, {cell: sign}) for cell in cells for sign in (1.0, -1.0)]


def _norms(program: Program) -> tuple[dict[int, Norm], tuple[int, ...]]:
    """The equations that say a norm, and those with other products."""
    relation = program.relation
    norms, products = {}, []
    for e in program.nonlinear:
        terms = relation.v_terms.row(e)
        above = [c for c, v in terms.items() if v > 0]
        below = [c for c, v in terms.items() if v < 0]
        norm = None
        if len(above) == 1 and all(terms[c] == -1 for c in below) and not relation.holdings.row(e):
            definition = relation.defines.index(-1 - above[0])
            named, root = relation.row_terms.row(definition), isqrt(terms[above[0]])
            if root * root == terms[above[0]] and len(named) == 1 and set(named.values()) == {1}:
                row = next(iter(named))
                norm = Norm(row, tuple(below), root, float(root) * relation.rows[row].unit.scale)
        if norm is None:
            products.append(e)
        else:
            norms[e] = norm
    return norms, tuple(products)


def _credits(program: Program, products: Sequence[int]) -> tuple[int, ...]:
    """The rows that products bound from above."""
    relation = program.relation
    return tuple(
        s for e in products for s, v in relation.row_terms.row(e).items() if v < 0 and relation.rows[s].free
        and relation.rows[s].upper_of is None
    )


def _scale(program: Program, equation: int) -> float:
    target = program.relation.defines[equation]
    return _row_scale(program.relation, target) if target >= 0 else 1.0


def _row_scale(relation: Relation, index: int) -> float:
    """What a row is counted in: USD where it is money, and else about its greatest value."""
    row = relation.rows[index]
    if row.unit.scale > 1:
        return float(row.unit.scale)
    return 2.0 ** (relation.bits * (row.limbs - 1))


def _coarse(program: Program, slot: int) -> bool:
    return program.pricing.notional(slot) >= COARSE_LOT


def _column_scale(program: Program, column: Column) -> float:
    """What a trade is counted in: lots where they are coarse, and else stretches of about 1,000 USD."""
    if _coarse(program, column.slot):
        return 1.0
    return max(1.0, 1000.0 / float(program.pricing.notional(column.slot)))
