"""That a liquidation cost at most so much more than the least, as a relation over committed holdings.

Public: snapshot, model, level, target, costs, the cost C that was paid, and by how much it may pass the least. Secret:
the holdings q, and multipliers z >= 0 of the model's own equations base_e = A[e] q + constant_e (see
`planning.linear.dual`). With f_e the steps that bring every equation to one unit, all of it in 2^-32 of that unit:

    z_e >= 0,   - sum_e z_e E[e,s] f_e >= 0         for every row s that the model's equations speak of
    G_b >= 0                                        for every balance b that pays for trades, G_i = sum_e z_e A[e,i] f_e
    P >= 0,  P - q >= 0                             the long side of every contract; P - q is its short side
    m >= 0,  2^w m - 2^w g + 2^w c >= 0             what a lot closed gains beyond its cost, g = -/+ G_i + leg G_b
    - sum G_i q_i - sum z_e constant_e f_e - sum m_sell P - sum m_buy (P - q)  >=  C / (1 + excess)

The last line's left side is a lower bound on what any closing trades cost that reach the target, for whatever z, P and
m are: larger P and m only lower it. Costs are rounded down and legs up, which lowers it, too. Each product is of two
secrets, x y = ((x+y)^2 - (x-y)^2) / 4: two square cells, six for a contract and two for a balance. That is summed by
slot, not by equation: there are far fewer slots.

Only models without bits and norms: bits have no strong duality, and a relaxation's bound would be held against a venue
that cannot reach it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import lcm

from zkmargin.circuits import Relation, build_relation
from zkmargin.circuits.builder import RelationBuilder
from zkmargin.circuits.relation import Unit
from zkmargin.margin.arithmetic.decimals import ceil_div, floor_div
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.units import Level
from zkmargin.planning.costs import Pricing
from zkmargin.planning.limits import Limits
from zkmargin.planning.linear.dual import MULTIPLIER_BITS, Dual
from zkmargin.planning.linear.program import Program, bounding_equations, choosing_rows, closing_moves
from zkmargin.planning.linear.solver import Question, Solver

RESOLUTION = 32
"""A multiplier is a whole multiple of 2^-32."""
GRAIN = 1 << (MULTIPLIER_BITS - RESOLUTION)
LEG_BITS = 24
"""Legs are rounded up to 2^-24 of a lot of the balance."""
LARGEST_COST = 10**12
"""USD that a bound may come to."""
_MONEY_BITS, _LOT_BITS = 2, 12
_BASIS_POINTS = 10_000

WEIGHTS = Unit("multiplier units")


@dataclass(frozen=True)
class NearLeast:
    """What is claimed: everything public of it but the commitment.

    Attributes:
        target: ticks of excess that the liquidation had to reach.
        cost: ticks of USD that it cost.
        above: basis points by which that may pass the least.
    """

    pricing: Pricing
    model: str
    level: Level
    target: int
    cost: int
    above: int

    def relation(self, multipliers: Mapping[int, int] | None = None) -> Relation:
        """The rows of the claim; with multipliers, in 2^-32, as a prover fills them. Both have the same digest.

        Raises:
            InputError: the model has bits or norms, or the market too many contracts for one column of squares.
        """
        return _Claim(self, multipliers or {}).build()

    def multipliers(self, lots: list[int]) -> dict[int, int]:
        """Good multipliers for an account, in 2^-32: secret, as they follow from its holdings. Raises InputError."""
        pricing, limits = self.pricing, Limits()
        moves = closing_moves(pricing, lots, limits.slots(pricing), {})
        program = Program(pricing, lots, moves, self.model, self.level)
        solver = Solver(program)
        answer = solver.ask(Question(self.target / 10**pricing.snapshot.quantum_decimals))
        if not len(answer.duals):
            raise InputError("claim", "target", Finding("out of reach"), "no closing trades reach it")
        found = Dual(program, solver.layout.norms).rounded(solver, answer, grain=GRAIN)
        return {e: n // GRAIN for e, n in found.equations.items() if n > 0}


class _Claim:
    def __init__(self, claim: NearLeast, multipliers: Mapping[int, int]) -> None:
        self.claim, self.given = claim, multipliers
        self.snapshot = claim.pricing.snapshot
        self.own = build_relation(self.snapshot, model=claim.model, level=claim.level, threshold=claim.target)
        if choosing_rows(self.own) or self.own.squares:
            remedy = (
                "its rows have bits or norms, for which multipliers show no least cost; claim another model's"
            )
            raise InputError("claim", "model", claim.model, remedy)
        count = len(self.snapshot.universe)
        # The first equations only bound each quantity.
        first = bounding_equations(self.own, count)
        self.equations = [e for e in range(first, self.own.equations) if self.own.defines[e] >= 0]
        steps = {e: self.own.rows[self.own.defines[e]].unit.scale for e in self.equations}
        self.unit = lcm(*steps.values())
        self.factor = {e: self.unit // step for e, step in steps.items()}
        self.builder = RelationBuilder(self.snapshot.universe.domain)
        for slot, instrument in enumerate(self.snapshot.universe.instruments):
            self.builder.ranged(f"{instrument.name}: quantity within its bound", slot, instrument.bound)
        self.z = {e: self._multiplier(e, steps[e]) for e in self.equations}
        self.weights = self._weights()
        self.squares: dict[int, int] = {}

    def build(self) -> Relation:
        self._dual_rows()
        universe = self.snapshot.universe
        for slot, form in self.weights.items():
            if universe.instruments[slot].kind == "balance" and form:
                self.builder.row(f"{universe.instruments[slot].name}: worth something", WEIGHTS, {}, form)
        for slot, form in self.weights.items():
            if form:
                self._product({slot: 1}, {}, form)
        quotes = self.snapshot.inputs.quotes
        for slot, instrument in enumerate(universe.instruments):
            if instrument.kind != "balance" and quotes[slot].settled is None:
                self._closing(slot, instrument.name)
        if len(self.squares) > universe.domain:
            cells = len(self.squares)
            remedy = f"products take {cells} square cells of {universe.domain}; claim over fewer instruments"
            raise InputError("claim", "universe", len(universe), remedy)
        return self._closed()

    def _multiplier(self, equation: int, step: int) -> int:
        bits = RESOLUTION + (_MONEY_BITS if step > 1 else _LOT_BITS)
        given = self.given.get(equation, 0)
        name = f"multiplier of {self.own.rows[self.own.defines[equation]].name}"
        return self.builder.free(name, WEIGHTS, choice=lambda _, __: given, limit=(1 << bits) - 1)

    def _weights(self) -> dict[int, dict[int, int]]:
        """G_i as terms on the multipliers."""
        found: dict[int, dict[int, int]] = {slot: {} for slot in range(len(self.snapshot.universe))}
        for e in self.equations:
            for slot, a in self.own.holdings.row(e).items():
                found[slot][self.z[e]] = a * self.factor[e]
        return found

    def _dual_rows(self) -> None:
        """No row of the model may gain from being larger than it must be."""
        terms: dict[int, dict[int, int]] = {}
        for e in self.equations:
            for s, a in self.own.row_terms.row(e).items():
                terms.setdefault(s, {})[self.z[e]] = -a * self.factor[e]
        for s, form in sorted(terms.items()):
            if any(value < 0 for value in form.values()):
                self.builder.row(f"{self.own.rows[s].name}: no more than it costs", WEIGHTS, {}, form)

    def _closing(self, slot: int, name: str) -> None:
        """What closing gains beyond its cost, times what there is to close."""
        builder, pricing = self.builder, self.claim.pricing
        long = builder.free(f"{name}: long side", Unit("lots"))
        builder.row(f"{name}: long side covers it", Unit("lots"), {slot: -1}, {long: 1}, closes=long)
        payer = self.weights[pricing.payer(slot)]
        for word, sign in (("sold", -1), ("bought", 1)):
            _, cost, leg = pricing.stretches(slot, buy=sign > 0)[0]
            terms: dict[int, int] = {}
            for row, value in self.weights[slot].items():
                terms[row] = terms.get(row, 0) - sign * value << LEG_BITS
            for row, value in payer.items():
                terms[row] = terms.get(row, 0) - value * ceil_div(leg * (1 << LEG_BITS))
            gain = builder.free(f"{name}, a lot {word}: gain beyond its cost", WEIGHTS)
            builder.row(
                f"{name}, a lot {word}: no less than its gain",
                WEIGHTS,
                {},
                {gain: 1 << LEG_BITS, **terms},
                constant=floor_div(cost * self.unit * (1 << RESOLUTION)) << LEG_BITS,
                closes=gain,
            )
            holdings = {} if sign < 0 else {slot: -1}
            self._product(holdings, {long: 1}, {gain: 1})

    def _product(self, holdings: Mapping[int, int], rows: Mapping[int, int], form: Mapping[int, int]) -> None:
        """Take four times a form of rows times another of holdings and rows off the last row."""
        minus = {row: -value for row, value in form.items()}
        plus_cell = self.builder.square(holdings, {**rows, **form})
        minus_cell = self.builder.square(holdings, {**rows, **minus})
        self.squares[plus_cell], self.squares[minus_cell] = -1, 1

    def _closed(self) -> Relation:
        claim, factor = self.claim, _BASIS_POINTS + self.claim.above
        constants = {
            self.z[e]: -4 * factor * self.own.constants[e] * self.factor[e]
            for e in self.equations
            if self.own.constants[e]
        }
        # What was paid is the threshold of these rows, in ticks; a tick is whole in money units.
        step = 4 * _BASIS_POINTS * self.unit * (1 << RESOLUTION) // int(10**self.snapshot.quantum_decimals)
        self.builder.row(
            "the least cost, and what it may be passed by, covers what was paid",
            Unit("USD", 4 * _BASIS_POINTS * self.unit << RESOLUTION),
            {},
            constants,
            v={cell: factor * sign for cell, sign in self.squares.items()},
            limit=4 * factor * LARGEST_COST * self.unit << RESOLUTION,
        )
        return self.builder.build(step=step).at(claim.cost)
