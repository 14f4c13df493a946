"""Plans: their cost beside usual rules over random books, and their time beside scipy's and HiGHS's own.

`python -m benchmarks.planning [BOOKS]` prints the comparison of docs/planning.md: random books of the example market,
each short of maintenance by 5 to 40 % of its requirement.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from benchmarks.measure import seconds
from zkmargin.cli.demo.account import example_positions
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.market import example_market
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.planning import Limits, available, parse_trade, plan_liquidation, whatif
from zkmargin.planning.costs import Pricing
from zkmargin.planning.engine import Engine
from zkmargin.planning.limits import InfeasibleError
from zkmargin.planning.linear.program import Program, hedging_moves
from zkmargin.planning.linear.solver import Question, Solver
from zkmargin.planning.rules import usual_rules

BOOKS = 200
SEED = 20260101


def example(pricing: Pricing, short: float, level: str = "maintenance") -> list[int]:
    """The demonstration's account, so many USD short."""
    snapshot = pricing.snapshot
    lots = Holdings.of(example_positions(), snapshot).vector(snapshot)
    excess = Engine(snapshot, "grid", level).excess(lots)  # type: ignore[arg-type]
    lots[snapshot.universe.slot("USD")] -= excess + int(short * 10**6)
    return lots


def random_book(pricing: Pricing, draw: random.Random) -> list[int]:
    """Four to fourteen positions around hedged coins, 5 to 40 % of the requirement short."""
    snapshot = pricing.snapshot
    instruments = snapshot.universe.instruments
    options = [slot for slot, i in enumerate(instruments) if i.kind == "option"]
    futures = [slot for slot, i in enumerate(instruments) if i.kind in ("future", "perpetual")]
    lots = [0] * len(instruments)
    for slot in draw.sample(options, draw.randint(3, 10)):
        size = 50 if instruments[slot].underlying == "BTC" else 500
        lots[slot] = draw.choice((-1, 1)) * draw.randint(1, size)
    for slot in draw.sample(futures, draw.randint(1, 4)):
        usd = draw.choice((-1, 1)) * draw.randint(1_000, 300_000)
        lots[slot] = int(usd / pricing.notional(slot))
    lots[snapshot.universe.slot("BTC")] = draw.randint(0, 4 * 10**8)
    lots[snapshot.universe.slot("ETH")] = draw.randint(0, 60 * 10**8)
    engine = Engine(snapshot, "grid", "maintenance")
    found = engine.requirement(lots)
    short = found.requirement_ticks * draw.randint(5, 40) // 100
    lots[snapshot.universe.slot("USD")] -= found.excess_ticks + short
    return lots


@dataclass
class Tally:
    """One way to restore margin, over all books."""

    costs: list[float]
    """USD, of the books that it mends."""
    times: list[float]
    """Times the cost of the least-cost plan with hedges, of the books that it mends."""
    worse: int = 0
    """Books that it leaves with less excess at some step than they had."""


def compare(books: int = BOOKS) -> dict[str, Any]:
    """Least cost, with and without hedges, and the usual rules."""
    pricing, draw = Pricing(Snapshot.build(example_market())), random.Random(SEED)
    tallies: dict[str, Tally] = {}
    gaps, durations, unmended = [], [], 0
    for _ in range(books):
        lots = random_book(pricing, draw)
        start = time.perf_counter()
        try:
            best = plan_liquidation(pricing, lots, hedges=True)
        except InfeasibleError:
            unmended += 1
            continue
        durations.append(time.perf_counter() - start)
        gaps.append(best.gap or 0.0)
        least = float(best.cost)
        _add(tallies, "least cost, hedges allowed", least, least, not best.rising)
        try:
            closing = plan_liquidation(pricing, lots)
            _add(tallies, "least cost, closing only", float(closing.cost), least, not closing.rising)
        except InfeasibleError:
            pass
        for rule in usual_rules(pricing, lots):
            worse = rule.worst < best.before
            if rule.reached:
                _add(tallies, rule.rule, float(rule.cost), least, worse)
            else:
                tallies.setdefault(rule.rule, Tally([], [])).worse += worse
    return {
        "books": books,
        "beyond mending": unmended,
        "median gap": statistics.median(gaps),
        "largest gap": max(gaps),
        "median seconds": statistics.median(durations),
        "rules": {
            name: {
                "mends": len(tally.costs),
                "median cost": statistics.median(tally.costs) if tally.costs else None,
                "median times the least": statistics.median(tally.times) if tally.times else None,
                "leaves worse on the way": tally.worse,
            }
            for name, tally in tallies.items()
        },
    }


