"""Encodings of points: every class of malformed ones, and the valid ones at the edges.

The classes are those of the public suites for BLS12-381 and for KZG commitments: length, flags, the identity, a
coordinate that is not reduced, a coordinate on no point of the curve, and points outside the subgroup.
"""

from __future__ import annotations

from collections.abc import Iterator

from vectors.make.files import VectorFile
from vectors.make.proofs import setup
from zkmargin.algebra.field import MODULUS

P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
COMPRESSED, INFINITE, SIGN = 1 << 383, 1 << 382, 1 << 381
IDENTITY = (COMPRESSED | INFINITE).to_bytes(48, "big")

NOTES = {
    "Length": "A compressed point has 48 bytes.",
    "Flags": "The top bit must be set: only compressed points are taken.",
    "Identity": "The identity is c0 and 47 zero bytes, with no sign and no other bit.",
    "Range": "The coordinate must be below the prime p of the curve's field, although it has 381 bits.",
    "Curve": "x^3 + 4 must be a square.",
    "Subgroup": "The point must be in the subgroup of order r; the curve has others.",
    "Edge": "A valid encoding that is easily refused.",
}


def square_root(x: int) -> int | None:
    """y with y^2 = x^3 + 4, if there is one: p = 3 mod 4."""
    square = (x**3 + 4) % P
    y = pow(square, (P + 1) // 4, P)
    return y if y * y % P == square else None


def compressed(x: int, flags: int = COMPRESSED) -> bytes:
    """A coordinate with these flags, whether there is such a point or not."""
    return (flags | x).to_bytes(48, "big")


def malformed() -> Iterator[tuple[str, bytes, str]]:
    """A comment, bytes, and the class of malformation, in lower case."""
    good = setup().backend.encode(setup().backend.generator())
    x = int.from_bytes(good, "big") % SIGN
    yield "empty", b"", "length"
    yield "one byte short", good[:-1], "length"
    yield "one byte long", good + b"\0", "length"
    yield "as long as an uncompressed point", good + bytes(48), "length"
    yield "without the compression flag", compressed(x, 0), "flags"
    yield "without the compression flag, with the sign", compressed(x, SIGN), "flags"
    yield "all zeros", bytes(48), "flags"
    yield "identity without the compression flag", compressed(0, INFINITE), "flags"
    yield "identity without the compression flag, with the sign", compressed(0, INFINITE | SIGN), "flags"
    yield "identity with the sign", compressed(0, COMPRESSED | INFINITE | SIGN), "identity"
    yield "identity with its lowest bit set", compressed(1, COMPRESSED | INFINITE), "identity"
    yield "identity flag on a point", compressed(x, COMPRESSED | INFINITE), "identity"
    yield "all ones", b"\xff" * 48, "identity"
    yield "x = p", compressed(P), "range"
    yield "x = p, with the sign", compressed(P, COMPRESSED | SIGN), "range"
    shifted = next(k for k in range(4, 9999) if square_root(k) is not None)
    yield "p more than the coordinate of a point", compressed(P + shifted), "range"
    yield "the largest number of 381 bits", compressed(SIGN - 1), "range"
    yield "x^3 + 4 is no square", compressed(next(k for k in range(1, 99) if square_root(k) is None)), "curve"
    yield "x = p - 1, on no point", compressed(_below(False)), "curve"
    yield "order three", compressed(0), "subgroup"
    yield "order three, the other sign", compressed(0, COMPRESSED | SIGN), "subgroup"
    outside = next(k for k in range(1, 99) if square_root(k) is not None)
    yield "a point of the curve outside the subgroup", compressed(outside), "subgroup"
    yield "the same, the other sign", compressed(outside, COMPRESSED | SIGN), "subgroup"
    yield "a large coordinate outside the subgroup", compressed(_below(True)), "subgroup"


def by_class() -> dict[str, bytes]:
    """One malformed encoding of 48 bytes of each class."""
    found: dict[str, bytes] = {}
    for _, data, kind in malformed():
        if len(data) == 48:
            found.setdefault(kind, data)
    return found


def points() -> VectorFile:
    """The file: `encoding` is decoded, and refused with the class as the reason."""
    made = VectorFile("points", NOTES)
    backend = setup().backend
    generator = backend.generator()
    for comment, scalar in (
        ("the generator", 1),
        ("its negative", -1),
        ("twice the generator", 2),
        ("(r + 1) / 2 times the generator", (MODULUS + 1) // 2),
        ("a point with the sign", next(k for k in range(2, 99) if _signed(k))),
        ("the identity", 0),
    ):
        encoding = backend.encode(backend.msm([generator], [scalar]))
        made.add(comment, {"encoding": encoding.hex()}, flags=["Edge"])
    for comment, data, kind in malformed():
        made.add(comment, {"encoding": data.hex()}, [kind], [kind.capitalize()])
    return made


def _signed(scalar: int) -> bool:
    backend = setup().backend
    return bool(backend.encode(backend.msm([backend.generator()], [scalar]))[0] & 0x20)


def _below(square: bool) -> int:
    """The greatest coordinate that is, or is not, that of a point of the curve."""
    return next(P - k for k in range(1, 99) if (square_root(P - k) is not None) == square)
