"""Where errors become messages and exit codes: nobody who mistypes sees a traceback.

0: done, or valid. 1: not valid, or not covered. 2: input that cannot be used. 130: interrupted.
"""

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from zkmargin.algebra import SetupError
from zkmargin.circuits import RelationError
from zkmargin.margin.errors import InputError

DONE, REFUSED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class NotProvenError(Exception):
    """The answer is no: the proof is not valid, or the account does not cover what is to be proven."""


class Boundary(click.Group):
    """A click group whose main() ends in one of the four exit codes."""

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
