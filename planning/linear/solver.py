"""The program as HiGHS takes it, and what it answers (Huangfu and Hall, Parallelizing the dual revised simplex method,
Mathematical Programming Computation, 2018).

Norms (correlation margin) are approached from outside by cuts, see `planning.linear.norms`. Products of secrets
(credits of SPAN) are not convex; what they would lower is held fixed instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Literal

import highspy
import numpy as np
from highspy._core import _Highs  # the class above it prints a banner when it is made
from numpy.typing import NDArray

from zkmargin.planning.linear.layout import CLOSED, Layout
from zkmargin.planning.linear.norms import WEIGHT_BITS, Cut, first_cuts, unit_cut
from zkmargin.planning.linear.program import Floats, Program

Status = Literal["optimal", "infeasible", "time limit", "failed"]

INFINITY = highspy.kHighsInf
_CUT_ROUNDS = 40
_ENOUGH = 1e-7


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
        duals: USD for each scaled unit of each equation; only of linear programs.
        cut_duals: the same of the solver's cuts.
    """

    status: Status
    amounts: Floats
    objective: float
    bound: float
    duals: Floats
    cut_duals: Floats


class Solver:
    """Holds the matrix of one program, and answers questions about it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.layout = Layout(program)
        self.cuts: list[Cut] = first_cuts(self.layout.norms)

    def ask(self, question: Question) -> Answer:
        """Solve, adding cuts until the norms hold. Duals are those of the last linear program."""
        for _ in range(_CUT_ROUNDS):
            answer, values = self._once(question)
            if not self.layout.norms or not len(values):
                break
            missing = [cut for e in self.layout.norms if (cut := self._missing(e, values)) is not None]
            if not missing:
                break
            self.cuts.extend(missing)
        return answer

    def _once(self, question: Question) -> tuple[Answer, Floats]:
        columns = _Columns(self.layout, question)
        rows = _Rows(len(self.layout.row_of))
        for terms in self.layout.leg_rows:
            rows.add(terms, 0.0, 0.0)
        for cut in self.cuts:
            rows.add(*self._cut_row(cut))
        self._condition_rows(rows, question, columns)
        if question.legs is not None:
            self._leg_rows(rows, question.legs, columns)
        low, high = self._bounds(question)
        if question.target is None:
            self._maximise(columns, low)
        r, c, v = self.layout.entries
        matrix = (
            np.concatenate((r, np.array(rows.rows, np.int64))),
            np.concatenate((c, np.array(rows.columns, np.int64))),
            np.concatenate((v, np.array(rows.values, np.float64))),
        )
        return self._run(question, columns, matrix, (np.append(low, rows.low), np.append(high, rows.high)))

    def _bounds(self, question: Question) -> tuple[Floats, Floats]:
        """Of the equations' rows."""
        layout, base = self.layout, self.program.base
        equations = list(layout.row_of)
        low = -np.array([float(base[e]) for e in equations]) * layout.row_scale[equations]
        high = np.where([e in layout.equal_rows for e in equations], low, INFINITY)
        if question.target is not None:
            low[layout.row_of[self.program.closing]] += question.target
        rows, cols, values = layout.bit_entries
        for s, value in question.fixed.items():
            # Rows that a fixed bit switches off hold for every account.
            at = cols == s
            for n, v in zip(rows[at], values[at], strict=True):
                if abs(v) > CLOSED and (v > 0) == (value > 0):
                    low[n] = -INFINITY
        return low, high

    def _maximise(self, columns: _Columns, low: Floats) -> None:
        """The closing row's own value is what is asked for: its entries become the objective."""
        r, c, v = self.layout.entries
        closing = self.layout.row_of[self.program.closing]
        inside = r == closing
        columns.cost[:] = 0.0
        np.subtract.at(columns.cost, c[inside], v[inside])
        low[closing] = -INFINITY

    def _condition_rows(self, rows: _Rows, question: Question, columns: _Columns) -> None:
        for band in question.bands:
            terms = {}
            for n, column in enumerate(self.program.columns):
                value = column.sign * band.coefficients.get(column.slot, 0.0)
                value += float(self.layout.leg[n]) * band.coefficients.get(column.leg_slot, 0.0)
                if value:
                    terms[n] = value * self.layout.x_scale[n]
            rows.add(terms, band.low, band.high)
        if question.budget is not None:
            count = len(self.program.columns)
            rows.add(dict(enumerate(columns.cost[:count].tolist())), -INFINITY, question.budget)

    def _leg_rows(self, rows: _Rows, legs: int, columns: _Columns) -> None:
        """A bit for each instrument, without which it is not traded."""
        place = columns.add_bits(sorted({column.slot for column in self.program.columns}))
        for n, column in enumerate(self.program.columns):
            rows.add({place[column.slot]: float(columns.upper[n]), n: -1.0}, 0.0, INFINITY)
        rows.add(dict.fromkeys(place.values(), 1.0), 0.0, float(legs))

    def _run(
        self,
        question: Question,
        columns: _Columns,
        matrix: tuple[NDArray[np.int64], NDArray[np.int64], Floats],
        bounds: tuple[Floats, Floats],
    ) -> tuple[Answer, Floats]:
        r, c, v = matrix
        order = np.lexsort((r, c))
        r, c, v = r[order], c[order], v[order]
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(columns.cost), len(bounds[0])
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = columns.cost, columns.lower, columns.upper
        lp.row_lower_, lp.row_upper_ = bounds
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.searchsorted(c, np.arange(len(columns.cost) + 1)).astype(np.int32)
        lp.a_matrix_.index_, lp.a_matrix_.value_ = r.astype(np.int32), v
        mixed = bool(columns.whole.any())
        if mixed:
            kinds = highspy.HighsVarType
            lp.integrality_ = [kinds.kInteger if flag else kinds.kContinuous for flag in columns.whole]
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
        solution, info = highs.getSolution(), highs.getInfo()
        names: dict[highspy.HighsModelStatus, Status] = {
            kinds.kOptimal: "optimal", kinds.kInfeasible: "infeasible",
            kinds.kUnboundedOrInfeasible: "infeasible", kinds.kTimeLimit: "time limit",
        }  # fmt: skip
        status: Status = names.get(highs.getModelStatus(), "failed")
        usable = status in ("optimal", "time limit") and info.primal_solution_status == 2
        values = np.array(solution.col_value) if usable else np.zeros(0)
        if status == "time limit" and not usable:
            status = "failed"
        sign, shift = 1.0, 0.0
        if question.target is None:
            sign, shift = -1.0, float(self.program.base[self.program.closing]) / self.program.unit
        objective = sign * info.objective_function_value + shift
        bound = sign * (info.mip_dual_bound if mixed else info.objective_function_value) + shift
        duals = np.array(solution.row_dual) if usable and not mixed else np.zeros(0)
        first = len(self.layout.row_of) + len(self.layout.balance_at)
        count = len(self.program.columns)
        amounts = values[:count] * self.layout.x_scale if usable else np.zeros(0)
        cut_duals = duals[first : first + len(self.cuts)]
        return Answer(status, amounts, objective, bound, duals, cut_duals), values

    def _cells(self, equation: int) -> dict[int, tuple[float, dict[int, float]]]:
        """Each cell U of a norm as constant and terms on columns, in USD."""
        norm = self.layout.norms[equation]
        return {cell: self._cell(cell, norm.scale) for cell in norm.cells}

    def _cell(self, cell: int, scale: float) -> tuple[float, dict[int, float]]:
        program, layout = self.program, self.layout
        e = program.relation.defines.index(-1 - cell)
        form = program.relation.holdings.row(e)
        terms: dict[int, float] = {}
        for n, column in enumerate(program.columns):
            if form.get(column.slot):
                terms[n] = column.sign * float(form[column.slot]) / scale * layout.x_scale[n]
        for slot, at in layout.balance_at.items():
            if form.get(slot):
                terms[at] = terms.get(at, 0.0) + float(form[slot]) / scale * layout.whole(slot)
        return float(program.base[e]) / scale, terms

    def _cut_row(self, cut: Cut) -> tuple[dict[int, float], float, float]:
        """root K - sum w U >= 0 as terms and bounds."""
        cells = self._cells(cut.equation)
        terms: dict[int, float] = {self.layout.y_at[self.layout.norms[cut.equation].row]: 1.0}
        constant = 0.0
        for cell, weight in cut.weights.items():
            base, form = cells[cell]
            share = weight / 2.0**WEIGHT_BITS
            constant -= share * base
            for at, value in form.items():
                terms[at] = terms.get(at, 0.0) - share * value
        return terms, -constant, INFINITY

    def _missing(self, equation: int, values: Floats) -> Cut | None:
        """The cut at the present U, where K is less than its norm."""
        sums = {
            cell: base + sum(v * values[at] for at, v in form.items())
            for cell, (base, form) in self._cells(equation).items()
        }
        norm = sqrt(sum(each * each for each in sums.values()))
        if norm <= values[self.layout.y_at[self.layout.norms[equation].row]] + _ENOUGH * max(1.0, norm):
            return None
        return unit_cut(equation, {cell: each / norm for cell, each in sums.items()})


