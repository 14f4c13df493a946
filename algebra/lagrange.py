"""The Lagrange basis [L_i(tau)] on H_n: computed once from the powers of tau, then kept on disk.

Nothing on disk is trusted. A file is used only if its digest fits, every point passes the gate of
`decode_affine`, and a random combination of the points equals the same one computed from the powers. Any
other file is replaced.
"""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from zkmargin.algebra.backend import Backend, Point, PointError

MAGIC = b"zkmargin lagrange basis 1\n"

CHECK_BITS = 128
"""A wrong basis of points of G1 passes the random combination with probability 2^-128."""


def lagrange_basis(
    backend: Backend, powers: Sequence[Point], digest: str, directory: Path | None
) -> list[Point]:
    """Return [L_i(tau)], i < n, on H_n from [tau^k], k < n.

    `digest` names the setup and `directory` holds the files; None keeps nothing on disk. A file that cannot
    be read, is wrong or cannot be written costs the time to compute the basis again, never an error.
    """
    if directory is None:
        return backend.lagrange_points(powers)
    path = directory / f"lagrange-{digest[:16]}-{len(powers)}"
    stored = _load(backend, powers, digest, path)
    if stored is not None:
        return stored
    basis = backend.lagrange_points(powers)
    _store(path, _header(digest, len(powers)), backend.encode_affine(basis))
    return basis


def is_lagrange_basis(backend: Backend, powers: Sequence[Point], basis: Sequence[Point]) -> bool:
    """Return whether sum_i c_i basis_i = sum_k p_k powers_k for random c, p having the values c on H_n."""
    values = [secrets.randbits(CHECK_BITS) for _ in powers]
    coefficients = backend.integers(backend.intt(backend.vector(values)))
    return len(basis) == len(powers) and backend.msm(basis, values) == backend.msm(powers, coefficients)


def _header(digest: str, n: int) -> bytes:
    return MAGIC + bytes.fromhex(digest) + n.to_bytes(4, "big")


def _load(backend: Backend, powers: Sequence[Point], digest: str, path: Path) -> list[Point] | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    header = _header(digest, len(powers))
    checksum, body = content[len(header) : len(header) + 32], content[len(header) + 32 :]
    if content[: len(header)] != header or hashlib.sha256(header + body).digest() != checksum:
        return None
    try:
        basis = backend.decode_affine(body)
    except PointError:
        return None
    return basis if is_lagrange_basis(backend, powers, basis) else None


def _store(path: Path, header: bytes, body: bytes) -> None:
    """Write the file whole or not at all: readers never see half of one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(header + hashlib.sha256(header + body).digest() + body)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
