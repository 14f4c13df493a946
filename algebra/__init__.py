"""The arithmetic under the proofs: field vectors, curve points, the ceremony's powers, the transcript.

`get_backend()` chooses between two implementations of `Backend` that agree on every result.
"""

import os
from collections.abc import Callable
from functools import cache

from zkmargin.algebra.backend import Backend, Matrix, Point, PointError, PointG2, Table, Vector
from zkmargin.algebra.field import MODULUS
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
REFERENCE = "reference"


@cache
def backends() -> tuple[str, ...]:
    """Return the names of the backends that can run here, the preferred one first."""
    return tuple(name for name in _MAKERS if name == REFERENCE or _made(name) is not None)


@cache
def _made(name: str) -> Backend | None:
    """The backend of this name, made when it is first asked for; None if it cannot run here."""
    return _MAKERS[name]()


def _native() -> Backend | None:
    try:
        from zkmargin.algebra.native import NativeBackend  # noqa: PLC0415 - the extension is optional
    except ImportError:
        return None
    return NativeBackend()


def _reference() -> Backend:
    # It imports a large library, loaded only where it is used.
    from zkmargin.algebra.reference import ReferenceBackend  # noqa: PLC0415

    return ReferenceBackend()


_MAKERS: dict[str, Callable[[], Backend | None]] = {"native": _native, REFERENCE: _reference}


def get_backend(name: str | None = None) -> Backend:
    """Return the named backend; without a name the one in ZKMARGIN_BACKEND; without that the fastest one.

    Raises ValueError, naming the choices, if that backend is not available.
    """
    wanted = name or os.environ.get(BACKEND_VARIABLE) or backends()[0]
    made = _made(wanted) if wanted in backends() else None
    if made is None:
        raise ValueError(f"backend {wanted!r} is not available: choose one of {', '.join(backends())}")
    return made
