"""`zkmargin statement`: the files for verifiers that have no snapshot."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.cli.harness import TERMS, Run
from zkmargin.argument.statement_document import StatementDocument
from zkmargin.circuits.program_reader import decode_program
from zkmargin.margin.errors import InputError


@pytest.fixture(scope="module")
def folder(
    run: Run, snapshot_file: Path, holdings_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A commitment, with a statement about it and its program."""
    made = tmp_path_factory.mktemp("statement")
    files = ("-o", made / "commitment.json", "--opening", made / "opening.json")
    assert run("commit", snapshot_file, holdings_file, *files).code == 0
    written = run("statement", snapshot_file, *options(made), "--threshold", "1000")
    assert written.code == 0, written.err
    return made


def options(folder: Path) -> tuple[object, ...]:
    return (
        *("--commitment", folder / "commitment.json", *TERMS),
        *("-o", folder / "statement.json", "--program", folder / "program.bin", "--json"),
    )


def test_the_statement_names_the_program_that_is_written_beside_it(folder: Path) -> None:
    document = StatementDocument.read(folder / "statement.json")
    program = (folder / "program.bin").read_bytes()
    assert document.program == hashlib.sha256(program).hexdigest()
    statement = document.statement(decode_program(program), None, "statement.json")
    assert StatementDocument.of(statement) == document
    assert (statement.threshold, statement.audience) == (1000 * 10**6, "bank")


def test_another_threshold_has_the_same_program(folder: Path, run: Run, snapshot_file: Path) -> None:
    before = json.loads((folder / "statement.json").read_text())
    made = run("statement", snapshot_file, *options(folder), "--threshold", "-5.5")
    assert made.code == 0, made.err
    assert made.document["program"] == before["program"]
    assert made.document["program_bytes"] == (folder / "program.bin").stat().st_size


def test_a_threshold_beyond_everything_is_refused(folder: Path, run: Run, snapshot_file: Path) -> None:
    made = run("statement", snapshot_file, *options(folder), "--threshold", "1e40")
    assert made.code == 2
    assert "threshold" in made.err


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"program": "ab" * 32}, "program"),
        ({"rows": "ab" * 32}, "rows"),
        ({"rows": "00" * 32}, "rows"),
        ({"nonce": "a\nb"}, "nonce"),
        ({"expiry": True}, "expiry"),
        ({"commitments": []}, "commitments"),
        ({"subject": "0x" + "01" * 20}, "subject"),
        ({"note": 1}, "note"),
    ],
)
def test_a_wrong_statement_is_refused_by_its_field(
    folder: Path, fields: dict[str, object], words: str
) -> None:
    content = json.loads((folder / "statement.json").read_text()) | fields
    relation = decode_program((folder / "program.bin").read_bytes())
    with pytest.raises(InputError, match=rf"statement\.json: {words}"):
        StatementDocument.accept(content, "statement.json").statement(relation, None, "statement.json")


def test_a_constant_that_is_no_json_is_refused() -> None:
    with pytest.raises(InputError, match="document"):
        StatementDocument.parse('{"format": NaN}', "statement.json")
