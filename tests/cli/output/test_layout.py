"""Reports at 60, 80 and 120 columns, on a terminal and piped: no number and no name is shortened."""

import re
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from tests.cli.harness import Run
from zkmargin.cli.output.layout import fitted

WIDTHS = (60, 80, 120)


def facts(text: str) -> set[str]:
    """Every amount and instrument name of a report."""
    return set(re.findall(r"-?[\d,]+\.\d\d\b|\b[A-Z]{3}-[A-Z0-9]+(?:-\d+-[CP])?\b", text))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "piped"])
def test_nothing_is_shortened(
    run: Run,
    snapshot_file: Path,
    holdings_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    terminal: bool,
) -> None:
    monkeypatch.setenv("COLUMNS", "500")
    whole = run("margin", snapshot_file, holdings_file).out
    monkeypatch.setenv("COLUMNS", str(width))
    if terminal:
        monkeypatch.setattr("rich.console.Console.is_terminal", True)
    shown = run("margin", snapshot_file, holdings_file).out
    assert "…" not in shown
    assert facts(whole) <= facts(shown)
    assert "BTC-9JAN26-84000-P" in facts(shown)


def table() -> Table:
    made = Table("instrument", "value, USD", title="Positions")
    made.add_row("BTC-27MAR26-90000-C", "1,011,396.68")
    return made


@pytest.mark.parametrize(("width", "fits"), [(20, False), (60, True)])
def test_a_table_that_does_not_fit_becomes_records(width: int, fits: bool) -> None:
    console = Console(width=width)
    shown = fitted(table(), console)
    assert isinstance(shown, Table) == fits
    with console.capture() as captured:
        console.print(shown, soft_wrap=not fits)
    text = captured.get().replace("\n", "")
    assert "1,011,396.68" in text
    assert "BTC-27MAR26-90000-C" in text.replace(" ", "")


def test_a_table_without_headers_keeps_its_names() -> None:
    made = Table(show_header=False, box=None)
    made.add_row("snapshot", "f" * 64)
    console = Console(width=40)
    with console.capture() as captured:
        console.print(fitted(made, console), soft_wrap=True)
    assert f"snapshot  {'f' * 64}" in captured.get()
