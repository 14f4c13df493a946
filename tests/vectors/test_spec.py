"""The specification says what the code does, where both can be read by a machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.argument.toys import Toy, case
from vectors.make.proofs import setup
from zkmargin.algebra import MODULUS, Transcript
from zkmargin.argument import Shape
from zkmargin.argument.challenges import PROTOCOL
from zkmargin.argument.statement_document import StatementDocument
from zkmargin.attestation import AttestationDocument
from zkmargin.attestation.documents import ReceiptDocument
from zkmargin.attestation.program import PROGRAM
from zkmargin.attestation.typed_data import (
    ATTESTATION,
    CONTRACT,
    CONTRACT_MAP,
    DOMAIN_TYPE,
    PROOF,
    RECEIPT,
    SNAPSHOT,
)
from zkmargin.verifier import verify

SPEC = Path(__file__).resolve().parents[2] / "docs/spec"
EVERYTHING = Toy(limb_columns=3, squares=True, columns=2, group=2, committed=True)


def page(name: str) -> str:
    return (SPEC / f"{name}.md").read_text()


def test_constants() -> None:
    encodings = re.sub(r"\s+", "", page("encodings"))
    assert f"{MODULUS:#x}" in encodings
    assert setup().digest in encodings
    assert setup().backend.encode_g2(setup().g2_tau).hex() in encodings
    for name in ("README", "transcript", "documents"):
        assert PROTOCOL in page(name)


def test_structs() -> None:
    written = re.sub(r"\n\s+", "", page("signatures"))
    for struct in (ATTESTATION, CONTRACT, SNAPSHOT, PROGRAM, PROOF, RECEIPT):
        assert struct.encoded_type in written
    assert CONTRACT_MAP.encoded_type.removesuffix(CONTRACT.encoded_type) in written
    assert DOMAIN_TYPE in written


@pytest.mark.parametrize(
    ("name", "document"),
    [("documents", StatementDocument), ("signatures", AttestationDocument), ("signatures", ReceiptDocument)],
)
def test_every_key_of_a_document_is_on_its_page(name: str, document: Any) -> None:
    for key in document.model_fields:
        assert f"`{key}`" in page(name), key


def test_the_transcript_is_absorbed_in_the_order_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    made = case(EVERYTHING, setup())
    proof = made.prove()
    heard: list[str] = []
    append, challenge = Transcript.append, Transcript.challenge

    def appended(transcript: Transcript, label: str, data: bytes) -> None:
        if heard[-1:] != [label]:
            heard.append(label)
        append(transcript, label, data)

    def drawn(transcript: Transcript, label: str) -> int:
        heard.append(label)
        return challenge(transcript, label)

    monkeypatch.setattr(Transcript, "append", appended)
    monkeypatch.setattr(Transcript, "challenge", drawn)
    verify(made.statement, proof, setup())
    table = page("transcript").split("## 2.")[1]
    labels = [
        label
        for row in table.splitlines()
        if row.startswith("| ")
        for label in re.findall(r"`([^`]+)`", row.split("|")[1])
    ]
    assert labels == heard


def test_the_sizes_of_proofs() -> None:
    assert Shape.of(case(Toy(), setup()).statement).size == 448
    assert "448 bytes" in page("proof")


def test_links_lead_somewhere() -> None:
    for path in [
        *SPEC.glob("*.md"),
        SPEC.parents[1] / "vectors/README.md",
        SPEC.parents[1] / "verifier/web/README.md",
    ]:
        for link in re.findall(r"\]\(([^)#]+)", path.read_text()):
            assert (path.parent / link).exists(), f"{path.name}: {link}"
