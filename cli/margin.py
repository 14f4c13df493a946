"""`zkmargin margin`: what an account is worth, what it must hold, and why."""

from pathlib import Path

import click

from zkmargin.cli.options import holdings_argument, level_option, model_option, snapshot_argument
from zkmargin.cli.report import report_tables, summary_table
from zkmargin.cli.terminal import answer, json_option, progress
from zkmargin.margin.holdings import Holdings
from zkmargin.margin.report import build_report
from zkmargin.margin.snapshot import Snapshot
from zkmargin.margin.tables import Level


@click.command()
@snapshot_argument
@holdings_argument
@level_option
@model_option
@click.option("--brief", is_flag=True, help="Only the totals, and what the other models would ask.")
@json_option
def margin(
    *, snapshot_file: Path, holdings_file: Path, level: Level, model: str, brief: bool, as_json: bool
) -> None:
    """Value an account, find its requirement, and say where it comes from.

    HOLDINGS is CSV with the columns instrument and quantity, and entry_price for futures and perpetuals that were
    not entered at the mark; or JSON: {"positions": [{"instrument": "BTC", "quantity": "1.5"}]}. Quantities are
    coins (options, linear contracts, coin balances) or USD (inverse futures and perpetuals, the USD balance).

    \b
    Example:
      zkmargin margin market.json holdings.csv --level maintenance
    """
    with progress(as_json) as step:
        step("reading the snapshot")
        snapshot = Snapshot.load(snapshot_file)
        holdings = Holdings.read(holdings_file, snapshot)
        step("finding the requirement")
        report = build_report(snapshot, holdings, model=model, level=level)
    answer(as_json, report.to_json(), *([summary_table(report)] if brief else report_tables(report)))
