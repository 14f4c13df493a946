"""Checking a submission: whatever its proofs show, is it about what the verifier accepts, and who says so?

`prepare_submission` checks everything but the proofs, and forms the statements that they must show; `verify_submission`
checks the proofs, too. A service that verifies many at once prepares each and hands `items` to `verify_batch`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from zkmargin.algebra.setup import Setup
from zkmargin.argument.proof import Proof
from zkmargin.attestation.documents import SnapshotSignature, SubmissionDocument
from zkmargin.attestation.signing import SignatureError, recover
from zkmargin.attestation.statements import (
    PortfolioStatements,
    RelationOf,
    SubmissionTerms,
    consent_digest,
    portfolio_statements,
)
from zkmargin.circuits.statement import CommittedRows, Statement
from zkmargin.margin.arithmetic.decimals import scaled_decimal
from zkmargin.margin.instruments.instrument import CASH
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level
from zkmargin.verifier.attestation_checks import (
    AccountKey,
    Newest,
    check_attestation,
    check_binding,
    check_signer,
    check_sum,
    held,
)
from zkmargin.verifier.batch import verify_batch
from zkmargin.verifier.errors import PolicyError
from zkmargin.verifier.floors.pins import pricing_pin
from zkmargin.verifier.grades import counted
from zkmargin.verifier.parameter_floor import shortfall
from zkmargin.verifier.policy import Policy
from zkmargin.verifier.verify import parse

MICROSECONDS = 1_000_000


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
        collateral: ticks that accounts which are collateral only count for, beside the sum's threshold.
    """

    submission: SubmissionDocument
    statements: PortfolioStatements
    proofs: tuple[Proof, ...]
    secured: bool
    collateral: int = 0

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
    rows: CommittedRows | None = None,
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
        rows: the verifier's own committed rows of snapshot, model and level; None in direct mode.

    Raises:
        PolicyError: a rule is not met; its `code` is one of `RULES`.
        VerificationError: a proof's encoding is wrong.
        InputError: a term cannot be stated.
    """
    moment = time.time() if now is None else now
    if submission.setup != setup.digest:
        raise PolicyError("setup", f"the proofs are under the setup {submission.setup}, not {setup.digest}")
    _check_terms(submission, snapshot, policy, expected, moment)
    _check_rows(submission, policy, rows)
    for attestation in submission.attestations:
        check_attestation(attestation, snapshot.universe, policy, setup.digest, moment)
    check_sum(submission.attestations, submission.subject, policy, expected.newest)
    secured = held(submission.attestations, policy.audience, submission.expiry)
    if policy.require_hold and not secured:
        message = "not every account's collateral is held for this audience until the submission expires"
        raise PolicyError("hold", message)
    terms = SubmissionTerms.of(submission)
    statements = portfolio_statements(
        snapshot,
        submission.attestations,
        terms,
        policy.domain,
        each_venue=policy.each_venue,
        relation_of=relation_of,
        rows=rows,
    )
    proofs = _proofs(submission, statements)
    _check_consent(submission, consent_digest(statements, terms, policy.domain), policy)
    return PreparedSubmission(submission, statements, proofs, secured, counted(submission, policy.grades))


def verify_submission(
    submission: SubmissionDocument,
    snapshot: Snapshot,
    policy: Policy,
    setup: Setup,
    expected: Expected,
    *,
    now: float | None = None,
    relation_of: RelationOf | None = None,
    rows: CommittedRows | None = None,
) -> PreparedSubmission:
    """`prepare_submission`, and the proofs.

    Raises:
        PolicyError: a rule is not met; its `code` is one of `RULES`.
        VerificationError: a proof does not show its statement.
        InputError: a term cannot be stated.
    """
    prepared = prepare_submission(
        submission, snapshot, policy, setup, expected, now=now, relation_of=relation_of, rows=rows
    )
    verify_batch(prepared.items, setup)
    return prepared


def check_snapshot(
    snapshot: Snapshot, signature: SnapshotSignature, policy: Policy, now: float | None = None
) -> str:
    """Check that a trusted oracle signed a snapshot, that it is fresh and asks no less than the policy under any model
    that it accepts, and that its tables follow from its inputs.

    Returns:
        The oracle's name.

    Raises:
        PolicyError: a rule is not met.
        InputError: a mark or table cannot be reproduced.
    """
    name = f"the signature of snapshot {snapshot.id}"
    content = (signature.snapshot, signature.universe, signature.valuation_time)
    if content != (snapshot.id, snapshot.universe.digest, snapshot.valuation_time):
        raise PolicyError("oracle-signature", f"{name}: it is over {signature.snapshot}")
    oracle = check_oracle(signature, policy, name)
    check_age(snapshot, policy, time.time() if now is None else now)
    for model, accepted in policy.models.items():
        if model in snapshot.models:
            check_parameters(snapshot, policy, model, accepted.levels)
    snapshot.reproduce()
    return oracle


def check_oracle(signature: SnapshotSignature, policy: Policy, name: str) -> str:
    """Check whose signature of a snapshot it is; `name` is what it is called in errors.

    Returns:
        The oracle's name.

    Raises:
        PolicyError: it is no trusted oracle's, or for another chain or contract.
    """
    check_binding(signature, policy, name)
    oracle = next((o for o, signers in policy.oracles.items() if signature.signer in signers.keys), None)
    if oracle is None:
        raise PolicyError("oracle-unknown", f"{name}: {signature.signer} is no trusted oracle")
    check_signer(signature, policy, name, "oracle-signature")
    return oracle


def check_age(snapshot: Snapshot, policy: Policy, now: float) -> None:
    """Check a snapshot against the clock.

    Raises:
        PolicyError: it is too old, or from the future.
    """
    age = now - snapshot.valuation_time / MICROSECONDS
    if age > policy.snapshot_age:
        message = f"the snapshot is {age:.0f} s old; at most {policy.snapshot_age} s are taken"
        raise PolicyError("snapshot-age", message)
    if age < -policy.clock_skew:
        raise PolicyError("snapshot-future", f"the snapshot is {-age:.0f} s ahead of this clock")


def _check_terms(
    submission: SubmissionDocument,
    snapshot: Snapshot,
    policy: Policy,
    expected: Expected,
    now: float,
) -> None:
    """What needs no attestation."""
    if submission.snapshot != snapshot.id:
        raise PolicyError("snapshot", f"it is about snapshot {submission.snapshot}, not {snapshot.id}")
    if submission.audience != policy.audience:
        raise PolicyError("audience", f"it is for {submission.audience!r}, not {policy.audience!r}")
    if submission.nonce != expected.nonce:
        raise PolicyError("nonce", f"its nonce is {submission.nonce!r}, another one was given out")
    if now > submission.expiry:
        raise PolicyError("expiry", f"it counted until Unix second {submission.expiry}")
    if submission.expiry > now + policy.longest_expiry:
        message = f"it reaches more than {policy.longest_expiry} s ahead, until {submission.expiry}"
        raise PolicyError("expiry", message)
    check_age(snapshot, policy, now)
    _check_model(submission, snapshot, policy)
    decimals = snapshot.quantum_decimals
    wanted = submission.amount + expected.covered
    shown = submission.threshold + counted(submission, policy.grades)
    if shown < wanted:
        raise PolicyError("threshold", too_little_shown(shown, wanted, decimals))
    most = policy.max_pledge_ticks(decimals)
    if most is not None and submission.amount > most:
        amount, limit = scaled_decimal(submission.amount, decimals), scaled_decimal(most, decimals)
        raise PolicyError("pledge-limit", f"{amount} USD are pledged; at most {limit} USD are taken")


def too_little_shown(threshold: int, wanted: int, decimals: int) -> str:
    """In words, for people: the excess that is shown, and what it has to reach, both in ticks of 10^-decimals USD."""
    shown, needed = scaled_decimal(threshold, decimals), scaled_decimal(wanted, decimals)
    return f"an excess of {shown} USD is shown; the amount and what is pledged already come to {needed} USD"


def _check_rows(submission: SubmissionDocument, policy: Policy, rows: CommittedRows | None) -> None:
    """Proofs in committed mode and proofs in direct mode do not stand in for each other."""
    own = None if rows is None else rows.digest.hex()
    if submission.rows != own:
        named = (
            f"the committed rows {one}" if one else "no committed rows" for one in (submission.rows, own)
        )
        used, had = named
        raise PolicyError("rows", f"the proofs use {used}; the verifier uses {had}")
    if own is None and policy.models[submission.model].rows:
        raise PolicyError("rows", f"proofs under {submission.model} must use committed rows")


def _check_model(submission: SubmissionDocument, snapshot: Snapshot, policy: Policy) -> None:
    accepted = policy.models.get(submission.model)
    if accepted is None or submission.model not in snapshot.models:
        raise PolicyError("model", f"the model {submission.model!r} is not accepted")
    if not accepted.admits(submission.level):
        raise PolicyError("model", f"{submission.level} margin is not enough; {accepted.level} is asked for")
    check_parameters(snapshot, policy, submission.model, (submission.level,))


def check_parameters(snapshot: Snapshot, policy: Policy, model: str, levels: Collection[Level]) -> None:
    """Check that a snapshot's parameters ask at least as much as the policy's.

    Args:
        snapshot: any.
        policy: one that accepts the model.
        model: which is to be proven under.
        levels: those that a submission may be at: all the least parameters count, and the pin of one is enough.

    Raises:
        PolicyError: they may ask less of some account, or are none of those that are pinned.
    """
    least, pins = policy.least_parameters.get(model), policy.models[model].pins
    if least is not None:
        held = {i.settlement for i in snapshot.universe.instruments} - {CASH}
        short = shortfall(least, snapshot.parameters, model, held, policy.models[model].levels)
        if short:
            raise PolicyError("parameters", short)
    found = [pricing_pin(snapshot.parameters, model, level) for level in levels]
    if pins is not None and not set(found) & set(pins):
        message = f"{' or '.join(found)}, the digest of what prices {model}, is none that the policy pins"
        raise PolicyError("parameters", message)


def _check_consent(submission: SubmissionDocument, digest: bytes, policy: Policy) -> None:
    if submission.subject in policy.revoked:
        raise PolicyError("revoked", f"the subject's key {submission.subject} was revoked")
    try:
        found = recover(digest, submission.signature)
    except SignatureError as error:
        raise PolicyError("subject-signature", str(error)) from None
    if found != submission.subject:
        message = f"the signature is not that of {submission.subject} over these statements"
        raise PolicyError("subject-signature", message)


def _proofs(submission: SubmissionDocument, statements: PortfolioStatements) -> tuple[Proof, ...]:
    """One proof for each statement, in their order."""
    if set(submission.venue_proofs) != set(statements.venues):
        wanted = ", ".join(statements.venues) or "none"
        found = ", ".join(submission.venue_proofs) or "none"
        raise PolicyError("venue-proofs", f"venues proven alone: {found}; asked for: {wanted}")
    encoded = (submission.proof, *(submission.venue_proofs[name] for name in statements.venues))
    return tuple(
        parse(statement, bytes.fromhex(proof))
        for statement, proof in zip(statements.all(), encoded, strict=True)
    )
