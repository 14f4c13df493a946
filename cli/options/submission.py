"""Attested accounts on the command line: `prove --attestation`, and `verify --policy`."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from zkmargin.attestation import AttestationDocument, SigningKey, SubmissionDocument, SubmissionTerms
from zkmargin.circuits import CommittedRows, WitnessError
from zkmargin.cli.boundary import NotProvenError
from zkmargin.cli.options.accounts import check_pairs, check_universe, fitting_openings
from zkmargin.cli.options.backend import chosen_setup, proving_setup
from zkmargin.cli.options.files import ticks, unix_seconds
from zkmargin.cli.options.terms import StatementTerms
from zkmargin.cli.output.terminal import Step
from zkmargin.margin.arithmetic.decimals import scaled_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import Opening, prove_submission
from zkmargin.verifier import (
    Expected,
    Policy,
    PolicyError,
    PreparedSubmission,
    VerificationError,
    verify_submission,
)

pledge_option = click.option(
    "--pledge",
    default="0",
    show_default=True,
    metavar="USD",
    help="With attestations: what you pledge out of the excess; the threshold is at least this.",
)
collateral_option = click.option(
    "--collateral",
    "collaterals",
    multiple=True,
    metavar="VENUE=USD",
    help="With attestations that are not complete: what the venue's accounts are to count for alone; repeat it.",
)
each_venue_option = click.option(
    "--each-venue", is_flag=True, help="With attestations: also prove an excess at each venue alone."
)


def prove_attested(
    snapshot: Snapshot,
    attestation_files: Sequence[Path],
    openings: Sequence[Opening],
    terms: SubmissionTerms,
    key: SigningKey,
    *,
    each_venue: bool,
    rows: CommittedRows | None,
    step: Step,
) -> SubmissionDocument:
    """The submission of the accounts that these files attest to.

    Raises:
        InputError: files that do not fit one another.
        NotProvenError: the accounts do not cover it.
    """
    check_pairs(attestation_files, openings)
    attestations = [AttestationDocument.read(path) for path in attestation_files]
    for path, attestation in zip(attestation_files, attestations, strict=True):
        attestation.check_signature(str(path))
        check_universe(attestation, snapshot.universe, path)
    try:
        with fitting_openings():
            return prove_submission(
                list(zip(attestations, openings, strict=True)),
                snapshot,
                terms,
                key,
                proving_setup(),
                each_venue=each_venue,
                rows=rows,
                progress=lambda name, *_: step(f"proving: {name}"),
            )
    except WitnessError as error:
        raise NotProvenError(f"{error}; nothing was written") from None


def netted_openings(attestation_files: Sequence[Path], openings: Sequence[Opening]) -> list[Opening]:
    """The openings of complete accounts. Raises InputError if there are none."""
    check_pairs(attestation_files, openings)
    pairs = zip(map(AttestationDocument.read, attestation_files), openings, strict=True)
    found = [opening for attestation, opening in pairs if attestation.complete]
    if not found:
        remedy = "give one that is said to be complete: collateral alone proves nothing"
        raise InputError("command line", "--attestation", Finding("none is complete"), remedy)
    return found


def submission_terms(
    terms: StatementTerms, pledge: str, decimals: int, collaterals: Sequence[str] = ()
) -> SubmissionTerms:
    """The terms of a submission, from those of a proof and a pledge in USD. Raises InputError."""
    collateral = collateral_terms(collaterals, decimals)
    amount = ticks(pledge, decimals, "--pledge")
    threshold = ticks(terms.threshold, decimals, "--threshold")
    for field, found in (("--pledge", amount), ("--threshold", threshold)):
        if found < 0:
            raise InputError("command line", field, scaled_decimal(found, decimals), "write 0 or more")
    expiry = unix_seconds(terms.expires, "--expires")
    if not expiry:
        raise InputError(
            "command line", "--expires", Finding("missing"), "say until when the submission counts"
        )
    return SubmissionTerms(
        model=terms.model,
        level=terms.level,
        # What collateral counts for after haircuts is the policy's to say: the threshold is then the trader's.
        threshold=threshold if collateral else max(threshold, amount),
        amount=amount,
        audience=terms.audience,
        nonce=terms.nonce,
        expiry=expiry,
        collateral=collateral,
    )


def collateral_terms(collaterals: Sequence[str], decimals: int) -> dict[str, int]:
    """What accounts that are not complete are to count for, in ticks by venue. Raises InputError."""
    found: dict[str, int] = {}
    for text in collaterals:
        venue, equals, usd = text.rpartition("=")
        if not equals or not venue or venue in found:
            remedy = "write each venue once, such as wallets=250000"
            raise InputError("command line", "--collateral", text, remedy)
        found[venue] = ticks(usd, decimals, "--collateral")
        if found[venue] < 0:
            raise InputError("command line", "--collateral", text, "write 0 or more")
    return found


def submitted(
    submission: SubmissionDocument, seconds: float, output: Path
) -> tuple[dict[str, object], str, str]:
    """The report on a submission that was made."""
    proofs = 1 + len(submission.venue_proofs)
    document: dict[str, object] = {
        "proofs": proofs,
        "proof_bytes": len(submission.proof) // 2,
        "seconds": round(seconds, 6),
        "subject": submission.subject,
        "output": str(output),
    }
    line = f"submission  {proofs} proofs over {len(submission.attestations)} accounts in {seconds:.3f} s"
    return document, line, f"written to  {output}: send it to {submission.audience}"


def submission_check(
    snapshot: Snapshot,
    submission_file: Path,
    policy_file: Path,
    terms: StatementTerms,
    *,
    attestation_files: Sequence[Path],
    now: float,
) -> Callable[[], PreparedSubmission]:
    """A check of a submission under a policy and the given terms; raises VerificationError.

    Raises InputError if a file or a term cannot be used.
    """
    submission, policy = SubmissionDocument.read(submission_file), Policy.read(policy_file)
    if terms.audience != policy.audience:
        remedy = f"the policy is that of {policy.audience!r}; name the same audience"
        raise InputError("command line", "--audience", terms.audience, remedy)
    expiry = unix_seconds(terms.expires, "--expires")
    own = [AttestationDocument.read(path) for path in attestation_files]
    threshold = ticks(terms.threshold, snapshot.quantum_decimals, "--threshold")
    expected = Expected(terms.nonce, max(0, threshold - submission.amount), {})
    setup = chosen_setup()
    rows = terms.rows(snapshot, setup)

    def verify() -> PreparedSubmission:
        found, asked = (submission.model, submission.level), (terms.model, terms.level)
        if found != asked:
            raise VerificationError(
                "statement", f"the proof is about {' '.join(found)}, not {' '.join(asked)}"
            )
        if expiry and submission.expiry != expiry:
            raise VerificationError("statement", f"the proof counts until {submission.expiry}, not {expiry}")
        if own and own != submission.attestations:
            raise VerificationError("statement", "the proof is about other attestations")
        return verify_submission(submission, snapshot, policy, setup, expected, now=now, rows=rows)

    return verify


def verdict(
    verifying: Callable[[], PreparedSubmission], decimals: int
) -> tuple[dict[str, object], list[str], bool]:
    """The verdict on a submission: JSON document, lines to print, and validity."""
    started = time.perf_counter()
    try:
        prepared = verifying()
    except VerificationError as error:
        seconds = time.perf_counter() - started
        kind = "refused by the policy" if isinstance(error, PolicyError) else "NOT valid"
        document = {"valid": False, "code": error.code, "message": str(error), "seconds": round(seconds, 6)}
        return document, [f"{kind}: {error}"], False
    seconds = time.perf_counter() - started
    submission = prepared.submission
    threshold, amount = (
        scaled_decimal(money, decimals) for money in (submission.threshold, submission.amount)
    )
    beside = scaled_decimal(prepared.collateral, decimals)
    pledge = (
        "secured: every account is held" if prepared.secured else "informational: not every account is held"
    )
    lines = [
        f"valid: verified in {1000 * seconds:.1f} ms",
        f"excess   at least {threshold} USD over {len(submission.attestations)} accounts",
        *([f"collateral counts for {beside} USD more"] if prepared.collateral else []),
        f"pledge   {amount} USD, {pledge}",
        f"subject  {submission.subject}",
    ]
    document = {
        "valid": True,
        "seconds": round(seconds, 6),
        "threshold": threshold,
        "collateral": beside,
        "amount": amount,
        "secured": prepared.secured,
        "subject": submission.subject,
        "statement": prepared.statements.total.digest.hex(),
        "accounts": [{"venue": a.venue, "account": a.account} for a in submission.attestations],
    }
    return document, lines, True
