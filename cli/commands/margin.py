"""`zkmargin margin`: account value, requirement and excess, with every charge."""

from collections.abc import Mapping
from pathlib import Path

import click
from rich.console import RenderableType
from rich.text import Text

from zkmargin.cli.boundary import REFUSED
from zkmargin.cli.commands.venue_map import chosen_targets, map_options
from zkmargin.cli.options.files import (
    FILE,
    check_picture,
    holdings_argument,
    level_option,
    model_option,
    snapshot_argument,
)
from zkmargin.cli.output.comparison import comparison_table
from zkmargin.cli.output.report import brief_tables, cents, report_tables
from zkmargin.cli.output.terminal import answer, json_option, progress
from zkmargin.margin.account.comparison import ModelComparison, compare_models
from zkmargin.margin.account.contract_map import Target
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.account.report import build_report
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level
from zkmargin.prover import OpeningDocument
from zkmargin.prover.opening import is_opening


@click.command()
@snapshot_argument
@holdings_argument
@level_option
@model_option
@map_options
@click.option("--brief", is_flag=True, help="Only the totals, and what the other models would ask.")
@click.option(
    "--compare", is_flag=True, help="All models side by side, with what each saves against isolated margin."
)
@click.option(
    "--chart",
    "chart_file",
    metavar="FILE",
    type=FILE,
    help="All models side by side as a picture, .png or .svg; implies --compare.",
)
@click.option(
    "--check", is_flag=True, help="End with exit code 1 if the account is short of its requirement."
)
@json_option
def margin(
    *,
    snapshot_file: Path,
    holdings_file: Path,
    level: Level,
    model: str,
    map_file: Path | None,
    map_signer: str | None,
    brief: bool,
    compare: bool,
    chart_file: Path | None,
    check: bool,
    as_json: bool,
) -> None:
    """Value an account, find its requirement, and say where it comes from.

    HOLDINGS is CSV with the columns instrument and quantity, and entry_price for futures and perpetuals that were
    not entered at the mark; or JSON: {"positions": [{"instrument": "BTC", "quantity": "1.5"}]}. Quantities are
    coins (options, linear contracts, coin balances) or USD (inverse futures and perpetuals, the USD balance).
    Or it is an opening that commit or a venue wrote: what is committed, with all entries in the balances.

    \b
    Example:
      zkmargin margin market.json holdings.csv --level maintenance
      zkmargin margin market.json holdings.csv --compare --chart models.png
    """
    check_picture(chart_file, "--chart")
    if check and (compare or chart_file is not None):
        remedy = "leave out --compare and --chart; --check is about one model"
        raise InputError("command line", "--check", Finding("with --compare"), remedy)
    with progress(as_json) as step:
        step("reading the snapshot")
        snapshot = Snapshot.load(snapshot_file)
        contracts = chosen_targets(map_file, map_signer, snapshot.universe)
        holdings = _account(holdings_file, snapshot, contracts)
        if compare or chart_file is not None:
            step("finding every model's requirement")
            _answer_comparison(compare_models(snapshot, holdings, level=level), chart_file, as_json)
            return
        step("finding the requirement")
        report = build_report(snapshot, holdings, model=model, level=level)
    short = report.excess < 0
    document = report.to_json() | {"covered": not short}
    lines = brief_tables(report) if brief else report_tables(report)
    if short:
        missing = cents(-report.excess, report.quantum_decimals)
        lines.append(Text(f"NOT covered: {missing} USD short of the {model} {level} requirement", "bold red"))
    answer(as_json, document, *lines)
    if check and short:
        raise click.exceptions.Exit(REFUSED)


def _account(path: Path, snapshot: Snapshot, contracts: Mapping[str, Target] | None) -> Holdings:
    """The account in a file of holdings, or in the opening of a commitment."""
    if not is_opening(path):
        return Holdings.read(path, snapshot, contracts)
    if contracts is not None:
        remedy = "an opening has slots of the universe already; leave the map out"
        raise InputError("command line", "--map", Finding("given"), remedy)
    opening = OpeningDocument.read(path).opening(snapshot.universe, str(path))
    return Holdings.of_lots(opening.lots, snapshot, str(path))


def _answer_comparison(found: ModelComparison, chart_file: Path | None, as_json: bool) -> None:
    document, lines = found.to_json(), list[RenderableType]([comparison_table(found)])
    if chart_file is not None:
        # Only who draws waits for the drawing library.
        from zkmargin.cli.output.comparison_chart import draw_comparison  # noqa: PLC0415

        draw_comparison(found, chart_file)
        document["chart"] = str(chart_file)
        lines.append(Text(f"picture written to {chart_file}"))
    answer(as_json, document, *lines)
