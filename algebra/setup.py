"""The structured reference string: powers of a secret tau in G1, tau in G2, and commitments under them.

For real use there is one, the public Ethereum KZG ceremony: its outcome ships with eth-account and is pinned
by its SHA-256. Every degree is below 4096. Hiding comes from multiples of Z(X) = X^n - 1: see
`Setup.blinding_point`.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import RLock

from platformdirs import user_cache_dir

from zkmargin.algebra.backend import Backend, CompressedRows, Point, PointG2, SparseTable, Table, Vector
from zkmargin.algebra.field import MODULUS
from zkmargin.algebra.lagrange import lagrange_basis

CEREMONY_SHA256 = "d39b9f2d047cc9dca2de58f264b6a09448ccd34db967881a6713eacacf0f26b7"
"""SHA-256 of kzg_trusted_setup.txt, the ceremony's outcome as all Ethereum clients use it."""

CEREMONY_FILE = Path("typed_transactions", "blob_transactions", "kzg_trusted_setup.txt")
"""Path of the ceremony file inside the eth_account package."""

DIGIT_BITS = 8
"""A blinder is committed in digits of this many bits, each against a base of its own, so that all scalars are short."""

DIGITS = 32

CHECK_BITS = 128
"""Powers that are not consecutive pass the random combination with probability 2^-128."""


class SetupError(ValueError):
    """A reference string that is missing, is not the pinned one, or is inconsistent."""


