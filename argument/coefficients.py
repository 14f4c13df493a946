"""The public side of the linear claim: all equations, weighted by powers of beta, as one inner product.

sum_j <a_j, q_j> + sum_k <d_k, limbs_k> + <e, U> + <f, V> = v,     v = - sum_i beta^i constant_i.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np

from zkmargin.algebra.backend import Backend, Matrix, Vector
from zkmargin.algebra.field import MODULUS
from zkmargin.circuits.matrix import IntMatrix
from zkmargin.circuits.relation import Relation


@dataclass(frozen=True)
class Coefficients:
    """The weighted equations as vectors of length n on H.

    Attributes:
        holdings: a_j for each holdings column.
        limbs: d_k for each limb column; limb j of a row carries the row's coefficient times 2^(t j).
        u: e, on the square cells; None without a square column.
        v: f, on their squares; None without a square column.
        total: v, what the inner product must come to.
    """

    holdings: tuple[Vector, ...]
    limbs: tuple[Vector, ...]
    u: Vector | None
    v: Vector | None
    total: int


_MADE: WeakKeyDictionary[IntMatrix, dict[str, Matrix]] = WeakKeyDictionary()
"""Matrices in a backend's own form, made once: relations that differ in constants alone share them."""


_CONSTANTS: WeakKeyDictionary[Relation, dict[str, Vector]] = WeakKeyDictionary()
"""Constants in a backend's own form, made once a relation: they may have hundreds of bits."""


def coefficients(backend: Backend, relation: Relation, beta: int, *, holdings: bool = True) -> Coefficients:
    """Weigh equation i by beta^i and add up; O(nonzeros).

    Without ``holdings`` the a_j are left out: in committed mode the verifier takes them from commitments.
    """
    n = relation.domain
    weights = backend.powers(beta, relation.equations)
    row_weights = backend.fold(_matrix(backend, relation.row_terms), weights)
    return Coefficients(
        holdings=_columns(backend, backend.fold(_matrix(backend, relation.holdings), weights), n)
        if holdings
        else (),
        limbs=_columns(backend, backend.fold(_matrix(backend, relation.limb_weights), row_weights), n),
        u=backend.fold(_matrix(backend, relation.u_terms), weights) if relation.squares else None,
        v=backend.fold(_matrix(backend, relation.v_terms), weights) if relation.squares else None,
        total=-backend.dot(weights, _constants(backend, relation)) % MODULUS,
    )


@lru_cache(maxsize=16)
def table(backend: Backend, n: int) -> Vector:
    """t: the table 0 .. n-1 that every limb is looked up in."""
    return backend.vector(np.arange(n, dtype=np.int64))


def coefficient_matrix(backend: Backend, relation: Relation) -> Matrix:
    """The coefficients on the holdings in the backend's own form, equations x (columns * n)."""
    return _matrix(backend, relation.holdings)


def _matrix(backend: Backend, matrix: IntMatrix) -> Matrix:
    made = _MADE.setdefault(matrix, {})
    if backend.name not in made:
        made[backend.name] = backend.matrix(
            matrix.indptr, matrix.indices, matrix.low, matrix.high, matrix.cols
        )
    return made[backend.name]


def _constants(backend: Backend, relation: Relation) -> Vector:
    made = _CONSTANTS.setdefault(relation, {})
    if backend.name not in made:
        made[backend.name] = backend.vector(relation.constants)
    return made[backend.name]


def _columns(backend: Backend, vector: Vector, n: int) -> tuple[Vector, ...]:
    return tuple(backend.slice(vector, start, start + n) for start in range(0, len(vector), n))
