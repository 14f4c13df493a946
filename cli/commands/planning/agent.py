"""`zkmargin agent`: keeps an account within bands on a stream of snapshots; it advises, or trades on paper."""

import time
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import click
from rich.text import Text

from zkmargin.cli.options.files import FILE
from zkmargin.cli.options.service import asking
from zkmargin.cli.output.terminal import answer, json_option
from zkmargin.client import calls
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import read_text
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.planning.questions.agent import (
    Agent,
    AgentSettings,
    Decision,
    PaperAccount,
    snapshots_in,
    write_down,
)


@click.command()
@click.argument("settings_file", metavar="PLAN", type=FILE)
@click.option(
    "--paper", is_flag=True, help="Trade on paper, filled at bid and ask, instead of advising only."
)
@click.option("--follow", is_flag=True, help="Wait for further snapshots until interrupted.")
@click.option(
    "--every", type=click.FloatRange(0.05, 3600), default=1.0, show_default=True, metavar="SECONDS",
    help="How often to look for new snapshots.",
)  # fmt: skip
@json_option
def agent(*, settings_file: Path, paper: bool, follow: bool, every: float, as_json: bool) -> None:
    """Decide on each snapshot whether to hold or to trade, and write every decision down with its reason and cost.

    PLAN is TOML: holdings, snapshots (a directory) or service (an address), model, level, low, target, and the tables
    delta, vega, trades and costs. Decisions are appended to journal; the paper account is kept in paper. Names of files
    are taken from where PLAN lies. No order is ever sent anywhere.

    \b
    Example:
      zkmargin agent plan.toml --paper --follow
    """
    settings = AgentSettings.parse(_document(settings_file), str(settings_file))
    folder = settings_file.parent
    state = folder / settings.paper
    running: Agent | None = None
    decisions: list[Decision] = []
    for snapshot in _stream(settings, folder, follow=follow, every=every):
        if running is None:
            running = Agent(settings, _account(settings, folder, snapshot, paper=paper), paper)
        decision = running.on(snapshot)
        if decision is None:
            continue
        write_down(folder / settings.journal, decision)
        if paper:
            running.account.write(state)
        decisions.append(decision)
        if follow and not as_json:
            answer(False, {}, Text(_line(decision)))
    document = {
        "journal": str(folder / settings.journal),
        "paper": str(state) if paper else None,
        "decisions": [decision.to_json() for decision in decisions],
    }
    lines = [] if follow else [_line(decision) for decision in decisions]
    answer(
        as_json,
        document,
        *map(Text, [*lines, f"{len(decisions)} decisions, written to {document['journal']}"]),
    )


def _line(decision: Decision) -> str:
    said = decision.to_json()
    trades = (
        ""
        if decision.plan is None
        else "; "
        + ", ".join(f"{trade['instrument']} {trade['quantity']}" for trade in said["plan"]["trades"])
    )
    return f"{said['time']}  {decision.action:6}  {decision.reason}{trades}"


def _document(path: Path) -> object:
    try:
        return tomllib.loads(read_text(path), parse_float=Decimal)
    except ValueError as error:
        raise InputError(str(path), "document", Finding(error), "write valid TOML") from None


def _account(settings: AgentSettings, folder: Path, snapshot: Snapshot, *, paper: bool) -> PaperAccount:
    """The paper account as it was left, or what the holdings file says."""
    kept = PaperAccount.read(folder / settings.paper) if paper else None
    if kept is not None:
        return kept
    lots = Holdings.read(folder / settings.holdings, snapshot).vector(snapshot)
    names = (instrument.name for instrument in snapshot.universe.instruments)
    return PaperAccount({name: held for name, held in zip(names, lots, strict=True) if held})


def _stream(settings: AgentSettings, folder: Path, *, follow: bool, every: float) -> Iterator[Snapshot]:
    """Snapshots as they come: once through, or for as long as somebody follows."""
    seen: set[str] = set()
    while True:
        if settings.snapshots is not None:
            yield from (snapshot for _, snapshot in snapshots_in(folder / settings.snapshots, seen))
        else:
            yield from _published(settings.service or "", seen)
        if not follow:
            return
        time.sleep(every)


def _published(url: str, seen: set[str]) -> Iterator[Snapshot]:
    """The newest snapshot of a service, if it was not seen yet."""
    with asking(url, None, "service") as client:
        for info in client.send(calls.snapshots()):
            if info.id not in seen:
                seen.add(info.id)
                yield client.send(calls.snapshot(info.id))
