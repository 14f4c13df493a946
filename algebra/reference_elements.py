"""Elements of the reference backend: vectors, matrices, points and tables of Python integers."""

import sys
from dataclasses import dataclass
from typing import Any

import py_ecc.optimized_bls12_381 as py_ecc_curve
from py_ecc.bls.point_compression import compress_G1, compress_G2

from zkmargin.algebra.backend import Point

# py_ecc raises the limit to 100,000 when it is imported. That is more than the stack of a thread holds: deeply nested
# input anywhere in the process would end it. What is used of py_ecc here stays below Python's own limit.
RECURSION_LIMIT = 1000
sys.setrecursionlimit(RECURSION_LIMIT)

curve: Any = py_ecc_curve
"""py_ecc declares neither its re-exports nor the types of its coordinates."""


@dataclass(frozen=True, slots=True)
class ReferenceVector:
    """Canonical integers modulo r."""

    values: list[int]

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"<vector of {len(self.values)}>"


@dataclass(frozen=True, slots=True)
class ReferenceMatrix:
    """Rows of (column, value) pairs."""

    entries: list[list[tuple[int, int]]]
    columns: int

    @property
    def rows(self) -> int:
        return len(self.entries)


@dataclass(frozen=True, slots=True, eq=False)
class ReferencePoint:
    """Projective coordinates of a point of G1."""

    xyz: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ReferencePoint) and bool(curve.eq(self.xyz, other.xyz))

    def __hash__(self) -> int:
        return hash(compress_G1(self.xyz))


@dataclass(frozen=True, slots=True, eq=False)
class ReferencePointG2:
    """Projective coordinates of a point of G2."""

    xyz: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ReferencePointG2) and bool(curve.eq(self.xyz, other.xyz))

    def __hash__(self) -> int:
        return hash(compress_G2(self.xyz))


@dataclass(frozen=True, slots=True)
class ReferenceTable:
    """The bases themselves."""

    points: list[Point]

    def __len__(self) -> int:
        return len(self.points)
