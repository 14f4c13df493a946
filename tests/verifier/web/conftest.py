"""Files of an example proof, as a lender's clerk would be sent them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.margin.accounts import tiny
from tests.vectors.typescript import built
from vectors.make.files import FOLDER
from vectors.make.signatures import program_signature
from zkmargin.algebra import ceremony, get_backend
from zkmargin.argument import CommitmentDocument

SENT = ("statement.json", "proof.json", "program.bin")


def vector(name: str, comment: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A test of a file of vectors, by its comment, and the file."""
    content: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return next(test for test in content["tests"] if test["comment"] == comment), content


def write(path: Path, document: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(document))
    return path


def proof_document(statement: Mapping[str, Any], proof: str) -> dict[str, Any]:
    """The proof's file beside a statement's."""
    names = ("snapshot", "universe", "model", "level", "threshold", "audience", "nonce", "expiry")
    claims = {name: statement[name] for name in names}
    claims["commitments"] = [term["point"] for term in statement["commitments"]]
    return {
        "format": "zkmargin/proof",
        "version": 1,
        "curve": "BLS12-381",
        "protocol": json.loads((FOLDER / "points.json").read_text())["protocol"],
        "setup": ceremony(get_backend()).digest,
        "claims": claims,
        "proof": proof,
    }


@pytest.fixture(scope="session")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that belongs to one proof, and with documents that are signed."""
    built()
    folder = tmp_path_factory.mktemp("sent")
    test, content = vector("proofs-models.json", "isolated, initial")
    statement = test["statement"]
    write(folder / "statement.json", statement)
    write(folder / "proof.json", proof_document(statement, test["proof"]))
    (folder / "program.bin").write_bytes(bytes.fromhex(content["programs"][statement["program"]]))
    (folder / "market.json").write_bytes(tiny().encode())
    point = statement["commitments"][0]["point"]
    commitment = CommitmentDocument(
        setup=ceremony(get_backend()).digest,
        universe=statement["universe"],
        domain=tiny().universe.domain,
        point=point,
    )
    (folder / "commitment.json").write_bytes(commitment.encode())
    for comment in ("receipt", "attestation"):
        signed, _ = vector("signatures.json", comment)
        write(folder / f"{comment}.json", signed["document"])
    told = {name: statement[name] for name in ("snapshot", "universe", "model", "level", "program")}
    for name, changes in (("program", {}), ("other", {"program": "ab" * 32})):
        signature = program_signature(valuation_time=tiny().valuation_time, **{**told, **changes})
        (folder / f"{name}.signature.json").write_bytes(signature.encode())
    committed, content = vector("proofs-models.json", "isolated, initial, committed rows")
    write(folder / "committed-statement.json", committed["statement"])
    write(folder / "committed-proof.json", proof_document(committed["statement"], committed["proof"]))
    frame = content["programs"][committed["statement"]["program"]]
    (folder / "frame.bin").write_bytes(bytes.fromhex(frame))
    write(folder / "rows.json", content["rows"][committed["statement"]["rows"]])
    submitted, content = vector("submissions.json", "3 accounts at 2 venues, each venue proven")
    late = {**submitted["submission"]}
    write(folder / "submission.json", late)
    return folder
