"""Submissions: several attestations, a proof of their sum and one for each venue, and the subject's consent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tests.argument.toys import drawn
from tests.margin.accounts import tiny
from vectors.make.files import VectorFile
from vectors.make.models import account
from vectors.make.proofs import Shared, fixed_proof, setup
from vectors.make.signatures import DOMAIN, attestation, key
from zkmargin.attestation import AttestationDocument, SubmissionDocument, SubmissionTerms
from zkmargin.attestation.statements import consent_digest, portfolio_statements
from zkmargin.circuits import Statement
from zkmargin.prover import Opening, commit

NOTES = {
    "Whole": "A submission as it was made.",
    "Signature": "An attestation's signature is not its signer's over its content.",
    "Sum": "The attestations cannot be the terms of one sum.",
    "Consent": "The subject did not sign these statements, this amount, this audience, nonce and expiry.",
    "Proof": "A proof is another, or of another statement.",
}

MODEL = "isolated"
NOW = 1_767_254_500


def _attested(
    name: str, venue: str, lots: Sequence[int], **changes: Any
) -> tuple[AttestationDocument, Opening]:
    """An attestation over the tiny universe, and its opening."""
    universe = tiny().universe
    opening = Opening(tuple(lots) + (0,) * (universe.domain - len(lots)), drawn(f"{name}: holdings")(), 0)
    point = setup().backend.encode(commit(setup(), universe.domain, opening.lots, opening.blinder))
    fields = {
        "universe": universe.digest,
        "domain": universe.domain,
        "venue": venue,
        "account": name,
        **changes,
    }
    return attestation(point, **fields), opening


class Submitted:
    """Accounts with their proofs, from which submissions are put together."""

    def __init__(self, shared: Shared, *, each_venue: bool) -> None:
        whole = account(tiny())
        half = [q // 2 for q in whole]
        self.accounts = [
            _attested("one", "alpha", half),
            _attested("two", "beta", [q - h for q, h in zip(whole, half, strict=True)]),
            _attested("three", "beta", half),
        ]
        self.terms = SubmissionTerms(MODEL, "initial", 1_000_000, 500_000, "bank", "one question", NOW + 3600)
        attestations = [one for one, _ in self.accounts]
        self.statements = portfolio_statements(
            tiny(), attestations, self.terms, DOMAIN, each_venue=each_venue
        )
        shared.take(self.statements.total)
        proofs = {name: self._proof(s, name, name) for name, s in self.statements.venues.items()}
        self.document: dict[str, Any] = SubmissionDocument(
            setup=setup().digest,
            snapshot=tiny().id,
            model=MODEL,
            level="initial",
            threshold=self.terms.threshold,
            amount=self.terms.amount,
            audience=self.terms.audience,
            nonce=self.terms.nonce,
            expiry=self.terms.expiry,
            attestations=attestations,
            proof=self._proof(self.statements.total, "total", None),
            venue_proofs=proofs,
            subject=key("trader").address,
            signature=key("trader").sign(consent_digest(self.statements, self.terms, DOMAIN)),
        ).model_dump(mode="json")

    def _proof(self, statement: Statement, seed: str, venue: str | None) -> str:
        openings = [opening for one, opening in self.accounts if venue in (None, one.venue)]
        return fixed_proof(statement, openings, f"submission: {seed}").to_bytes().hex()


def submissions() -> VectorFile:
    """The file: `submission` is checked under the program, at a moment, by whoever trusts all its keys."""
    shared = Shared()
    found = VectorFile("submissions", NOTES)
    whole, alone = Submitted(shared, each_venue=True), Submitted(shared, each_venue=False)
    program = next(iter(shared.programs))

    def add(comment: str, document: dict[str, Any], reasons: Sequence[str], flag: str) -> None:
        content = {
            "submission": document,
            "program": program,
            "each_venue": bool(document.get("venue_proofs")),
        }
        found.add(comment, content, reasons, [flag])

    add("3 accounts at 2 venues, each venue proven", whole.document, [], "Whole")
    add("3 accounts at 2 venues, the sum alone", alone.document, [], "Whole")
    for comment, changes, reasons, flag in _changes(whole.document, alone.document):
        add(comment, {**whole.document, **changes}, reasons, flag)
    found.shared = {
        "programs": {program: shared.programs[program]},
        "now": NOW,
        "venues": {name: key(name).address for name in ("alpha", "beta")},
        "snapshot": tiny().encode().decode(),
    }
    return found


def _changes(
    document: dict[str, Any], alone: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any], list[str], str]]:
    first, second, third = document["attestations"]
    consent = ["subject-signature"]
    yield "the order of attestations", {"attestations": [second, first, third]}, consent, "Consent"
    yield "an attestation less", {"attestations": [first, second]}, consent, "Consent"
    yield "another amount", {"amount": document["amount"] - 1}, consent, "Consent"
    yield "another threshold", {"threshold": document["threshold"] - 1}, consent, "Consent"
    yield "another expiry", {"expiry": document["expiry"] - 1}, consent, "Consent"
    yield "another signature of the subject", {"signature": first["signature"]}, consent, "Consent"
    yield "the signature without venues", {"signature": alone["signature"]}, consent, "Consent"
    yield "an attestation twice", {"attestations": [first, second, third, third]}, ["account-repeated"], "Sum"
    moved, _ = _attested("three", "beta", [0], subject=key("beta").address)
    yield (
        "another subject's account",
        {"attestations": [first, second, moved.model_dump(mode="json")]},
        ["subject"],
        "Sum",
    )
    renamed = {**third, "account": "four"}
    yield "an account renamed", {"attestations": [first, second, renamed]}, ["signature"], "Signature"
    yield (
        "the sequence changed",
        {"attestations": [{**first, "sequence": 8}, second, third]},
        ["signature"],
        "Signature",
    )
    yield (
        "the venues' proofs exchanged",
        {
            "venue_proofs": {
                "alpha": document["venue_proofs"]["beta"],
                "beta": document["venue_proofs"]["alpha"],
            }
        },
        ["pairing"],
        "Proof",
    )
    yield (
        "a venue's proof less",
        {"venue_proofs": {"alpha": document["venue_proofs"]["alpha"]}},
        ["venue-proofs"],
        "Proof",
    )
    yield "a venue's proof for the sum", {"proof": document["venue_proofs"]["alpha"]}, ["pairing"], "Proof"
    yield "a proof that is cut", {"proof": document["proof"][:-2]}, ["proof-encoding"], "Proof"