def _add(tallies: dict[str, Tally], name: str, cost: float, least: float, worse: bool) -> None:
    tally = tallies.setdefault(name, Tally([], []))
    tally.costs.append(cost)
    tally.times.append(cost / least if least else 1.0)
    tally.worse += worse


def plans() -> dict[str, float]:
    """Times of what a desk asks on a warm snapshot, in milliseconds."""
    pricing = Pricing(Snapshot.build(example_market()))
    lots, fine = example(pricing, 15_000), example(pricing, -50_000, "initial")
    trade = [parse_trade("BTC-27MAR26-66000-P +1", pricing)]
    solver = Solver(Program(pricing, lots, _moves(pricing, lots), "grid", "maintenance"))
    return {
        "what-if ms": 1e3 * seconds(lambda: whatif(pricing, lots, trade)),
        "available ms": 1e3 * seconds(lambda: available(pricing, fine)),
        "plan, closing ms": 1e3 * seconds(lambda: plan_liquidation(pricing, lots)),
        "plan, hedges ms": 1e3 * seconds(lambda: plan_liquidation(pricing, lots, hedges=True)),
        "HiGHS alone ms": 1e3 * seconds(lambda: solver.ask(Question(0.0))),
        "scipy's linprog alone ms": 1e3 * seconds(lambda: _linprog(solver)),
    }


def pmrm2_options() -> dict[str, float]:
    """A plan for eighty options under PMRM 2."""
    snapshot = Snapshot.build(example_market(), parse_parameters({"pmrm2": {}}, "benchmark"))
    pricing, draw = Pricing(snapshot), random.Random(SEED)
    options = [slot for slot, i in enumerate(snapshot.universe.instruments) if i.kind == "option"][:80]
    lots = [0] * len(snapshot.universe)
    for slot in options:
        lots[slot] = draw.choice((-1, 1)) * draw.randint(5, 50)
    found = Engine(snapshot, "grid", "maintenance").requirement(lots)
    lots[snapshot.universe.slot("USD")] -= found.excess_ticks + found.requirement_ticks // 5
    plan = plan_liquidation(pricing, lots, limits=Limits(time_limit=0.5))
    return {
        "s": seconds(lambda: plan_liquidation(pricing, lots, limits=Limits(time_limit=0.5)), 3),
        "cost USD": float(plan.cost),
        "gap %": 100 * (plan.gap or 0.0),
    }


def _moves(pricing: Pricing, lots: list[int]) -> Any:
    return hedging_moves(pricing, lots, Limits().slots(pricing), {})


def _linprog(solver: Solver) -> float:
    """The same program by scipy, which hands it to a HiGHS of its own."""
    layout, program = solver.layout, solver.program
    rows, columns, values = layout.entries
    width, count = layout.width, len(program.columns)
    inequalities = csr_matrix((-values, (rows, columns)), shape=(len(layout.row_of), width))
    bounds = np.array([float(program.base[e]) for e in layout.row_of]) * layout.row_scale[list(layout.row_of)]
    legs = np.zeros((len(layout.balance_at), width))
    for n, (slot, at) in enumerate(layout.balance_at.items()):
        legs[n, at] = legs[n, layout.discard_at[slot]] = -1.0
        for k, column in enumerate(program.columns):
            if column.leg_slot == slot:
                legs[n, k] = float(column.leg) / layout.whole(slot) * layout.x_scale[k]
    cost = np.zeros(width)
    limits: list[tuple[float | None, float | None]] = [(0.0, None)] * width
    for k, column in enumerate(program.columns):
        cost[k] = float(column.cost) * layout.x_scale[k]
        limits[k] = (0.0, column.most / layout.x_scale[k])
    for slot, at in layout.balance_at.items():
        limits[at] = (None, None)
        limits[layout.discard_at[slot]] = (0.0, program.discards(slot) / layout.whole(slot))
    assert count <= width
    found = linprog(cost, inequalities, bounds, csr_matrix(legs), np.zeros(len(legs)), limits, method="highs")
    return float(found.fun)


if __name__ == "__main__":
    print(json.dumps(compare(int(sys.argv[1]) if len(sys.argv) > 1 else BOOKS), indent=1))
