"""Every message is absorbed before the next challenge: for each one left out there is a forger, and he succeeds.

The forger's proof of a false statement is accepted by a verifier who forgets that one message, and rejected by the
verifier as he is. The prover here knows nothing that a real one does not: no trapdoor is used.
"""

from dataclasses import dataclass, field, replace

import pytest

from tests.argument.forging import (
    Forger,
    LateCoefficients,
    LateLimbs,
    LateMultiplicity,
    LateOpenings,
    LateShiftedOpening,
    LateShiftedSum,
    LateValues,
    WithoutStatement,
    forgetful,
    install,
    late,
)
from tests.argument.toys import Case, Toy, Unchecked, case, play, setups
from zkmargin.algebra import Setup
from zkmargin.circuits import CommitmentTerm
from zkmargin.prover.rounds import Rounds
from zkmargin.verifier import VerificationError, verify


@dataclass(frozen=True)
class Forgery:
    """A forger, and the messages that the verifier must forget for him."""

    forger: type[Forger]
    forgotten: tuple[str, ...]
    toy: Toy = field(default_factory=Toy)


FORGERIES = {
    "limbs after alpha": Forgery(LateLimbs, ("limb column",)),
    "limbs after alpha, several columns": Forgery(LateLimbs, ("limb column",), Toy(3, group=2)),
    "multiplicity after alpha": Forgery(LateMultiplicity, ("multiplicity",)),
    "multiplicity after zeta": Forgery(late("multiplicity"), ("multiplicity",)),
    "squares after zeta": Forgery(late("square column"), ("square column",), Toy(squares=True)),
    "helpers after zeta": Forgery(late("helper"), ("helper",), Toy(3, group=2)),
    "table helper after zeta": Forgery(late("table helper"), ("table helper",)),
    "running sum after zeta": Forgery(late("running sum"), ("running sum",)),
    "quotient after zeta": Forgery(late("quotient chunk"), ("quotient chunk",)),
    "quotient after zeta, several chunks": Forgery(
        late("quotient chunk"), ("quotient chunk",), Toy(3, group=3)
    ),
    "limb values after nu": Forgery(LateValues, ("limb value",)),
    "coefficient values after nu": Forgery(LateCoefficients, ("coefficient value",), Toy(committed=True)),
    "shifted sum after mu": Forgery(LateShiftedSum, ("running sum at w zeta",)),
    "openings after mu": Forgery(LateOpenings, ("opening", "opening at w zeta")),
    "shifted opening after mu": Forgery(LateShiftedOpening, ("opening at w zeta",)),
}

forgeries = pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())


@pytest.fixture(params=setups())
def setup(request: pytest.FixtureRequest) -> Setup:
    return setups()[request.param]


def false_statement(toy: Toy, setup: Setup) -> Case:
    return case(toy, setup, threshold=toy.excess() + 1)


def rounds(made: Case, prover: type[Rounds]) -> Rounds:
    return prover(made.setup, made.statement, made.witness(), made.blinders)


@forgeries
def test_the_forger_succeeds_only_where_his_message_is_forgotten(
    forgery: Forgery, setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = false_statement(forgery.toy, setup)
    with monkeypatch.context() as lame:
        install(lame, forgetful(*forgery.forgotten))
        proof = play(rounds(made, forgery.forger))
        verify(made.statement, proof, setup)
    with pytest.raises(VerificationError, match="pairing"):
        verify(made.statement, proof, setup)


@forgeries
def test_the_forger_fails_against_the_verifier_as_he_is(forgery: Forgery, setup: Setup) -> None:
    made = false_statement(forgery.toy, setup)
    with pytest.raises(VerificationError, match="pairing"):
        verify(made.statement, play(rounds(made, forgery.forger)), setup)


@forgeries
def test_without_the_forger_a_forgetful_verifier_rejects(
    forgery: Forgery, setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the order that the forger uses, and not something that a false statement would get past anyway."""
    made = false_statement(forgery.toy, setup)
    install(monkeypatch, forgetful(*forgery.forgotten))
    with pytest.raises(VerificationError, match="pairing"):
        verify(made.statement, play(rounds(made, Unchecked)), setup)


def test_a_statement_that_is_not_absorbed_can_be_chosen_last(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commitment is moved after zeta: the proof is about holdings that satisfy nothing."""
    made = false_statement(Toy(), setup)
    with monkeypatch.context() as lame:
        install(lame, WithoutStatement)
        forger = late("statement")(made.setup, made.statement, made.witness(), made.blinders)
        proof = play(forger)
        point = setup.backend.encode(forger.false_commitment())
        about = replace(made.statement, commitments=(CommitmentTerm(point),))
        verify(about, proof, setup)
    with pytest.raises(VerificationError, match="pairing"):
        verify(about, proof, setup)
