"""A commitment says what it says only together with n, its number of slots.

A polynomial that commits to 2n slots has values on the n slots of the smaller domain too: those of the even slots. A
proof over n about such a commitment is a good proof, about half of the account. The argument cannot see it; the
universe's domain, which the attestation and the statement bind, is what forbids it.
"""

from dataclasses import replace

import pytest

from tests.argument.toys import DOMAIN, LIMIT, Toy, Unchecked, case, curve_setup, play, setups
from zkmargin.algebra import Setup, Vector
from zkmargin.argument import CommitmentDocument, Shape
from zkmargin.circuits import CommitmentTerm, assign
from zkmargin.circuits.builder import RelationBuilder
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import Instrument
from zkmargin.margin.instruments.universe import Universe
from zkmargin.prover import commit, random_blinder
from zkmargin.prover.rounds import Rounds
from zkmargin.verifier import VerificationError, commitment_term, verify

USD = Instrument("USD", "balance", "USD", "USD", False, None, None, None, -6, 0, 2**54 - 1)


@pytest.fixture(params=setups())
def setup(request: pytest.FixtureRequest) -> Setup:
    return setups()[request.param]


class OverHalf(Unchecked):
    """Proves over n what was committed to over 2n."""

    def of(self, polynomial: Vector) -> Rounds:
        self._q_polynomials = [polynomial]
        return self

    def _split(self, quotient: Vector) -> list[Vector]:
        """The commitment's degree is above n, and so is the quotient's: it travels in one piece."""
        return [quotient]


def account(first: int, debt: int) -> list[int]:
    """Over 2n slots: assets in slots 0 and 2, and a debt in slot 1 that no even slot knows of."""
    return [first, debt, -3, *([0] * (2 * DOMAIN - 3))]


def test_a_proof_over_n_drops_every_odd_slot_of_a_commitment_over_2n(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, lots, rho = setup.backend, account(7, -(10**6)), random_blinder()
    point = backend.encode(commit(setup, 2 * DOMAIN, lots, rho))
    made = case(Toy(), setup)
    statement = replace(made.statement, commitments=(CommitmentTerm(point),))
    vanishing = backend.vector([-rho, *([0] * (2 * DOMAIN - 1)), rho])
    polynomial = backend.combine([backend.intt(backend.vector(lots)), vanishing], [1, 1])
    rounds = OverHalf(setup, statement, assign(made.relation, lots[::2]), [0]).of(polynomial)
    monkeypatch.setattr("zkmargin.prover.rounds._coset_size", lambda relation: 4 * relation.domain)
    verify(statement, play(rounds), setup)


def test_a_commitment_over_another_domain_is_refused() -> None:
    setup = curve_setup()
    small, large = (Universe((USD,), domain) for domain in (DOMAIN, 2 * DOMAIN))
    assert small.digest != large.digest

    def document(universe: Universe, domain: int) -> CommitmentDocument:
        return CommitmentDocument(
            setup=setup.digest, universe=universe.digest, domain=domain, point="c0" + "00" * 47
        )

    assert commitment_term(document(small, DOMAIN), small, setup, "file").point[0] == 0xC0
    for universe, domain in ((large, 2 * DOMAIN), (small, 2 * DOMAIN), (large, DOMAIN)):
        with pytest.raises(InputError, match="commits to another universe"):
            commitment_term(document(universe, domain), small, setup, "file")
    other = document(small, DOMAIN).model_copy(update={"setup": "00" * 32})
    with pytest.raises(InputError, match="another setup"):
        commitment_term(other, small, setup, "file")


def test_a_proof_over_n_is_no_proof_over_2n(setup: Setup) -> None:
    made = case(Toy(), setup)
    proof = made.prove()
    verify(made.statement, proof, setup)
    rows = RelationBuilder(2 * DOMAIN)
    rows.ranged("slot 0", 0, LIMIT)
    wider = rows.build()
    assert Shape.of(made.statement) == Shape.of(made.about(wider).statement)
    with pytest.raises(VerificationError, match="pairing"):
        verify(made.about(wider).statement, proof, setup)
