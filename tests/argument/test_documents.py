"""Commitments and proofs as files: one encoding, and nothing but what is known is read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.argument.exposed import exposed_setup
from tests.argument.toys import Case, Toy, case
from zkmargin.argument import Claims, CommitmentDocument, ProofDocument
from zkmargin.argument.documents import LONGEST_PROOF, Document
from zkmargin.margin.errors import InputError

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def made() -> Case:
    return case(Toy(), exposed_setup())


@pytest.fixture(scope="module")
def commitment(made: Case) -> CommitmentDocument:
    point = made.statement.commitments[0].point.hex()
    return CommitmentDocument(setup=made.setup.digest, universe="c3" * 32, domain=64, point=point)


@pytest.fixture(scope="module")
def proof(made: Case) -> ProofDocument:
    data = made.prove().to_bytes().hex()
    return ProofDocument(setup=made.setup.digest, claims=Claims.of(made.statement), proof=data)


def put(path: str, value: object) -> Change:
    """Set a key, named by a dotted path."""

    def change(content: dict[str, Any]) -> None:
        *parents, key = path.split(".")
        for parent in parents:
            content = content[parent]
        content[key] = value

    return change


def drop(path: str) -> Change:
    def change(content: dict[str, Any]) -> None:
        *parents, key = path.split(".")
        for parent in parents:
            content = content[parent]
        del content[key]

    return change


POINT = "ab" * 48
HEADER: dict[str, tuple[str, Change]] = {
    "another format": ("format", put("format", "zkmargin/other")),
    "another version": ("version", put("version", 2)),
    "a version in words": ("version", put("version", "1")),
    "a version that is true": ("version", put("version", True)),
    "a version with a fraction": ("version", put("version", 1.0)),
    "another curve": ("curve", put("curve", "BN254")),
    "an unknown key": ("extra", put("extra", 1)),
    "an upper-case digest": ("setup", put("setup", "AB" * 32)),
    "a short digest": ("setup", put("setup", "ab" * 31)),
    "an odd digest": ("setup", put("setup", "ab" * 31 + "a")),
    "a digest and a line feed": ("setup", put("setup", "ab" * 32 + "\n")),
    "a digest in another script": ("setup", put("setup", "\u0660" * 64)),
    "a digest of the wrong type": ("setup", put("setup", 7)),
    "no setup": ("setup", drop("setup")),
}
COMMITMENT: dict[str, tuple[str, Change]] = {
    **HEADER,
    "an upper-case point": ("point", put("point", POINT.upper())),
    "a point with a prefix": ("point", put("point", "0x" + POINT[2:])),
    "a long point": ("point", put("point", POINT + "ab")),
    "a point and a line feed": ("point", put("point", POINT + "\n")),
    "a list of points": ("point", put("point", [POINT])),
    "a small domain": ("domain", put("domain", 32)),
    "a large domain": ("domain", put("domain", 4096)),
    "a domain in words": ("domain", put("domain", "64")),
    "no point": ("point", drop("point")),
}
PROOF: dict[str, tuple[str, Change]] = {
    **HEADER,
    "another protocol": ("protocol", put("protocol", "zkmargin/margin-argument/1")),
    "an upper-case proof": ("proof", put("proof", "AB")),
    "an odd proof": ("proof", put("proof", "abc")),
    "an empty proof": ("proof", put("proof", "")),
    "a proof and a line feed": ("proof", put("proof", "ab\n")),
    "an oversized proof": ("proof", put("proof", "ab" * (LONGEST_PROOF + 1))),
    "an unknown claim": ("claims.subject", put("claims.subject", "")),
    "no claims": ("claims", drop("claims")),
    "no threshold": ("claims.threshold", drop("claims.threshold")),
    "a threshold with a fraction": ("claims.threshold", put("claims.threshold", 0.5)),
    "a threshold in words": ("claims.threshold", put("claims.threshold", "0")),
    "a threshold that is true": ("claims.threshold", put("claims.threshold", True)),
    "an unknown level": ("claims.level", put("claims.level", "liquidation")),
    "an empty audience": ("claims.audience", put("claims.audience", "")),
    "a long nonce": ("claims.nonce", put("claims.nonce", "n" * 257)),
    "no commitments": ("claims.commitments", put("claims.commitments", [])),
    "a short commitment": ("claims.commitments.0", put("claims.commitments", ["ab"])),
    "an expiry before all time": ("claims.expiry", put("claims.expiry", -1)),
    "an expiry after all time": ("claims.expiry", put("claims.expiry", 1 << 63)),
}


def test_a_document_has_one_encoding(commitment: CommitmentDocument, proof: ProofDocument) -> None:
    for document in (commitment, proof):
        data = document.encode()
        assert data.endswith(b"}\n")
        assert type(document).parse(data.decode(), "file") == document
        assert type(document).parse(data.decode(), "file").encode() == data
        assert data == json.dumps(json.loads(data), sort_keys=True, separators=(",", ":")).encode() + b"\n"


def test_a_document_is_read_from_its_file(commitment: CommitmentDocument, tmp_path: Path) -> None:
    path = tmp_path / "commitment.json"
    path.write_bytes(commitment.encode())
    assert CommitmentDocument.read(path) == commitment
    with pytest.raises(InputError, match=r"missing\.json"):
        CommitmentDocument.read(tmp_path / "missing.json")


def refused(document: Document, field: str, change: Change) -> None:
    content = json.loads(document.encode())
    change(content)
    with pytest.raises(InputError) as refusal:
        type(document).parse(json.dumps(content), "the file")
    assert refusal.value.where == "the file"
    assert refusal.value.field == field
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(("field", "change"), COMMITMENT.values(), ids=COMMITMENT.keys())
def test_a_commitment_is_read_strictly(commitment: CommitmentDocument, field: str, change: Change) -> None:
    refused(commitment, field, change)


@pytest.mark.parametrize(("field", "change"), PROOF.values(), ids=PROOF.keys())
def test_a_proof_is_read_strictly(proof: ProofDocument, field: str, change: Change) -> None:
    refused(proof, field, change)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '"x"',
        "{}",
        "NaN",
        "[" * 100_000,
        "9" * 10_000,
        '{"format": 1, "format": 1}',
    ],
    ids=lambda text: text[:8] or "nothing",
)
def test_what_is_no_document_is_one_clear_error(text: str) -> None:
    """Deep nesting among it: py_ecc lifts Python's recursion limit so far that its JSON parser could overflow."""
    for kind in (CommitmentDocument, ProofDocument):
        with pytest.raises(InputError, match=r"^the file: "):
            kind.parse(text, "the file")


def test_a_key_that_occurs_twice_is_refused(proof: ProofDocument) -> None:
    text = proof.encode().decode()
    for twice in ('"threshold":0', '"version":1'):
        assert twice in text
        with pytest.raises(InputError, match="twice"):
            ProofDocument.parse(text.replace(twice, f"{twice},{twice}"), "the file")


def test_claims_are_those_of_the_statement(made: Case) -> None:
    claims = Claims.of(made.statement)
    for name in set(Claims.model_fields) - {"commitments"}:
        assert getattr(claims, name) == getattr(made.statement, name)
    assert claims.commitments == [term.point.hex() for term in made.statement.commitments]
