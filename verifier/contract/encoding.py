"""Proofs, commitments and programs as the contracts take them.

EIP-2537 has a point as its two coordinates, each 48 bytes after 16 zero bytes, and infinity as 128 zero bytes. The
contract compresses them itself for the transcript, so that a proof is the same proof on a chain and off it.
"""

from __future__ import annotations

from collections.abc import Iterable

from zkmargin.argument.proof import Proof, Shape
from zkmargin.circuits.program import encode_program
from zkmargin.circuits.relation import Relation

FIELD = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
"""p, over which the curve is y^2 = x^3 + 4."""

COORDINATE = 64
LONGEST_CHUNK = 24_575
"""Bytes of a program in one account: code has at most 24,576 (EIP-170), and the first is zero, which ends execution."""

_INFINITE, _LARGER = 0x40, 0x20


def coordinates(point: bytes) -> bytes:
    """The 128 bytes of a compressed point, which must be one of the curve.

    Raises:
        ValueError: the bytes are no point of the curve.

    >>> coordinates(bytes([0xC0]) + bytes(47)) == bytes(128)
    True
    """
    flags, x = point[0], int.from_bytes(bytes([point[0] & 0x1F]) + point[1:], "big")
    if len(point) != COORDINATE * 3 // 4 or not flags & 0x80 or x >= FIELD:
        raise ValueError("a compressed point has 48 bytes, its first bit set, and x below p")
    if flags & _INFINITE:
        if x or flags & _LARGER:
            raise ValueError("infinity is c0 and zeros")
        return bytes(2 * COORDINATE)
    square = (x**3 + 4) % FIELD
    y = pow(square, (FIELD + 1) // 4, FIELD)
    if y * y % FIELD != square:
        raise ValueError("no point of the curve has this x")
    if (y > (FIELD - 1) // 2) != bool(flags & _LARGER):
        y = FIELD - y
    return x.to_bytes(COORDINATE, "big") + y.to_bytes(COORDINATE, "big")


def encode_points(points: Iterable[bytes]) -> bytes:
    """Compressed points as the contracts take them, one after another."""
    return b"".join(map(coordinates, points))


def encode_proof(proof: Proof) -> bytes:
    """All points of a proof in order, then its scalars."""
    scalars = (*proof.limb_values, *proof.square_value, proof.shifted_sum)
    return encode_points(proof.points()) + b"".join(value.to_bytes(32, "big") for value in scalars)


def read_proof(relation: Relation, data: bytes) -> Proof:
    """The proof in these bytes, in direct mode.

    Raises:
        ProofFormatError: the bytes do not have the relation's shape, or a scalar is out of range.
    """
    groups = len(relation.groups)
    return Proof.from_bytes(data, Shape(relation.limb_columns, relation.squares > 0, groups, relation.group))


def program_chunks(relation: Relation) -> tuple[bytes, ...]:
    """The program of a relation, cut into what fits an account's code each."""
    program = encode_program(relation)
    return tuple(program[start : start + LONGEST_CHUNK] for start in range(0, len(program), LONGEST_CHUNK))
