"""An attestation and its opening on their way to the account's owner: the hold that is asked for, and both files."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from zkmargin.attestation import AttestationDocument, Hold
from zkmargin.attestation.secret_file import write_secret
from zkmargin.cli.options.files import FILE, OUTPUT, coming_seconds
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import write_atomically
from zkmargin.prover import OpeningDocument

Command = TypeVar("Command", bound=Callable[..., Any])


class Pair(Protocol):
    """An attestation and its opening as files."""

    @property
    def attestation(self) -> AttestationDocument:
        """Public."""

    @property
    def opening(self) -> OpeningDocument:
        """Secret."""


def pair_options(command: Command) -> Command:
    """The options of both files; the command receives `output` and `opening_file`."""
    opening = click.option(
        "--opening",
        "opening_file",
        required=True,
        metavar="FILE",
        type=FILE,
        help="For the account's owner, to prove with: SECRET, never overwritten.",
    )
    output = click.option(
        "-o", "--output", required=True, metavar="FILE", type=OUTPUT, help="The attestation: public."
    )
    return output(opening(command))


def hold_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options --hold-until and --hold-for; the command receives `hold`, None if neither is given."""

    @functools.wraps(command)
    def with_hold(*, hold_until: str | None, hold_audience: str | None, **rest: Any) -> None:
        command(hold=_hold(hold_until, hold_audience), **rest)

    until = click.option(
        "--hold-until",
        metavar="TIME",
        help="Lock the account's collateral until then, such as 2026-03-14T18:00:00Z.",
    )
    audience = click.option(
        "--hold-for", "hold_audience", metavar="NAME", help="The audience that it is locked for."
    )
    wrapped: Callable[..., None] = until(audience(with_hold))
    return wrapped


def hand_out(made: Pair, output: Path, opening_file: Path) -> None:
    """Write opening and attestation: both, or neither. Raises InputError."""
    write_secret(opening_file, made.opening.encode())
    try:
        write_atomically(output, made.attestation.encode())
    except BaseException:
        opening_file.unlink()
        raise


def _hold(until: str | None, audience: str | None) -> Hold | None:
    if (until is None) != (audience is None):
        missing = "--hold-until" if until is None else "--hold-for"
        remedy = "a hold has a time and an audience; name both"
        raise InputError("command line", missing, Finding("missing"), remedy)
    if until is None:
        return None
    return Hold.accept({"until": coming_seconds(until, "--hold-until"), "audience": audience}, "command line")
