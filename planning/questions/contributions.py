"""What each position contributes to a requirement: shadow prices, and what would be asked without it.

The requirement is the least value of a linear program in the holdings, so the multipliers z of its rows are its
slopes: where no charge has a constant, the requirement is the sum of slope times holding over all slots (Euler's
theorem for functions homogeneous of degree one). Constants (allowances, offsets of tiers, lots that are free of a
haircut) are what remains, and are told as such. A model with bits is read with its bits as they are: its slopes
are those of the branch that counts now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from zkmargin.circuits import assign
from zkmargin.margin.arithmetic.decimals import nearest, scaled_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.units import Level
from zkmargin.planning.costs import Pricing
from zkmargin.planning.engine import Engine
from zkmargin.planning.linear.dual import Dual
from zkmargin.planning.linear.norms import WEIGHT_BITS
from zkmargin.planning.linear.program import Program
from zkmargin.planning.linear.solver import Answer, Question, Solver


@dataclass(frozen=True)
class Contribution:
    """One slot that an account holds.

    Attributes:
        instrument: its name.
        lots: held.
        shadow: its part of the requirement by shadow prices, in USD.
        without: how much more is required than without it, in ticks.
    """

    instrument: str
    lots: int
    shadow: Fraction
    without: int


@dataclass(frozen=True)
class Contributions:
    """Parts that add up: requirement = sum of shadows + constants + rounding, in USD.

    Attributes:
        constants: what the charges' constants come to.
        rounding: what whole money units and the solver's accuracy leave; far below a tick.
    """

    model: str
    level: Level
    requirement: Fraction
    parts: tuple[Contribution, ...]
    constants: Fraction
    rounding: Fraction
    quantum_decimals: int

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, USD at a tick."""
        decimals = self.quantum_decimals

        def usd(value: Fraction) -> str:
            return scaled_decimal(nearest(value * 10**decimals), decimals)

        return {
            "model": self.model,
            "level": self.level,
            "requirement": usd(self.requirement),
            "contributions": [
                {
                    "instrument": part.instrument,
                    "shadow": usd(part.shadow),
                    "without": scaled_decimal(part.without, decimals),
                }
                for part in self.parts
            ],
            "constants": usd(self.constants),
        }


def contributions(
    pricing: Pricing, lots: Sequence[int], *, model: str = "grid", level: Level = "initial"
) -> Contributions:
    """What each held slot contributes, the largest first. Raises InputError as `build_relation` does."""
    engine = Engine(pricing.snapshot, model, level)
    found = engine.requirement(lots)
    unit = 10**found.money_decimals
    required = found.assessment.amount / unit
    weights, constants = _slopes_at(pricing, lots, model, level)
    values = [
        mark * factor
        for mark, factor in zip(pricing.snapshot.marks.tolist(), pricing.snapshot.scale, strict=True)
    ]
    parts = []
    for slot, held in enumerate(lots):
        if held:
            shadow = held * (Fraction(values[slot], unit) - weights.get(slot, Fraction(0)))
            name = pricing.snapshot.universe.instruments[slot].name
            parts.append(
                Contribution(name, held, shadow, _without(engine, lots, slot, found.requirement_ticks))
            )
    parts.sort(key=lambda part: (-part.shadow, part.instrument))
    rounding = required - sum((part.shadow for part in parts), Fraction(0)) - constants
    if abs(rounding) > max(Fraction(1, 100), abs(required) / 10**6):
        raise InputError(
            "contributions",
            "model",
            Finding(model),
            f"its slopes miss {float(rounding):.2f} USD of the requirement",
        )
    return Contributions(
        model, level, required, tuple(parts), constants, rounding, pricing.snapshot.quantum_decimals
    )


def excess_slopes(
    pricing: Pricing, lots: Sequence[int], *, model: str = "grid", level: Level = "initial"
) -> dict[int, Fraction]:
    """By slot, the USD by which the excess rises with a lot: a slope of a concave function, where the model is one."""
    return _slopes_at(pricing, lots, model, level)[0]


def _slopes_at(
    pricing: Pricing, lots: Sequence[int], model: str, level: Level
) -> tuple[dict[int, Fraction], Fraction]:
    Engine(pricing.snapshot, model, level)
    program = Program(pricing, lots, (), model, level)
    solver = Solver(program)
    rows = assign(program.relation, lots).rows
    fixed = {row: rows[row] for row in (*program.discrete, *solver.layout.credits)}
    answer = solver.ask(Question(None, fixed=fixed))
    if answer.status != "optimal":
        raise InputError("contributions", "model", model, "its program has no solution for this account")
    return _slopes(program, solver, answer, fixed)


def _slopes(
    program: Program, solver: Solver, answer: Answer, fixed: dict[int, int]
) -> tuple[dict[int, Fraction], Fraction]:
    """The slope of the excess in each slot, in USD a lot, and what constants take from it."""
    dual = Dual(program, solver.layout.norms)
    z = {
        e: Fraction(float(answer.duals[n]) * solver.layout.row_scale[e])
        for e, n in solver.layout.row_of.items()
        if answer.duals[n] and e != program.closing
    }
    z[program.closing] = Fraction(1, program.unit)
    for cut, value in zip(solver.cuts, answer.cut_duals, strict=True):
        scale = Fraction(solver.layout.norms[cut.equation].scale)
        for cell, weight in cut.weights.items():
            e = dual.cell_equation[cell]
            z[e] = z.get(e, Fraction(0)) - Fraction(float(value)) / scale * Fraction(weight, 1 << WEIGHT_BITS)
    constant = sum((value * program.relation.constants[e] for e, value in z.items()), Fraction(0))
    for e, value in z.items():
        for s, a in dual.entries[e].items():
            if s in fixed:
                constant += value * a * fixed[s]
    return dual.weights(z), -constant


def _without(engine: Engine, lots: Sequence[int], slot: int, required: int) -> int:
    rest = list(lots)
    rest[slot] = 0
    return required - engine.requirement(rest).requirement_ticks
