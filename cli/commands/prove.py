"""`zkmargin prove`: what the owner of the account does."""

import time
from collections.abc import Sequence
from pathlib import Path

import click

from zkmargin.algebra import Setup
from zkmargin.argument import Claims, Proof, ProofDocument
from zkmargin.attestation import SigningKey
from zkmargin.circuits import CommitmentTerm, Statement, WitnessError
from zkmargin.cli.boundary import NotProvenError
from zkmargin.cli.options.accounts import attestation_option, opening_option
from zkmargin.cli.options.backend import proving_setup
from zkmargin.cli.options.files import OUTPUT, coming_seconds, refuse_replacing, snapshot_argument
from zkmargin.cli.options.keys import key_option, required_key
from zkmargin.cli.options.loading import reproduced_snapshot
from zkmargin.cli.options.submission import (
    collateral_option,
    each_venue_option,
    netted_openings,
    pledge_option,
    prove_attested,
    submission_terms,
    submitted,
)
from zkmargin.cli.options.terms import StatementTerms, terms_options
from zkmargin.cli.output.terminal import Step, answer, json_option, progress
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.arithmetic.decimals import scaled_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import write_atomically
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level
from zkmargin.prover import Opening, OpeningDocument, ProverError
from zkmargin.prover import prove as prove_statement


@click.command()
@snapshot_argument
@opening_option("The opening that commit wrote; repeat it for an account spread over several commitments.")
@attestation_option()
@key_option("the accounts' owner, with attestations")
@pledge_option
@collateral_option
@each_venue_option
@terms_options
@click.option("-o", "--output", required=True, metavar="FILE", type=OUTPUT, help="The proof.")
@json_option
def prove(
    *,
    snapshot_file: Path,
    opening_files: tuple[Path, ...],
    attestation_files: tuple[Path, ...],
    key: SigningKey | None,
    pledge: str,
    collaterals: tuple[str, ...],
    each_venue: bool,
    terms: StatementTerms,
    output: Path,
    as_json: bool,
) -> None:
    """Prove that the account covers its requirement, and the threshold beyond it.

    The proof shows that and nothing else: no position, no balance, not by how much. If the account does not
    cover it, no proof is made, exit code 1, and you alone are told by how much it is short. With attestations of
    venues the proof is about the sum of all accounts, and you sign it and what you pledge with --key.

    \b
    Examples:
      zkmargin prove market.json --opening opening.secret.json --audience bank --nonce 7f3a \\
          --threshold 250000 -o proof.json
      zkmargin prove market.json --attestation alpha.json --opening alpha.secret.json \\
          --attestation beta.json --opening beta.secret.json --key trader.key --pledge 250000 \\
          --audience bank --nonce 7f3a --expires 2026-03-14T18:00:00Z -o submission.json
    """
    refuse_replacing("--output", output, (snapshot_file, *opening_files, *attestation_files))
    if not attestation_files and (key or each_venue or collaterals or pledge != "0"):
        remedy = "name the attestations: without them nothing is signed or pledged"
        raise InputError("command line", "--attestation", Finding("missing"), remedy)
    coming_seconds(terms.expires, "--expires")
    with progress(as_json) as step:
        snapshot = reproduced_snapshot(snapshot_file, step, terms.model)
        documents = [OpeningDocument.read(path) for path in opening_files]
        openings = [
            document.opening(snapshot.universe, str(path))
            for document, path in zip(documents, opening_files, strict=True)
        ]
        if attestation_files:
            asked = submission_terms(terms, pledge, snapshot.quantum_decimals, collaterals)
            netted = netted_openings(attestation_files, openings)
            check_covered(snapshot, netted, asked.model, asked.level, asked.threshold)
            started = time.perf_counter()
            submission = prove_attested(
                snapshot,
                attestation_files,
                openings,
                asked,
                required_key(key),
                each_venue=each_venue,
                rows=terms.rows(snapshot, proving_setup()),
                step=step,
            )
            write_atomically(output, submission.encode())
            seconds = time.perf_counter() - started
            answer(as_json, *submitted(submission, seconds, output))
            return
        setup = proving_setup()
        statement = terms.statement(
            snapshot,
            tuple(CommitmentTerm(bytes.fromhex(document.point)) for document in documents),
            setup,
        )
        check_covered(snapshot, openings, statement.model, statement.level, statement.threshold)
        started = time.perf_counter()
        proof = prove_openings(statement, openings, opening_files, setup, step)
        seconds = time.perf_counter() - started
    written = ProofDocument(setup=setup.digest, claims=Claims.of(statement), proof=proof.to_bytes().hex())
    write_atomically(output, written.encode())
    size = len(proof.to_bytes())
    document = {
        "proof_bytes": size,
        "seconds": round(seconds, 6),
        "backend": setup.backend.name,
        "rows": len(statement.relation.rows),
        "limb_columns": statement.relation.limb_columns,
        "output": str(output),
    }
    shape = f"{document['rows']} rows in {document['limb_columns']} columns of {statement.relation.domain}"
    lines = (
        f"proof       {size} bytes in {seconds:.3f} s on the {setup.backend.name} backend, {shape}",
        f"written to  {output}: send it to {terms.audience}",
    )
    answer(as_json, document, *lines)


def check_covered(
    snapshot: Snapshot, openings: Sequence[Opening], model: str, level: Level, threshold: int
) -> None:
    """Raises NotProvenError, which tells the owner by how much the account is short, if it is."""
    lots = [sum(held) for held in zip(*(opening.lots for opening in openings), strict=True)]
    found = requirement(snapshot, lots, model=model, level=level)
    short = threshold - found.excess_ticks
    if short > 0:
        excess, missing, asked = (
            scaled_decimal(amount, snapshot.quantum_decimals)
            for amount in (found.excess_ticks, short, threshold)
        )
        raise NotProvenError(
            f"the account's excess is {excess} USD ({model}, {level}), {missing} USD short "
            f"of the threshold of {asked} USD; nothing was written"
        )


def prove_openings(
    statement: Statement,
    openings: Sequence[Opening],
    files: Sequence[Path],
    setup: Setup,
    step: Step,
) -> Proof:
    """The proof. Raises NotProvenError if a row fails, InputError if an opening is not its commitment's."""
    try:
        return prove_statement(statement, openings, setup, lambda name, *_: step(f"proving: {name}"))
    except WitnessError as error:
        raise NotProvenError(f"{error}; nothing was written") from None
    except ProverError as error:
        remedy = f"{error}: the file was changed; use the file that commit wrote"
        raise InputError(
            ", ".join(map(str, files)), "opening", Finding("not its commitment's"), remedy
        ) from None
