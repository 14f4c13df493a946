"""The `zkmargin` command: thin, every command a few calls into the rooms below."""

import gc
import signal
import sys

__all__ = ["main"]

COLLECTED_EVERY = 50_000
"""Objects that are made, less those that are dropped, between two searches for cycles; Python's own figure is 700."""


def main() -> None:
    """Run the command; an interrupt while it is still being imported ends it quietly as well."""
    # What imports make stays, and looking through it for cycles time and again is a tenth of a short command.
    gc.set_threshold(COLLECTED_EVERY, 20, 20)
    # A shell that starts a command in the background, or nohup, ignores Ctrl-C for it. Servers install handlers of
    # their own; what is also blocked, in every thread and process that is to come, does not reach them.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        from zkmargin.cli.command import command  # noqa: PLC0415 - see above

        command()
    except KeyboardInterrupt:
        sys.exit(130)
