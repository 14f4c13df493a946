"""Errors as messages and exit codes, never as a traceback.

With --json a failure also prints {"error": {"code", "exit", "message", ..}} on standard output. The codes are
`extra` (a package is missing), `input` (with where, field, value and remedy), `usage`, `not-covered` and `interrupted`.

0: done, or valid. 1: not valid, or not covered. 2: input that cannot be used. 130: interrupted. 141: broken pipe,
as with `| head`.
"""

import errno
import json
import os
import select
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import click

from zkmargin.cli.extras import missing_extra
from zkmargin.cli.file_kinds import mistaken
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.notes import collecting

DONE, REFUSED, BAD_INPUT, INTERRUPTED, CLOSED = 0, 1, 2, 130, 141
"""The last two are 128 and the number of the signal that ends other programs then: SIGINT, SIGPIPE."""


class NotProvenError(Exception):
    """The answer is no: the proof is not valid, or the account does not cover what is to be proven."""


class ClosedError(Exception):
    """The reader of standard output has closed the pipe."""


NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Errors of writing to a file."""


@contextmanager
def _writing_output() -> Iterator[None]:
    """Raises ClosedError where the pipe behind standard output breaks, InputError where there is no room behind it."""
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        # Files that have a name are written, and their errors told, in rooms below.
        unread = error.errno == errno.EPIPE and _nobody_reads()
        if error.filename is not None or not (unread or error.errno in NO_ROOM):
            raise
        # What is still to be written would fail again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if unread:
            raise ClosedError from None
        found = Finding(error.strerror or "unwritable")
        raise InputError("standard output", "answer", found, "send it where there is room") from None


def _nobody_reads() -> bool:
    """True if the reader of standard output has closed the pipe."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in output.poll(0))


class Boundary(click.Group):
    """A click group whose main() ends in one of the exit codes above."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """As click does; --help and --version print here."""
        with _writing_output():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does; commands print here."""
        with collecting() as notes:
            try:
                with _writing_output():
                    return super().invoke(ctx)
            finally:
                for line in notes:
                    click.echo(f"zkmargin: note: {line}", err=True)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run the command and leave by SystemExit, whatever happens that has a name."""
        as_json = "--json" in (sys.argv[1:] if args is None else args)
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.Abort:
            _leave("interrupted; nothing was written", INTERRUPTED, "interrupted", as_json)
        except click.ClickException as error:
            if as_json:
                _leave(error.format_message(), BAD_INPUT, "usage", as_json)
            error.show()
            sys.exit(BAD_INPUT)
        except ClosedError:
            sys.exit(CLOSED)
        except NotProvenError as answer:
            _leave(str(answer), REFUSED, "not-covered", as_json)
        except InputError as error:
            parts = {
                "where": error.where,
                "field": error.field,
                "value": str(error.value),
                "remedy": error.remedy,
            }
            _leave(f"{error}{mistaken(error)}", BAD_INPUT, "input", as_json, **parts)
        except ModuleNotFoundError as error:
            line = missing_extra(error)
            if line is None:
                raise
            _leave(line, BAD_INPUT, "extra", as_json)
        except ValueError as error:
            if not _is_input(error):
                raise
            _leave(str(error), BAD_INPUT, "input", as_json)
        # click hands back the code of an early exit such as --help, and a command's own result otherwise.
        sys.exit(code if isinstance(code, int) else DONE)


def _is_input(error: ValueError) -> bool:
    """True for the errors that lower packages raise for input that cannot be used."""
    # They are large, and loaded by the time that one of them has raised something.
    from zkmargin.algebra import SetupError  # noqa: PLC0415
    from zkmargin.circuits import RelationError  # noqa: PLC0415

    return isinstance(error, (RelationError, SetupError))


def _leave(message: str, code: int, name: str, as_json: bool, **parts: str) -> NoReturn:
    """Say one thing on standard error, with --json also as an object on standard output, and go."""
    if as_json and sys.stdout is not None:
        error = {"code": name, "exit": code, "message": message, **parts}
        with suppress(OSError):
            click.echo(json.dumps({"error": error}, indent=2, ensure_ascii=False))
    click.echo(f"zkmargin: {message}", err=True)
    sys.exit(code)
