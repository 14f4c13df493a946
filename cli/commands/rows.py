"""`zkmargin rows`: commitments to a model's rows, published once for each snapshot."""

import time
from pathlib import Path

import click
from rich.text import Text

from zkmargin.argument.documents import RowsDocument
from zkmargin.argument.rows import commit_rows
from zkmargin.circuits import build_relation
from zkmargin.cli.options.backend import proving_setup
from zkmargin.cli.options.files import OUTPUT, level_option, model_option, snapshot_argument
from zkmargin.cli.options.loading import reproduced_snapshot
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.files.documents import write_atomically
from zkmargin.margin.units import Level


@click.command()
@snapshot_argument
@model_option
@level_option
@click.option(
    "-o", "--output", required=True, metavar="FILE", type=OUTPUT, help="The committed rows: public."
)
@json_option
def rows(*, snapshot_file: Path, model: str, level: Level, output: Path, as_json: bool) -> None:
    """Commit to the rows of a model, so that a verifier needs no matrix.

    A model over thousands of scenarios has millions of coefficients. Their commitments are made once for each
    snapshot, model and level, serve every threshold, hide nothing, and can be made again by anyone. Prove and
    verify take them with --rows; verify checks them against the snapshot by one random combination.

    \b
    Example:
      zkmargin rows market.json --model es -o rows.json
    """
    with progress(as_json) as step:
        snapshot = reproduced_snapshot(snapshot_file, step, model)
        step("building the relation")
        relation = build_relation(snapshot, model=model, level=level)
        setup = proving_setup()
        step("committing to its rows")
        started = time.perf_counter()
        committed = commit_rows(setup, relation)
        seconds = time.perf_counter() - started
    written = RowsDocument.of(committed, setup=setup.digest, snapshot=snapshot.id, model=model, level=level)
    write_atomically(output, written.encode())
    document = {
        "rows": sum(map(len, committed.points)),
        "coefficients": relation.holdings.nonzeros,
        "digest": committed.digest.hex(),
        "seconds": round(seconds, 6),
        "output": str(output),
    }
    lines = (
        f"rows        {document['rows']} commitments for {document['coefficients']} coefficients, "
        f"in {seconds:.2f} s on the {setup.backend.name} backend",
        f"digest      {document['digest']}",
        f"written to  {output}: public, for {model} at {level}",
    )
    answer(as_json, document, *map(Text, lines))
