"""The command of the npm package: what it makes of files, good and bad, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.vectors.typescript import built, node
from tests.verifier.web.conftest import SENT, write
from vectors.make.submissions import NOW

CLI = "dist/cli.js"


def verify(*paths: Path, code: int = 0) -> str:
    return node(CLI, *map(str, paths), code=code)


def changed(folder: Path, name: str, target: Path, **fields: Any) -> Path:
    """A copy of a document with fields replaced."""
    document = json.loads((folder / name).read_text())
    return write(target / name, {**document, **fields})


def test_a_proof_in_direct_mode(sent: Path) -> None:
    said = verify(*(sent / name for name in (*SENT, "commitment.json", "market.json")))
    assert said.startswith("Valid: the proof shows this statement.")
    for part in (
        "BTC at 50000 USD",
        "For desk",
        "No position",
        "nothing signed vouches for it",
        "USD or more",
    ):
        assert part in said


def test_a_proof_in_committed_mode(sent: Path) -> None:
    names = ("committed-statement.json", "committed-proof.json", "frame.bin", "rows.json")
    assert "Committed rows" in verify(*(sent / name for name in names))


def test_what_is_not_the_verifiers_own_is_said_to_be_the_proofs(sent: Path) -> None:
    said = verify(sent / "proof.json", sent / "program.bin")
    assert said.startswith("Valid for what the proof itself claims.")


def test_a_receipt_and_an_attestation(sent: Path) -> None:
    said = verify(sent / "receipt.json", sent / "attestation.json")
    assert "was verified" in said
    assert "is all of a-7d0c5b1e at alpha" in said


def test_an_oracle_vouches_for_the_program(sent: Path) -> None:
    names = (*SENT, "market.json", "program.signature.json")
    said = verify(*(sent / name for name in names))
    assert "signed that it is that of the snapshot and model" in said
    assert "signed for these prices" in said
    assert "no oracle's signature" not in said
    assert "no oracle's signature" in verify(*(sent / name for name in SENT))


def test_an_oracles_signature_of_another_program_is_refused(sent: Path) -> None:
    said = verify(*(sent / name for name in SENT), sent / "other.signature.json", code=1)
    assert said.startswith("statement: program: one file says")


REPORT = """
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { report } from "./dist/index.js";
const [now, ...paths] = process.argv.slice(1);
const files = paths.map((path) => ({ name: basename(path), bytes: new Uint8Array(readFileSync(path)) }));
console.log(JSON.stringify(report(files, Number(now))));
"""


def reported(now: int, *paths: Path) -> dict[str, Any]:
    """The report at a moment, as the package gives it."""
    arguments = ("--input-type=module", "-e", REPORT, "--", str(now), *map(str, paths))
    found: dict[str, Any] = json.loads(node(*arguments))
    return found


def test_a_submission_shows_the_sum_and_each_venue(sent: Path) -> None:
    files = [sent / name for name in ("submission.json", "program.bin", "market.json")]
    found = reported(NOW, *files)
    said = "\n".join(line["text"] for section in found["sections"] for line in section["lines"])
    assert found["verdict"] == "valid"
    for part in (
        "The holdings behind 3 commitments together exceed their initial margin requirement by 1.000000 USD",
        "signed this, and pledges 0.500000 USD",
        "The accounts at alpha alone cover their own requirement.",
        "The accounts at beta alone cover their own requirement.",
        "signed that it is all of three at beta",
    ):
        assert part in said
    assert "nothing signed vouches" not in said


def test_a_submission_of_another_snapshot_is_refused(sent: Path, tmp_path: Path) -> None:
    other = changed(sent, "submission.json", tmp_path, snapshot="ab" * 32)
    found = reported(NOW, other, sent / "program.bin")
    assert found["verdict"] == "invalid"
    assert found["headline"].startswith("subject-signature")


def test_a_submission_that_has_expired(sent: Path) -> None:
    said = verify(sent / "submission.json", sent / "program.bin", code=1)
    assert said.startswith("expiry: the submission counted until 2026-01-01")


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"nonce": "another"}, 1, "statement: nonce: one file says"),
        ({"program": "ab" * 32}, 2, "program: digest:"),
        ({"threshold": "1"}, 2, 'statement.json: threshold: "1": write a whole number'),
        ({"threshold": 1.5}, 2, "a number has to be an integer"),
        ({"threshold": 10**99}, 2, "statement.json: threshold: 1000"),
        ({"threshold": 10**101}, 2, "an integer has more than 100 digits"),
        ({"commitments": "all"}, 2, "statement.json: commitments: \"all\": write an array"),
        ({"commitments": [1]}, 2, "statement.json: commitments.0: a JSON number: write an object"),
        ({"commitments": []}, 2, "statement.json: commitments: a JSON array: list 1 to 1024"),
        ({"audience": ""}, 2, 'statement.json: audience: "": write 1 to 256 characters'),
        ({"audience": "a" * 10**6}, 2, "write 1 to 256 characters"),
        ({"extra": 1}, 2, "statement.json: extra: 1: unknown key"),
        ({"format": "zkmargin/other"}, 2, "statement.json: format:"),
        ({"format": "constructor"}, 2, 'statement.json: format: "constructor"'),
        ({"format": 1}, 2, "statement.json: format: missing"),
    ],
)  # fmt: skip
def test_a_wrong_statement_is_refused_in_words(
    sent: Path, tmp_path: Path, fields: dict[str, Any], code: int, words: str
) -> None:
    wrong = changed(sent, "statement.json", tmp_path, **fields)
    said = verify(wrong, sent / "proof.json", sent / "program.bin", code=code)
    assert words in said
    assert len(said) < 500


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "given.json: document: at 0:"),
        (b"\xff\xfe\x00", "bytes that are no UTF-8"),
        (b"[" * 100_000, "it nests more than 64 deep"),
        (b"[1]", "given.json: document: no object"),
        (b'{"a":1,"a":2}', 'given.json: key: "a": occurs twice'),
        (b'{"__proto__":{"format":"zkmargin/proof"}}', "given.json: format: missing"),
        (b'{"lots":{},"blinder":"00"}', "it is secret and shows all holdings"),
        (b"zkm1", "given.json: format: another file"),
        (b"zkm1" + b"\xff" * 200, "given.json: mode: 255"),
        (b'{"id":"' + b"0" * 64 + b'","version":1,"universe":{}}', "given.json: id:"),
    ],
)
def test_a_hostile_file_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "given.json"
    path.write_bytes(content)
    said = verify(path, code=2)
    assert words in said
    assert len(said) < 500


def test_a_large_file_is_refused_before_it_is_read_as_json(tmp_path: Path) -> None:
    path = tmp_path / "given.json"
    with path.open("wb") as stream:
        stream.write(b'{"a":"')
        stream.truncate((64 << 20) + 7)
    assert "give at most 67108864" in verify(path, code=2)


def test_a_long_list_of_wrong_things_is_refused_soon(tmp_path: Path) -> None:
    path = tmp_path / "given.json"
    path.write_text(json.dumps({"format": "zkmargin/receipt", "attestations": ["x"] * 200_000}))
    assert "given.json: version: missing" in verify(path, code=2)


def test_what_is_missing_is_named(sent: Path) -> None:
    assert "The program is missing" in verify(sent / "statement.json", sent / "proof.json", code=2)
    assert "The proof is missing" in verify(sent / "statement.json", code=2)
    assert "name a readable file" in verify(sent / "nothing.json", code=2)
    assert verify(code=2).startswith("zkmargin-verify FILE")


def test_another_snapshot_beside_a_proof_is_refused(sent: Path, tmp_path: Path) -> None:
    market = json.loads((sent / "market.json").read_text())
    market["inputs"]["indices"]["BTC"] = "1"
    forged = write(tmp_path / "market.json", market)
    assert "its content has the id" in verify(*(sent / name for name in SENT), forged, code=2)


def test_the_package_has_types_and_no_build_step() -> None:
    package = json.loads((built() / "package.json").read_text())
    assert set(package["dependencies"]) == {"@noble/curves", "@noble/hashes"}
    assert not {"prepare", "preinstall", "install", "postinstall"} & package["scripts"].keys()
    assert (built() / package["types"]).is_file()
    for version in package["dependencies"].values():
        assert version[0].isdigit(), "versions are exact"
