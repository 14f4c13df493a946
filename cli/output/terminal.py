"""What a command says: a JSON document or tables on standard output, progress on standard error."""

import errno
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from zkmargin.margin.files.notes import collected

WIDTH = 118

Step = Callable[[str], None]
"""Told the name of each step as it begins."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print a JSON document, not tables.")


def answer(as_json: bool, document: Mapping[str, Any], *tables: RenderableType) -> None:
    """Print the document, or the tables that show the same."""
    if as_json:
        notes = collected()
        told = {**document, "notes": notes} if notes else document
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for table in tables:
        console().print(table, soft_wrap=isinstance(table, Text))


class Screen(Console):
    """Standard output, which whoever reads it may close."""

    def on_broken_pipe(self) -> None:
        """Left to the boundary, which knows how to end."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def console() -> Console:
    """Standard output. Away from a terminal there is no width to fit, and a table must not be cut."""
    # Started with standard output closed, Python has none: nothing is printed, and the exit code still answers.
    at_terminal = sys.stdout is not None and sys.stdout.isatty()
    return Screen(file=sys.stdout, width=None if at_terminal else WIDTH, highlight=False)


@contextmanager
def progress(quiet: bool = False) -> Iterator[Step]:
    """A line on standard error that names the step under way, if anybody is looking.

    Yields a function to call with the name of each step as it begins.
    """
    errors = Console(file=sys.stderr)
    shown = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=quiet or not errors.is_terminal,
    )
    with shown:
        task = shown.add_task("")
        yield lambda step: shown.update(task, description=step)
