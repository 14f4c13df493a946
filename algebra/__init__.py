"""The arithmetic under the proofs: field vectors, curve points, the ceremony's powers, the transcript.

`get_backend()` chooses between two implementations of `Backend` that agree on every result.
"""

import os
from functools import cache

from zkmargin.algebra.backend import Backend, Matrix, Point, PointError, PointG2, Table, Vector
from zkmargin.algebra.field import MODULUS
from zkmargin.algebra.reference import ReferenceBackend
from zkmargin.algebra.setup import Setup, SetupError, ceremony, check_consistency
from zkmargin.algebra.transcript import Transcript

__all__ = [
    "MODULUS",
    "Backend",
    "Matrix",
    "Point",
    "PointError",
    "PointG2",
    "Setup",
    "SetupError",
    "Table",
    "Transcript",
    "Vector",
    "backends",
    "ceremony",
    "check_consistency",
    "get_backend",
]

BACKEND_VARIABLE = "ZKMARGIN_BACKEND"


@cache
def _built() -> dict[str, Backend]:
    """Return the backends that can run here, the preferred one first."""
    reference: Backend = ReferenceBackend()
    try:
        from zkmargin.algebra.native import NativeBackend  # noqa: PLC0415 - the extension is optional
    except ImportError:
        return {reference.name: reference}
    native: Backend = NativeBackend()
    return {native.name: native, reference.name: reference}


def backends() -> tuple[str, ...]:
    """Return the names of the backends that can run here, the preferred one first."""
    return tuple(_built())


def get_backend(name: str | None = None) -> Backend:
    """Return the named backend; without a name the one in ZKMARGIN_BACKEND; without that the fastest one.

    Raises ValueError, naming the choices, if that backend is not available.
    """
    wanted = name or os.environ.get(BACKEND_VARIABLE) or backends()[0]
    if wanted not in _built():
        raise ValueError(f"backend {wanted!r} is not available: choose one of {', '.join(backends())}")
    return _built()[wanted]
