"""What the Python verifier makes of the vectors, under either backend, from the files alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from vectors.make.proofs import intermediate
from zkmargin.algebra import Point, PointError, Setup, Transcript, ceremony, get_backend
from zkmargin.algebra.reference import ReferenceBackend
from zkmargin.argument import Proof
from zkmargin.argument.documents import RowsDocument
from zkmargin.argument.statement_document import StatementDocument
from zkmargin.attestation import AttestationDocument, SnapshotSignature, SubmissionDocument
from zkmargin.attestation.documents import ReceiptDocument, SignedDocument
from zkmargin.attestation.program import ProgramSignature
from zkmargin.circuits import Statement
from zkmargin.circuits.errors import RelationError
from zkmargin.circuits.program_reader import ProgramError, decode_program
from zkmargin.circuits.relation import Relation
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.canonical_json import canonical_json
from zkmargin.margin.files.documents import parse_json
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.verifier import Expected, Policy, VerificationError, verify_bytes, verify_submission
from zkmargin.verifier.batch import BatchError, verify_batch
from zkmargin.verifier.verify import parse

Outcome = str
"""`valid`, or a reason."""
Test = Mapping[str, Any]


class RememberingReference(ReferenceBackend):
    """The reference, but what it decoded once is not decoded again: tests of one proof share most of its points."""

    def decode(self, data: bytes) -> Point:
        return _decoded(data)


@lru_cache(maxsize=4096)
def _decoded(data: bytes) -> Point:
    return ReferenceBackend().decode(data)


@cache
def _setup(backend: str) -> Setup:
    return ceremony(RememberingReference() if backend == "reference" else get_backend(backend))


def outcomes(path: Path, backend: str) -> dict[int, Outcome]:
    """The outcome of every test of a file, by its id."""
    content = json.loads(path.read_text())
    run = RUNNERS[content["kind"]]
    setup = _setup(backend)
    if backend == "reference" and path.name in BATCHED:
        return _in_one_batch(content, setup)
    return {test["id"]: run(test, content, setup) for test in content["tests"]}


def _points(test: Test, _: Mapping[str, Any], setup: Setup) -> Outcome:
    data = bytes.fromhex(test["encoding"])
    try:
        point = setup.backend.decode(data)
    except PointError:
        # The reference and the native backend have words for what is wrong, but no codes.
        return next(iter(test["reasons"]), "refused")
    return "valid" if setup.backend.encode(point) == data else "another encoding"


def _transcript(test: Test, _: Mapping[str, Any], __: Setup) -> Outcome:
    transcript = Transcript(test["name"])
    for step in test["steps"]:
        if "append" in step:
            transcript.append(step["label"], bytes.fromhex(step["append"]))
        elif f"{transcript.challenge(step['label']):064x}" != step["challenge"]:
            return f"another challenge {step['label']}"
    return "valid"


def _canonical(test: Test, _: Mapping[str, Any], __: Setup) -> Outcome:
    try:
        encoded = canonical_json(parse_json(test["json"], "vector", constants=False))
    except (InputError, TypeError):
        return "document"
    same = encoded.hex() == test.get("canonical") and hashlib.sha256(encoded).hexdigest() == test["sha256"]
    return "valid" if same else "another encoding"


def _programs(test: Test, _: Mapping[str, Any], __: Setup) -> Outcome:
    content = bytes.fromhex(test["program"])
    try:
        _relation(content)
    except (ProgramError, RelationError):
        return "program"
    return "valid" if hashlib.sha256(content).hexdigest() == test["sha256"] else "another digest"


def _prepared(test: Test, content: Mapping[str, Any]) -> tuple[Statement, bytes] | None:
    """The statement and the proof's bytes, or None if the statement must be refused."""
    try:
        document = StatementDocument.accept(test["statement"], "statement")
        program = test.get("program") or test.get("whole") or document.program
        relation = _relation(bytes.fromhex(content["programs"][program]))
        rows = _rows(content["rows"][document.rows]) if document.rows in content["rows"] else None
        return document.statement(relation, rows, "statement"), bytes.fromhex(test["proof"])
    except (InputError, RelationError):
        return None


