"""The prover's messages: one dataclass a round, in the order in which they are sent.

This order is written here and nowhere else: the transcript absorbs a round's fields as they stand, a proof's bytes
are all rounds one after another, and the verifier decodes points in the same order. For k limb columns in h groups,
g quotient chunks, and s = 1 with a square column and 0 without:

    round 1   k limbs, multiplicity, 2 s squares [U], [V]
    round 2   h helpers, table helper
    round 3   running sum
    round 4   g quotient chunks
    round 5   k limb values, s square value, running sum at w zeta; a_j and t at zeta in committed mode
    round 6   opening at zeta, opening at w zeta

A message is generic in P, the form of its points: 48 compressed bytes as sent, or a point once decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from functools import cache
from typing import Any, Final, Generic, Literal, TypeVar, cast

from zkmargin.circuits.statement import Statement

POINT, SCALAR = 48, 32
P = TypeVar("P")


@dataclass(frozen=True)
class Shape:
    """How many of each part a proof has; it follows from the statement, never from a proof.

    >>> Shape(limbs=1, squares=False, helpers=1, quotients=1).size
    448
    >>> Shape(limbs=2, squares=False, helpers=2, quotients=1).size
    576
    """

    limbs: int
    squares: bool
    helpers: int
    quotients: int
    coefficients: int = 0

    @classmethod
    def of(cls, statement: Statement) -> Shape:
        """The shape of every proof of this statement."""
        relation = statement.relation
        sent = relation.columns + 1 if statement.rows else 0
        return cls(relation.limb_columns, relation.squares > 0, len(relation.groups), relation.group, sent)

    @property
    def points(self) -> int:
        """The number of points."""
        return sum(part.count(self) for part in PARTS if part.kind == "point")

    @property
    def scalars(self) -> int:
        """The number of scalars."""
        return sum(part.count(self) for part in PARTS if part.kind == "scalar")

    @property
    def size(self) -> int:
        """The length in bytes."""
        return POINT * self.points + SCALAR * self.scalars


@dataclass(frozen=True)
class Part:
    """One field of a message.

    Attributes:
        name: Its attribute.
        label: What the transcript absorbs it under, once for each point or scalar.
        title: Its name in errors, in the plural.
        kind: Points or scalars.
        many: Whether the attribute is a tuple.
        count: How many there are in a proof of a shape.
    """

    name: str
    label: str
    title: str
    kind: Literal["point", "scalar"]
    many: bool
    count: Callable[[Shape], int]

    def of(self, message: object) -> tuple[Any, ...]:
        """The points or scalars of this part in a message."""
        value = getattr(message, self.name)
        return tuple(value) if self.many else (value,)


_ONE: Final = 1


def _part(
    kind: Literal["point", "scalar"], label: str, title: str = "", count: Callable[[Shape], int] | None = None
) -> dict[str, Any]:
    """The description of a field, see `Part`; without a count it is a single value."""
    return {"kind": kind, "label": label, "title": title or label, "count": count}


@dataclass(frozen=True, kw_only=True)
class WitnessColumns(Generic[P]):
    """Round 1: the witness. alpha and beta follow."""

    limbs: tuple[P, ...] = field(
        metadata=_part("point", "limb column", "limb columns", lambda shape: shape.limbs)
    )
    """[l_k], the limb columns."""
    multiplicity: P = field(metadata=_part("point", "multiplicity"))
    """[m], how often each table value occurs among the limbs."""
    squares: tuple[P, ...] = field(
        metadata=_part("point", "square column", "square columns", lambda shape: 2 * shape.squares)
    )
    """[U] and [V], or nothing."""


@dataclass(frozen=True, kw_only=True)
class LookupHelpers(Generic[P]):
    """Round 2: the helpers of the lookup. gamma follows."""

    helpers: tuple[P, ...] = field(metadata=_part("point", "helper", "helpers", lambda shape: shape.helpers))
    """[h_G], the sum of 1/(alpha + limb) over each group of limb columns."""
    table_helper: P = field(metadata=_part("point", "table helper"))
    """[h_T], m/(alpha + t)."""


@dataclass(frozen=True, kw_only=True)
class RunningSum(Generic[P]):
    """Round 3: the running sum of lookup and equations. delta follows."""

    running_sum: P = field(metadata=_part("point", "running sum"))
    """[phi]."""


@dataclass(frozen=True, kw_only=True)
class QuotientChunks(Generic[P]):
    """Round 4: the quotient of all identities by Z. zeta follows."""

    quotients: tuple[P, ...] = field(
        metadata=_part("point", "quotient chunk", "quotient chunks", lambda shape: shape.quotients)
    )
    """[T_c], the chunks."""


@dataclass(frozen=True, kw_only=True)
class Evaluations:
    """Round 5: values at zeta and w zeta. nu follows."""

    limb_values: tuple[int, ...] = field(
        metadata=_part("scalar", "limb value", "limb values", lambda shape: shape.limbs)
    )
    """l_k(zeta)."""
    square_value: tuple[int, ...] = field(
        metadata=_part("scalar", "square value", "square values", lambda shape: int(shape.squares))
    )
    """U(zeta), or nothing."""
    shifted_sum: int = field(metadata=_part("scalar", "running sum at w zeta"))
    """phi(w zeta)."""
    coefficient_values: tuple[int, ...] = field(
        metadata=_part("scalar", "coefficient value", "coefficient values", lambda shape: shape.coefficients),
        default=(),
    )
    """In committed mode a_j(zeta) for each holdings column, then t(zeta)."""


@dataclass(frozen=True, kw_only=True)
class Openings(Generic[P]):
    """Round 6: the openings. mu follows."""

    opening: P = field(metadata=_part("point", "opening"))
    """W, of everything at zeta."""
    shifted_opening: P = field(metadata=_part("point", "opening at w zeta"))
    """W', of phi at w zeta."""


