"""The native backend: the same operations as the reference, in Rust on both cores."""

import struct
from collections.abc import Sequence
from operator import index
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from zkmargin import _native
from zkmargin.algebra.backend import (
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
from zkmargin.algebra.field import MODULUS, SCALAR_BYTES

T = TypeVar("T")


class NativeBackend:
    """Each method hands its arguments to Rust; see `Backend` for what it returns and raises."""

    name = "native"

    def vector(self, values: Sequence[int] | NDArray[np.int64]) -> Vector:
        array = np.asarray(values)
        if array.dtype == np.int64:
            return _native.Vector.from_int64(array.tobytes())
        return _native.Vector.from_bytes(
            b"".join([(index(x) % MODULUS).to_bytes(SCALAR_BYTES, "little") for x in values])
        )

    def integers(self, v: Vector) -> list[int]:
        data = _vector(v).to_bytes()
        return [_integer(data[k : k + SCALAR_BYTES]) for k in range(0, len(data), SCALAR_BYTES)]

    def zeros(self, size: int) -> Vector:
        return _native.Vector.zeros(size)

    def powers(self, x: int, size: int) -> Vector:
        return _native.Vector.powers(_scalar(x), size)

    def add(self, a: Vector, b: Vector) -> Vector:
        return _vector(a).add(_vector(b))

    def sub(self, a: Vector, b: Vector) -> Vector:
        return _vector(a).sub(_vector(b))

    def mul(self, a: Vector, b: Vector) -> Vector:
        return _vector(a).mul(_vector(b))

    def scale(self, a: Vector, s: int) -> Vector:
        return _vector(a).scale(_scalar(s))

    def shift(self, a: Vector, s: int) -> Vector:
        return _vector(a).shift(_scalar(s))

    def combine(self, vectors: Sequence[Vector], scalars: Sequence[int]) -> Vector:
        return _native.combine(list(map(_vector, vectors)), b"".join(map(_scalar, scalars)))

    def inverse(self, a: Vector) -> Vector:
        return _vector(a).inverse()

    def prefix_sum(self, a: Vector) -> Vector:
        return _vector(a).prefix_sum()

    def dot(self, a: Vector, b: Vector) -> int:
        return _integer(_vector(a).dot(_vector(b)))

    def slice(self, a: Vector, start: int, stop: int) -> Vector:
        if not 0 <= start <= stop <= len(a):
            raise ValueError(f"slice {start}..{stop} of a vector of {len(a)}")
        return _vector(a).slice(start, stop)

    def concat(self, vectors: Sequence[Vector]) -> Vector:
        return _native.concat(list(map(_vector, vectors)))

    def rotate(self, a: Vector, k: int) -> Vector:
        return _vector(a).rotate(k % len(a) if len(a) else 0)

    def ntt(self, coefficients: Vector, size: int) -> Vector:
        return _vector(coefficients).ntt(size)

    def intt(self, evaluations: Vector) -> Vector:
        return _vector(evaluations).intt()

    def coset_ntt(self, coefficients: Vector, size: int) -> Vector:
        return _vector(coefficients).coset_ntt(size)

    def coset_intt(self, evaluations: Vector) -> Vector:
        return _vector(evaluations).coset_intt()

    def evaluate(self, coefficients: Vector, x: int) -> int:
        return _integer(_vector(coefficients).evaluate(_scalar(x)))

    def divide(self, coefficients: Vector, z: int) -> Vector:
        return _vector(coefficients).divide(_scalar(z))

    def lagrange(self, n: int, x: int) -> Vector:
        return _native.Vector.lagrange(n, _scalar(x))

    def matrix(
        self,
        indptr: NDArray[np.int64],
        indices: NDArray[np.int32],
        low: NDArray[np.uint64],
        high: NDArray[np.int64],
        cols: int,
    ) -> Matrix:
        check_csr(indptr, indices, low, high, cols)
        return _native.Matrix(indptr.tobytes(), indices.tobytes(), low.tobytes(), high.tobytes(), cols)

    def fold(self, matrix: Matrix, weights: Vector) -> Vector:
        return _own(_native.Matrix, matrix).fold(_vector(weights))

    def decode(self, data: bytes) -> Point:
        return self.decode_many([data])[0]

    def decode_many(self, data: Sequence[bytes]) -> list[Point]:
        for item in data:
            if len(item) != POINT_BYTES:
                raise PointError(f"a compressed point has {POINT_BYTES} bytes, not {len(item)}")
        try:
            return [*_native.decode_points(b"".join(data))]
        except ValueError as reason:
            raise PointError(str(reason)) from None

    def encode(self, point: Point) -> bytes:
        return _point(point).encode()

    def decode_affine(self, data: bytes) -> list[Point]:
        try:
            return [*_native.decode_affine_points(data)]
        except ValueError as reason:
            raise PointError(str(reason)) from None

    def encode_affine(self, points: Sequence[Point]) -> bytes:
        return _native.encode_affine_points(list(map(_point, points)))

    def decode_g2(self, data: bytes) -> PointG2:
        try:
            return _native.decode_g2(data)
        except ValueError as reason:
            raise PointError(str(reason)) from None

    def encode_g2(self, point: PointG2) -> bytes:
        return _own(_native.PointG2, point).encode()

    def identity(self) -> Point:
        return _native.identity()

    def generator(self) -> Point:
        return _native.generator()

    def generator_g2(self) -> PointG2:
        return _native.generator_g2()

    def msm(self, points: Sequence[Point], scalars: Sequence[int]) -> Point:
        return _native.msm(list(map(_point, points)), _vector(self.vector(scalars)))

    def lagrange_points(self, powers: Sequence[Point]) -> list[Point]:
        return [*_native.lagrange_points(list(map(_point, powers)))]

    def table(self, points: Sequence[Point]) -> Table:
        return _native.Table(list(map(_point, points)))

    def commit(self, table: Table, vector: Vector, offset: int = 0) -> Point:
        if offset < 0:
            raise ValueError(f"{len(vector)} values at offset {offset} reach past a table of {len(table)}")
        return _own(_native.Table, table).commit(_vector(vector), offset)

    def sparse_table(self, points: Sequence[Point]) -> SparseTable:
        return _native.SparseTable(list(map(_point, points)))

    def commit_sparse(self, table: SparseTable, places: Sequence[int], values: Sequence[int]) -> Point:
        check_sparse(len(table), places, values)
        encoded = struct.pack(f"<{len(places)}I", *places), struct.pack(f"<{len(values)}q", *values)
        return _own(_native.SparseTable, table).commit(*encoded)

    def commit_rows(self, table: Table, rows: CompressedRows) -> list[Point]:
        own = _own(_native.Table, table)
        check_csr(*rows, len(own))
        indptr, indices, low, high = (array.tobytes() for array in rows)
        return [*own.commit_rows(indptr, indices, low, high)]

    def pairing_check(self, left: Point, right: Point, g2_left: PointG2, g2_right: PointG2) -> bool:
        first, second = _own(_native.PointG2, g2_left), _own(_native.PointG2, g2_right)
        return _native.pairing_check(_point(left), _point(right), first, second)


def _scalar(x: int) -> bytes:
    return (index(x) % MODULUS).to_bytes(SCALAR_BYTES, "little")


def _integer(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _own(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"the {kind.__name__.lower()} belongs to another backend")
    return value


def _vector(v: Vector) -> _native.Vector:
    return _own(_native.Vector, v)


def _point(p: Point) -> _native.Point:
    return _own(_native.Point, p)