def _proofs(test: Test, content: Mapping[str, Any], setup: Setup) -> Outcome:
    prepared = _prepared(test, content)
    if prepared is None:
        return "statement"
    statement, data = prepared
    try:
        verify_bytes(statement, data, setup)
    except VerificationError as error:
        return error.code
    checked = "intermediate" in test and setup.backend.name == get_backend().name
    if checked and intermediate(statement, parse(statement, data)) != test["intermediate"]:
        return "another intermediate value"
    return "valid"


def _in_one_batch(content: Mapping[str, Any], setup: Setup) -> dict[int, Outcome]:
    """The same for a whole file by one pairing equation, which is how a verifier checks many proofs at once."""
    found: dict[int, Outcome] = {}
    items: dict[int, tuple[Statement, Proof]] = {}
    for test in content["tests"]:
        prepared = _prepared(test, content)
        try:
            if prepared is not None:
                statement, data = prepared
                items[test["id"]] = (statement, parse(statement, data))
            found[test["id"]] = "statement" if prepared is None else "valid"
        except VerificationError as error:
            found[test["id"]] = error.code
    try:
        verify_batch(list(items.values()), setup)
    except BatchError as error:
        numbers = list(items)
        found |= {numbers[place]: failure.code for place, failure in error.failures.items()}
    return found


BATCHED = {"proofs-layouts.json"}
"""Files of valid proofs, which the reference checks in one batch each: one pairing in place of dozens."""


def _signatures(test: Test, _: Mapping[str, Any], __: Setup) -> Outcome:
    kind = SIGNED.get(test["document"].get("format"))
    try:
        document = AttestationDocument if kind is None else kind
        read = document.accept(test["document"], "vector")
    except InputError:
        return "document"
    try:
        read.check_signature("vector")
    except InputError:
        return "signature"
    return "valid" if read.digest.hex() == test["digest"] else "another digest"


SIGNED: dict[Any, type[SignedDocument]] = {
    "zkmargin/snapshot-signature": SnapshotSignature,
    "zkmargin/program-signature": ProgramSignature,
    "zkmargin/receipt": ReceiptDocument,
}
"""What a format is read as; an attestation is what is left."""


def _submissions(test: Test, content: Mapping[str, Any], setup: Setup) -> Outcome:
    snapshot = _snapshot(content["snapshot"])
    document = test["submission"]
    first = document["attestations"][0]
    policy = Policy.accept(
        {
            "audience": document["audience"],
            "chain_id": first["chain_id"],
            "verifying_contract": first["verifying_contract"],
            "venues": {name: {"keys": [address]} for name, address in content["venues"].items()},
            "models": {document["model"]: {}},
            "each_venue": test["each_venue"],
        },
        "policy",
    )
    try:
        submission = SubmissionDocument.accept(document, "submission")
        expected = Expected(document["nonce"], 0, {})
        verify_submission(submission, snapshot, policy, setup, expected, now=content["now"])
    except VerificationError as error:
        return error.code
    except InputError:
        return "document"
    return "valid"


@lru_cache(maxsize=2)
def _snapshot(text: str) -> Snapshot:
    return Snapshot.parse(text.encode(), "snapshot")


@lru_cache(maxsize=64)
def _relation(content: bytes) -> Relation:
    return decode_program(content)


_ROWS: dict[str, Any] = {}


def _rows(document: Mapping[str, Any]) -> Any:
    """The committed rows of a document, the same object each time: what was checked about them is remembered."""
    key = json.dumps(document, sort_keys=True)
    if key not in _ROWS:
        read = RowsDocument.accept(document, "rows")
        wanted: dict[str, Any] = {name: document[name] for name in ("setup", "snapshot", "model", "level")}
        _ROWS[key] = read.rows("rows", **wanted)
    return _ROWS[key]


RUNNERS: dict[str, Callable[[Test, Mapping[str, Any], Setup], Outcome]] = {
    "points": _points,
    "transcript": _transcript,
    "canonical-json": _canonical,
    "programs": _programs,
    "proofs": _proofs,
    "signatures": _signatures,
    "submissions": _submissions,
}
"""How a test of each kind is run."""
