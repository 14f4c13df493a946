"""The options that several commands share, and how their values are read."""

import os
import time as clock
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from zkmargin.cli.output.terminal import TAKEN
from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal, places
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import STANDARD, is_standard_stream
from zkmargin.margin.models import MODELS
from zkmargin.margin.units import LEVELS

FILE = click.Path(path_type=Path, dir_okay=True)


class OutputFile(click.Path):
    """A file to write; `-` and /dev/stdout are standard output, and the report then goes to standard error."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; standard output as `-`."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if is_standard_stream(path):
            if ctx is not None:
                ctx.meta[TAKEN] = True
            return STANDARD
        return path


OUTPUT = OutputFile(path_type=Path, dir_okay=True)

CLOCK_SKEW = 30
"""Seconds by which another clock may be ahead of this computer's."""

PICTURES = (".png", ".svg")
"""Formats of pictures, by the end of the file's name."""

snapshot_argument = click.argument("snapshot_file", metavar="SNAPSHOT", type=FILE)
holdings_argument = click.argument("holdings_file", metavar="HOLDINGS", type=FILE)
level_option = click.option(
    "--level", type=click.Choice(LEVELS), default="initial", show_default=True, help="Which margin is asked."
)


def complete_model(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The models whose names begin with what was typed, for the shell's completion."""
    return [name for name in MODELS if name.startswith(incomplete)]


model_option = click.option(
    "--model",
    shell_complete=complete_model,
    default="grid",
    show_default=True,
    metavar="MODEL",
    help="Margin model that the snapshot has, such as grid (portfolio margin over scenarios), cross, isolated, es, "
    "var or span; snapshot show lists them.",
)


@contextmanager
def named(**files: Path | None) -> Iterator[None]:
    """Re-raise an InputError about a kind of file with the file's path as its location."""
    try:
        yield
    except InputError as error:
        kind, comma, part = error.where.partition(", ")
        path = files.get(kind)
        if path is None:
            raise
        raise InputError(f"{path}{comma}{part}", error.field, error.value, error.remedy) from None


def check_picture(path: Path | None, field: str) -> None:
    """Raises InputError unless the file's name says which kind of picture it is to be."""
    if path is not None and path.suffix.lower() not in PICTURES:
        raise InputError("command line", field, str(path), f"end it with {' or '.join(PICTURES)}")


def ticks(usd: str, decimals: int, field: str) -> int:
    """USD as a whole number of ticks of 10^-decimals USD; raises InputError if it is not one."""
    number = parse_decimal(usd, "command line", field)
    if places(number) > decimals:
        tick = canonical_decimal(parse_decimal(1, "", "").scaleb(-decimals))
        raise InputError("command line", field, usd, f"write a multiple of the snapshot's tick, {tick} USD")
    return int(number.scaleb(decimals))


def unix_seconds(time: str | None, field: str) -> int:
    """A moment such as 2026-03-14T18:00:00Z as Unix seconds; 0 for none. Raises InputError."""
    if time is None:
        return 0
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        raise InputError("command line", field, time, "write a time such as 2026-03-14T18:00:00Z") from None
    if moment.tzinfo is None:
        raise InputError("command line", field, time, "say the time zone: end it with Z for UTC")
    # A difference of two moments, unlike a change of zone, cannot leave the calendar.
    since = moment - datetime.fromtimestamp(0, UTC)
    if since <= timedelta(0):
        raise InputError("command line", field, time, "write a time after 1970")
    if since % timedelta(seconds=1):
        raise InputError("command line", field, time, "write whole seconds")
    return since // timedelta(seconds=1)


def coming_seconds(time: str | None, field: str) -> int:
    """A moment that is still to come, as Unix seconds; 0 for none. Raises InputError."""
    found = unix_seconds(time, field)
    if time is not None and found <= now():
        raise InputError(
            "command line", field, time, f"it is {shown_time(now())} already; write a time to come"
        )
    return found


def reached_seconds(time: str | None, field: str) -> int:
    """A moment that this computer's clock has reached, as Unix seconds; 0 for none. Raises InputError."""
    found = unix_seconds(time, field)
    if found > now() + CLOCK_SKEW:
        remedy = f"it is {shown_time(now())} only; write a time that has come, or correct the clock"
        raise InputError("command line", field, time, remedy)
    return found


def now() -> int:
    """The clock of this computer, Unix seconds."""
    return int(clock.time())


def shown_time(seconds: int) -> str:
    """Unix seconds as people write a moment; as they are where no calendar reaches."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"Unix second {seconds}"


def refuse_replacing(field: str, output: Path, others: Iterable[Path | None]) -> None:
    """Raises InputError if what is written would take the place of another file of the same command."""
    if is_standard_stream(output):
        return
    target = os.path.realpath(output)
    for other in others:
        if other is not None and os.path.realpath(other) == target:
            raise InputError(
                "command line", field, str(output), "it would replace another file of this command"
            )


def refuse_unwritable(output: Path) -> None:
    """Raises InputError where a file cannot be written, as far as can be told beforehand."""
    if is_standard_stream(output):
        return
    directory = output.resolve().parent
    if output.is_dir() or not directory.is_dir() or not os.access(directory, os.W_OK):
        raise InputError(str(output), "file", Finding("cannot be written"), "name a writable place")
