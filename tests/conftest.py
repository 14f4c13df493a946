"""What every test starts from, whoever started the tests: signals as a program in the foreground has them."""

import signal
from collections.abc import Iterator

import pytest

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that shells, `nohup` and `make` in the background leave ignored for what they start."""


@pytest.fixture(scope="session", autouse=True)
def _signals_of_the_foreground() -> Iterator[None]:
    """Ignored and blocked signals are inherited by processes; those that tests start end when they are told to."""
    ignored = [number for number in ENDING if signal.getsignal(number) == signal.SIG_IGN]
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    for number in ignored:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