class _Columns:
    """Bounds, costs and kinds of the columns, for one question."""

    def __init__(self, layout: Layout, question: Question) -> None:
        program, width = layout.program, layout.width
        self.lower, self.upper, self.cost = np.zeros(width), np.full(width, INFINITY), np.zeros(width)
        self.whole = np.zeros(width, np.int8)
        count = len(program.columns)
        self.upper[:count], self.cost[:count] = layout.upper, layout.cost
        if question.whole:
            self.whole[:count] = [layout.coarse(column.slot) for column in program.columns]
        for slot, at in layout.balance_at.items():
            self.lower[at] = -INFINITY
            self.upper[layout.discard_at[slot]] = program.discards(slot) / layout.whole(slot)
        for s, value in question.fixed.items():
            at = layout.y_at[s]
            self.lower[at] = self.upper[at] = value / layout.y_scale[s]
        if question.whole:
            self.whole[[layout.y_at[s] for s in program.discrete]] = 1
        left = dict(question.pinned)
        for n, column in enumerate(program.columns) if left else ():
            if column.slot in left:
                # The cheapest segments come first.
                part = min(column.most, max(0, left[column.slot] * column.sign))
                left[column.slot] -= part * column.sign
                self.lower[n] = self.upper[n] = part / layout.x_scale[n]

    def add_bits(self, slots: Sequence[int]) -> dict[int, int]:
        """A bit for each slot; returns their columns."""
        first, count = len(self.cost), len(slots)
        self.lower, self.cost = np.append(self.lower, np.zeros(count)), np.append(self.cost, np.zeros(count))
        self.upper = np.append(self.upper, np.ones(count))
        self.whole = np.append(self.whole, np.ones(count, np.int8))
        return {slot: first + n for n, slot in enumerate(slots)}


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
        """low <= terms <= high."""
        self.rows.extend([self.next] * len(terms))
        self.columns.extend(terms)
        self.values.extend(terms.values())
        self.low.append(low)
        self.high.append(high)
        self.next += 1
