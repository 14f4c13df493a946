"""Asking a venue's own service for the attestation of an account, as data: see `zkmargin.client.calls`."""

from __future__ import annotations

from dataclasses import dataclass, field

from zkmargin.attestation.documents import AttestationDocument, Hold
from zkmargin.client.calls import WHERE, Call
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.canonical_json import canonical_json
from zkmargin.margin.files.documents import parse_json
from zkmargin.prover.opening import OpeningDocument


@dataclass(frozen=True)
class Handed:
    """A venue's answer to the owner of an account.

    Attributes:
        attestation: public.
        opening: secret.
    """

    attestation: AttestationDocument
    opening: OpeningDocument = field(repr=False)


def attest(hold: Hold | None = None) -> Call[Handed]:
    """Ask for the account of the token that the client presents, locked for somebody if `hold` says so."""
    asked = {} if hold is None else {"hold": {"until": hold.until, "audience": hold.audience}}
    return Call("POST", "/v1/attest", _handed, canonical_json(asked))


def _handed(text: str) -> Handed:
    """The answer, checked as far as its reader can: signed, and the opening of what is attested to."""
    document = parse_json(text, WHERE)
    attestation = AttestationDocument.accept(document["attestation"], f"{WHERE}: attestation")
    opening = OpeningDocument.accept(document["opening"], f"{WHERE}: opening")
    attestation.check_signature(f"{WHERE}: attestation")
    if attestation.point != opening.point:
        raise InputError(
            WHERE, "opening", opening.point, "it opens another commitment than the attestation's"
        )
    return Handed(attestation, opening)
