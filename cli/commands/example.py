"""`zkmargin example`: the files of the example, for those who have no copy of the repository."""

import csv
import io
from pathlib import Path

import click
from rich.text import Text

from zkmargin.cli.demo.account import example_positions
from zkmargin.cli.options.files import FILE
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import write_atomically
from zkmargin.margin.market import example_market
from zkmargin.margin.snapshot.snapshot import Snapshot

SNAPSHOT, HOLDINGS, PARAMETERS = "market.json", "holdings.csv", "desk.toml"
NEXT = "zkmargin margin {0}/market.json {0}/holdings.csv"

DESK = """# Parameters that differ from the defaults; what is left out keeps its default.
#   zkmargin snapshot build --example --params desk.toml -o desk.json

[grid]
spot_shocks = ["-0.25", "-0.2", "-0.15", "-0.1", "-0.05", "0", "0.05", "0.1", "0.15", "0.2", "0.25"]
tail_shocks = ["-0.66", "-0.4", "0.5", "1"]
perpetual = { initial = "0.025", maintenance = "0.0125" }

[grid.volatility]
up = "0.6"
down = "0.3"

[haircuts]
BTC = { initial = "0.08", maintenance = "0.05" }
ETH = { initial = "0.1", maintenance = "0.07" }
"""


@click.command()
@click.argument("directory", metavar="DIR", type=FILE, default="zkmargin-example")
@click.option("--force", is_flag=True, help="Write over files of these names.")
@json_option
def example(*, directory: Path, force: bool, as_json: bool) -> None:
    """Write the example's files: a snapshot, the holdings of an account, and a desk's parameters.

    DIR is made if it is absent, and zkmargin-example by default. All prices are invented.

    \b
    Example:
      zkmargin example
      zkmargin margin zkmargin-example/market.json zkmargin-example/holdings.csv
    """
    with progress(as_json) as step:
        for name in (SNAPSHOT, HOLDINGS, PARAMETERS):
            if not force and (directory / name).exists():
                remedy = "name another directory, or write over it with --force"
                raise InputError(str(directory / name), "file", Finding("is there already"), remedy)
        step("pricing every instrument in every scenario")
        snapshot = Snapshot.build(example_market())
        step("writing the files")
        _make(directory)
        snapshot.dump(directory / SNAPSHOT)
        write_atomically(directory / HOLDINGS, _holdings())
        write_atomically(directory / PARAMETERS, DESK.encode())
    files = {name: str(directory / name) for name in (SNAPSHOT, HOLDINGS, PARAMETERS)}
    lines = [f"written to {directory}: {', '.join(files)}", f"next: {NEXT.format(directory)}"]
    answer(as_json, {"output": str(directory), "files": list(files.values())}, *map(Text, lines))


def _make(directory: Path) -> None:
    """Make a directory; raises InputError where that cannot be."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = Finding(error.strerror or "unwritable")
        raise InputError(str(directory), "directory", found, "name a writable place") from None


def _holdings() -> bytes:
    """The account of the demonstration as a table."""
    stream = io.StringIO(newline="")
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(("instrument", "quantity", "entry_price"))
    for position in example_positions():
        entry = "" if position.entry_price is None else canonical_decimal(position.entry_price)
        rows.writerow((position.instrument, canonical_decimal(position.quantity), entry))
    return stream.getvalue().encode()
