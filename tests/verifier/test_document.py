"""A proof file is held against the verifier's own statement, field by field, before anything is computed."""

from dataclasses import replace
from typing import Any

import pytest

from tests.argument.exposed import exposed_setup
from tests.argument.toys import Case, Toy, case
from zkmargin.argument import Claims, ProofDocument
from zkmargin.verifier import VerificationError, verify_document

OTHERS: dict[str, Any] = {
    "snapshot": "00" * 32,
    "universe": "00" * 32,
    "model": "other",
    "level": "maintenance",
    "threshold": -1,
    "commitments": ["ab" * 48],
    "audience": "another desk",
    "nonce": "another question",
    "expiry": 7,
}


@pytest.fixture(scope="module")
def made() -> Case:
    whole = case(Toy(), exposed_setup())
    return replace(whole, statement=replace(whole.statement, expiry=1_000))


@pytest.fixture(scope="module")
def document(made: Case) -> ProofDocument:
    data = made.prove().to_bytes().hex()
    return ProofDocument(setup=made.setup.digest, claims=Claims.of(made.statement), proof=data)


def refused(made: Case, document: ProofDocument, check: str, words: str, now: float = 0) -> None:
    with pytest.raises(VerificationError, match=words) as refusal:
        verify_document(made.statement, document, made.setup, now)
    assert refusal.value.check == check


def test_a_good_file_is_accepted_until_it_expires(made: Case, document: ProofDocument) -> None:
    for now in (0, 999.9, 1_000):
        verify_document(made.statement, document, made.setup, now)
    refused(made, document, "expiry", "counted until Unix second 1000", 1_000.5)
    refused(made, document, "expiry", "counted until", float("inf"))


def test_the_systems_clock_is_asked_if_nobody_says_what_time_it_is(
    made: Case, document: ProofDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(VerificationError, match="expiry"):
        verify_document(made.statement, document, made.setup)
    monkeypatch.setattr("zkmargin.verifier.document.time.time", lambda: 999.0)
    verify_document(made.statement, document, made.setup)


def test_a_statement_without_expiry_never_expires() -> None:
    made = case(Toy(), exposed_setup())
    data = made.prove().to_bytes().hex()
    document = ProofDocument(setup=made.setup.digest, claims=Claims.of(made.statement), proof=data)
    verify_document(made.statement, document, made.setup, float(1 << 62))


def test_every_claim_is_tried() -> None:
    assert set(OTHERS) == set(Claims.model_fields)


@pytest.mark.parametrize("name", OTHERS)
def test_a_claim_that_is_not_the_statements_is_refused(
    made: Case, document: ProofDocument, name: str
) -> None:
    claims = document.claims.model_copy(update={name: OTHERS[name]})
    refused(made, document.model_copy(update={"claims": claims}), "statement", f"^statement: {name}: ")


@pytest.mark.parametrize(("decimals", "words"), [(None, "about -1 ticks"), (6, "about -0.000001 USD")])
def test_a_threshold_is_told_in_usd_where_the_tick_is_known(
    made: Case, document: ProofDocument, decimals: int | None, words: str
) -> None:
    other = document.model_copy(update={"claims": document.claims.model_copy(update={"threshold": -1})})
    with pytest.raises(VerificationError, match=words):
        verify_document(made.statement, other, made.setup, 0, decimals)


def test_a_claim_decides_nothing(made: Case, document: ProofDocument) -> None:
    """A file that claims what the verifier asks for is still checked against what he asks for."""
    harder = replace(made.statement, threshold=10**6, relation=Toy().relation(10**6))
    claims = Claims.of(harder)
    with pytest.raises(VerificationError, match="pairing"):
        verify_document(harder, document.model_copy(update={"claims": claims}), made.setup, 0)


def test_another_setup_is_refused(made: Case, document: ProofDocument) -> None:
    refused(made, document.model_copy(update={"setup": "00" * 32}), "setup", "was made under 0000")


def test_a_changed_proof_is_refused(made: Case, document: ProofDocument) -> None:
    wrong = document.proof[:-1] + ("0" if document.proof[-1] != "0" else "1")
    refused(made, document.model_copy(update={"proof": wrong}), "pairing", "does not show")
    refused(made, document.model_copy(update={"proof": document.proof[:-2]}), "proof encoding", "bytes")
