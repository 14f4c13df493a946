"""From attestations and their openings to a submission: every statement proven, and all of them signed."""

from __future__ import annotations

from collections.abc import Sequence

from zkmargin.algebra.setup import Setup
from zkmargin.attestation.documents import AttestationDocument, SubmissionDocument
from zkmargin.attestation.keys import SigningKey
from zkmargin.attestation.statements import SubmissionTerms, consent_digest, portfolio_statements
from zkmargin.attestation.typed_data import SigningDomain
from zkmargin.circuits.statement import CommittedRows
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover.commit import Opening
from zkmargin.prover.prove import Progress, prove


def prove_submission(
    accounts: Sequence[tuple[AttestationDocument, Opening]],
    snapshot: Snapshot,
    terms: SubmissionTerms,
    key: SigningKey,
    setup: Setup,
    *,
    each_venue: bool = False,
    rows: CommittedRows | None = None,
    progress: Progress | None = None,
) -> SubmissionDocument:
    """Prove the sum of all complete accounts, and each venue alone where that is asked; sign as the subject.

    Accounts that are not complete never enter the sum: each venue's are proven alone, for what they are to count for.

    Args:
        accounts: the attestation of each account with its opening; all for one chain and contract.
        snapshot: what prices everything.
        terms: the verifier's, and the amount.
        key: the subject's.
        setup: the ceremony's powers.
        each_venue: whether the verifier's policy asks for each venue alone.
        rows: the published rows, in committed mode; None in direct mode.
        progress: told of each step of each proof.

    Raises:
        InputError: attestations that cannot be one sum, or a key that is not their subject's.
        ProverError: an opening does not belong to its attestation.
        WitnessError: the accounts do not meet a statement.
    """
    attestations = [attestation for attestation, _ in accounts]
    domain = _one_domain(attestations, key)
    statements = portfolio_statements(snapshot, attestations, terms, domain, each_venue=each_venue, rows=rows)
    complete = [opening for attestation, opening in accounts if attestation.complete]
    proof = prove(statements.total, complete, setup, progress)
    venues = {
        name: prove(statement, [o for a, o in accounts if a.venue == name], setup, progress)
        for name, statement in statements.venues.items()
    }
    return SubmissionDocument(
        setup=setup.digest,
        snapshot=snapshot.id,
        model=terms.model,
        level=terms.level,
        rows=None if rows is None else rows.digest.hex(),
        threshold=terms.threshold,
        collateral=dict(terms.collateral),
        amount=terms.amount,
        audience=terms.audience,
        nonce=terms.nonce,
        expiry=terms.expiry,
        attestations=attestations,
        proof=proof.to_bytes().hex(),
        venue_proofs={name: made.to_bytes().hex() for name, made in venues.items()},
        subject=key.address,
        signature=key.sign(consent_digest(statements, terms, domain)),
    )


def _one_domain(attestations: Sequence[AttestationDocument], key: SigningKey) -> SigningDomain:
    """The domain that all attestations name; InputError if they differ, or are of another subject."""
    if not attestations:
        raise InputError("submission", "attestations", 0, "give at least one")
    first = attestations[0].signing_domain
    for attestation in attestations:
        where = f"attestation of {attestation.account!r} by {attestation.venue!r}"
        if attestation.signing_domain != first:
            remedy = f"it is for another chain or contract than {first.chain_id}, {first.verifying_contract}"
            raise InputError(where, "chain_id", attestation.chain_id, remedy)
        if attestation.subject != key.address:
            raise InputError(where, "subject", attestation.subject, f"the key given is that of {key.address}")
    return first
