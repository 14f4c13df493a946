"""A proof as bytes: the points and scalars of `messages`, in the order in which they are sent, and not a byte more."""

from __future__ import annotations

from dataclasses import dataclass

from zkmargin.algebra.field import MODULUS
from zkmargin.argument import messages
from zkmargin.argument.messages import PARTS, POINT, SCALAR, Messages, Part, Shape

__all__ = ["Proof", "ProofFormatError", "Shape"]


class ProofFormatError(ValueError):
    """Bytes that are not a proof of the statement's shape."""


@dataclass(frozen=True, kw_only=True)
class Proof(Messages[bytes]):
    """The prover's messages; points compressed (48 bytes each), scalars below r."""

    def points(self) -> tuple[bytes, ...]:
        """All points in order."""
        return messages.points(self)

    def to_bytes(self) -> bytes:
        """The one encoding of this proof."""
        return b"".join(
            value if part.kind == "point" else value.to_bytes(SCALAR, "big")
            for part in PARTS
            for value in part.of(self)
        )

    @classmethod
    def from_bytes(cls, data: bytes, shape: Shape) -> Proof:
        """Cut bytes into the parts that the statement asks for.

        Raises:
            ProofFormatError: the length is another, or a scalar is not below r.
        """
        if len(data) != shape.size:
            raise ProofFormatError(f"a proof of this statement has {shape.size} bytes, not {len(data)}")
        at = 0

        def take(part: Part) -> bytes | int:
            nonlocal at
            start, at = at, at + (POINT if part.kind == "point" else SCALAR)
            if part.kind == "point":
                return data[start:at]
            value = int.from_bytes(data[start:at], "big")
            if value >= MODULUS:
                raise ProofFormatError(f"the scalar at byte {start} is not below the field's order")
            return value

        return cls(**messages.read(shape, take))
