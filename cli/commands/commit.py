"""`zkmargin commit`: commit to an account's holdings (run by the venue or custodian)."""

import os
from pathlib import Path

import click

from zkmargin.argument import CommitmentDocument
from zkmargin.attestation.secret_file import refuse_existing, write_secret
from zkmargin.cli.commands.venue_map import chosen_targets, map_options
from zkmargin.cli.options.backend import proving_setup
from zkmargin.cli.options.files import FILE, OUTPUT, holdings_argument, snapshot_argument
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import is_standard_stream, write_atomically
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import OpeningDocument, commit_holdings


@click.command()
@snapshot_argument
@holdings_argument
@map_options
@click.option("-o", "--output", required=True, metavar="FILE", type=OUTPUT, help="The commitment: public.")
@click.option(
    "--opening",
    "opening_file",
    required=True,
    metavar="FILE",
    type=FILE,
    help="What the commitment hides: SECRET, readable by you alone, never overwritten.",
)
@click.option("--force", is_flag=True, help="Replace a commitment that is there; never an opening.")
@json_option
def commit(
    *,
    snapshot_file: Path,
    holdings_file: Path,
    map_file: Path | None,
    map_signer: str | None,
    output: Path,
    opening_file: Path,
    force: bool,
    as_json: bool,
) -> None:
    """Commit to the holdings of an account.

    The commitment reveals nothing about the holdings; give it to the verifier. The opening stays with the
    account's owner, who needs it to prove; both serve every later snapshot of the same universe. Commitments of
    several accounts add up: give prove and verify as many as there are.

    \b
    Example:
      zkmargin commit market.json holdings.csv -o commitment.json --opening opening.secret.json
    """
    refuse_existing(opening_file)
    if output.exists() and not force and not is_standard_stream(output):
        remedy = (
            "proofs about the commitment in it would no longer verify; name another file, or give --force"
        )
        raise InputError(str(output), "commitment", Finding("exists already"), remedy)
    if os.path.realpath(output) == os.path.realpath(opening_file):
        remedy = "the commitment would replace the opening; name two files"
        raise InputError("command line", "--opening", str(opening_file), remedy)
    with progress(as_json) as step:
        step("reading the snapshot")
        snapshot = Snapshot.load(snapshot_file)
        contracts = chosen_targets(map_file, map_signer, snapshot.universe)
        holdings = Holdings.read(holdings_file, snapshot, contracts)
        step("committing to the holdings")
        secret = commit_holdings(proving_setup(), snapshot.universe, tuple(holdings.vector(snapshot)))
    commitment = write_pair(secret, output, opening_file)
    document = {
        "commitment": commitment.point,
        "universe": commitment.universe,
        "output": str(output),
        "opening": str(opening_file),
    }
    lines = (
        f"commitment  {commitment.point}",
        f"written to  {output}: public",
        f"opening in  {opening_file}: secret: it reveals the holdings",
    )
    answer(as_json, document, *lines)


def write_pair(secret: OpeningDocument, output: Path, opening_file: Path) -> CommitmentDocument:
    """Write the opening and its commitment: both, or neither. Raises InputError."""
    commitment = secret.commitment()
    write_secret(opening_file, secret.encode())
    try:
        write_atomically(output, commitment.encode())
    except BaseException:
        opening_file.unlink()
        raise
    return commitment
