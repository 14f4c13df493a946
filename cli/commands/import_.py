"""`zkmargin import`: files that others publish, made into what this program reads."""

import csv
import io
from pathlib import Path

import click
from rich.text import Text

from zkmargin.cli.commands.snapshot import summary, summary_table
from zkmargin.cli.options.choice import strict_option
from zkmargin.cli.options.files import FILE, OUTPUT
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.account.derive_case import import_derive_case
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import write_atomically
from zkmargin.margin.market.choice import check_size
from zkmargin.margin.market.span_file.read import read_spn
from zkmargin.margin.parameters.document import Parameters
from zkmargin.margin.snapshot.snapshot import Snapshot


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
@click.option(
    "--clearing-org",
    metavar="CODE",
    help="Clearing organisation, by its code in the file (ec), where the file has several.",
)
@click.option(
    "--point", type=int, metavar="N", help="Point in time, the first being 1, where the file has several."
)
@click.option(
    "--leave-out",
    multiple=True,
    metavar="ELEMENT",
    help="Go on without rules that are not modelled, such as sSpread or clearSpread; the snapshot and every report "
    "say so. May be given several times.",
)
@strict_option
@click.option("-o", "--output", required=True, metavar="FILE", type=OUTPUT, help="The snapshot.")
@json_option
def span(
    *,
    file: Path,
    commodities: tuple[str, ...],
    rate: int,
    clearing_org: str | None,
    point: int | None,
    leave_out: tuple[str, ...],
    strict: bool,
    output: Path,
    as_json: bool,
) -> None:
    """Build a snapshot from a SPAN risk parameter file in XML (.spn).

    Its futures and options become instruments, counted in contracts, with the file's risk arrays, deltas, tiers,
    spreads and charges for the model span. FILE may be a zip archive of one.

    A contract that cannot be used is left out with a note, and a position in it is then answered with the reason;
    --strict refuses it. A rule that the model lacks is refused by name, unless --leave-out names it.

    \b
    Example:
      zkmargin import span cme.20260102.s.spn --commodity SP --commodity ND -o market.json
      zkmargin margin market.json holdings.csv --model span
    """
    with progress(as_json) as step:
        step("reading the SPAN file")
        found = read_spn(
            file,
            commodities=commodities,
            rate=rate,
            clearing_org=clearing_org,
            point=point,
            leave_out=leave_out,
            strict=strict,
        )
        check_size(found.market)
        step("pricing every instrument in every scenario")
        made = Snapshot.build(found.market, Parameters.model_validate({"span": found.parameters}))
        step("writing the snapshot")
        made.dump(output)
    document = {**summary(made), "output": str(output)}
    answer(as_json, document, Text(f"read {file.name}, written to {output}"), summary_table(made))


@importing.command("derive-case")
@click.argument("file", metavar="FILE", type=FILE)
@click.option("--case", "name", metavar="NAME", help="Which case, where the file holds several by name.")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="DIR",
    type=OUTPUT,
    help="Directory for both files; made if absent.",
)
@json_option
def derive_case(*, file: Path, name: str | None, output: Path, as_json: bool) -> None:
    """Read a portfolio case of Derive into snapshot.json and holdings.csv.

    FILE is JSON with Scenario, Parameters and Result, as for PMRM 2; or with a Scenario in lists, as for PMRM and for
    the standard manager (SRM), whose cases state no parameters and take those of the tests that they come from. The
    snapshot counts in billionths of a dollar, so that results can be held against the case's.

    \b
    Examples:
      zkmargin import derive-case case.json -o case
      zkmargin margin case/snapshot.json case/holdings.csv
      zkmargin import derive-case srm.json --case Test5 -o case
      zkmargin margin case/snapshot.json case/holdings.csv --model isolated
    """
    with progress(as_json) as step:
        step("reading the case")
        made, holdings = import_derive_case(file, name)
        step("writing the files")
        _make(output)
        made.dump(output / "snapshot.json")
        write_atomically(output / "holdings.csv", _table(holdings))
    model = "grid" if made.parameters.srm is None else "isolated"
    document = {
        **summary(made),
        "positions": len(holdings.positions),
        "model": model,
        "output": str(output),
    }
    written = (
        f"read {file.name}, a case of the model {model}; snapshot.json and holdings.csv written to {output}"
    )
    answer(as_json, document, Text(written), summary_table(made))


def _make(directory: Path) -> None:
    """Make a directory; raises InputError where that cannot be."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = Finding(error.strerror or "unwritable")
        raise InputError(str(directory), "directory", found, "name a writable place") from None


def _table(holdings: Holdings) -> bytes:
    stream = io.StringIO(newline="")
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(("instrument", "quantity"))
    for position in holdings.positions:
        rows.writerow((position.instrument, canonical_decimal(position.quantity)))
    return stream.getvalue().encode()
