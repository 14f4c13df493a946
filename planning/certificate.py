"""A certificate that no plan costs less: multipliers that anyone who has the book checks in exact integers.

It states the account's program by its ingredients (snapshot, model, level, target, what may be traded, costs), and a
vector of multipliers whose bound `planning.linear.dual` evaluates. Bits and products have no strong duality: for
them the bound is that of the linear relaxation, and the certificate still holds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.arithmetic.decimals import canonical_decimal, floor_div
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import read_text, write_atomically
from zkmargin.margin.files.validation import input_error
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level
from zkmargin.planning.costs import CostModel, Pricing, Touch
from zkmargin.planning.engine import Engine
from zkmargin.planning.linear.dual import Dual, Multipliers
from zkmargin.planning.linear.norms import WEIGHT_BITS, Cut
from zkmargin.planning.linear.program import Program, closing_moves, hedging_moves
from zkmargin.planning.linear.solver import Question, Solver
from zkmargin.planning.plan import ANY, Limits, Plan
from zkmargin.planning.trades import changes_of, parse_trade, traded

FORMAT: Literal["zkmargin/plan-certificate/1"] = "zkmargin/plan-certificate/1"
MOST_DIGITS = 60

Whole = Annotated[str, Field(pattern=r"^(0|-?[1-9][0-9]*)$", max_length=MOST_DIGITS)]
Ratio = Annotated[str, Field(pattern=r"^-?[0-9]+(/[1-9][0-9]*)?$", max_length=200)]
BOUND_DECIMALS = 24
"""A bound is stated to so many places of a USD, rounded down: a change of any entry shows."""


class CertificateError(Exception):
    """The certificate does not show what it says."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TouchDocument(_Strict):
    """Best prices of one instrument, as exact ratios."""

    bid: Ratio | None = None
    ask: Ratio | None = None
    depth: Ratio | None = None


class TradeDocument(_Strict):
    """One trade of the plan."""

    instrument: str
    quantity: str


class CutDocument(_Strict):
    """A direction of a norm: weights by cell in multiples of 2^-40, and its multiplier."""

    equation: int
    weights: dict[int, Whole]
    multiplier: Whole


class CertificateDocument(_Strict):
    """What travels. `plan` is what was traded, `bound` what the multipliers give, in 10^-24 USD."""

    format: Literal["zkmargin/plan-certificate/1"]
    snapshot: str
    model: str
    level: Level
    target: Whole
    hedges: bool
    instruments: list[str] | None
    coins: bool
    largest: dict[str, int]
    costs: CostModel
    book: dict[str, TouchDocument]
    multipliers: dict[int, Whole]
    cuts: list[CutDocument]
    bound: Whole
    plan: list[TradeDocument]

    @classmethod
    def read(cls, path: Path) -> CertificateDocument:
        """The document in a file. Raises InputError if it is not one."""
        try:
            return cls.model_validate_json(read_text(path))
        except ValidationError as error:
            raise input_error(str(path), error) from None

    def write(self, path: Path) -> None:
        """As JSON, at once or not at all."""
        text = json.dumps(self.model_dump(mode="json"), indent=1) + "\n"
        write_atomically(path, text.encode())


@dataclass(frozen=True)
class Verdict:
    """What a certificate shows about a book.

    Attributes:
        bound: USD below which no plan within its limits costs, exactly.
        cost: USD of the plan that it comes with; None where it comes with none.
        excess: ticks after that plan.
    """

    bound: Fraction
    cost: Fraction | None
    excess: int | None

    @property
    def beyond(self) -> Fraction | None:
        """How much more than the bound the plan costs, as a share of the bound."""
        return None if self.cost is None or not self.bound else self.cost / self.bound - 1

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "least_cost": f"{float(self.bound):.6f}",
            "cost": None if self.cost is None else f"{float(self.cost):.6f}",
            "beyond": None if self.beyond is None else f"{float(self.beyond):.6f}",
        }


def certify(
    pricing: Pricing,
    lots: Sequence[int],
    plan: Plan,
    *,
    hedges: bool,
    limits: Limits = ANY,
) -> CertificateDocument:
    """A certificate for a plan that was made with these limits. Raises InputError if the program cannot be solved."""
    program, solver = _program(pricing, lots, plan.model, plan.level, hedges=hedges, limits=limits)
    answer = solver.ask(Question(plan.target / 10**plan.quantum_decimals))
    dual = Dual(program, solver.layout.norms)
    given = Multipliers({}) if not len(answer.duals) else dual.rounded(solver, answer)
    bound = dual.bound(given, plan.target)
    if bound < 0:
        given, bound = Multipliers({}), Fraction(0)
    return CertificateDocument(
        format=FORMAT,
        snapshot=pricing.snapshot.id,
        model=plan.model,
        level=plan.level,
        target=str(plan.target),
        hedges=hedges,
        instruments=None if limits.instruments is None else sorted(limits.instruments),
        coins=limits.coins,
        largest=dict(sorted(limits.largest.items())),
        costs=pricing.costs,
        book={name: _touch(touch) for name, touch in sorted(pricing.book.items())},
        multipliers={e: str(n) for e, n in given.equations.items()},
        cuts=[_cut(cut, n) for cut, n in given.cuts],
        bound=str(_stated(bound)),
        plan=[
            TradeDocument(instrument=t.instrument, quantity=canonical_decimal(t.quantity))
            for t in plan.trades
        ],
    )


