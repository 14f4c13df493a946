"""Signed documents of venues, oracles, traders and verifiers: EIP-712 data, keys, and statements over attestations."""

from zkmargin.attestation.contract_map import ContractMapDocument, VerifiedMap, sign_map
from zkmargin.attestation.documents import (
    AttestationDocument,
    Hold,
    ReceiptDocument,
    SignedDocument,
    SnapshotSignature,
    SubmissionDocument,
)
from zkmargin.attestation.keys import SigningKey
from zkmargin.attestation.signing import Address, Signature, SignatureError, recover
from zkmargin.attestation.statements import (
    PortfolioStatements,
    SubmissionTerms,
    consent_digest,
    portfolio_statements,
    venue_names,
)
from zkmargin.attestation.typed_data import SigningDomain, Struct

__all__ = [
    "Address",
    "AttestationDocument",
    "ContractMapDocument",
    "Hold",
    "PortfolioStatements",
    "ReceiptDocument",
    "Signature",
    "SignatureError",
    "SignedDocument",
    "SigningDomain",
    "SigningKey",
    "SnapshotSignature",
    "Struct",
    "SubmissionDocument",
    "SubmissionTerms",
    "VerifiedMap",
    "consent_digest",
    "portfolio_statements",
    "recover",
    "sign_map",
    "venue_names",
]
