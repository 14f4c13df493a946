"""Exact lower bounds from multipliers: weak duality over the integers of the rows.

For any multipliers z of the equations, any plan's cost is at least

    - sum_e z_e base_e  -  sum_k u_k max(0, g_k - c_k)  -  sum_b T_b max(0, -G_b)  -  sum_s Y_s max(0, E_s)

with G = sum_e z_e A[e], g_k what one lot of the k-th segment adds to z by its slot and its leg, T_b the lots that
rounding may take from a balance, E_s = sum_e z_e E[e,s] and Y_s the greatest value of row s: what a plan costs is what
it costs less z times rows that are zero, and every term of that is bounded by itself. A norm |U| <= root K enters by
root K >= w U for weights with |w| <= 1. Nothing here is rounded: the multipliers are rational, and so is the bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from zkmargin.planning.linear.norms import WEIGHT_BITS, Cut, Norm
from zkmargin.planning.linear.program import Program
from zkmargin.planning.linear.solver import Answer, Solver

MULTIPLIER_BITS = 64
"""A multiplier is a whole multiple of 2^-64 USD for each step of its row that its unit shows."""


@dataclass(frozen=True)
class Multipliers:
    """Multipliers as integers.

    Attributes:
        equations: by equation; in 2^-64 USD for each `step` of its row.
        cuts: directions of norms, each with its multiplier in 2^-64 USD for each unit of the row K.
    """

    equations: Mapping[int, int]
    cuts: Sequence[tuple[Cut, int]] = ()


class Dual:
    """Evaluates multipliers for one program."""

    def __init__(self, program: Program, norms: Mapping[int, Norm]) -> None:
        self.program, self.norms = program, norms
        self.relation = program.relation
        self.entries = self.relation.row_terms.mappings
        self.cell_equation = {-1 - t: e for e, t in enumerate(self.relation.defines) if t < 0}
        self.users: dict[int, list[int]] = {}
        for e in program.equations:
            if self.relation.defines[e] >= 0:
                for s in self.entries[e]:
                    self.users.setdefault(s, []).append(e)

    def step(self, equation: int) -> int:
        """Steps of an equation's row to one that is shown."""
        return self.relation.rows[self.relation.defines[equation]].unit.scale

    def usable(self, equation: int) -> bool:
        """Whether an equation is linear, defines a row and is not one of the bounds on quantities."""
        linear = equation not in self.program.nonlinear and self.relation.defines[equation] >= 0
        return equation in self.program.equations and linear

    def values(self, given: Multipliers) -> dict[int, Fraction]:
        """z by equation, in USD for each step of the row."""
        found = {
            e: Fraction(numerator, self.step(e) << MULTIPLIER_BITS)
            for e, numerator in given.equations.items()
        }
        for cut, numerator in given.cuts:
            norm = self.norms[cut.equation]
            unit = self.relation.rows[norm.row].unit.scale * norm.root
            share = Fraction(numerator, unit << (MULTIPLIER_BITS + WEIGHT_BITS))
            for cell, weight in cut.weights.items():
                e = self.cell_equation[cell]
                found[e] = found.get(e, Fraction(0)) - share * weight
        return found

    def excesses(self, given: Multipliers) -> dict[int, Fraction]:
        """E_s by row, where it is not zero."""
        found: dict[int, Fraction] = {}
        for e, z in self.values(given).items():
            for s, a in self.entries[e].items():
                found[s] = found.get(s, Fraction(0)) + z * a
        for cut, numerator in given.cuts:
            row = self.norms[cut.equation].row
            z = Fraction(numerator, self.relation.rows[row].unit.scale << MULTIPLIER_BITS)
            found[row] = found.get(row, Fraction(0)) + z
        return {s: value for s, value in found.items() if value}

    def bound(self, given: Multipliers, target: int) -> Fraction:
        """USD below which no plan costs that reaches a target excess in ticks."""
        program, z = self.program, self.values(given)
        total = -sum((value * program.base[e] for e, value in z.items()), Fraction(0))
        total += z.get(program.closing, Fraction(0)) * program.target(target)
        weights = self.weights(z)
        for column in program.columns:
            gain = column.sign * weights.get(column.slot, Fraction(0))
            gain += column.leg * weights.get(column.leg_slot, Fraction(0)) - column.cost
            if gain > 0:
                total -= gain * column.most
        for balance in program.balances:
            total -= max(Fraction(0), -weights.get(balance, Fraction(0))) * program.discards(balance)
        for s, value in self.excesses(given).items():
            if value > 0:
                total -= value * self.greatest(s)
        return total

    def weights(self, z: Mapping[int, Fraction]) -> dict[int, Fraction]:
        """G by slot."""
        found: dict[int, Fraction] = {}
        for e, value in z.items():
            for slot, a in self.relation.holdings.row(e).items():
                found[slot] = found.get(slot, Fraction(0)) + value * a
        return found

    def greatest(self, row: int) -> int:
        """The most that a row can hold."""
        return (1 << (self.relation.bits * self.relation.rows[row].limbs)) - 1

    def rounded(self, solver: Solver, answer: Answer, *, grain: int = 1) -> Multipliers:
        """The solver's multipliers as multiples of a grain, lowered until no row gives more than it costs."""
        scale = 1 << MULTIPLIER_BITS
        found: dict[int, int] = {}
        for e, n in solver.layout.row_of.items():
            value = float(answer.duals[n]) * solver.layout.row_scale[e] * self.step(e)
            if value and self.usable(e) and (value > 0 or e in solver.layout.equal_rows):
                found[e] = int(value * scale)
        cuts = [
            (cut, int(float(value) * scale))
            for cut, value in zip(solver.cuts, answer.cut_duals, strict=False)
            if value > 0
        ]
        whole = {e: n // grain * grain for e, n in found.items()}
        return self._lowered(Multipliers({e: n for e, n in whole.items() if n}, cuts), grain)

    def _lowered(self, given: Multipliers, grain: int) -> Multipliers:
        """Scale down what closes a row to what the row is needed for, later rows first."""
        equations, cuts = dict(given.equations), list(given.cuts)
        for s in self._order(equations):
            above = [e for e in self.users.get(s, ()) if e in equations and self._term(equations, e, s) > 0]
            held = [n for n, (cut, _) in enumerate(cuts) if self.norms[cut.equation].row == s]
            more = sum((self._term(equations, e, s) for e in above), Fraction(0))
            unit = self.relation.rows[s].unit.scale << MULTIPLIER_BITS
            more += sum((Fraction(cuts[n][1], unit) for n in held), Fraction(0))
            less = -sum(
                (
                    self._term(equations, e, s)
                    for e in self.users.get(s, ())
                    if e in equations and e not in above
                ),
                Fraction(0),
            )
            if more > less:
                share = less / more
                for e in above:
                    equations[e] = int(equations[e] * share) // grain * grain
                for n in held:
                    cuts[n] = cuts[n][0], int(cuts[n][1] * share)
        return Multipliers(
            {e: n for e, n in sorted(equations.items()) if n}, tuple((cut, n) for cut, n in cuts if n)
        )

    def _term(self, equations: Mapping[int, int], e: int, s: int) -> Fraction:
        return Fraction(equations[e] * self.entries[e][s], self.step(e) << MULTIPLIER_BITS)

    def _order(self, equations: Mapping[int, int]) -> list[int]:
        """Free rows, each before those that the equations closing it draw upon; circles are cut."""
        rows = self.relation.rows
        order: list[int] = []
        state: dict[int, int] = {}

        def visit(s: int) -> None:
            state[s] = 1
            for e in self.users.get(s, ()):
                if e in equations and self.entries[e][s] > 0:
                    for t, a in self.entries[e].items():
                        if a < 0 and t not in state and t != self.relation.defines[e]:
                            visit(t)
            order.append(s)

        for s, row in enumerate(rows):
            if row.free and row.upper_of is None and s not in state:
                visit(s)
        return order[::-1]
