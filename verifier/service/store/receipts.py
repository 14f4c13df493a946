"""Receipts: what the service signs when it has verified a proof and recorded a pledge."""

from __future__ import annotations

from zkmargin.attestation.documents import ReceiptDocument
from zkmargin.attestation.keys import SigningKey
from zkmargin.attestation.typed_data import SigningDomain
from zkmargin.verifier.service.store.ledger import Claim


def signed_receipt(
    key: SigningKey, domain: SigningDomain, claim: Claim, pledge: str, now: int
) -> ReceiptDocument:
    """The receipt of a claim that has become this pledge."""
    submission = claim.prepared.submission
    return ReceiptDocument.sign(
        key,
        domain,
        pledge=pledge,
        statement=claim.statement.digest.hex(),
        attestations=[attestation.digest.hex() for attestation in submission.attestations],
        subject=submission.subject,
        snapshot=submission.snapshot,
        model=submission.model,
        level=submission.level,
        threshold=submission.threshold,
        amount=submission.amount,
        secured=claim.prepared.secured,
        audience=submission.audience,
        nonce=submission.nonce,
        issued=now,
        expiry=submission.expiry,
    )
