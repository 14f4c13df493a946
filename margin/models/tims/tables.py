"""What a snapshot publishes for TIMS: every contract's change of value at its class's valuation points."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.tables.charges import check_length
from zkmargin.margin.tables.grid import Cell
from zkmargin.margin.tables.schema import STRICT, AmountColumn, Column, Matrix, Ratio
from zkmargin.margin.units import LEVELS, Level

POINTS = 10

Member = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class TimsClass:
    """Underlyings that net in full."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    moves: Annotated[tuple[str, ...], Field(min_length=POINTS, max_length=POINTS)]
    """The move of the underlyings at each valuation point, ascending canonical decimals; -0.15 is a fall of 15 %."""


@dataclass(frozen=True)
class TimsGroup:
    """Classes or groups, of whose gains the share `offset` counts."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    members: Annotated[tuple[Member, ...], Field(min_length=1)]
    """Nodes: i is class i, and after the classes come the groups. A group's own number is above its members'."""
    offset: Ratio


@dataclass(frozen=True)
class TimsTables:
    """Theoretical gains and losses, and how they add up.

    A class's profit at point k is sum q_i risk[k, i] scale_i over its slots. A group's is the sum over its
    members of min(x, 0) + floor(offset max(x, 0)), x the member's profit at k in money units. A node that is
    in no group loses W = max(0, max_k -profit), and

        requirement(level) = factor(level) * max(sum of W, minimum),

    minimum = sum_i long_i max(q_i, 0) + short_i max(-q_i, 0). With the scope "group" the maximum is taken
    node by node: sum of max(W, minimum of the node's slots).
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    classes: Annotated[tuple[TimsClass, ...], Field(min_length=1)]
    groups: tuple[TimsGroup, ...]
    class_of: Column
    """(N,): index into classes, -1 for cash."""
    risk: Matrix
    """(10, N): change of value at the valuation points of the slot's class."""
    minimum_long: AmountColumn
    """(N,): per contract held."""
    minimum_short: AmountColumn
    """(N,): per contract owed."""
    minimum_scope: Literal["account", "group"]
    factor: Mapping[Level, Ratio]
    """Numerator and denominator."""

    def check(self, slots: int, where: str) -> None:
        """Raises InputError unless all shapes fit a universe of `slots` instruments, and the groups nest."""
        check_length(self.risk, POINTS, where, "risk")
        check_length(self.risk[0], slots, where, "risk")
        for column, field in (
            (self.class_of, "class_of"),
            (self.minimum_long, "minimum_long"),
            (self.minimum_short, "minimum_short"),
        ):
            check_length(column, slots, where, field)
        if not -1 <= min(self.class_of) <= max(self.class_of) < len(self.classes):
            raise InputError(where, "class_of", int(max(self.class_of)), "names a class that is not listed")
        if any(level not in self.factor for level in LEVELS):
            raise InputError(where, "factor", ", ".join(self.factor), "must have both levels; build it again")
        self._check_groups(where)

    def _check_groups(self, where: str) -> None:
        placed: set[int] = set()
        for number, group in enumerate(self.groups):
            for member in group.members:
                if member >= len(self.classes) + number or member in placed:
                    remedy = "must be of earlier numbers, each in one group; build it again"
                    raise InputError(where, f"members of {group.name}", member, remedy)
                placed.add(member)
            if group.offset[0] > group.offset[1]:
                raise InputError(where, f"offset of {group.name}", group.offset[0], "must not be above 1")

    def weights(self) -> list[int]:
        """Per slot, at least what one lot can add to a requirement, in table entries."""
        factor = max(1, *(-(-numerator // denominator) for numerator, denominator in self.factor.values()))
        losses = np.abs(self.risk).max(axis=0).tolist()
        minima = zip(self.minimum_long.tolist(), self.minimum_short.tolist(), strict=True)
        return [factor * (loss + max(sides)) for loss, sides in zip(losses, minima, strict=True)]

    def top(self) -> tuple[int, ...]:
        """The nodes that are in no group."""
        placed = {member for group in self.groups for member in group.members}
        return tuple(node for node in range(len(self.classes) + len(self.groups)) if node not in placed)

    def name(self, node: int) -> str:
        """The name of a class or group."""
        count = len(self.classes)
        return self.classes[node].name if node < count else self.groups[node - count].name

    def classes_of(self, node: int) -> tuple[int, ...]:
        """The classes below a node, itself included."""
        count = len(self.classes)
        if node < count:
            return (node,)
        return tuple(
            found for member in self.groups[node - count].members for found in self.classes_of(member)
        )

    def labels(self, node: int) -> tuple[str, ...]:
        """The valuation points of a node for people: the move, or where its classes differ the number alone."""
        moves = {self.classes[found].moves for found in self.classes_of(node)}
        if len(moves) == 1:
            return tuple(_percent(move) for move in moves.pop())
        return tuple(f"valuation point {number + 1}" for number in range(POINTS))

    @cached_property
    def cells_of(self) -> tuple[tuple[Cell, ...], ...]:
        """The valuation points of every node as scenarios; where the classes of a group differ, with the first's
        moves.
        """
        return tuple(self._cells(node) for node in range(len(self.classes) + len(self.groups)))

    def _cells(self, node: int) -> tuple[Cell, ...]:
        moves = self.classes[self.classes_of(node)[0]].moves
        return tuple(
            Cell(f"{label}, volatility unchanged", move, "none", "1", False)
            for label, move in zip(self.labels(node), moves, strict=True)
        )

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The valuation points as all units have them: by number."""
        numbers = range(1, POINTS + 1)
        return tuple(Cell(f"valuation point {number}", "0", "none", "1", False) for number in numbers)

    @cached_property
    def unit_of(self) -> NDArray[np.int64]:
        """(N,): the place of the slot's outermost node among those in no group, -1 for cash."""
        place = {number: unit for unit, node in enumerate(self.top()) for number in self.classes_of(node)}
        return np.array([place.get(number, -1) for number in self.class_of.tolist()], dtype=np.int64)


def _percent(move: str) -> str:
    """
    >>> _percent("-0.064"), _percent("0.15")
    ('-6.4 %', '+15 %')
    """
    percent = canonical_decimal(Decimal(move) * 100)
    return f"{percent} %" if percent.startswith("-") else f"+{percent} %"
