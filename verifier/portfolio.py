"""Checking a submission: whatever its proofs show, is it about what the verifier accepts, and who says so?

`prepare_submission` checks everything but the proofs, and forms the statements that they must show; `verify_submission`
checks the proofs, too. A service that verifies many at once prepares each and hands `items` to `verify_batch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zkmargin.algebra.setup import Setup
from zkmargin.argument.proof import Proof
from zkmargin.attestation.documents import SnapshotSignature, SubmissionDocument
from zkmargin.attestation.statements import PortfolioStatements, RelationOf
from zkmargin.circuits.statement import Statement
from zkmargin.margin.snapshot import Snapshot
from zkmargin.verifier.batch import verify_batch
from zkmargin.verifier.policy import Policy

AccountKey = tuple[str, str]
"""(venue, account)."""


@dataclass(frozen=True)
class Newest:
    """The newest attestation of an account that the verifier has seen.

    Attributes:
        sequence: its sequence.
        digest: its digest, 32 bytes.
    """

    sequence: int
    digest: bytes


@dataclass(frozen=True)
class Expected:
    """What the verifier asked this trader for.

    Attributes:
        nonce: the one that he gave out.
        covered: ticks of live pledges on any of the accounts: the threshold must reach these and the amount.
        newest: the newest attestation seen of each account; accounts that he has not seen are left out.
    """

    nonce: str
    covered: int
    newest: Mapping[AccountKey, Newest]


@dataclass(frozen=True)
class PreparedSubmission:
    """A submission that the policy admits; whether its proofs hold is still open.

    Attributes:
        submission: as it came.
        statements: the verifier's own.
        proofs: in the order of `statements.all()`.
        secured: whether every account's collateral is held for the audience until the expiry; otherwise a pledge is
            informational only.
    """

    submission: SubmissionDocument
    statements: PortfolioStatements
    proofs: tuple[Proof, ...]
    secured: bool

    @property
    def items(self) -> tuple[tuple[Statement, Proof], ...]:
        """What `verify_batch` takes."""
        return tuple(zip(self.statements.all(), self.proofs, strict=True))


def prepare_submission(
    submission: SubmissionDocument,
    snapshot: Snapshot,
    policy: Policy,
    setup: Setup,
    expected: Expected,
    *,
    now: float | None = None,
    relation_of: RelationOf | None = None,
) -> PreparedSubmission:
    """Check a submission against policy, clock and signatures, and form its statements.

    Args:
        submission: what the trader sent.
        snapshot: one that the verifier accepts (see `check_snapshot`).
        policy: the verifier's.
        setup: the ceremony's powers.
        expected: nonce, live pledges and newest attestations.
        now: Unix seconds; the system's clock if left out.
        relation_of: builds relations; `build_relation` if left out.

    Raises:
        PolicyError: a rule is not met; its `code` is one of `RULES`.
        VerificationError: a proof's encoding is wrong.
        InputError: a term cannot be stated.
    """
    raise NotImplementedError


def verify_submission(
    submission: SubmissionDocument,
    snapshot: Snapshot,
    policy: Policy,
    setup: Setup,
    expected: Expected,
    *,
    now: float | None = None,
    relation_of: RelationOf | None = None,
) -> PreparedSubmission:
    """`prepare_submission`, and the proofs.

    Raises:
        PolicyError: a rule is not met; its `code` is one of `RULES`.
        VerificationError: a proof does not show its statement.
        InputError: a term cannot be stated.
    """
    prepared = prepare_submission(
        submission, snapshot, policy, setup, expected, now=now, relation_of=relation_of
    )
    verify_batch(prepared.items, setup)
    return prepared


def check_snapshot(
    snapshot: Snapshot, signature: SnapshotSignature, policy: Policy, now: float | None = None
) -> str:
    """Check that a trusted oracle signed a snapshot, that it is fresh, and that its tables follow from its inputs.

    Returns:
        The oracle's name.

    Raises:
        PolicyError: a rule is not met.
        InputError: a mark or table cannot be reproduced.
    """
    raise NotImplementedError
