"""The order of a plan's trades: excess must rise with every step, so that an account is never left worse half-way.

The excess of a model without bits is concave in the holdings, so along a straight line it never falls below the line
between its ends: trades that must go together can always be made in slices. `ordered` looks for single trades first,
then for pairs, and makes the rest in slices; where even that lowers the excess, it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from zkmargin.planning.costs import Pricing
from zkmargin.planning.engine import Engine
from zkmargin.planning.rounding import Changes
from zkmargin.planning.trades import Trade, traded

SLICES = 4


@dataclass(frozen=True)
class Step:
    """Trades that are made at once, and the excess after them in ticks."""

    trades: tuple[Trade, ...]
    excess: int


@dataclass(frozen=True)
class Order:
    """Steps, and whether the excess rises with each of them."""

    steps: tuple[Step, ...]
    rising: bool


def ordered(pricing: Pricing, engine: Engine, lots: Sequence[int], changes: Changes) -> Order:
    """Put trades into an order in which the excess rises, keeping legs together where they need one another."""
    left, done = dict(changes), Changes()
    now = engine.excess(lots)
    steps: list[Step] = []
    while left:
        best = _best(pricing, engine, lots, done, left, now)
        if best is None:
            return _sliced(pricing, engine, lots, done, left, now, steps)
        chosen, now = best
        for slot in chosen:
            done[slot] = left.pop(slot)
        steps.append(Step(tuple(Trade.of(pricing, slot, done[slot]) for slot in chosen), now))
    return Order(tuple(steps), True)


def _best(  # noqa: PLR0917 - the walk so far, and what is left of it
    pricing: Pricing, engine: Engine, lots: Sequence[int], done: Changes, left: Changes, now: int
) -> tuple[tuple[int, ...], int] | None:
    """The trade that raises the excess most, or the pair; None where none raises it."""
    for size in (1, 2):
        groups = list(combinations(sorted(left), size))
        found = engine.excesses(
            [traded(pricing, lots, done | {slot: left[slot] for slot in group}) for group in groups]
        )
        pairs = [(excess, group) for excess, group in zip(found, groups, strict=True) if excess > now]
        if pairs:
            excess, group = max(pairs, key=lambda pair: pair[0])
            return group, excess
    return None


def _sliced(  # noqa: PLR0917 - the walk so far, and what is left of it
    pricing: Pricing,
    engine: Engine,
    lots: Sequence[int],
    done: Changes,
    left: Changes,
    now: int,
    steps: list[Step],
) -> Order:
    """All that is left at once, in slices."""
    rising, made = True, dict.fromkeys(left, 0)
    for number in range(1, SLICES + 1):
        upto = {slot: lots_ * number // SLICES for slot, lots_ in left.items()}
        step = {slot: upto[slot] - made[slot] for slot in left if upto[slot] != made[slot]}
        if not step:
            continue
        made = upto
        excess = engine.excess(traded(pricing, lots, done | {s: n for s, n in made.items() if n}))
        rising = rising and excess > now
        now = excess
        steps.append(Step(tuple(Trade.of(pricing, slot, amount) for slot, amount in step.items()), now))
    return Order(tuple(steps), rising)