@dataclass(frozen=True, kw_only=True)
class Messages(
    Openings[P],
    Evaluations,
    QuotientChunks[P],
    RunningSum[P],
    LookupHelpers[P],
    WitnessColumns[P],
    Generic[P],
):
    """All rounds; bases are listed last round first, so that fields stand in the order in which they are sent."""


def _described(described: Field[Any]) -> Part:
    about: Mapping[str, Any] = described.metadata
    count = about["count"]
    return Part(
        name=described.name,
        label=about["label"],
        title=about["title"],
        kind=about["kind"],
        many=count is not None,
        count=count or (lambda _: _ONE),
    )


def parts(message: type[Any]) -> tuple[Part, ...]:
    """The parts of a round, or of all of them, in the order in which they are sent."""
    return _parts(cast(Hashable, message))


@cache
def _parts(message: Hashable) -> tuple[Part, ...]:
    return tuple(_described(described) for described in fields(cast(Any, message)))


PARTS: Final = parts(Messages)
"""All parts of a proof in order."""
POINTS: Final = tuple(part for part in PARTS if part.kind == "point")
SCALARS: Final = tuple(part for part in PARTS if part.kind == "scalar")


def points(messages: Messages[P]) -> tuple[P, ...]:
    """All points in order."""
    return tuple(point for part in POINTS for point in part.of(messages))


def with_points(messages: Messages[Any], others: Sequence[P], shape: Shape) -> Messages[P]:
    """The same messages with other forms of their points, given in order.

    Raises:
        ValueError: there are not as many points as the shape asks for.
    """
    if len(others) != shape.points:
        raise ValueError(f"{len(others)} points where the shape asks for {shape.points}")
    rest: Iterator[P] = iter(others)
    taken = {part.name: _take(part, shape, rest) for part in POINTS}
    return Messages(**taken, **{part.name: getattr(messages, part.name) for part in SCALARS})


def _take(part: Part, shape: Shape, rest: Iterator[Any]) -> Any:
    taken = tuple(next(rest) for _ in range(part.count(shape)))
    return taken if part.many else taken[0]


def read(shape: Shape, take: Callable[[Part], Any]) -> dict[str, Any]:
    """Every field by name, its values taken one by one in the order in which they are sent."""
    return {
        part.name: tuple(take(part) for _ in range(part.count(shape))) if part.many else take(part)
        for part in PARTS
    }
