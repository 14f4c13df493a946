"""Taking one account out of an attested book."""

from __future__ import annotations

import json
from pathlib import Path

from zkmargin.attestation import AttestationDocument
from zkmargin.margin.errors import Finding, InputError
from zkmargin.prover.opening import OpeningDocument
from zkmargin.venue.book import MANIFEST, BookDocument
from zkmargin.venue.issue import Attested


def extract_account(directory: Path, account: str) -> Attested:
    """The attestation and the opening of one account of a run.

    Raises InputError if the directory holds no run, no such account in a part that is there, or an opening that is not
    its attestation's.
    """
    BookDocument.read(directory / MANIFEST)
    # Canonical JSON sorts its keys, and "account" is the first of an attestation.
    start = b'{"account":' + json.dumps(account, ensure_ascii=False).encode(errors="replace") + b","
    for attestations in sorted(directory.glob("part-*.attestations.jsonl")):
        openings = attestations.with_name(attestations.name.replace(".attestations.", ".openings."))
        for number, line in enumerate(_lines(attestations)):
            if line.startswith(start):
                return _attested(attestations, line, openings, number)
    raise InputError(str(directory), "account", account, "it is in no part that is there")


def _attested(attestations: Path, line: bytes, openings: Path, number: int) -> Attested:
    """The account of a line, with the opening on the same line of the other file."""
    attestation = AttestationDocument.parse(_text(line, attestations, number), str(attestations))
    beside = _lines(openings)
    if number >= len(beside):
        remedy = "the part is not whole; run attest-book again in a new directory"
        raise InputError(str(openings), "line", Finding(f"{number + 1} is missing"), remedy)
    opening = OpeningDocument.parse(_text(beside[number], openings, number), str(openings))
    if opening.point != attestation.point:
        remedy = "it is not what this account's attestation commits to; the files were mixed up"
        raise InputError(f"{openings}, line {number + 1}", "point", opening.point, remedy)
    return Attested(attestation, opening)


def _lines(path: Path) -> list[bytes]:
    """The lines of a part, which is small. Raises InputError."""
    try:
        return path.read_bytes().splitlines()
    except OSError as error:
        reason = Finding(error.strerror or "unreadable")
        raise InputError(str(path), "file", reason, "name the directory of a whole run") from None


def _text(line: bytes, path: Path, number: int) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        remedy = "the file was changed; name the directory of a whole run"
        raise InputError(f"{path}, line {number + 1}", "text", Finding("no UTF-8"), remedy) from None
