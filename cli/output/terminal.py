"""What a command says: a JSON document or tables on standard output, progress on standard error."""

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

WIDTH = 118

Step = Callable[[str], None]
"""Told the name of each step as it begins."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print a JSON document, not tables.")


def answer(as_json: bool, document: Mapping[str, Any], *tables: "RenderableType") -> None:
    """Print the document, or the lines and tables that show the same. A `str` is a line, printed as it is."""
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for table in tables:
        if isinstance(table, str):
            click.echo(table)
        else:
            _print(table)


def _print(table: "RenderableType") -> None:
    from rich.text import Text  # noqa: PLC0415

    console().print(table, soft_wrap=isinstance(table, Text))


def console() -> "Console":
    """Standard output. Away from a terminal there is no width to fit, and a table must not be cut."""
    from rich.console import Console  # noqa: PLC0415

    class Screen(Console):
        """Standard output, whose reader may close it."""

        def on_broken_pipe(self) -> None:
            """Left to the boundary, which knows how to end."""
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    # Started with standard output closed, Python has none: nothing is printed, and the exit code still answers.
    at_terminal = sys.stdout is not None and sys.stdout.isatty()
    return Screen(file=sys.stdout, width=None if at_terminal else WIDTH, highlight=False)


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
