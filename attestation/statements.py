"""From attestations to statements: one for the sum of all accounts, and one for each venue alone where that is asked.

Trader and verifier both form them here, independently, from the same attestations in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from zkmargin.attestation.documents import AttestationDocument, SubmissionDocument
from zkmargin.attestation.signing import address_bytes
from zkmargin.attestation.typed_data import PROOF, SigningDomain
from zkmargin.circuits.model_relation import build_relation
from zkmargin.circuits.relation import Relation
from zkmargin.circuits.statement import CommitmentTerm, CommittedRows, Statement
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level

RelationOf = Callable[[Snapshot, str, Level, int], Relation]
"""Snapshot, model, level and threshold in ticks to the relation; a service may keep those it built."""


@dataclass(frozen=True)
class SubmissionTerms:
    """The terms of a submission other than its accounts; fields as in `SubmissionDocument`."""

    model: str
    level: Level
    threshold: int
    amount: int
    audience: str
    nonce: str
    expiry: int
    collateral: Mapping[str, int] = field(default_factory=dict)
    """By venue whose accounts are not complete, what their excess reaches by itself."""

    @classmethod
    def of(cls, submission: SubmissionDocument) -> SubmissionTerms:
        """The terms that a submission names."""
        return cls(
            submission.model,
            submission.level,
            submission.threshold,
            submission.amount,
            submission.audience,
            submission.nonce,
            submission.expiry,
            submission.collateral,
        )


@dataclass(frozen=True)
class PortfolioStatements:
    """The statements of one submission.

    Attributes:
        total: the sum of all complete accounts has an excess of at least the threshold.
        venues: by venue, its accounts alone have an excess of at least 0, or of what they are to count for where they
            are not complete; complete ones are left out where that is not asked for.
    """

    total: Statement
    venues: dict[str, Statement]

    def all(self) -> tuple[Statement, ...]:
        """The sum's statement, then each venue's, in the order that the subject signs."""
        return self.total, *self.venues.values()


def venue_names(attestations: Sequence[AttestationDocument]) -> tuple[str, ...]:
    """Each venue once, by first occurrence."""
    return tuple(dict.fromkeys(attestation.venue for attestation in attestations))


def portfolio_statements(
    snapshot: Snapshot,
    attestations: Sequence[AttestationDocument],
    terms: SubmissionTerms,
    domain: SigningDomain,
    *,
    each_venue: bool = False,
    relation_of: RelationOf | None = None,
    rows: CommittedRows | None = None,
) -> PortfolioStatements:
    """The statements that a submission has to prove.

    Args:
        snapshot: what prices everything.
        attestations: one for each account, in the submission's order, all of one subject.
        terms: the rest.
        domain: chain and contract, bound by each statement.
        each_venue: also ask for excess at each venue alone; with a single venue the sum says so already.
        relation_of: builds relations; `build_relation` if left out.
        rows: the published rows of snapshot, model and level, in committed mode; None in direct mode.

    Raises:
        InputError: a term or an attestation does not fit a statement.
        RelationError: the snapshot's bounds are too wide.
    """
    build = relation_of or _built
    contract = address_bytes(domain.verifying_contract)

    def statement(accounts: Sequence[AttestationDocument], threshold: int) -> Statement:
        return Statement(
            relation=build(snapshot, terms.model, terms.level, threshold),
            snapshot=snapshot.id,
            universe=snapshot.universe.digest,
            model=terms.model,
            level=terms.level,
            threshold=threshold,
            commitments=tuple(map(commitment_term, accounts)),
            audience=terms.audience,
            nonce=terms.nonce,
            expiry=terms.expiry,
            subject=address_bytes(accounts[0].subject),
            chain=domain.chain_id,
            contract=contract,
            rows=rows,
        )

    complete = [attestation for attestation in attestations if attestation.complete]
    if not complete:
        remedy = "give one that is said to be complete: collateral alone proves nothing"
        raise InputError("submission", "attestations", Finding("none is complete"), remedy)
    each = each_venue and len(venue_names(attestations)) > 1
    venues = {
        name: statement(
            [a for a in attestations if a.venue == name], 0 if whole else terms.collateral.get(name, 0)
        )
        for name in venue_names(attestations)
        if not (whole := is_netted(name, attestations)) or each
    }
    return PortfolioStatements(statement(complete, terms.threshold), venues)


def is_netted(venue: str, attestations: Sequence[AttestationDocument]) -> bool:
    """Whether a venue's accounts are complete, and so a part of the sum. Raises InputError if only some are."""
    kinds = {attestation.complete for attestation in attestations if attestation.venue == venue}
    if len(kinds) > 1:
        remedy = "some of its accounts are complete and others not; submit those of one kind"
        raise InputError("submission", f"attestations of {venue!r}", Finding("of two kinds"), remedy)
    return kinds == {True}


def commitment_term(attestation: AttestationDocument) -> CommitmentTerm:
    """The term of a statement that an attestation vouches for."""
    return CommitmentTerm(bytes.fromhex(attestation.point), attestation=attestation.digest)


def consent_digest(statements: PortfolioStatements, terms: SubmissionTerms, domain: SigningDomain) -> bytes:
    """The digest that the subject signs, 32 bytes."""
    message = {
        "statements": [statement.digest for statement in statements.all()],
        "amount": terms.amount,
        "audience": terms.audience,
        "nonce": terms.nonce,
        "expiry": terms.expiry,
    }
    return domain.digest(PROOF, message)


def _built(snapshot: Snapshot, model: str, level: Level, threshold: int) -> Relation:
    return build_relation(snapshot, model=model, level=level, threshold=threshold)
