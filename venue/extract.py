"""Taking one account out of an attested book."""

from __future__ import annotations

import json
from pathlib import Path

from zkmargin.attestation import AttestationDocument
from zkmargin.margin.errors import Finding, InputError
from zkmargin.prover.opening import OpeningDocument
from zkmargin.venue.book import MANIFEST, BookDocument, openings_file
from zkmargin.venue.issue import Attested


def extract_account(directory: Path, account: str) -> Attested:
    """The attestation and the opening of one account of a run.

    Raises InputError if the directory holds no run, or no such account in a part that is there.
    """
    BookDocument.read(directory / MANIFEST)
    # Canonical JSON sorts its keys, and "account" is the first of an attestation.
    start = b'{"account":' + json.dumps(account, ensure_ascii=False).encode() + b","
    for attestations_path in sorted(directory.glob("part-*.attestations.jsonl")):
        number = int(attestations_path.name.split("-")[1].split(".")[0])
        openings_path = openings_file(directory, number)
        try:
            with attestations_path.open("rb") as attestations, openings_path.open("rb") as openings:
                for attestation, opening in zip(attestations, openings, strict=True):
                    if attestation.startswith(start):
                        return Attested(
                            AttestationDocument.parse(attestation.decode(), str(attestations_path)),
                            OpeningDocument.parse(opening.decode(), str(openings_path)),
                        )
        except OSError as error:
            reason = Finding(error.strerror or "unreadable")
            raise InputError(
                str(openings_path), "file", reason, "name the directory of a whole run"
            ) from None
    raise InputError(str(directory), "account", account, "it is in no part that is there")
