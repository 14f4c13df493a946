"""Zero knowledge: whoever knows tau makes proofs of false statements from the commitments alone.

The simulator below sees the statement with its commitments, and no holdings. It draws every point and every scalar of
the proof uniformly, and then solves the pairing equation for the two openings, W = F / (tau - zeta) and
W' = ([phi] - phi(w zeta)) / (tau - w zeta), which takes tau. The verifier accepts, whether the statement is true
or not.

An honest proof has the same distribution: its columns carry as many independent uniform blinders as there are points
and scalars before the openings, and these depend on the blinders one to one (tests/argument/test_blinding.py), so
they too are uniform; and the openings are determined by them through the same two equations. What can be computed
from an honest proof could thus be computed without it, from the commitments and tau; and tau tells nothing about the
holdings, for the commitments hide them perfectly: the blinder of each is uniform. So a proof gives away nothing but
the truth of its statement. That a false statement is accepted takes nothing from soundness, since nobody knows the
ceremony's tau: under any other tau the simulated proof is rejected.
"""

import secrets
from dataclasses import replace
from functools import cache

import pytest
from py_ecc.bls.point_compression import compress_G2
from py_ecc.optimized_bls12_381 import G2, multiply

from tests.argument.exposed import TAU, exposed_setup
from tests.argument.toys import TOYS, Case, Toy, case, curve_setup
from zkmargin.algebra import MODULUS, Point, Setup, get_backend
from zkmargin.algebra.field import inverse, root_of_unity
from zkmargin.argument import Conversation, Proof, Shape, coefficients
from zkmargin.argument.linearisation import public_values
from zkmargin.circuits import Statement
from zkmargin.verifier import VerificationError, verify, verify_batch
from zkmargin.verifier.equation import pairing_equation

shapes = pytest.mark.parametrize("toy", TOYS.values(), ids=TOYS.keys())


@cache
def toy_setup() -> Setup:
    """Powers of a known tau on the curve."""
    backend = get_backend()
    powers = [backend.msm([backend.generator()], [pow(TAU, k, MODULUS)]) for k in range(70)]
    tau_g2 = b"".join(x.to_bytes(48, "big") for x in compress_G2(multiply(G2, TAU)))
    return Setup.from_points(backend, powers, backend.generator_g2(), backend.decode_g2(tau_g2))


@pytest.fixture(scope="module", params=["exposed", "curve"])
def setup(request: pytest.FixtureRequest) -> Setup:
    return exposed_setup() if request.param == "exposed" else toy_setup()


def simulate(statement: Statement, setup: Setup) -> Proof:
    """An accepting proof from the statement and tau."""
    backend, shape = setup.backend, Shape.of(statement)

    def points(count: int) -> tuple[bytes, ...]:
        drawn = [backend.msm([backend.generator()], [secrets.randbelow(MODULUS)]) for _ in range(count)]
        return tuple(backend.encode(point) for point in drawn)

    def scalars(count: int) -> tuple[int, ...]:
        return tuple(secrets.randbelow(MODULUS) for _ in range(count))

    identity = backend.encode(backend.identity())
    proof = Proof(
        limbs=points(shape.limbs),
        multiplicity=points(1)[0],
        squares=points(2 * shape.squares),
        helpers=points(shape.helpers),
        table_helper=points(1)[0],
        running_sum=points(1)[0],
        quotients=points(shape.quotients),
        limb_values=scalars(shape.limbs),
        square_value=scalars(int(shape.squares)),
        shifted_sum=scalars(1)[0],
        opening=identity,
        shifted_opening=identity,
    )
    beta, zeta, _ = heard(statement, proof, setup)
    proof = replace(proof, coefficient_values=public(statement, setup, beta, zeta))
    shifted = root_of_unity(statement.relation.domain) * zeta % MODULUS
    phi = backend.decode(proof.running_sum)
    minus_value = backend.msm([backend.generator()], [-proof.shifted_sum])
    with_phi = over(setup, [phi, minus_value], shifted)
    # With both openings at the identity the equation's left side is F + mu (phi - v).
    left = pairing_equation(setup, statement, proof).left
    mu = heard_mu(statement, proof, setup)
    joined = backend.msm([backend.msm(left.points, left.scalars), phi, minus_value], [1, -mu, -mu])
    return replace(
        proof, opening=backend.encode(over(setup, [joined], zeta)), shifted_opening=backend.encode(with_phi)
    )


def over(setup: Setup, points: list[Point], z: int) -> Point:
    """The sum of points divided by tau - z, which only the trapdoor can do."""
    return setup.backend.msm(points, [inverse(TAU - z)] * len(points))


def heard(statement: Statement, proof: Proof, setup: Setup) -> tuple[int, int, Conversation]:
    """beta, zeta, and the conversation up to there."""
    conversation = Conversation(setup.digest, statement)
    _, beta = conversation.round_1(proof)
    conversation.round_2(proof)
    conversation.round_3(proof)
    return beta, conversation.round_4(proof), conversation


def public(statement: Statement, setup: Setup, beta: int, zeta: int) -> tuple[int, ...]:
    """What is sent in committed mode: anyone can compute it."""
    if statement.rows is None:
        return ()
    weighted = coefficients(setup.backend, statement.relation, beta)
    values = public_values(setup.backend, statement.relation, weighted, zeta)
    return (*values.holdings, values.table)


def heard_mu(statement: Statement, proof: Proof, setup: Setup) -> int:
    _, _, conversation = heard(statement, proof, setup)
    conversation.round_5(proof)
    return conversation.close(proof)


def false_case(toy: Toy, setup: Setup) -> Case:
    """A statement that the account behind the commitments misses by far."""
    return case(toy, setup, threshold=toy.excess() + 10**6)


@shapes
def test_the_simulator_needs_no_account(toy: Toy, setup: Setup) -> None:
    statement = false_case(toy, setup).statement
    verify(statement, simulate(statement, setup), setup)


@shapes
def test_true_and_false_statements_are_simulated_alike(toy: Toy, setup: Setup) -> None:
    true = case(toy, setup)
    items = [(made.statement, simulate(made.statement, setup)) for made in (true, false_case(toy, setup))]
    verify_batch([*items, (true.statement, true.prove())], setup)


def test_without_the_trapdoor_the_simulation_is_no_proof() -> None:
    setup = toy_setup()
    statement = false_case(Toy(), setup).statement
    proof = simulate(statement, setup)
    real = curve_setup()
    # The second one has this toy's name, so that the challenges are the same.
    for other in (real, replace(real, digest=setup.digest)):
        with pytest.raises(VerificationError, match="pairing"):
            verify(statement, proof, other)


@shapes
def test_simulated_and_honest_proofs_look_alike(toy: Toy, setup: Setup) -> None:
    """Same shape, everything fresh in every one, and nothing of one found again in another."""
    made = case(toy, setup)
    seen: set[object] = set()
    proofs = [made.prove() for _ in range(3)] + [simulate(made.statement, setup) for _ in range(3)]
    sent = len(proofs[0].coefficient_values)
    for proof in proofs:
        assert len(proof.to_bytes()) == Shape.of(made.statement).size
        parts = {*proof.points(), *proof.limb_values, *proof.square_value, proof.shifted_sum}
        shape = Shape.of(made.statement)
        assert len(parts) == shape.points + shape.scalars - sent
        assert not parts & seen
        seen |= parts
