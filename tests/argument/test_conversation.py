"""The conversation: every message is absorbed before the next challenge, and a degenerate challenge is refused."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import pytest

from tests.argument.changes import with_part
from tests.argument.exposed import exposed_setup
from tests.argument.toys import Case, Toy, case
from zkmargin.algebra import MODULUS, Setup, Transcript
from zkmargin.algebra.field import root_of_unity
from zkmargin.argument import ChallengeError, Conversation, Proof
from zkmargin.argument.messages import WitnessColumns
from zkmargin.circuits import Statement
from zkmargin.verifier import VerificationError, verify, verify_batch

CHALLENGES = ("alpha", "beta", "gamma", "delta", "zeta", "nu", "mu")

# The first challenge that each message must change.
FIRST_CHANGED = {
    "limbs": "alpha",
    "multiplicity": "alpha",
    "squares": "alpha",
    "helpers": "gamma",
    "table_helper": "gamma",
    "running_sum": "delta",
    "quotients": "zeta",
    "limb_values": "nu",
    "square_value": "nu",
    "shifted_sum": "nu",
    "coefficient_values": "nu",
    "opening": "mu",
    "shifted_opening": "mu",
}


@pytest.fixture(scope="module")
def made() -> Case:
    return case(Toy(limb_columns=3, squares=True, columns=2, group=2, committed=True), exposed_setup())


@pytest.fixture(scope="module")
def proof(made: Case) -> Proof:
    return made.prove()


def heard(statement: Statement, proof: Proof, digest: str = exposed_setup().digest) -> dict[str, int]:
    """All challenges of a proof."""
    conversation = Conversation(digest, statement)
    alpha, beta = conversation.round_1(proof)
    gamma = conversation.round_2(proof)
    delta = conversation.round_3(proof)
    zeta = conversation.round_4(proof)
    nu = conversation.round_5(proof)
    mu = conversation.close(proof)
    return dict(zip(CHALLENGES, (alpha, beta, gamma, delta, zeta, nu, mu), strict=True))


def changed(part: Any) -> Iterator[Any]:
    """The message with each of its parts changed by one bit."""
    if isinstance(part, tuple):
        for k, one in enumerate(part):
            for other in changed(one):
                yield (*part[:k], other, *part[k + 1 :])
    elif isinstance(part, bytes):
        yield bytes([part[0] ^ 1]) + part[1:]
        yield part[:-1] + bytes([part[-1] ^ 1])
    else:
        yield part ^ 1


def test_every_message_is_tried() -> None:
    assert {field.name for field in fields(Proof)} == set(FIRST_CHANGED)


@pytest.mark.parametrize("name", FIRST_CHANGED)
def test_a_message_changes_every_challenge_after_it(made: Case, proof: Proof, name: str) -> None:
    first = CHALLENGES.index(FIRST_CHANGED[name])
    before = heard(made.statement, proof)
    for part in changed(getattr(proof, name)):
        after = heard(made.statement, with_part(proof, name, part))
        assert all(before[challenge] == after[challenge] for challenge in CHALLENGES[:first])
        assert all(before[challenge] != after[challenge] for challenge in CHALLENGES[first:])


@pytest.mark.parametrize("name", [n for n in FIRST_CHANGED if n not in {"squares", "opening"}])
def test_the_order_of_equal_messages_counts(made: Case, proof: Proof, name: str) -> None:
    parts = getattr(proof, name)
    if isinstance(parts, tuple) and len(parts) > 1:
        turned = with_part(proof, name, parts[::-1])
        assert heard(made.statement, turned)["mu"] != heard(made.statement, proof)["mu"]


def test_no_point_can_move_to_the_neighbouring_message(made: Case) -> None:
    """Messages carry labels: a limb column taken for a multiplicity gives other challenges."""
    a, b, c = (bytes([k]) * 48 for k in (1, 2, 3))
    challenges = {
        Conversation("00" * 32, made.statement).round_1(message)
        for message in (
            WitnessColumns(limbs=(a, b), multiplicity=c, squares=()),
            WitnessColumns(limbs=(a,), multiplicity=b, squares=(c,)),
            WitnessColumns(limbs=(), multiplicity=a, squares=(b, c)),
        )
    }
    assert len(challenges) == 3


def test_statement_and_setup_change_all_challenges(made: Case, proof: Proof) -> None:
    before = heard(made.statement, proof)
    for after in (
        heard(replace(made.statement, nonce="another"), proof),
        heard(replace(made.statement, rows=None), proof),
        heard(made.statement, proof, "00" * 32),
    ):
        assert all(before[name] != after[name] for name in CHALLENGES)


def test_challenges_of_one_proof_differ_from_each_other(made: Case, proof: Proof) -> None:
    assert len(set(heard(made.statement, proof).values())) == len(CHALLENGES)


def programmed(challenge: str, value: int) -> Callable[[Transcript, str], int]:
    """A transcript that draws a value of our choice for one challenge."""
    draw = Transcript.challenge
    return lambda transcript, label: value if label == challenge else draw(transcript, label)


DEGENERATE = {
    **{f"alpha cancels {t}": ("alpha", -t % MODULUS, "alpha cancels a table value") for t in (0, 1, 63)},
    **{f"zeta = w^{k}": ("zeta", pow(root_of_unity(64), k, MODULUS), "zeta lies in") for k in (0, 1, 63)},
}


@pytest.mark.parametrize(("name", "value", "words"), DEGENERATE.values(), ids=DEGENERATE.keys())
def test_a_degenerate_challenge_is_refused_on_both_sides(
    made: Case, proof: Proof, name: str, value: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup: Setup = made.setup
    monkeypatch.setattr(Transcript, "challenge", programmed(name, value))
    with pytest.raises(ChallengeError, match=words):
        made.prove()
    with pytest.raises(VerificationError, match=words) as refusal:
        verify(made.statement, proof, setup)
    assert refusal.value.check == "challenges"
    with pytest.raises(VerificationError, match="bad proofs at 0"):
        verify_batch([(made.statement, proof)], setup)


@pytest.mark.parametrize("value", [-64 % MODULUS, 1, 63])
def test_a_challenge_beside_the_degenerate_ones_is_fine(
    made: Case, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Transcript, "challenge", programmed("alpha", value))
    verify(made.statement, made.prove(), made.setup)
