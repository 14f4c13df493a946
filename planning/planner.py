"""How a plan is found: a linear program, whole lots near its answer, and a search where these are not near enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil, isfinite
from time import monotonic

from zkmargin.circuits import assign
from zkmargin.margin.arithmetic.decimals import ceil_div
from zkmargin.margin.errors import Finding
from zkmargin.margin.units import Level
from zkmargin.planning.bands import Band, SlotGreeks
from zkmargin.planning.costs import Pricing
from zkmargin.planning.engine import Engine
from zkmargin.planning.limits import InfeasibleError, Limits
from zkmargin.planning.linear.program import Program, closing_moves, hedging_moves
from zkmargin.planning.linear.solver import Answer, Question, Solver
from zkmargin.planning.order import ordered
from zkmargin.planning.outcome import Plan
from zkmargin.planning.rounding import Changes, Goal, Rounding
from zkmargin.planning.trades import Trade, changes_of, traded


class Planner:
    """One account, one model, one set of limits."""

    def __init__(
        self,
        pricing: Pricing,
        lots: Sequence[int],
        model: str,
        level: Level,
        limits: Limits,
        *,
        hedges: bool,
        bands: Sequence[Band] = (),
    ) -> None:
        self.pricing, self.lots, self.limits, self.bands = pricing, list(lots), limits, tuple(bands)
        self.engine = Engine(pricing.snapshot, model, level)
        self.before = self.engine.excess(lots)
        self.hedges = hedges
        moves = hedging_moves if hedges else closing_moves
        self.moves = moves(pricing, lots, limits.slots(pricing), limits.lots(pricing))
        self.greeks = SlotGreeks.of(pricing, bands)

    def plan(self, target: int) -> Plan:
        goal = self._goal(target)
        if goal.missing([self.lots])[0] <= 0:
            return self._told(target, {}, 0.0, searched=False)
        if not self.moves:
            raise self._infeasible(target, self.before, "there is nothing to trade")
        _, solver = self._program()
        rounding = Rounding(self.pricing, self.lots, self.moves, goal, self.limits.legs)
        wanted = target / 10**self.pricing.snapshot.quantum_decimals
        found, bound, searched = self._solved(solver, rounding, wanted)
        if (
            self.hedges
            and not self.bands
            and (found is None or (searched and not self._near(rounding, found, bound)))
        ):
            found = cheaper(rounding, found, self._closing_only(target))
        if found is None:
            raise self._out_of_reach(solver, target, goal)
        return self._told(target, found, None if solver.layout.products else bound, searched=searched)

    def _goal(self, target: int) -> Goal:
        def missing(accounts: Sequence[Sequence[int]]) -> list[int]:
            short = [target - excess for excess in self.engine.excesses(accounts)]
            if not self.bands:
                return short
            outside = [self.greeks.missing(held, self.bands) for held in accounts]
            return [max(pair) for pair in zip(short, outside, strict=True)]

        return Goal(missing)

    def _closing_only(self, target: int) -> Changes | None:
        """What closing trades alone would do: a smaller search, whose answer the larger one may not have found."""
        engine, limits = self.engine, self.limits
        smaller = Planner(self.pricing, self.lots, engine.model, engine.level, limits, hedges=False)
        try:
            plan = smaller.plan(target)
        except InfeasibleError:
            return None
        return changes_of(self.pricing.snapshot, plan.trades)

    def _solved(
        self, solver: Solver, rounding: Rounding, wanted: float
    ) -> tuple[Changes | None, float, bool]:
        """The cheapest changes found, the bound, and whether whole lots were searched for."""
        program, found, searched = solver.program, None, False
        bounds: list[float] = []
        for fixed in cases(solver):
            question = Question(
                wanted, bands=self.greeks.linear(self.lots, self.bands), legs=self.limits.legs, fixed=fixed
            )
            question.time_limit = max(self.limits.time_limit, 1.0)
            answer = solver.ask(question)
            if answer.status == "infeasible":
                continue
            if not (program.discrete or self.limits.legs):
                found = cheaper(rounding, found, self._stepped(solver, answer, question, rounding))
            bound = answer.bound if answer.status == "optimal" else 0.0
            bounds.append(bound)
            if self.limits.time_limit and not self._near(rounding, found, bound):
                bounds[-1] = max(bound, self._searched(solver, rounding, question))
                found = cheaper(rounding, found, self.best)
                searched = True
            if found is None:
                found = self._rounded(program, answer, rounding)
        return found, min(bounds, default=0.0), searched

    def _stepped(
        self, solver: Solver, answer: Answer, question: Question, rounding: Rounding
    ) -> Changes | None:
        """Large lots rounded first, and small ones solved for again: they make up for what the rounding took."""
        if not len(answer.amounts):
            return None
        point = solver.program.net(answer.amounts)
        found = rounding.near(point)
        coarse = {slot: lots for slot, lots in point.items() if solver.layout.coarse(slot)}
        for away in (False, True):
            if not coarse or self._near(rounding, found, answer.bound):
                break
            pinned = {slot: _whole(lots, away=away) for slot, lots in coarse.items()}
            again = solver.ask(replace(question, pinned=pinned))
            if len(again.amounts):
                found = cheaper(rounding, found, rounding.near(solver.program.net(again.amounts)))
        return None if found is None else rounding.finished(found)

    def _near(self, rounding: Rounding, found: Changes | None, bound: float) -> bool:
        if found is None:
            return False
        cost = float(rounding.cost(found))
        return cost - bound <= self.limits.gap * cost

    best: Changes | None = None

    def _searched(self, solver: Solver, rounding: Rounding, question: Question) -> float:
        """Search whole lots, asking for a little more where the engine finds the answer short; returns the bound."""
        self.best, bound, wanted = None, 0.0, question.target or 0.0
        until = monotonic() + self.limits.time_limit
        question.whole, question.gap = True, min(self.limits.gap, 1e-4)
        for attempt in range(3):
            question.time_limit = until - monotonic()
            if question.time_limit <= 0:
                break
            answer = solver.ask(question)
            if attempt == 0 and isfinite(answer.bound):
                bound = max(0.0, answer.bound)
            if not len(answer.amounts):
                break
            point = solver.program.net(answer.amounts)
            whole = {slot: round(lots) for slot, lots in point.items() if round(lots)}
            self.best = cheaper(rounding, self.best, self._rounded(solver.program, answer, rounding))
            missing = rounding.missing(whole)
            if missing <= 0 or question.target is None:
                break
            question.target = (
                question.target or 0.0
            ) + 2 * missing / 10**self.engine.snapshot.quantum_decimals
        question.target = wanted
        return bound

    def _rounded(self, program: Program, answer: Answer, rounding: Rounding) -> Changes | None:
        return rounding.of(program.net(answer.amounts)) if len(answer.amounts) else None

    def release(self, budget: Fraction) -> Plan:
        program, solver = self._program()
        best, excess, bounds = Changes(), self.before, []
        for fixed in cases(solver):
            question = Question(
                None, budget=float(budget), legs=self.limits.legs, fixed=fixed,
                whole=bool(program.discrete or self.limits.legs), time_limit=max(1.0, self.limits.time_limit),
            )  # fmt: skip
            answer = solver.ask(question)
            if not len(answer.amounts):
                continue
            bounds.append(answer.bound)
            changes = self._affordable(program.net(answer.amounts), budget)
            found = self.engine.excess(traded(self.pricing, self.lots, changes))
            if found > excess:
                best, excess = changes, found
        reach = max(bounds, default=0.0)
        decimals = self.pricing.snapshot.quantum_decimals
        target = excess if solver.layout.products else max(excess, ceil_div(Fraction(reach) * 10**decimals))
        return self._told(target, best, None, searched=False)

    def _affordable(self, point: Mapping[int, float], budget: Fraction) -> Changes:
        """Lots towards zero, which cost no more, and then single lots while the budget lasts and the excess rises."""
        changes = {slot: int(amount + (1e-6 if amount > 0 else -1e-6)) for slot, amount in point.items()}
        rounding = Rounding(self.pricing, self.lots, self.moves, self._goal(0))
        changes = {slot: lots for slot, lots in changes.items() if lots}
        while rounding.cost(changes) > budget:
            slot = max(changes, key=lambda s: self.pricing.cost(s, changes[s]))
            changes[slot] -= 1 if changes[slot] > 0 else -1
        for slot, amount in sorted(point.items()):
            trial = changes | {slot: changes.get(slot, 0) + (1 if amount > 0 else -1)}
            better = rounding.missing(trial) < rounding.missing(changes)
            if better and abs(trial[slot]) <= max(rounding.room[slot]) and rounding.cost(trial) <= budget:
                changes = trial
        return {slot: lots for slot, lots in changes.items() if lots}

    def _program(self) -> tuple[Program, Solver]:
        program = Program(self.pricing, self.lots, self.moves, self.engine.model, self.engine.level)
        return program, Solver(program)

    def _out_of_reach(self, solver: Solver, target: int, goal: Goal) -> InfeasibleError:
        """Ask for the greatest excess instead, and see what it runs into."""
        best, blocked = self.before, ""
        whole = bool(solver.program.discrete or self.limits.legs)
        for fixed in cases(solver):
            question = Question(None, legs=self.limits.legs, fixed=fixed, whole=whole)
            question.time_limit = max(1.0, self.limits.time_limit)
            answer = solver.ask(question)
            if not len(answer.amounts):
                continue
            point = solver.program.net(answer.amounts)
            rounding = Rounding(self.pricing, self.lots, self.moves, goal)
            held = rounding.held({slot: int(lots) for slot, lots in point.items() if int(lots)})
            found = self.engine.excess(held)
            if found >= best:
                best, blocked = found, _in_the_way(solver.program, answer)
        if best >= target:
            blocked = "the bands of delta or vega cannot be reached as well" if self.bands else blocked
        return self._infeasible(target, best, blocked)

    def _infeasible(self, target: int, best: int, blocked: str) -> InfeasibleError:
        asked = self.engine.usd(target)
        found = Finding(f"{asked} USD cannot be reached")
        remedy = f"the best is {self.engine.usd(best)} USD"
        remedy += f"; {blocked}" if blocked else ""
        return InfeasibleError(
            "plan", "target", found, f"{remedy}; ask for less, allow more, or add collateral"
        )

    def _told(self, target: int, changes: Changes, bound: float | None, *, searched: bool) -> Plan:
        trades = tuple(Trade.of(self.pricing, slot, changes[slot]) for slot in sorted(changes))
        order = ordered(self.pricing, self.engine, self.lots, changes)
        cost = sum((trade.cost for trade in trades), Fraction(0))
        after = self.engine.excess(traded(self.pricing, self.lots, changes))
        return Plan(
            self.engine.model, self.engine.level, target, self.before, after, trades, cost,
            None if bound is None else max(0.0, bound), order.steps, order.rising, searched,
            self.pricing.snapshot.quantum_decimals,
        )  # fmt: skip


def cases(solver: Solver) -> list[dict[int, int]]:
    """What is tried one after the other: the values of bits that switch whole models, and shares of credits.

    A program is convex but for its bits, which the search handles, and these.
    """
    found: list[dict[int, int]] = [{}]
    for bit in solver.layout.switches:
        found = [case | {bit: value} for case in found for value in (0, 1)]
    if solver.layout.credits:
        rows = assign(solver.program.relation, solver.program.lots).rows
        shares = (Fraction(1), Fraction(1, 2), Fraction(0))
        found = [
            case | {row: int(rows[row] * share) for row in solver.layout.credits}
            for case in found
            for share in shares
        ]
    return found


def cheaper(rounding: Rounding, one: Changes | None, other: Changes | None) -> Changes | None:
    """The cheaper of two, if any."""
    there = [each for each in (one, other) if each is not None]
    return min(there, key=rounding.cost) if there else None


def _in_the_way(program: Program, answer: Answer) -> str:
    """What is traded to its limit where the excess is greatest."""
    names = program.snapshot.universe.instruments
    full = [
        names[column.slot].name
        for column, amount in zip(program.columns, answer.amounts, strict=True)
        if amount > column.most - 0.5
    ]
    if not full:
        return "every further trade costs more than the margin that it releases"
    listed = ", ".join(dict.fromkeys(full[:4])) + (" and others" if len(set(full)) > 4 else "")
    return f"in the way are the limits of {listed}"


def _whole(lots: float, *, away: bool) -> int:
    """The nearest number of lots, or the next away from zero."""
    return round(lots) if not away else ceil(abs(lots) - 1e-6) * (1 if lots > 0 else -1)
