"""The arithmetic beside well-known libraries, in the same run: commitments and transforms of 4096."""

from __future__ import annotations

import random
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ckzg
import py_arkworks_bls12381 as arkworks

from benchmarks.measure import peak_megabytes, side_by_side
from zkmargin.algebra import get_backend
from zkmargin.algebra.field import MODULUS
from zkmargin.algebra.setup import CEREMONY_FILE, ceremony

SIZE = 4096


def commitments() -> dict[str, Any]:
    """A commitment to 4096 full-width values: ours, ckzg's (one core), arkworks' (one core)."""
    setup = ceremony(get_backend())
    values = _values()
    vector = setup.backend.vector(values)
    blob = _blob(values)
    trusted = _trusted()
    powers = [arkworks.G1Point.from_compressed_bytes(setup.backend.encode(p)) for p in setup.powers(SIZE)]
    scalars = [arkworks.Scalar.from_be_bytes(value.to_bytes(32, "big")) for value in values]
    ck = side_by_side(
        lambda: setup.commit_coefficients(vector), lambda: ckzg.blob_to_kzg_commitment(blob, trusted)
    )
    ark = side_by_side(
        lambda: setup.commit_coefficients(vector),
        lambda: arkworks.G1Point.multiexp_unchecked(powers, scalars),
    )
    return {
        "ours_ms": 1000 * ck.ours,
        "ckzg_ms": 1000 * ck.peer,
        "ours_to_ckzg": ck.ratio,
        "arkworks_ms": 1000 * ark.peer,
        "ours_to_arkworks": ark.ratio,
        "peak_mb": peak_megabytes(),
    }


def transforms() -> dict[str, Any]:
    """An inverse transform of 4096 and a transform of 8192, which is what ckzg's compute_cells does."""
    backend = get_backend()
    values = _values()
    vector = backend.vector(values)
    blob, trusted = _blob(values), _trusted()
    ck = side_by_side(
        lambda: backend.ntt(backend.intt(vector), 2 * SIZE), lambda: ckzg.compute_cells(blob, trusted)
    )
    alone = side_by_side(lambda: backend.ntt(vector, SIZE), lambda: backend.intt(vector))
    return {
        "ntt_4096_ms": 1000 * alone.ours,
        "extend_ms": 1000 * ck.ours,
        "ckzg_cells_ms": 1000 * ck.peer,
        "ours_to_ckzg": ck.ratio,
        "peak_mb": peak_megabytes(),
    }


def _values() -> list[int]:
    drawn = random.Random(7)
    return [drawn.randrange(MODULUS) for _ in range(SIZE)]


def _blob(values: list[int]) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


def _trusted() -> Any:
    package = find_spec("eth_account")
    assert package is not None
    assert package.origin is not None
    return ckzg.load_trusted_setup(str(Path(package.origin).parent / CEREMONY_FILE), 0)
