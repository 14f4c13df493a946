"""A proof as bytes: points and scalars in the order in which they are sent, and not a byte more.

For k limb columns in h groups of at most g, with or without a square column:

    k limbs, multiplicity, [U, V] | h helpers, table helper | running sum | g quotient chunks
    | k limb values, [U value], running sum at w zeta, [a_j at zeta, t at zeta]
    | opening at zeta, opening at w zeta

The values of the public coefficients are sent in committed mode only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zkmargin.algebra.field import MODULUS
from zkmargin.circuits.statement import Statement

POINT, SCALAR = 48, 32


class ProofFormatError(ValueError):
    """Bytes that are not a proof of the statement's shape."""


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
        return self.limbs + 1 + 2 * self.squares + self.helpers + 1 + 1 + self.quotients + 2

    @property
    def scalars(self) -> int:
        """The number of scalars."""
        return self.limbs + self.squares + 1 + self.coefficients

    @property
    def size(self) -> int:
        """The length in bytes."""
        return POINT * self.points + SCALAR * self.scalars


@dataclass(frozen=True)
class Proof:
    """The prover's messages; points compressed, scalars below r.

    Attributes:
        limbs: [l_k], the limb columns.
        multiplicity: [m], how often each table value occurs among the limbs.
        squares: [U] and [V], or nothing.
        helpers: [h_G], the sum of 1/(alpha + limb) over each group of limb columns.
        table_helper: [h_T], m/(alpha + t).
        running_sum: [phi].
        quotients: [T_c], the quotient by Z in chunks.
        limb_values: l_k(zeta).
        square_value: U(zeta), or nothing.
        shifted_sum: phi(w zeta).
        coefficient_values: in committed mode a_j(zeta) for each holdings column, then t(zeta).
        opening: W, of everything at zeta.
        shifted_opening: W', of phi at w zeta.
    """

    limbs: tuple[bytes, ...]
    multiplicity: bytes
    squares: tuple[bytes, ...]
    helpers: tuple[bytes, ...]
    table_helper: bytes
    running_sum: bytes
    quotients: tuple[bytes, ...]
    limb_values: tuple[int, ...]
    square_value: tuple[int, ...]
    shifted_sum: int
    opening: bytes
    shifted_opening: bytes
    coefficient_values: tuple[int, ...] = ()

    def points(self) -> tuple[bytes, ...]:
        """All points in order."""
        return (
            *self.limbs,
            self.multiplicity,
            *self.squares,
            *self.helpers,
            self.table_helper,
            self.running_sum,
            *self.quotients,
            self.opening,
            self.shifted_opening,
        )

    def to_bytes(self) -> bytes:
        """The one encoding of this proof."""
        values = (*self.limb_values, *self.square_value, self.shifted_sum, *self.coefficient_values)
        *sent, opening, shifted = self.points()
        scalars = b"".join(value.to_bytes(SCALAR, "big") for value in values)
        return b"".join(sent) + scalars + opening + shifted

    @classmethod
    def from_bytes(cls, data: bytes, shape: Shape) -> Proof:
        """Cut bytes into the parts that the statement asks for.

        Raises:
            ProofFormatError: the length is another, or a scalar is not below r.
        """
        if len(data) != shape.size:
            raise ProofFormatError(f"a proof of this statement has {shape.size} bytes, not {len(data)}")
        parts = _Parts(data)
        return cls(
            limbs=parts.points(shape.limbs),
            multiplicity=parts.point(),
            squares=parts.points(2 * shape.squares),
            helpers=parts.points(shape.helpers),
            table_helper=parts.point(),
            running_sum=parts.point(),
            quotients=parts.points(shape.quotients),
            limb_values=parts.scalars(shape.limbs),
            square_value=parts.scalars(int(shape.squares)),
            shifted_sum=parts.scalars(1)[0],
            coefficient_values=parts.scalars(shape.coefficients),
            opening=parts.point(),
            shifted_opening=parts.point(),
        )


class _Parts:
    """Reads fixed-size parts off the front of bytes."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def _take(self, size: int) -> bytes:
        self._at += size
        return self._data[self._at - size : self._at]

    def point(self) -> bytes:
        return self._take(POINT)

    def points(self, count: int) -> tuple[bytes, ...]:
        return tuple(self.point() for _ in range(count))

    def scalars(self, count: int) -> tuple[int, ...]:
        return tuple(self._scalars(count))

    def _scalars(self, count: int) -> Iterator[int]:
        for _ in range(count):
            at = self._at
            value = int.from_bytes(self._take(SCALAR), "big")
            if value >= MODULUS:
                raise ProofFormatError(f"the scalar at byte {at} is not below the field's order")
            yield value
