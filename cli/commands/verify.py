"""`zkmargin verify`: check a proof against a snapshot and trusted commitments."""

import time
from pathlib import Path

import click

from zkmargin.algebra import Setup
from zkmargin.argument import CommitmentDocument, ProofDocument
from zkmargin.circuits import Statement
from zkmargin.cli.boundary import DONE, REFUSED
from zkmargin.cli.commands.snapshot_sign import (
    at_option,
    check_signed,
    judged_at,
    policy_option,
    signature_option,
)
from zkmargin.cli.options.accounts import attestation_option
from zkmargin.cli.options.backend import chosen_setup
from zkmargin.cli.options.files import FILE, snapshot_argument
from zkmargin.cli.options.loading import check_committed, reproduced_snapshot
from zkmargin.cli.options.submission import submission_check, verdict
from zkmargin.cli.options.terms import StatementTerms, terms_options
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.errors import Finding, InputError
from zkmargin.verifier import VerificationError, commitment_term, verify_document


@click.command()
@snapshot_argument
@click.argument("proof_file", metavar="PROOF", type=FILE)
@click.option(
    "--commitment",
    "commitment_files",
    multiple=True,
    metavar="FILE",
    type=FILE,
    help="The commitment that you trust; repeat it, in the prover's order, if there are several.",
)
@policy_option
@attestation_option()
@signature_option
@at_option
@terms_options
@json_option
def verify(
    *,
    snapshot_file: Path,
    proof_file: Path,
    commitment_files: tuple[Path, ...],
    policy_file: Path | None,
    attestation_files: tuple[Path, ...],
    signature_file: Path | None,
    at: str | None,
    terms: StatementTerms,
    as_json: bool,
) -> None:
    """Verify that the account behind the commitment covers its requirement and the threshold.

    The snapshot's tables are derived again from its prices and parameters; whether those are right is yours to
    know. Snapshot, commitments, audience, nonce, threshold, level, model and expiry are your own: the proof must be
    about exactly these. Exit code 0 if it is valid, 1 if it is not. A file of --rows is checked against the
    snapshot before anything else.

    With --policy the proof is about accounts that venues attested to: their signatures, ages and holds are checked, and
    the subject's signature; the threshold is then what the excess must reach at least.

    \b
    Examples:
      zkmargin verify market.json proof.json --commitment commitment.json --audience bank --nonce 7f3a \\
          --threshold 250000
      zkmargin verify market.json submission.json --policy bank.toml --audience bank --nonce 7f3a
    """
    if (policy_file is None) != bool(commitment_files):
        remedy = "name the commitments that you trust, or the policy if the proof is about attested accounts"
        raise InputError(
            "command line", "--commitment", Finding("both" if policy_file else "missing"), remedy
        )
    if attestation_files and policy_file is None:
        remedy = "name the policy that says which venues you trust; without it no attestation is checked"
        raise InputError("command line", "--policy", Finding("missing"), remedy)
    began = time.perf_counter()
    with progress(as_json) as step:
        snapshot = reproduced_snapshot(snapshot_file, step, terms.model)
        check_signed(snapshot, signature_file, policy_file, at)
        if policy_file is not None:
            step("verifying")
            verifying = submission_check(
                snapshot,
                proof_file,
                policy_file,
                terms,
                attestation_files=attestation_files,
                now=judged_at(at),
            )
            found, said, valid = verdict(verifying, snapshot.quantum_decimals)
            whole = time.perf_counter() - began
            answer(as_json, {**found, "seconds_in_all": round(whole, 6)}, *said, _in_all(whole, terms.model))
            raise click.exceptions.Exit(DONE if valid else REFUSED)
        proof = ProofDocument.read(proof_file)
        setup = chosen_setup()
        statement = terms.statement(
            snapshot,
            tuple(
                commitment_term(CommitmentDocument.read(path), snapshot.universe, setup, str(path))
                for path in commitment_files
            ),
            setup,
        )
        if statement.rows is not None:
            step("checking the committed rows")
            check_committed(setup, statement.relation, statement.rows, str(terms.rows_file))
        step("verifying")
        started = time.perf_counter()
        failure = _failure(statement, proof, setup, judged_at(at), snapshot.quantum_decimals)
        seconds = time.perf_counter() - started
    whole = time.perf_counter() - began
    document: dict[str, object] = {"valid": failure is None, "seconds": round(seconds, 6)}
    document["seconds_in_all"] = round(whole, 6)
    in_all = _in_all(whole, terms.model)
    if failure is None:
        line = f"valid: verified in {1000 * seconds:.1f} ms on the {setup.backend.name} backend"
        answer(as_json, document, line, in_all)
        return
    document |= {"check": failure.check, "message": str(failure)}
    answer(as_json, document, f"NOT valid: {failure}", in_all)
    raise click.exceptions.Exit(REFUSED)


def _in_all(seconds: float, model: str) -> str:
    """The wall time of the whole command."""
    return f"{seconds:.2f} s in all, with reading the snapshot and deriving its tables of {model} again"


def _failure(
    statement: Statement, proof: ProofDocument, setup: Setup, now: float, decimals: int
) -> VerificationError | None:
    """Why the proof is not accepted, or None."""
    try:
        verify_document(statement, proof, setup, now, decimals)
    except VerificationError as error:
        return error
    return None
