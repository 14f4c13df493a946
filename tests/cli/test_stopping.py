"""How servers on the command line end: Ctrl-C and SIGTERM, whatever number of workers they have."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import httpx
import pytest

from tests.cli.standing import service_files, venue_files
from tests.ports import free_port
from tests.verifier.service.world import World, toml
from zkmargin.attestation import SigningKey
from zkmargin.cli.demo.processes import ZKMARGIN
from zkmargin.cli.process import until_stopped

SECONDS = 180
"""Patience with a loaded machine; what is waited for is looked for all the time."""


def command(folder: Path, server: str, port: int) -> list[str]:
    """The words that start a server, with all its files."""
    world = World()
    venue_files(folder, world, SigningKey.generate())
    if server == "venue":
        return ["venue", "serve", str(folder / "venue.toml"), "--port", str(port)]
    service_files(folder, world)
    settings = {
        "policy": str(folder / "policy.toml"),
        "key_file": str(folder / "service.key"),
        "admin_key_file": str(folder / "admin.key"),
        "database": f"sqlite:///{folder}/ledger.db",
        "port": port,
        "workers": 2 if server == "two workers" else 1,
    }
    (folder / "service.toml").write_text(toml(settings))
    return ["serve", "--config", str(folder / "service.toml")]


def ended(
    folder: Path, words: list[str], number: int, ready: Callable[[int], bool], start: Sequence[str] = ()
) -> tuple[int, str]:
    """Exit code and log of a server, all of whose processes got a signal when it was ready, as on a terminal.

    `start` are the words before its own that start it.
    """
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*start, *ZKMARGIN, *words], stdout=output, stderr=output, start_new_session=True
        )
    deadline = time.monotonic() + SECONDS
    try:
        while not ready(process.pid):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        os.killpg(process.pid, number)
        code = process.wait(SECONDS)
    finally:
        process.kill()
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            # Nothing is sent: it is asked whether anybody is left.
            os.killpg(process.pid, 0)
            time.sleep(0.02)
        pytest.fail("a process is left")
    return code, log.read_text()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
@pytest.mark.parametrize("server", ["one worker", "two workers", "venue"])
def test_a_signal_ends_a_server_quietly(tmp_path: Path, server: str, number: int, code: int) -> None:
    port = free_port()
    found, log = ended(tmp_path, command(tmp_path, server, port), number, lambda _: answers(port))
    assert found == code, log
    assert "Traceback" not in log


@pytest.mark.parametrize("server", ["one worker", "two workers", "venue"])
def test_an_interrupt_that_was_ignored_at_the_start_is_ignored_by_a_server(
    tmp_path: Path, server: str
) -> None:
    """As a shell starts what goes on in the background, so that Ctrl-C ends what is in the foreground alone."""
    port, interrupted = free_port(), []

    def outlived_interrupts(pid: int) -> bool:
        if not answers(port):
            return False
        os.killpg(pid, signal.SIGINT)
        interrupted.append(pid)
        time.sleep(0.1)
        return len(interrupted) > 5

    words = command(tmp_path, server, port)
    in_background = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
    found, log = ended(tmp_path, words, signal.SIGTERM, outlived_interrupts, in_background)
    assert found == 0, log
    assert "Traceback" not in log


def answers(port: int) -> bool:
    """Whether a server is ready."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_an_interrupt_while_workers_start(tmp_path: Path) -> None:
    """While they import what they need, which takes longer than a blink."""

    def spawned(pid: int) -> bool:
        children = Path(f"/proc/{pid}/task/{pid}/children")
        found = len(children.read_text().split()) > 1
        time.sleep(0.3 if found else 0)
        return found

    words = command(tmp_path, "two workers", free_port())
    found, log = ended(tmp_path, words, signal.SIGINT, spawned)
    assert found == 130, log
    assert "Traceback" not in log


def test_whoever_waits_to_be_stopped_is_stopped_by_a_signal() -> None:
    """As `watch` is: outside of a server, which holds signals back until its requests are finished."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as left, until_stopped():
        signal.raise_signal(signal.SIGTERM)
    assert left.value.code == 0
    with pytest.raises(click.exceptions.Exit) as left_by_hand, until_stopped():
        signal.raise_signal(signal.SIGINT)
    assert left_by_hand.value.exit_code == 130
    assert signal.getsignal(signal.SIGTERM) == before
