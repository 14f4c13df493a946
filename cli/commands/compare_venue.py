"""`zkmargin compare-venue`: what a venue says of an account, beside what its rules say here."""

from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import RenderableType
from rich.text import Text

from zkmargin.cli.options.files import FILE
from zkmargin.cli.output.report import money_table
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.venue_answers.comparison import Line, VenueComparison, compare_answer
from zkmargin.margin.venue_answers.deribit import read_answer


@click.command("compare-venue")
@click.option("--exchange", type=click.Choice(("deribit",)), required=True, help="Whose answer it is.")
@click.option(
    "--ticker",
    "ticker_files",
    multiple=True,
    metavar="FILE",
    type=FILE,
    help="A saved answer of public/ticker, for an option whose volatility the answer lacks; repeat it for several.",
)
@click.argument("answer_file", metavar="ANSWER", type=FILE)
@json_option
def compare_venue(*, exchange: str, ticker_files: tuple[Path, ...], answer_file: Path, as_json: bool) -> None:
    """Margin the account of a venue's own simulation, and show where the two part.

    ANSWER is the saved JSON of Deribit's private/pme/simulate for one currency. Positions, prices and parameters are
    the answer's own; every cell and every charge is computed again by the rules of the preset and set beside the
    venue's, in the currency that it counts in. What no rule here makes is named with what it is.

    \b
    Example:
      zkmargin compare-venue --exchange deribit simulate.json
    """
    with progress(as_json) as step:
        step("reading the venue's answer")
        found = read_answer(answer_file, ticker_files)
        step("margining the same account")
        compared = compare_answer(found)
    document = {"exchange": exchange, **compared.to_json()}
    answer(as_json, document, *_tables(compared))


def _tables(compared: VenueComparison) -> Iterator[RenderableType]:
    columns = f"ours, {compared.currency}", "venue", "difference"
    cells = money_table("Where each vector differs most", "of", "cell", *columns, words=2)
    for line in compared.widest:
        cells.add_row(line.of, line.part, *_numbers(line))
    yield cells
    charges = money_table("Charge by charge", "part", "of", *columns, words=2)
    for line in compared.charges:
        charges.add_row(line.part, line.of, *_numbers(line))
    yield charges
    apart = [line for line in (*compared.cells, *compared.charges) if not line.agrees]
    yield Text(f"{len(apart)} of them differ" if apart else "all cells and charges agree")
    for line in apart:
        yield Text(f"{line.part}, {line.of}: {line.note or 'computed here, and not the same'}")


def _numbers(line: Line) -> tuple[str, str, str]:
    ours = "none" if line.ours is None else f"{line.ours:.9f}"
    return ours, f"{line.venue:.9f}", f"{line.difference:+.9f}"
