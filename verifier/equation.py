"""From a statement and a proof to one pairing equation: e(left, [1]_2) = e(right, [tau]_2).

Both sides are kept as lists of points and scalars, so that many proofs can be joined before anything is multiplied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from zkmargin.algebra.backend import Backend, Point, PointError
from zkmargin.algebra.field import MODULUS, root_of_unity
from zkmargin.algebra.setup import Setup
from zkmargin.argument.challenges import ChallengeError, Conversation
from zkmargin.argument.coefficients import coefficients
from zkmargin.argument.identities import Challenges, Values
from zkmargin.argument.linearisation import Linearisation, linearise, public_values
from zkmargin.argument.messages import PARTS, SCALARS, Messages, Shape, with_points
from zkmargin.argument.proof import Proof
from zkmargin.argument.rows import RowsError, require_rows, weighted_rows
from zkmargin.circuits.relation import Relation
from zkmargin.circuits.statement import CommittedRows, Statement
from zkmargin.verifier.errors import VerificationError


@dataclass(frozen=True)
class Sum:
    """sum scalars[i] points[i]."""

    points: tuple[Point, ...]
    scalars: tuple[int, ...]


@dataclass(frozen=True)
class PairingEquation:
    """e(left, [1]_2) = e(right, [tau]_2)."""

    left: Sum
    right: Sum


def pairing_equation(setup: Setup, statement: Statement, proof: Proof) -> PairingEquation:
    """Replay the conversation and form the equation that holds exactly if the proof is good.

        left  = [r] + sum nu^k ([limb_k] - l_k) + nu^(k+1) ([U] - u) + .. + zeta W
                + mu ([phi] - phi(w zeta) + w zeta W')
        right = W + mu W'

    In committed mode the a_j and t at zeta are sent, and opened against sum beta^i [A_i] and [t] along with the rest.

    Raises:
        VerificationError: a count or an encoding is wrong, or a challenge fell on an undefined value.
    """
    backend, relation = setup.backend, statement.relation
    shape = Shape.of(statement)
    _check_counts(proof, shape)
    commitments, points = _decoded(backend, statement, proof, shape)
    try:
        conversation = Conversation(setup.digest, statement)
        alpha, beta = conversation.round_1(proof)
        gamma = conversation.round_2(proof)
        delta = conversation.round_3(proof)
        zeta = conversation.round_4(proof)
        nu = conversation.round_5(proof)
        mu = conversation.close(proof)
    except ChallengeError as reason:
        raise VerificationError("challenges", str(reason)) from None
    values = Values(proof.limb_values, proof.square_value, proof.shifted_sum)
    weighted = coefficients(backend, relation, beta, holdings=statement.rows is None)
    public = public_values(backend, relation, weighted, zeta)
    opened = [*points.limbs, *points.squares[:1]]
    if statement.rows is not None:
        *holdings, table = proof.coefficient_values
        public = replace(public, holdings=tuple(holdings), table=table)
        opened += _rows(setup, relation, statement.rows, beta)
    r = linearise(relation, weighted.total, public, Challenges(alpha, gamma, delta, zeta), values)
    left = _linearised(statement, r, commitments, points)
    constant = r.constant
    sent = (*proof.limb_values, *proof.square_value, *proof.coefficient_values)
    for power, (point, value) in enumerate(zip(opened, sent, strict=True), start=1):
        weight = pow(nu, power, MODULUS)
        left.append((point, weight))
        constant -= weight * value
    left.append((points.opening, zeta))
    left.append((points.running_sum, mu))
    left.append((points.shifted_opening, mu * root_of_unity(relation.domain) * zeta))
    constant -= mu * proof.shifted_sum
    left.append((backend.generator(), constant))
    return PairingEquation(_sum(left), _sum([(points.opening, 1), (points.shifted_opening, mu)]))


def _rows(setup: Setup, relation: Relation, rows: CommittedRows, beta: int) -> list[Point]:
    """[a_j] and [t] from the committed rows, which must be those of the verifier's own relation."""
    try:
        require_rows(setup, relation, rows)
        return weighted_rows(setup.backend, rows, beta)
    except RowsError as reason:
        raise VerificationError("committed rows", str(reason)) from None


def holds(setup: Setup, equation: PairingEquation) -> bool:
    """Whether the pairing equation holds."""
    backend = setup.backend
    left = backend.msm(equation.left.points, equation.left.scalars)
    right = backend.msm(equation.right.points, equation.right.scalars)
    return backend.pairing_check(left, right, setup.g2, setup.g2_tau)


def _check_counts(proof: Proof, shape: Shape) -> None:
    """A proof built in memory must have the statement's shape as much as one read from bytes."""
    for part in PARTS:
        found, wanted = len(part.of(proof)), part.count(shape)
        if found != wanted:
            raise VerificationError("shape", f"{found} {part.title} where the statement asks for {wanted}")
    for value in (value for part in SCALARS for value in part.of(proof)):
        if not 0 <= value < MODULUS:
            raise VerificationError("encoding", "a scalar is not below the field's order")


def _decoded(
    backend: Backend, statement: Statement, proof: Proof, shape: Shape
) -> tuple[list[Point], Messages[Point]]:
    """The commitments and the proof's points, through the one gate: canonical, on the curve, in the subgroup."""
    try:
        commitments = backend.decode_many([term.point for term in statement.commitments])
    except PointError as reason:
        raise VerificationError("commitment encoding", str(reason)) from None
    try:
        decoded = backend.decode_many(proof.points())
    except PointError as reason:
        raise VerificationError("proof encoding", str(reason)) from None
    return commitments, with_points(proof, decoded, shape)


def _linearised(
    statement: Statement, r: Linearisation, commitments: Sequence[Point], points: Messages[Point]
) -> list[tuple[Point, int]]:
    """[r] without its constant; every commitment enters with the scalar of its holdings column."""
    terms = [
        (point, r.holdings[term.column])
        for point, term in zip(commitments, statement.commitments, strict=True)
    ]
    terms.append((points.multiplicity, r.multiplicity))
    terms += [(v, r.square) for v in points.squares[1:]]
    terms += zip(points.helpers, r.helpers, strict=True)
    terms.append((points.table_helper, r.table_helper))
    terms.append((points.running_sum, r.running_sum))
    terms += zip(points.quotients, r.quotients, strict=True)
    return terms


def _sum(terms: Sequence[tuple[Point, int]]) -> Sum:
    return Sum(tuple(point for point, _ in terms), tuple(scalar % MODULUS for _, scalar in terms))
