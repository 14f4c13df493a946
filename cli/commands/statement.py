"""`zkmargin statement`: what a proof is about, as files for verifiers that have no snapshot."""

from pathlib import Path

import click
from rich.text import Text

from zkmargin.argument import CommitmentDocument
from zkmargin.argument.statement_document import StatementDocument
from zkmargin.circuits.program import encode_program
from zkmargin.cli.options.backend import chosen_setup
from zkmargin.cli.options.files import FILE, snapshot_argument
from zkmargin.cli.options.loading import reproduced_snapshot
from zkmargin.cli.options.terms import StatementTerms, terms_options
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.files.documents import write_atomically
from zkmargin.verifier import commitment_term


@click.command()
@snapshot_argument
@click.option(
    "--commitment",
    "commitment_files",
    multiple=True,
    required=True,
    metavar="FILE",
    type=FILE,
    help="The commitment that you trust; repeat it, in the prover's order, if there are several.",
)
@terms_options
@click.option("-o", "--output", required=True, metavar="FILE", type=FILE, help="The statement: public.")
@click.option(
    "--program",
    "program_file",
    metavar="FILE",
    type=FILE,
    help="The program that the statement names: public.",
)
@json_option
def statement(
    *,
    snapshot_file: Path,
    commitment_files: tuple[Path, ...],
    terms: StatementTerms,
    output: Path,
    program_file: Path | None,
    as_json: bool,
) -> None:
    """Write down what a proof has to show, for a verifier that has no snapshot.

    The page at /verify, the npm package and contracts do not derive a model's requirement from a snapshot: they take
    the program, which says it in full, and the statement names that by its digest. Whoever makes both again from the
    snapshot, with this command, knows that they are right.

    \b
    Example:
      zkmargin statement market.json --commitment commitment.json --audience bank --nonce 7f3a \\
          --threshold 250000 -o statement.json --program program.bin
    """
    with progress(as_json) as step:
        snapshot = reproduced_snapshot(snapshot_file, step)
        step("building the relation")
        setup = chosen_setup()
        made = terms.statement(
            snapshot,
            tuple(
                commitment_term(CommitmentDocument.read(path), snapshot.universe, setup, str(path))
                for path in commitment_files
            ),
            setup,
        )
        document = StatementDocument.of(made)
        program = encode_program(made.relation, frame=made.rows is not None)
    write_atomically(output, document.encode())
    if program_file is not None:
        write_atomically(program_file, program)
    found = {
        "statement": made.digest.hex(),
        "program": document.program,
        "program_bytes": len(program),
        "output": str(output),
        "program_output": None if program_file is None else str(program_file),
    }
    lines = [
        f"statement   {made.digest.hex()}",
        f"program     {document.program}, {len(program)} bytes",
        f"written to  {', '.join(str(path) for path in (output, program_file) if path is not None)}: public",
    ]
    answer(as_json, found, *map(Text, lines))
