"""Output of commands: a JSON document or tables on standard output, progress on standard error."""

import errno
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

# Tables and progress are a large library's, which a command that prints a line or a document does without.
if TYPE_CHECKING:
    from rich.console import Console, RenderableType

from zkmargin.margin.files.notes import collected

WIDTH = 118

TAKEN = "zkmargin.standard-output-is-taken"
"""Set in the click context where a file of the command goes to standard output."""

Step = Callable[[str], None]
"""Told the name of each step as it begins."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print a JSON document, not tables.")


def answer(as_json: bool, document: Mapping[str, Any], *tables: "RenderableType") -> None:
    """Print the document, or the lines and tables that show the same. A `str` is a line, printed as it is."""
    if as_json:
        notes = collected()
        told = {**document, "notes": notes} if notes else document
        click.echo(json.dumps(told, indent=2, ensure_ascii=False), err=output_is_taken())
        return
    for table in tables:
        if isinstance(table, str):
            click.echo(table, err=output_is_taken())
        else:
            _print(table)


def _print(table: "RenderableType") -> None:
    from rich.table import Table  # noqa: PLC0415

    from zkmargin.cli.output.layout import fitted  # noqa: PLC0415

    screen = console()
    shown = fitted(table, screen) if isinstance(table, Table) else table
    screen.print(shown, soft_wrap=not isinstance(shown, Table))


def output_is_taken() -> bool:
    """True if a file goes to standard output; reports then go to standard error."""
    context = click.get_current_context(silent=True)
    return bool(context is not None and context.meta.get(TAKEN))


def console() -> "Console":
    """The console for reports; without a terminal its width is COLUMNS or a default."""
    from rich.console import Console  # noqa: PLC0415

    class Screen(Console):
        """Standard output, whose reader may close it."""

        def on_broken_pipe(self) -> None:
            """Left to the boundary, which knows how to end."""
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    # Started with standard output closed, Python has none: nothing is printed, and the exit code still answers.
    stream = sys.stderr if output_is_taken() else sys.stdout
    at_terminal = stream is not None and stream.isatty()
    return Screen(file=stream, width=None if at_terminal else _width_away(), highlight=False)


def _width_away() -> int:
    """The width away from a terminal: COLUMNS if it is set, as other tools have it, or one that fits most tables."""
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdigit() and int(columns) > 0 else WIDTH


@contextmanager
def progress(quiet: bool = False) -> Iterator[Step]:
    """A line on standard error that names the step under way, if anybody is looking.

    Yields a function to call with the name of each step as it begins.
    """
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda step: None
        return

    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    errors = Console(file=sys.stderr)
    shown = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
    with shown:
        task = shown.add_task("")
        yield lambda step: shown.update(task, description=step)
