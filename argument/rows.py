"""Committed mode: commitments to a relation's coefficients on the holdings stand in for the matrix.

For a large scenario set the verifier then needs no matrix: the prover sends a_j(zeta) and t(zeta), and the verifier
opens them against sum_i beta^i [A_i] and [t]. The commitments are made once for each snapshot, model and level; they
hide nothing, and anyone can recompute them, or check them all by one random combination. Verification does that check
once and remembers it: commitments to other rows would prove another requirement.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from weakref import WeakKeyDictionary, WeakSet

from zkmargin.algebra.backend import Backend, Point, PointError, Table
from zkmargin.algebra.setup import Setup
from zkmargin.argument.coefficients import coefficient_matrix, table
from zkmargin.circuits.matrix import IntMatrix
from zkmargin.circuits.relation import Relation
from zkmargin.circuits.statement import CommittedRows

CHECK_BITS = 128


class RowsError(ValueError):
    """Commitments that are not those of the relation's rows."""


def commit_rows(setup: Setup, relation: Relation) -> CommittedRows:
    """Commit to each equation's coefficients on each holdings column, and to the table 0 .. n-1."""
    backend, n = setup.backend, relation.domain
    points = []
    for column in range(relation.columns):
        part = relation.holdings.columns(column * n, (column + 1) * n)
        rows = setup.commit_rows(n, (part.indptr, part.indices, part.low, part.high))
        points.append(tuple(map(backend.encode, rows)))
    return CommittedRows(tuple(points), backend.encode(setup.commit_evaluations(n, table(backend, n))))


def check_rows(setup: Setup, relation: Relation, rows: CommittedRows) -> None:
    """Check commitments to rows against the relation: one random combination of all, in place of recomputing each.

        sum_i c_i [A_i] = [sum_i c_i A_i]        for random 128-bit c_i, in each column

    Raises:
        RowsError: a count, an encoding or a commitment is wrong.
    """
    backend, n = setup.backend, relation.domain
    if [len(column) for column in rows.points] != [relation.equations] * relation.columns:
        raise RowsError("there must be one commitment for each equation and holdings column")
    if rows.table != backend.encode(setup.commit_evaluations(n, table(backend, n))):
        raise RowsError("the commitment to the table is not that of 0 .. n-1")
    weights = backend.vector([secrets.randbits(CHECK_BITS) for _ in range(relation.equations)])
    folded = backend.fold(coefficient_matrix(backend, relation), weights)
    for column, bases in enumerate(_decoded(backend, rows)[0]):
        own = setup.commit_evaluations(n, backend.slice(folded, column * n, (column + 1) * n))
        if backend.commit(bases, weights) != own:
            raise RowsError(f"the commitments of holdings column {column} are not those of the relation")


def require_rows(setup: Setup, relation: Relation, rows: CommittedRows) -> None:
    """`check_rows`, once for each setup, matrix and commitments: what verification relies on.

    Raises:
        RowsError: as `check_rows`.
    """
    checked = _CHECKED.setdefault(rows, {}).setdefault(setup.digest, WeakSet())
    if relation.holdings not in checked:
        check_rows(setup, relation, rows)
        checked.add(relation.holdings)


_CHECKED: WeakKeyDictionary[CommittedRows, dict[str, WeakSet[IntMatrix]]] = WeakKeyDictionary()
"""The matrices that commitments were found to be those of, by the digest of the setup."""


def weighted_rows(backend: Backend, rows: CommittedRows, beta: int) -> list[Point]:
    """[a_j] = sum_i beta^i [A_i] for each holdings column, and [t].

    Raises:
        RowsError: a commitment is no point of the group.
    """
    powers = backend.powers(beta, len(rows.points[0]))
    points, table_point = _decoded(backend, rows)
    return [*(backend.commit(bases, powers) for bases in points), table_point]


@lru_cache(maxsize=8)
def _decoded(backend: Backend, rows: CommittedRows) -> tuple[tuple[Table, ...], Point]:
    """The commitments of each column as bases, and [t], decoded once."""
    try:
        bases = tuple(backend.table(backend.decode_many(column)) for column in rows.points)
        return bases, backend.decode(rows.table)
    except PointError as reason:
        raise RowsError(f"a commitment to a row is no point: {reason}") from None
