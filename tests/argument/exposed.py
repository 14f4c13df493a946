"""A group in which everyone knows every logarithm: a point is its own discrete logarithm.

The argument sees points only through linear combinations and one pairing equation. Whatever holds among logarithms
holds among points of the curve, and whatever fails fails. So a test of the algebra can run here, in plain integers,
and a test of zero knowledge can read off what a commitment fixes. Nothing here hides anything.
"""

from collections.abc import Sequence
from functools import cache

from zkmargin.algebra import MODULUS, Point, PointError, PointG2, Setup
from zkmargin.algebra.reference import ReferenceBackend

TAU = 0x1F3A9B2C4D5E6F708192A3B4C5D6E7F8
SIZE = 256
PADDING = bytes(16)


class ExposedBackend(ReferenceBackend):
    """Points of both groups are integers modulo r; encodings have the lengths of the curve's."""

    name = "exposed"

    def decode(self, data: bytes) -> Point:
        value = int.from_bytes(data, "big")
        if len(data) != 48 or value >= MODULUS:
            raise PointError("not the canonical encoding of an exposed point")
        return value

    def encode(self, point: Point) -> bytes:
        return PADDING + logarithm(point).to_bytes(32, "big")

    def encode_g2(self, point: PointG2) -> bytes:
        return logarithm(point).to_bytes(96, "big")

    def identity(self) -> Point:
        return 0

    def generator(self) -> Point:
        return 1

    def msm(self, points: Sequence[Point], scalars: Sequence[int]) -> Point:
        return sum(logarithm(point) * scalar for point, scalar in zip(points, scalars, strict=True)) % MODULUS

    def lagrange_points(self, powers: Sequence[Point]) -> list[Point]:
        return list(self.integers(self.lagrange(len(powers), logarithm(powers[1]))))

    def pairing_check(self, left: Point, right: Point, g2_left: PointG2, g2_right: PointG2) -> bool:
        sides = (logarithm(left) * logarithm(g2_left), logarithm(right) * logarithm(g2_right))
        return (sides[0] - sides[1]) % MODULUS == 0


def logarithm(point: Point | PointG2) -> int:
    """The integer that an exposed point is."""
    assert isinstance(point, int)
    return point


@cache
def exposed_setup() -> Setup:
    """Powers of a tau that everyone knows, in the exposed group."""
    powers = [pow(TAU, k, MODULUS) for k in range(SIZE)]
    return Setup.from_points(ExposedBackend(), powers, 1, TAU)
