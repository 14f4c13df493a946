"""`zkmargin import`: files that others publish, made into what this program reads."""

from pathlib import Path

import click
from rich.text import Text

from zkmargin.cli.options import FILE
from zkmargin.cli.snapshot import summary, summary_table
from zkmargin.cli.terminal import answer, json_option, progress
from zkmargin.margin.models.span.spn import read_spn
from zkmargin.margin.parameters import Parameters
from zkmargin.margin.snapshot import Snapshot


@click.group("import")
def importing() -> None:
    """Read files that clearing houses and venues publish."""


@importing.command("span")
@click.argument("file", metavar="FILE", type=FILE)
@click.option(
    "--commodity",
    "commodities",
    multiple=True,
    metavar="CODE",
    help="Combined commodity to read, by its code in the file; may be given several times. All by default.",
)
@click.option(
    "--rate", default=1, show_default=True, help="Which of the file's sets of rates is read (element r)."
)
@click.option("-o", "--output", required=True, metavar="FILE", type=FILE, help="The snapshot.")
@json_option
def span(*, file: Path, commodities: tuple[str, ...], rate: int, output: Path, as_json: bool) -> None:
    """Build a snapshot from a SPAN risk parameter file in XML (.spn).

    Its futures and options become instruments, counted in contracts, with the file's risk arrays, deltas, tiers,
    spreads and charges for the model span.

    \b
    Example:
      zkmargin import span cme.20260102.s.spn --commodity SP --commodity ND -o market.json
      zkmargin margin market.json holdings.csv --model span
    """
    with progress(as_json) as step:
        step("reading the SPAN file")
        found = read_spn(file, commodities=commodities, rate=rate)
        step("pricing every instrument in every scenario")
        made = Snapshot.build(found.market, Parameters.model_validate({"span": found.parameters}))
        step("writing the snapshot")
        made.dump(output)
    document = {**summary(made), "output": str(output)}
    answer(as_json, document, Text(f"read {file.name}, written to {output}"), summary_table(made))
