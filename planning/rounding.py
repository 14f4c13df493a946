"""The exact integer step: whole lots near a point of the program, until the engine agrees and nothing is left over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from zkmargin.margin.arithmetic.decimals import ceil_div
from zkmargin.planning.costs import Pricing
from zkmargin.planning.linear.program import Move
from zkmargin.planning.trades import traded

Changes = dict[int, int]
"""Lots bought by slot."""

TRIFLE = Fraction(1, 100)
"""USD of a trade that others may be able to make up for."""
WORTH = Fraction(1, 1000)
"""USD by which a plan may cost more where that takes one leg less."""
_REPAIRS = 60
_PASSES = 8


@dataclass(frozen=True)
class Goal:
    """What a plan must reach.

    Attributes:
        missing: how many ticks each of some accounts lacks; 0 or less where it reaches the goal.
    """

    missing: Callable[[Sequence[Sequence[int]]], list[int]]


class Rounding:
    """Brings a point of a program to whole lots that reach the goal."""

    def __init__(
        self,
        pricing: Pricing,
        lots: Sequence[int],
        moves: Sequence[Move],
        goal: Goal,
        legs: int | None = None,
    ) -> None:
        self.pricing, self.lots, self.goal, self.legs = pricing, list(lots), goal, legs
        self.moves = tuple(moves)
        self.room: dict[int, list[int]] = {}
        for move in moves:
            room = self.room.setdefault(move.slot, [0, 0])
            room[0 if move.sign > 0 else 1] += move.most
        self.bounds = [instrument.bound for instrument in pricing.snapshot.universe.instruments]

    def missing(self, changes: Changes) -> int:
        """Ticks that are missing after the trades."""
        return self.goal.missing([self.held(changes)])[0]

    def held(self, changes: Changes) -> list[int]:
        """The account after the trades, no slot beyond its bound."""
        held = traded(self.pricing, self.lots, changes)
        for slot in changes:
            most = self.bounds[slot]
            held[slot] = max(-most, min(most, held[slot]))
        return held

    def cost(self, changes: Mapping[int, int]) -> Fraction:
        """USD."""
        return sum((self.pricing.cost(slot, lots) for slot, lots in changes.items()), Fraction(0))

    def of(self, point: Mapping[int, float]) -> Changes | None:
        """Whole lots near a point that reach the goal, none of which could be fewer; None if no repair gets there."""
        found = self.near(point)
        return None if found is None else self.finished(found)

    def near(self, point: Mapping[int, float]) -> Changes | None:
        """Whole lots near a point, repaired until they reach the goal; None if no repair gets there."""
        changes = {slot: self._within(slot, round(amount)) for slot, amount in point.items()}
        return self.repaired({slot: lots for slot, lots in changes.items() if lots})

    def finished(self, changes: Changes) -> Changes:
        """No trade larger than it must be, and none that others can make up for at next to no cost."""
        return self.tidied(self.polished(changes))

    def repaired(self, changes: Changes) -> Changes | None:
        """Add lots, the cheapest first that make up what is missing, until the goal is reached."""
        for _ in range(_REPAIRS):
            missing = self.missing(changes)
            if missing <= 0:
                return changes
            best = self._cheapest(changes, missing)
            if best is None:
                return None
            changes = best
        return None

    def polished(self, changes: Changes) -> Changes:
        """Take lots away for as long as the goal holds: with one lot less of any trade it does not."""
        for _ in range(_PASSES):
            before = dict(changes)
            for slot in sorted(changes, key=lambda s: (-self._each(s, changes[s]), s)):
                changes = self._reduced(changes, slot)
            if changes == before:
                break
        return changes

    def tidied(self, changes: Changes) -> Changes:
        """Leave trades out that others can make up for at next to no cost: fewer legs are easier to trade."""
        for slot in sorted(changes, key=lambda s: (self.pricing.cost(s, changes[s]), s)):
            if len(changes) == 1 or self.pricing.cost(slot, changes[slot]) > TRIFLE:
                break
            rest = {s: n for s, n in changes.items() if s != slot}
            trial = Rounding(
                self.pricing, self.lots, [m for m in self.moves if m.slot in rest], self.goal
            ).repaired(rest)
            if trial is not None and self.cost(trial) <= self.cost(changes) + WORTH:
                changes = self.polished(trial)
        return changes

    def _each(self, slot: int, lots: int) -> Fraction:
        return self.pricing.cost(slot, lots) / abs(lots)

    def _reduced(self, changes: Changes, slot: int) -> Changes:
        """The fewest lots of one trade that hold, as far as holding is an interval."""
        whole, sign = abs(changes[slot]), 1 if changes[slot] > 0 else -1

        def holds(lots: int) -> bool:
            return self.missing(changes | {slot: sign * lots}) <= 0

        if not holds(whole - 1):
            return changes
        step, good = 1, whole - 1
        while good and holds(max(0, good - step)):
            good = max(0, good - step)
            step *= 2
        low, high = max(-1, good - step), good
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if holds(middle) else (middle, high)
        return {s: n for s, n in (changes | {slot: sign * high}).items() if n}

    def _cheapest(self, changes: Changes, missing: int) -> Changes | None:
        """One trade more, or larger, or smaller where that helps: full repair at the least cost, or the best part."""
        for slots in self._candidates(changes):
            found = self._among(changes, missing, slots)
            if found is not None:
                return found
        return None

    def _among(self, changes: Changes, missing: int, slots: Sequence[int]) -> Changes | None:
        firsts = [
            (slot, sign, changes | {slot: lots})
            for slot in slots
            for sign in (1, -1)
            if (lots := self._within(slot, changes.get(slot, 0) + sign)) != changes.get(slot, 0)
        ]
        if not firsts:
            return None
        lacking = self.goal.missing([self.held(trial) for _, _, trial in firsts])
        trials = []
        for (slot, sign, _), left in zip(firsts, lacking, strict=True):
            if left < missing:
                steps = ceil_div(Fraction(missing, missing - left))
                lots = self._within(slot, changes.get(slot, 0) + sign * steps)
                trials.append((slot, {s: n for s, n in (changes | {slot: lots}).items() if n}))
        if not trials:
            return None
        base = self.cost(changes)
        whole: list[tuple[Fraction, int, Changes]] = []
        part: list[tuple[Fraction, int, Changes]] = []
        lacking = self.goal.missing([self.held(trial) for _, trial in trials])
        for (slot, trial), left in zip(trials, lacking, strict=True):
            added = self.cost(trial) - base
            if left <= 0:
                whole.append((added, slot, trial))
            elif left < missing:
                part.append((added / (missing - left), slot, trial))
        found = whole or part
        return min(found, key=lambda each: each[:2])[2] if found else None

    def _candidates(self, changes: Changes) -> list[list[int]]:
        """What is traded already and what has small lots; then, unless the legs are full, all that may be traded."""
        traded_now = sorted(changes)
        if self.legs is not None and len(changes) >= self.legs:
            return [traded_now]
        instruments = self.pricing.snapshot.universe.instruments
        near = sorted({*changes, *(slot for slot in self.room if instruments[slot].kind != "option")})
        return [near, sorted(self.room)]

    def _within(self, slot: int, lots: int) -> int:
        buys, sells = self.room[slot]
        return max(-sells, min(buys, lots))
