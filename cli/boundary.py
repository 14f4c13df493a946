"""Where errors become messages and exit codes: nobody who mistypes sees a traceback.

0: done, or valid. 1: not valid, or not covered. 2: input that cannot be used. 130: interrupted. 141: whoever read the
output, such as `head`, has closed it.
"""

import errno
import os
import select
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from zkmargin.algebra import SetupError
from zkmargin.circuits import RelationError
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.notes import collecting

DONE, REFUSED, BAD_INPUT, INTERRUPTED, CLOSED = 0, 1, 2, 130, 141
"""The last two are 128 and the number of the signal that ends other programs then: SIGINT, SIGPIPE."""


class NotProvenError(Exception):
    """The answer is no: the proof is not valid, or the account does not cover what is to be proven."""


class ClosedError(Exception):
    """Nobody reads the output any more."""


NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What writing to a file that is no pipe can end in."""


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
    """Whether it is standard output whose reader has gone, and not another pipe's."""
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
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.Abort:
            _leave("interrupted; nothing was written", INTERRUPTED)
        except click.ClickException as error:
            error.show()
            sys.exit(BAD_INPUT)
        except ClosedError:
            sys.exit(CLOSED)
        except NotProvenError as answer:
            _leave(str(answer), REFUSED)
        except (InputError, RelationError, SetupError) as error:
            _leave(str(error), BAD_INPUT)
        # click hands back the code of an early exit such as --help, and a command's own result otherwise.
        sys.exit(code if isinstance(code, int) else DONE)


def _leave(message: str, code: int) -> NoReturn:
    """Say one thing on standard error, and go."""
    click.echo(f"zkmargin: {message}", err=True)
    sys.exit(code)