def check(document: CertificateDocument, snapshot: Snapshot, holdings: Holdings | Sequence[int]) -> Verdict:
    """What the certificate shows about a book, in exact integers: no solver is asked.

    Args:
        document: as it was read.
        snapshot: that the checker trusts.
        holdings: the book, or its lots by slot.

    Raises:
        CertificateError: the certificate does not show what it says.
        InputError: it is of another snapshot, or names what this one does not have.
    """
    if document.snapshot != snapshot.id:
        remedy = f"it is of another snapshot than this one, {snapshot.id}"
        raise InputError("certificate", "snapshot", document.snapshot, remedy)
    lots = list(holdings.vector(snapshot) if isinstance(holdings, Holdings) else holdings)
    book = {
        name: Touch(**{k: None if v is None else Fraction(v) for k, v in touch})
        for name, touch in document.book.items()
    }
    pricing = Pricing(snapshot, document.costs, book)
    limits = Limits(document.instruments, document.coins, document.largest)
    Engine(snapshot, document.model, document.level)
    program, solver = _program(
        pricing, lots, document.model, document.level, hedges=document.hedges, limits=limits
    )
    dual = Dual(program, solver.layout.norms)
    given = _multipliers(document, dual)
    bound = dual.bound(given, int(document.target))
    if _stated(bound) != int(document.bound):
        raise CertificateError(
            f"its multipliers give a bound of {float(bound):.6f} USD, not the one it states"
        )
    return Verdict(bound, *_plan_cost(document, pricing, lots, program))


def _plan_cost(
    document: CertificateDocument, pricing: Pricing, lots: Sequence[int], program: Program
) -> tuple[Fraction | None, int | None]:
    """What the plan costs and leaves, if it keeps to the limits and reaches the target."""
    if not document.plan:
        return None, None
    trades = [parse_trade(f"{t.instrument} {t.quantity}", pricing, "certificate") for t in document.plan]
    changes = changes_of(pricing.snapshot, trades)
    most = {(move.slot, move.sign): move.most for move in program.moves}
    for slot, change in changes.items():
        if abs(change) > most.get((slot, 1 if change > 0 else -1), 0):
            name = pricing.snapshot.universe.instruments[slot].name
            raise CertificateError(f"its plan trades more of {name} than its limits allow")
    excess = Engine(pricing.snapshot, document.model, document.level).excess(traded(pricing, lots, changes))
    if excess < int(document.target):
        raise CertificateError("its plan does not reach the target")
    return sum((pricing.cost(slot, change) for slot, change in changes.items()), Fraction(0)), excess


def _multipliers(document: CertificateDocument, dual: Dual) -> Multipliers:
    equations = {}
    for e, text in document.multipliers.items():
        if not 0 <= e < dual.relation.equations or not dual.usable(e) or text == "0":
            raise CertificateError(f"multiplier {e} is of no linear row of the program, or of none at all")
        equations[e] = int(text)
    cuts = []
    for cut in document.cuts:
        norm = dual.norms.get(cut.equation)
        weights = {cell: int(text) for cell, text in cut.weights.items()}
        if norm is None or not set(weights) <= set(norm.cells):
            raise CertificateError(f"a cut is of equation {cut.equation}, which says no norm over its cells")
        if sum(w * w for w in weights.values()) > 1 << 2 * WEIGHT_BITS:
            raise CertificateError(f"a cut of equation {cut.equation} has weights longer than 1")
        if int(cut.multiplier) <= 0:
            raise CertificateError(f"a cut of equation {cut.equation} has no positive multiplier")
        cuts.append((Cut(cut.equation, weights), int(cut.multiplier)))
    return Multipliers(equations, tuple(cuts))


def _program(
    pricing: Pricing, lots: Sequence[int], model: str, level: Level, *, hedges: bool, limits: Limits
) -> tuple[Program, Solver]:
    moves = hedging_moves if hedges else closing_moves
    if limits.legs is not None:
        raise InputError(
            "certificate",
            "legs",
            Finding(str(limits.legs)),
            "a bound holds for any number of legs; leave it out",
        )
    program = Program(
        pricing, lots, moves(pricing, lots, limits.slots(pricing), limits.lots(pricing)), model, level
    )
    return program, Solver(program)


def _stated(bound: Fraction) -> int:
    return floor_div(bound * 10**BOUND_DECIMALS)


def _touch(touch: Touch) -> TouchDocument:
    return TouchDocument(
        **{name: None if value is None else str(value) for name, value in vars(touch).items()}
    )


def _cut(cut: Cut, multiplier: int) -> CutDocument:
    weights = {cell: str(weight) for cell, weight in cut.weights.items() if weight}
    return CutDocument(equation=cut.equation, weights=weights, multiplier=str(multiplier))
