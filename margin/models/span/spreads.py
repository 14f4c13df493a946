"""Spreads as SPAN forms them: greedily, by priority, from the deltas that are left.

Every spread is tried with side A long and B short, then with A short and B long. It takes as many steps as its
scarcest leg allows, counted in whole units of delta (10^-money_decimals of the underlying), and each leg takes
its deltas from its pools in order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

LONG, SHORT = 0, 1


@dataclass
class Deltas:
    """What is left of a pool's or tier's deltas: long and short, neither negative."""

    left: list[int] = field(default_factory=lambda: [0, 0])

    @classmethod
    def of(cls, net: int) -> "Deltas":
        """Long if the net delta is positive, else short."""
        return cls([max(net, 0), max(-net, 0)])


class Sided(Protocol):
    """A leg: its side, and the deltas it takes for one step."""

    @property
    def side(self) -> str:
        """A or B."""

    @property
    def ratio(self) -> int:
        """Deltas for one step."""


def directions(legs: Sequence[Sided]) -> Iterator[tuple[int, ...]]:
    """For each of the two directions whether each leg takes LONG or SHORT deltas."""
    for first in (LONG, SHORT):
        yield tuple(first if leg.side == "A" else 1 - first for leg in legs)


def form(legs: Sequence[Sided], places: Sequence[Sequence[Deltas]]) -> int:
    """Form a spread in both directions from each leg's places; returns the steps, and takes the deltas."""
    total = 0
    for ways in directions(legs):
        available = [sum(deltas.left[way] for deltas in held) for way, held in zip(ways, places, strict=True)]
        steps = min(amount // leg.ratio for leg, amount in zip(legs, available, strict=True))
        if steps:
            for leg, way, held in zip(legs, ways, places, strict=True):
                take(held, way, leg.ratio * steps)
            total += steps
    return total


def take(places: Sequence[Deltas], way: int, amount: int) -> None:
    """Take deltas from the first places that have any."""
    for deltas in places:
        taken = min(amount, deltas.left[way])
        deltas.left[way] -= taken
        amount -= taken
