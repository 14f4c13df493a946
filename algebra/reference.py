"""The reference backend: Python integers and py_ecc. Short, slow, and the oracle of the native one."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import index
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from py_ecc.bls.point_compression import compress_G1, compress_G2, decompress_G1, decompress_G2
from py_ecc.bls.typing import G1Compressed, G2Compressed

from zkmargin.algebra.backend import (
    AFFINE_BYTES,
    G2_BYTES,
    POINT_BYTES,
    CompressedRows,
    Matrix,
    Point,
    PointError,
    PointG2,
    SparseTable,
    Table,
    Vector,
    check_csr,
    check_sparse,
)
from zkmargin.algebra.field import GENERATOR, MODULUS, inverse, root_of_unity
from zkmargin.algebra.reference_elements import (
    ReferenceMatrix,
    ReferencePoint,
    ReferencePointG2,
    ReferenceTable,
    ReferenceVector,
    curve,
)

A = TypeVar("A")
B = TypeVar("B")

IDENTITY_BYTE = 0x40
"""The first byte of the uncompressed identity; every other byte is 0."""


class ReferenceBackend:
    """Each method follows its definition; see `Backend` for what it returns and raises."""

    name = "reference"

    def vector(self, values: Sequence[int] | NDArray[np.int64]) -> Vector:
        return _vector(map(index, values))

    def integers(self, v: Vector) -> list[int]:
        return list(_values(v))

    def zeros(self, size: int) -> Vector:
        return ReferenceVector([0] * size)

    def powers(self, x: int, size: int) -> Vector:
        return ReferenceVector(_powers(x, size))

    def add(self, a: Vector, b: Vector) -> Vector:
        return _vector(x + y for x, y in _pairs(a, b))

    def sub(self, a: Vector, b: Vector) -> Vector:
        return _vector(x - y for x, y in _pairs(a, b))

    def mul(self, a: Vector, b: Vector) -> Vector:
        return _vector(x * y for x, y in _pairs(a, b))

    def scale(self, a: Vector, s: int) -> Vector:
        return _vector(x * s for x in _values(a))

    def shift(self, a: Vector, s: int) -> Vector:
        return _vector(x + s for x in _values(a))

    def combine(self, vectors: Sequence[Vector], scalars: Sequence[int]) -> Vector:
        total = [0] * max(map(len, vectors), default=0)
        for vector, scalar in _zip(vectors, scalars):
            for i, x in enumerate(_values(vector)):
                total[i] += scalar * x
        return _vector(total)

    def inverse(self, a: Vector) -> Vector:
        return _vector(inverse(x) for x in _values(a))

    def prefix_sum(self, a: Vector) -> Vector:
        total, sums = 0, []
        for x in _values(a):
            sums.append(total)
            total += x
        return _vector(sums)

    def dot(self, a: Vector, b: Vector) -> int:
        return sum(x * y for x, y in _pairs(a, b)) % MODULUS

    def slice(self, a: Vector, start: int, stop: int) -> Vector:
        if not 0 <= start <= stop <= len(a):
            raise ValueError(f"slice {start}..{stop} of a vector of {len(a)}")
        return ReferenceVector(_values(a)[start:stop])

    def concat(self, vectors: Sequence[Vector]) -> Vector:
        return ReferenceVector([x for vector in vectors for x in _values(vector)])

    def rotate(self, a: Vector, k: int) -> Vector:
        values = _values(a)
        turn = k % len(values) if values else 0
        return ReferenceVector(values[turn:] + values[:turn])

    def ntt(self, coefficients: Vector, size: int) -> Vector:
        return ReferenceVector(_ntt(_padded(coefficients, size), root_of_unity(size)))

    def intt(self, evaluations: Vector) -> Vector:
        return ReferenceVector(_intt(_values(evaluations)))

    def coset_ntt(self, coefficients: Vector, size: int) -> Vector:
        shifted = [
            c * g % MODULUS
            for c, g in zip(_padded(coefficients, size), _powers(GENERATOR, size), strict=True)
        ]
        return ReferenceVector(_ntt(shifted, root_of_unity(size)))

    def coset_intt(self, evaluations: Vector) -> Vector:
        shifts = _powers(inverse(GENERATOR), len(evaluations))
        return _vector(c * g for c, g in zip(_intt(_values(evaluations)), shifts, strict=True))

    def evaluate(self, coefficients: Vector, x: int) -> int:
        value = 0
        for c in reversed(_values(coefficients)):
            value = (value * x + c) % MODULUS
        return value

    def divide(self, coefficients: Vector, z: int) -> Vector:
        carry, quotient = 0, []
        for c in reversed(_values(coefficients)[1:]):
            carry = (carry * z + c) % MODULUS
            quotient.append(carry)
        return ReferenceVector(quotient[::-1])

    def lagrange(self, n: int, x: int) -> Vector:
        # L_i(X) = (w^i / n) (X^n - 1) / (X - w^i).
        domain = _powers(root_of_unity(n), n)
        vanishing = pow(x, n, MODULUS) - 1
        if vanishing == 0:
            raise ValueError("the point lies in the domain, where the quotients are undefined")
        scale = vanishing * inverse(n)
        return _vector(w * scale * inverse(x - w) for w in domain)

    def matrix(
        self,
        indptr: NDArray[np.int64],
        indices: NDArray[np.int32],
        low: NDArray[np.uint64],
        high: NDArray[np.int64],
        cols: int,
    ) -> Matrix:
        check_csr(indptr, indices, low, high, cols)
        columns = indices.tolist()
        values = [lo + (hi << 64) for lo, hi in zip(low.tolist(), high.tolist(), strict=True)]
        bounds = pairwise(indptr.tolist())
        return ReferenceMatrix([list(zip(columns[a:b], values[a:b], strict=True)) for a, b in bounds], cols)

    def fold(self, matrix: Matrix, weights: Vector) -> Vector:
        own = _own(ReferenceMatrix, matrix)
        out = [0] * own.columns
        for weight, row in _zip(_values(weights), own.entries):
            for column, value in row:
                out[column] += weight * value
        return _vector(out)

    def decode(self, data: bytes) -> Point:
        if len(data) != POINT_BYTES:
            raise PointError(f"a compressed point has {POINT_BYTES} bytes, not {len(data)}")
        try:
            xyz = decompress_G1(G1Compressed(int.from_bytes(data, "big")))
        except ValueError as reason:
            raise PointError(f"not a compressed point of G1: {reason}") from None
        return _checked(xyz)

    def decode_many(self, data: Sequence[bytes]) -> list[Point]:
        return [self.decode(item) for item in data]

    def encode(self, point: Point) -> bytes:
        return compress_G1(_xyz(point)).to_bytes(POINT_BYTES, "big")

    def decode_affine(self, data: bytes) -> list[Point]:
        if len(data) % AFFINE_BYTES:
            raise PointError(f"uncompressed points have {AFFINE_BYTES} bytes each, not {len(data)} in all")
        return [_decode_affine(data[k : k + AFFINE_BYTES]) for k in range(0, len(data), AFFINE_BYTES)]

    def encode_affine(self, points: Sequence[Point]) -> bytes:
        return b"".join(map(_encode_affine, points))

    def decode_g2(self, data: bytes) -> PointG2:
        if len(data) != G2_BYTES:
            raise PointError(f"a compressed point of G2 has {G2_BYTES} bytes, not {len(data)}")
        x1, x0 = int.from_bytes(data[:48], "big"), int.from_bytes(data[48:], "big")
        try:
            xyz = decompress_G2(G2Compressed((x1, x0)))
        except ValueError as reason:
            raise PointError(f"not a compressed point of G2: {reason}") from None
        if not curve.is_inf(curve.multiply(xyz, MODULUS)):
            raise PointError("the point is on the twist but outside the subgroup of order r")
        return ReferencePointG2(xyz)

    def encode_g2(self, point: PointG2) -> bytes:
        x1, x0 = compress_G2(_xyz_g2(point))
        return x1.to_bytes(48, "big") + x0.to_bytes(48, "big")

    def identity(self) -> Point:
        return ReferencePoint(curve.Z1)

    def generator(self) -> Point:
        return ReferencePoint(curve.G1)

    def generator_g2(self) -> PointG2:
        return ReferencePointG2(curve.G2)

    def msm(self, points: Sequence[Point], scalars: Sequence[int]) -> Point:
        # Scalars above r/2 stand for small negatives as a rule, and -x P costs no more than x P.
        terms = []
        for point, scalar in _zip(points, scalars):
            s = scalar % MODULUS
            small = 2 * s < MODULUS
            terms.append((_xyz(point) if small else curve.neg(_xyz(point)), s if small else MODULUS - s))
        return ReferencePoint(_buckets(terms))

    def lagrange_points(self, powers: Sequence[Point]) -> list[Point]:
        # sum_k p_k [tau^k] = sum_i p(w^i) [L_i]: the basis is the inverse transform of the powers.
        n = len(powers)
        transformed = _ntt_points([_xyz(point) for point in powers], inverse(root_of_unity(n)))
        return [ReferencePoint(curve.multiply(xyz, inverse(n))) for xyz in transformed]

    def table(self, points: Sequence[Point]) -> Table:
        return ReferenceTable(list(points))

    def commit(self, table: Table, vector: Vector, offset: int = 0) -> Point:
        points = _own(ReferenceTable, table).points
        if not 0 <= offset <= len(points) - len(vector):
            raise ValueError(f"{len(vector)} values at offset {offset} reach past a table of {len(points)}")
        return self.msm(points[offset : offset + len(vector)], _values(vector))

    def sparse_table(self, points: Sequence[Point]) -> SparseTable:
        return ReferenceTable(list(points))

    def commit_sparse(self, table: SparseTable, places: Sequence[int], values: Sequence[int]) -> Point:
        check_sparse(len(table), places, values)
        points = _own(ReferenceTable, table).points
        return self.msm([points[place] for place in places], values)

    def commit_rows(self, table: Table, rows: CompressedRows) -> list[Point]:
        points = _own(ReferenceTable, table).points
        matrix = _own(ReferenceMatrix, self.matrix(*rows, len(points)))
        return [self.msm([points[c] for c, _ in row], [v for _, v in row]) for row in matrix.entries]

    def pairing_check(self, left: Point, right: Point, g2_left: PointG2, g2_right: PointG2) -> bool:
        # e(left, g2_left) e(-right, g2_right) = 1.
        product = curve.pairing(_xyz_g2(g2_left), _xyz(left), final_exponentiate=False) * curve.pairing(
            _xyz_g2(g2_right), curve.neg(_xyz(right)), final_exponentiate=False
        )
        return bool(curve.final_exponentiate(product) == curve.FQ12.one())


def _vector(values: Iterable[int]) -> ReferenceVector:
    return ReferenceVector([value % MODULUS for value in values])


def _own(kind: type[A], value: object) -> A:
    if not isinstance(value, kind):
        name = kind.__name__.removeprefix("Reference").lower()
        raise TypeError(f"the {name} belongs to another backend")
    return value


def _values(v: Vector) -> list[int]:
    return _own(ReferenceVector, v).values


def _xyz(point: Point) -> Any:
    return _own(ReferencePoint, point).xyz


def _xyz_g2(point: PointG2) -> Any:
    return _own(ReferencePointG2, point).xyz


def _zip(a: Sequence[A], b: Sequence[B]) -> Iterable[tuple[A, B]]:
    if len(a) != len(b):
        raise ValueError(f"lengths differ: {len(a)} and {len(b)}")
    return zip(a, b, strict=True)


def _pairs(a: Vector, b: Vector) -> Iterable[tuple[int, int]]:
    return _zip(_values(a), _values(b))


def _powers(x: int, size: int) -> list[int]:
    powers, power = [], 1
    for _ in range(size):
        powers.append(power)
        power = power * x % MODULUS
    return powers


def _padded(coefficients: Vector, size: int) -> list[int]:
    if len(coefficients) > size:
        raise ValueError(f"{len(coefficients)} coefficients do not fit a domain of {size}")
    return _values(coefficients) + [0] * (size - len(coefficients))


def _ntt(values: list[int], root: int) -> list[int]:
    """Return the values at 1, root, root^2, .. of the polynomial with these coefficients.

    p(X) = even(X^2) + X odd(X^2), and root^(n/2) = -1.
    """
    n = len(values)
    if n == 1:
        return values
    even, odd = _ntt(values[::2], root * root % MODULUS), _ntt(values[1::2], root * root % MODULUS)
    turned = [w * x % MODULUS for w, x in zip(_powers(root, n // 2), odd, strict=True)]
    return [(e + o) % MODULUS for e, o in zip(even, turned, strict=True)] + [
        (e - o) % MODULUS for e, o in zip(even, turned, strict=True)
    ]


def _intt(values: list[int]) -> list[int]:
    n = len(values)
    return [x * inverse(n) % MODULUS for x in _ntt(values, inverse(root_of_unity(n)))]


def _ntt_points(points: list[Any], root: int) -> list[Any]:
    """Do to points what `_ntt` does to scalars."""
    n = len(points)
    if n == 1:
        return points
    even, odd = (
        _ntt_points(points[::2], root * root % MODULUS),
        _ntt_points(points[1::2], root * root % MODULUS),
    )
    turned = [curve.multiply(x, w) for w, x in zip(_powers(root, n // 2), odd, strict=True)]
    return [curve.add(e, o) for e, o in zip(even, turned, strict=True)] + [
        curve.add(e, curve.neg(o)) for e, o in zip(even, turned, strict=True)
    ]


def _buckets(terms: list[tuple[Any, int]]) -> Any:
    """Return the sum of scalar times point by Pippenger's buckets, one window of bits after another."""
    window = max(1, len(terms).bit_length() - 2)
    longest = max((scalar.bit_length() for _, scalar in terms), default=0)
    total = curve.Z1
    for low in range(longest // window * window, -1, -window):
        for _ in range(window):
            total = curve.double(total)
        buckets = [curve.Z1] * (1 << window)
        for xyz, scalar in terms:
            digit = scalar >> low & (1 << window) - 1
            if digit:
                buckets[digit] = curve.add(buckets[digit], xyz)
        running = curve.Z1
        for bucket in reversed(buckets[1:]):
            running = curve.add(running, bucket)
            total = curve.add(total, running)
    return total


def _checked(xyz: Any) -> ReferencePoint:
    if not curve.is_inf(curve.multiply(xyz, MODULUS)):
        raise PointError("the point is on the curve but outside the subgroup of order r")
    return ReferencePoint(xyz)


def _encode_affine(point: Point) -> bytes:
    xyz = _xyz(point)
    if curve.is_inf(xyz):
        return bytes([IDENTITY_BYTE]) + bytes(AFFINE_BYTES - 1)
    x, y = curve.normalize(xyz)
    return int(x).to_bytes(48, "big") + int(y).to_bytes(48, "big")


def _decode_affine(data: bytes) -> Point:
    if data[0] == IDENTITY_BYTE and not any(data[1:]):
        return ReferencePoint(curve.Z1)
    x, y = int.from_bytes(data[:48], "big"), int.from_bytes(data[48:], "big")
    if x >= curve.field_modulus or y >= curve.field_modulus:
        raise PointError("a coordinate is not below p")
    xyz = (curve.FQ(x), curve.FQ(y), curve.FQ(1))
    if not curve.is_on_curve(xyz, curve.b):
        raise PointError("the point is not on the curve")
    return _checked(xyz)