@dataclass(frozen=True, eq=False)
class Setup:
    """Powers [tau^k]_1 for k < size, [1]_2 and [tau]_2. Points and tables are made when first needed."""

    backend: Backend
    digest: str
    g2: PointG2
    g2_tau: PointG2
    size: int
    _decode: Callable[[int], list[Point]] = field(repr=False)
    _directory: Path | None = field(default=None, repr=False)
    _powers: list[Point] = field(default_factory=list, repr=False)
    _tables: dict[tuple[str, int], Table] = field(default_factory=dict, repr=False)
    _sparse: dict[int, SparseTable] = field(default_factory=dict, repr=False)
    _lock: RLock = field(default_factory=RLock, repr=False)

    @classmethod
    def from_points(
        cls,
        backend: Backend,
        powers: Sequence[Point],
        g2: PointG2,
        g2_tau: PointG2,
        directory: Path | None = None,
    ) -> "Setup":
        """Return a setup of these powers, named by the SHA-256 of the encodings; for tests with a known tau.

        `directory` is where Lagrange bases are kept; None keeps them in memory only.
        """
        points = list(powers)
        content = b"".join(map(backend.encode, points)) + backend.encode_g2(g2) + backend.encode_g2(g2_tau)
        return cls(
            backend,
            hashlib.sha256(content).hexdigest(),
            g2,
            g2_tau,
            len(points),
            lambda n: points[:n],
            directory,
        )

    def powers(self, count: int) -> list[Point]:
        """Return [tau^k]_1 for k < count. Raises SetupError if count exceeds the size."""
        if not 0 <= count <= self.size:
            raise SetupError(f"{count} powers of tau are asked for and the setup has {self.size}")
        with self._lock:
            if count > len(self._powers):
                self._powers[:] = self._decode(_rounded(count, self.size))
            return self._powers[:count]

    def commit_coefficients(self, v: Vector) -> Point:
        """Return [p(tau)]_1 for the polynomial with these coefficients, lowest first."""
        count = _rounded(len(v), self.size)
        if len(v) > count:
            raise SetupError(f"a polynomial of {len(v)} coefficients exceeds the setup's {self.size} powers")
        return self.backend.commit(self._table("powers", count), v)

    def commit_evaluations(self, n: int, v: Vector) -> Point:
        """Return [p(tau)]_1 for the polynomial of degree below n with these n values on H_n."""
        if len(v) != n:
            raise ValueError(f"{len(v)} values for a domain of {n}")
        return self.backend.commit(self._table("lagrange", n), v)

    def commit_rows(self, n: int, rows: CompressedRows) -> list[Point]:
        """Return `commit_evaluations` of every row of a matrix with n columns. Raises ValueError for another."""
        return self.backend.commit_rows(self._table("lagrange", n), rows)

    def commit_sparse(self, n: int, places: Sequence[int], values: Sequence[int], blinder: int) -> Point:
        """Return sum_k values_k [L_(places_k)(tau)]_1 + blinder B_0 on H_n: quick for a few dozen small values.

        Raises ValueError if a place is outside H_n, or a value reaches 2^63.
        """
        if places and max(places) >= n:
            raise ValueError(f"a place is outside a domain of {n}")
        digits = (blinder % MODULUS).to_bytes(DIGITS * DIGIT_BITS // 8, "little")
        return self.backend.commit_sparse(
            self._sparse_table(n), [*places, *range(n, n + DIGITS)], [*values, *digits]
        )

    def blinding_point(self, n: int, k: int) -> Point:
        """Return B_k = [tau^k Z(tau)]_1 with Z(X) = X^n - 1: it commits to a polynomial that is 0 on H_n."""
        powers = self.powers(n + k + 1)
        return self.backend.msm([powers[n + k], powers[k]], [1, -1])

    def _sparse_table(self, n: int) -> SparseTable:
        """The Lagrange basis, and 2^(8 j) B_0 for each digit j of a blinder."""
        with self._lock:
            if n not in self._sparse:
                basis = lagrange_basis(self.backend, self.powers(n), self.digest, self._directory)
                blinding = self.blinding_point(n, 0)
                digits = [self.backend.msm([blinding], [1 << (DIGIT_BITS * j)]) for j in range(DIGITS)]
                self._sparse[n] = self.backend.sparse_table([*basis, *digits])
            return self._sparse[n]

    def _table(self, basis: str, n: int) -> Table:
        with self._lock:
            if (basis, n) not in self._tables:
                powers = self.powers(n)
                points = (
                    lagrange_basis(self.backend, powers, self.digest, self._directory)
                    if basis == "lagrange"
                    else powers
                )
                self._tables[basis, n] = self.backend.table(points)
            return self._tables[basis, n]


def ceremony(backend: Backend) -> Setup:
    """Return the Ethereum KZG ceremony's setup: 4096 powers in G1.

    Raises SetupError if the file that ships with eth-account is missing or is not the pinned one.
    """
    return _ceremony(backend)


@cache
def _ceremony(backend: Backend) -> Setup:
    _, g2, powers = parse_ceremony(ceremony_bytes())
    return Setup(
        backend,
        CEREMONY_SHA256,
        backend.decode_g2(g2[0]),
        backend.decode_g2(g2[1]),
        len(powers),
        lambda n: backend.decode_many(powers[:n]),
        Path(user_cache_dir("zkmargin")),
    )


def ceremony_bytes() -> bytes:
    """Return the content of the ceremony's file. Raises SetupError if it is missing."""
    package = find_spec("eth_account")
    if package is None or package.origin is None:
        raise SetupError("the ceremony's powers of tau ship with eth-account: install that package")
    path = Path(package.origin).parent / CEREMONY_FILE
    try:
        return path.read_bytes()
    except OSError as reason:
        raise SetupError(f"{path}: cannot read the ceremony's powers of tau: {reason.strerror}") from None


def parse_ceremony(content: bytes) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Return the encodings of the Lagrange points, the powers in G2 and the powers in G1.

    The file holds the numbers of Lagrange and of G2 points, then the points of each kind in hexadecimal.
    Raises SetupError on any content but the pinned one.
    """
    digest = hashlib.sha256(content).hexdigest()
    if digest != CEREMONY_SHA256:
        raise SetupError(
            f"kzg_trusted_setup.txt has SHA-256 {digest}, expected {CEREMONY_SHA256}: reinstall eth-account"
        )
    first, second, *lines = content.decode("ascii").split()
    n, m = int(first), int(second)
    points = [bytes.fromhex(line) for line in lines]
    return points[:n], points[n : n + m], points[n + m :]


def check_consistency(setup: Setup) -> None:
    """Raise SetupError unless the points are the powers of one tau, the one in G2.

    With random c_k: e(sum_k c_k [tau^(k+1)]_1, [1]_2) = e(sum_k c_k [tau^k]_1, [tau]_2), and the first powers
    are the generators.
    """
    backend, powers = setup.backend, setup.powers(setup.size)
    if powers[0] != backend.generator() or setup.g2 != backend.generator_g2():
        raise SetupError("the first power of the setup is not the generator of its group")
    weights = [secrets.randbits(CHECK_BITS) for _ in powers[1:]]
    higher, lower = backend.msm(powers[1:], weights), backend.msm(powers[:-1], weights)
    if not backend.pairing_check(higher, lower, setup.g2, setup.g2_tau):
        raise SetupError("the points of the setup are not consecutive powers of the tau in G2")


def _rounded(count: int, size: int) -> int:
    """Return the power of two from count up, at most the size, so that few tables serve every length."""
    return min(size, 1 << max(0, count - 1).bit_length())
