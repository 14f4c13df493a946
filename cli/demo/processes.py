"""The processes of the demonstration: each on a free port, with a log, waited for, and stopped whatever happens."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import httpx

from zkmargin.cli.boundary import NotProvenError

ZKMARGIN = (sys.executable, "-c", "from zkmargin.cli import main; main()")

START_SECONDS, STOP_SECONDS = 60.0, 10.0
ATTEMPTS = 3
"""Somebody else may take a free port before it is listened on."""

LOOPBACK = "127.0.0.1"
SETTINGS_PREFIX = "ZKMARGIN_SERVICE_"
LOG_END = 800
"""Characters of a log that are shown where a process fails."""


class Signals:
    """Requests to end, as exceptions; held back while a process is being started or stopped."""

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}
        self._held = False
        self._came: int | None = None

    def catch(self) -> None:
        """From here on."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # What nohup has told to be passed over stays passed over.
            if signal.getsignal(number) != signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, self._handle)

    def let_go(self) -> None:
        """As before; raises what came while it was held back."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self.check()

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Nothing is raised within the block; what came is kept."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def _handle(self, number: int, _: FrameType | None) -> None:
        self._came = number
        if not self._held:
            self.check()

    def check(self) -> None:
        """Raise what came meanwhile."""
        number, self._came = self._came, None
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        if number is not None:
            sys.exit(128 + number)


@dataclass
class Running:
    """A process.

    Attributes:
        name: for people.
        command: what runs on a port.
        log: what it says.
        health: path that answers as soon as it is ready; None if it listens on nothing.
        signals: held back while it starts, so that it is known before anything ends.
        port: that it listens on.
    """

    name: str
    command: Callable[[int], list[str]]
    log: Path
    health: str | None
    signals: Signals
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def ended_with(self) -> int | None:
        """Its exit code; None while it runs."""
        return None if self.process is None else self.process.poll()

    @property
    def url(self) -> str:
        """The URL of the service."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Start it, in a group of its own: a signal from the terminal reaches it through its parent only."""
        self.port = free_port()
        with self.signals.held_back(), self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own
                self.command(self.port),
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.signals.check()

    def wait_until_ready(self) -> None:
        """Return when it answers; started again on another port if it was taken. Raises NotProvenError."""
        deadline = time.monotonic() + START_SECONDS
        for _ in range(ATTEMPTS):
            while self.ended_with is None and time.monotonic() < deadline:
                if self._answers():
                    return
                time.sleep(0.05)
            if self.ended_with is None or "address already in use" not in self.said().lower():
                break
            self.start()
        raise NotProvenError(f"{self.name} did not start: {self.said()[-LOG_END:].strip()}")

    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")

    def ask_to_stop(self) -> None:
        """Tell it to stop."""
        if self.process is not None and self.ended_with is None:
            self.process.terminate()

    def end(self, deadline: float) -> None:
        """Wait for its end, and end whatever is left of it after the deadline."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _answers(self) -> bool:
        if self.health is None:
            return True
        try:
            return httpx.get(f"{self.url}{self.health}", timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False


class Processes:
    """All that run; leaving the block, in whichever way, stops them."""

    def __init__(self, logs: Path) -> None:
        self._logs, self._running, self._signals = logs, list[Running](), Signals()

    def __enter__(self) -> "Processes":
        """From here on a request to end is an exception, so that nothing is left behind."""
        self._signals.catch()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop them all. A second Ctrl-C does not keep it from that."""
        with self._signals.held_back():
            deadline = time.monotonic() + STOP_SECONDS
            for running in self._running:
                running.ask_to_stop()
            for running in self._running:
                running.end(deadline)
        self._signals.let_go()

    def start(self, name: str, command: Callable[[int], list[str]], health: str | None = None) -> Running:
        """Start a process; `command` is told the port to listen on."""
        running = Running(name, command, self._logs / f"{name}.log", health, self._signals)
        self._running.append(running)
        running.start()
        return running

    def failures(self) -> str:
        """Which of them have failed, and what they said last; empty if none has."""
        return "; ".join(
            f"{running.name} ended with {running.ended_with}: {running.said()[-LOG_END:].strip()}"
            for running in self._running
            if running.ended_with
        )


def free_port() -> int:
    """A free port."""
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        return int(found.getsockname()[1])


def _environment() -> dict[str, str]:
    """This process's environment without settings of another service; what is on this machine needs no proxy."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS_PREFIX)}
    return {**kept, "NO_PROXY": ",".join(filter(None, (kept.get("NO_PROXY"), LOOPBACK)))}
