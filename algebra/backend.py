"""The backend interface: field vectors, sparse integer matrices, curve points, commitments and the pairing.

Two backends implement `Backend` and agree on every result: `reference` (plain Python) and `native` (Rust).
Vectors, matrices, points and tables are opaque: only the backend that made one may be handed it back.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

POINT_BYTES = 48
"""Length of a compressed point of G1."""

G2_BYTES = 96
"""Length of a compressed point of G2."""

AFFINE_BYTES = 96
"""Length of an uncompressed point of G1: x and y, big-endian."""


class PointError(ValueError):
    """Bytes that are not the one canonical encoding of a point of the right group."""


class Vector(Protocol):
    """Elements of the scalar field. May hold secrets, so its repr shows the length only."""

    def __len__(self) -> int: ...


class Matrix(Protocol):
    """A sparse matrix of signed 128-bit integers in compressed rows."""

    @property
    def rows(self) -> int: ...

    @property
    def columns(self) -> int: ...


class Point(Protocol):
    """An element of G1, the subgroup of order r. Equal points compare equal."""


class PointG2(Protocol):
    """An element of G2, the subgroup of order r."""


class Table(Protocol):
    """A fixed sequence of bases for commitments."""

    def __len__(self) -> int: ...


class SparseTable(Protocol):
    """A fixed sequence of bases for commitments to columns that are zero almost everywhere."""

    def __len__(self) -> int: ...


CompressedRows = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint64], NDArray[np.int64]]
"""A sparse integer matrix: row starts, columns, low and high words; see `Backend.matrix`."""


class Backend(Protocol):
    """The arithmetic under the proofs. Every method is a pure function of its arguments."""

    @property
    def name(self) -> str:
        """Return "native" or "reference"."""

    def __hash__(self) -> int: ...

    # Vectors: element by element.

    def vector(self, values: Sequence[int] | NDArray[np.int64]) -> Vector:
        """Return the values, of any sign and size, modulo r."""

    def integers(self, v: Vector) -> list[int]:
        """Return the canonical representatives, each in 0..r-1."""

    def zeros(self, size: int) -> Vector:
        """Return `size` zeros."""

    def powers(self, x: int, size: int) -> Vector:
        """Return 1, x, x^2, ..., x^(size-1)."""

    def add(self, a: Vector, b: Vector) -> Vector:
        """Return a_i + b_i. Raises ValueError if the lengths differ."""

    def sub(self, a: Vector, b: Vector) -> Vector:
        """Return a_i - b_i. Raises ValueError if the lengths differ."""

    def mul(self, a: Vector, b: Vector) -> Vector:
        """Return a_i b_i. Raises ValueError if the lengths differ."""

    def scale(self, a: Vector, s: int) -> Vector:
        """Return s a_i."""

    def shift(self, a: Vector, s: int) -> Vector:
        """Return a_i + s."""

    def combine(self, vectors: Sequence[Vector], scalars: Sequence[int]) -> Vector:
        """Return sum_k scalars[k] vectors[k], every vector zero-padded to the longest.

        Raises ValueError if there are not as many scalars as vectors.
        """

    def inverse(self, a: Vector) -> Vector:
        """Return 1/a_i. Raises ZeroDivisionError if any a_i is 0."""

    def prefix_sum(self, a: Vector) -> Vector:
        """Return the exclusive running sum: out_0 = 0, out_(i+1) = out_i + a_i, of the same length."""

    def dot(self, a: Vector, b: Vector) -> int:
        """Return sum_i a_i b_i. Raises ValueError if the lengths differ."""

    def slice(self, a: Vector, start: int, stop: int) -> Vector:
        """Return a_start .. a_(stop-1). Raises ValueError unless 0 <= start <= stop <= len(a)."""

    def concat(self, vectors: Sequence[Vector]) -> Vector:
        """Return the vectors one after another."""

    def rotate(self, a: Vector, k: int) -> Vector:
        """Return out_i = a_((i+k) mod n), for k of any sign."""

    # Vectors as polynomials, lowest coefficient first, and as evaluations on H_n in natural order.

    def ntt(self, coefficients: Vector, size: int) -> Vector:
        """Return the values on H_size. Raises ValueError if there are more than `size` coefficients."""

    def intt(self, evaluations: Vector) -> Vector:
        """Return the coefficients of the polynomial with these values on H_n, n being their number."""

    def coset_ntt(self, coefficients: Vector, size: int) -> Vector:
        """Return the values on 7 H_size. Raises ValueError if there are more than `size` coefficients."""

    def coset_intt(self, evaluations: Vector) -> Vector:
        """Return the coefficients of the polynomial with these values on 7 H_n."""

    def evaluate(self, coefficients: Vector, x: int) -> int:
        """Return p(x), in 0..r-1."""

    def divide(self, coefficients: Vector, z: int) -> Vector:
        """Return the quotient (p(X) - p(z)) / (X - z), one shorter than p (empty if p is)."""

    def lagrange(self, n: int, x: int) -> Vector:
        """Return L_0(x) .. L_(n-1)(x) on H_n. Raises ValueError if x lies in H_n."""

    # Sparse integer matrices.

    def matrix(
        self,
        indptr: NDArray[np.int64],
        indices: NDArray[np.int32],
        low: NDArray[np.uint64],
        high: NDArray[np.int64],
        cols: int,
    ) -> Matrix:
        """Return the matrix with low_k + 2^64 high_k in row r, column indices_k, indptr_r <= k < indptr_(r+1).

        Entries of one row that share a column add. Raises ValueError if the arrays do not describe a matrix.
        """

    def fold(self, matrix: Matrix, weights: Vector) -> Vector:
        """Return out_c = sum_r weights_r M_rc. Raises ValueError if there is not one weight a row."""

    # Points.

    def decode(self, data: bytes) -> Point:
        """Return the point of G1 with this 48-byte compressed encoding.

        Raises PointError on a wrong length, wrong flags, x >= p, a point off the curve or outside the
        subgroup of order r, and on any encoding of the identity but the canonical one.
        """

    def decode_many(self, data: Sequence[bytes]) -> list[Point]:
        """Return the points with these encodings; raises PointError as `decode` does."""

    def encode(self, point: Point) -> bytes:
        """Return the 48-byte compressed encoding."""

    def decode_affine(self, data: bytes) -> list[Point]:
        """Return the points with these concatenated 96-byte uncompressed encodings; raises PointError."""

    def encode_affine(self, points: Sequence[Point]) -> bytes:
        """Return the concatenated 96-byte uncompressed encodings."""

    def decode_g2(self, data: bytes) -> PointG2:
        """Return the point of G2 with this 96-byte compressed encoding; raises PointError."""

    def encode_g2(self, point: PointG2) -> bytes:
        """Return the 96-byte compressed encoding."""

    def identity(self) -> Point:
        """Return the neutral element of G1."""

    def generator(self) -> Point:
        """Return the standard generator of G1."""

    def generator_g2(self) -> PointG2:
        """Return the standard generator of G2."""

    def msm(self, points: Sequence[Point], scalars: Sequence[int]) -> Point:
        """Return sum_k scalars[k] points[k]. Raises ValueError if there are not as many scalars as points."""

    def lagrange_points(self, powers: Sequence[Point]) -> list[Point]:
        """Return [L_i(tau)] on H_n from [tau^k], i, k < n. Raises ValueError unless n is a power of two."""

    def table(self, points: Sequence[Point]) -> Table:
        """Return the points as bases of `commit`."""

    def commit(self, table: Table, vector: Vector, offset: int = 0) -> Point:
        """Return sum_i vector_i table_(offset+i), quickest if every value is small or a small negative.

        Raises ValueError if the vector reaches past the table.
        """

    def sparse_table(self, points: Sequence[Point]) -> SparseTable:
        """Return the points as bases of `commit_sparse`."""

    def commit_sparse(self, table: SparseTable, places: Sequence[int], values: Sequence[int]) -> Point:
        """Return sum_k values_k table_(places_k), for a few dozen values below 2^63 in magnitude.

        Raises ValueError if there are not as many values as places, a place is outside the table, or a value is
        too large.
        """

    def commit_rows(self, table: Table, rows: CompressedRows) -> list[Point]:
        """Return the commitment of every row of a matrix (see `matrix`), its columns being places of the table.

        Raises ValueError if the arrays do not describe a matrix with as many columns as the table has points.
        """

    def pairing_check(self, left: Point, right: Point, g2_left: PointG2, g2_right: PointG2) -> bool:
        """Return whether e(left, g2_left) = e(right, g2_right)."""


def check_csr(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    low: NDArray[np.uint64],
    high: NDArray[np.int64],
    cols: int,
) -> None:
    """Raise ValueError unless the arrays, in these very dtypes, describe a matrix of compressed rows."""
    wanted = {"indptr": np.int64, "indices": np.int32, "low": np.uint64, "high": np.int64}
    arrays: tuple[NDArray[Any], ...] = (indptr, indices, low, high)
    for (name, dtype), array in zip(wanted.items(), arrays, strict=True):
        if array.dtype != dtype or array.ndim != 1:
            raise ValueError(
                f"{name}: expected one dimension of {dtype.__name__}, not {array.ndim} of {array.dtype}"
            )
    if not len(indices) == len(low) == len(high):
        raise ValueError(
            f"{len(indices)} indices, {len(low)} low and {len(high)} high words: one of each per entry"
        )
    if len(indptr) == 0 or indptr[0] != 0 or indptr[-1] != len(indices) or (np.diff(indptr) < 0).any():
        raise ValueError(f"indptr must rise from 0 to the number of entries, {len(indices)}")
    if len(indices) and not (indices.min() >= 0 and indices.max() < cols):
        raise ValueError(f"a column index is outside 0..{cols - 1}")


def check_sparse(size: int, places: Sequence[int], values: Sequence[int]) -> None:
    """Raise ValueError unless there is one place in a table of this size for each value below 2^63."""
    if len(places) != len(values):
        raise ValueError(f"lengths differ: {len(places)} and {len(values)}")
    if places and not 0 <= min(places) <= max(places) < size:
        raise ValueError(f"a place is outside a table of {size}")
    if values and max(map(abs, values)) >= 1 << 63:
        raise ValueError("a value of a sparse column reaches 2^63")
