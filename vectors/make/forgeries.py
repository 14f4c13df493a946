"""False proofs that only one check of the argument stands against.

Each was made by a prover for whom one identity, or one message of the transcript, was left out: a verifier without it
accepts. The account misses the threshold by one.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.argument import cheating, forging
from tests.argument.toys import Case, Toy, case, drawn, play
from tests.verifier.test_constraints import CHEATS, Cheat
from tests.verifier.test_order import FORGERIES
from vectors.make.files import VectorFile
from vectors.make.layouts import opened
from vectors.make.proofs import Shared, setup
from zkmargin.algebra import Vector
from zkmargin.argument import Proof
from zkmargin.circuits import CommitmentTerm, Witness
from zkmargin.prover.rounds import Rounds
from zkmargin.verifier import verify

NOTES = {
    "FalseStatement": "An honest run of the prover for an account that misses the threshold by one.",
    "Identity": "All identities of the argument hold but the one that the comment names.",
    "Transcript": "The prover chose a message after the challenge that has to follow it.",
    "Context": "The transcript was started with another name of the argument, or another setup.",
}


class Unchecked(Rounds):
    """The honest rounds, for a witness that meets nothing: whatever the quotient's degree, it is sent."""

    def _check_degree(self, quotient: Vector) -> None:
        """Send the quotient, whether it fits or not."""


def forgeries() -> VectorFile:
    """The file: every test must be refused by the pairing equation."""
    shared = Shared()
    found = VectorFile("proofs", NOTES)

    def add(comment: str, made: Case, proof: Proof, flag: str) -> None:
        content = {**shared.take(made.statement), "proof": proof.to_bytes().hex()}
        found.add(comment, content, ["pairing"], [flag])

    for comment, toy in (("one tick too much", Toy()), ("one tick too much, squares", Toy(2, squares=True))):
        made = _false(comment, toy)
        add(comment, made, play(_prover(comment, made, Unchecked, made.witness())), "FalseStatement")
    for name, cheat in CHEATS.items():
        made = _false(name, cheat.toy)
        add(f"{name}: not kept to", made, _cheated(name, cheat, made), "Identity")
    for name, forgery in FORGERIES.items():
        made = _false(name, forgery.toy)
        with pytest.MonkeyPatch.context() as lame:
            forging.install(lame, forging.forgetful(*forgery.forgotten))
            proof = play(_prover(name, made, forgery.forger, made.witness()))
            verify(made.statement, proof, made.setup)
        add(name, made, proof, "Transcript")
    add("statement after zeta", *_late_statement(), "Transcript")
    for comment, place, value in (
        (
            "another name of the argument",
            "zkmargin.argument.challenges.PROTOCOL",
            "zkmargin/margin-argument/1",
        ),
        ("another domain of the transcript", "zkmargin.algebra.transcript.DOMAIN", b"zkmargin transcript 2"),
    ):
        honest = case(Toy(), setup(), openings=opened(comment, Toy()))
        with pytest.MonkeyPatch.context() as lame:
            lame.setattr(place, value)
            proof = play(_prover(comment, honest, Rounds, honest.witness()))
        add(comment, honest, proof, "Context")
    found.shared = shared.members()
    return found


def _false(name: str, toy: Toy, short: int = 1) -> Case:
    return case(toy, setup(), threshold=toy.excess() + short, openings=opened(name, toy))


def _prover(name: str, made: Case, rounds: type[Rounds], witness: Witness) -> Rounds:
    return rounds(made.setup, made.statement, witness, made.blinders, drawn(f"{name}: proof"))


def _cheated(name: str, cheat: Cheat, made: Case) -> Proof:
    """The last row, short by one, looks as if it were met, and one identity does not hold."""
    honest = made.witness()
    with pytest.MonkeyPatch.context() as lame:
        cheating.install(lame, cheat.without)
        if cheat.cells:
            prover = _prover(name, made, cheat.rounds, honest)
            assert isinstance(prover, cheating.CheatingRounds)
            last = sum(row.limbs for row in made.relation.rows[:-1])
            width = made.relation.rows[-1].limbs
            cells = [(last + j, -1 if j == 0 else 0) for j in range(width)]
            prover.false_cells = tuple((cell // 64, cell % 64, value) for cell, value in cells)
        else:
            cheated = Witness(honest.holdings, (*honest.rows[:-1], 0), honest.squares)
            prover = _prover(name, made, cheat.rounds, cheated)
        proof = play(prover)
        verify(made.statement, proof, made.setup)
    return proof


def _late_statement() -> tuple[Case, Proof]:
    """The commitment was moved after zeta, for a verifier who does not absorb the statement."""
    made = _false("statement after zeta", Toy())
    with pytest.MonkeyPatch.context() as lame:
        forging.install(lame, forging.WithoutStatement)
        prover = _prover("statement after zeta", made, forging.late("statement"), made.witness())
        proof = play(prover)
        assert isinstance(prover, forging.LateColumn)
        point = made.setup.backend.encode(prover.false_commitment())
        about = replace(made.statement, commitments=(CommitmentTerm(point),))
        verify(about, proof, made.setup)
    return replace(made, statement=about), proof
