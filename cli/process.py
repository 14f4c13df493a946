"""Long-running commands: checking the address, and stopping on signals."""

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from zkmargin.cli.boundary import DONE, INTERRUPTED
from zkmargin.margin.errors import Finding, InputError


def check_address(host: str, port: int, where: str, fields: tuple[str, str]) -> None:
    """Raises InputError unless it can be listened on; `where` and `fields` (host, port) say who asked for it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror as error:
            remedy = "name an address of this machine"
            raise InputError(where, fields[0], host, f"{error.strerror}: {remedy}") from None
        except OSError as error:
            found = Finding(f"{port} at {host}: {error.strerror}")
            raise InputError(where, fields[1], found, "name a port that is free") from None


@contextmanager
def until_stopped() -> Iterator[None]:
    """SIGTERM and Ctrl-C are how such a command is ended: no word about it, and exit code 0 or 130.

    Servers raise either signal again when they have finished what was under way.
    """
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(DONE))
    try:
        yield
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, before)
