"""The demonstration of portable margin: what it shows, and that nothing of it stays behind, however it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zkmargin.cli.boundary import NotProvenError
from zkmargin.cli.demo.processes import ZKMARGIN, Processes

PORTABLE = [*ZKMARGIN, "demo-portable"]
EVENTS = ["policy.changed", "snapshot.accepted", "pledge.active"]
LATER_EVENTS = ["snapshot.accepted", "pledge.renewed", "pledge.released"]


def left_by(folder: Path) -> list[str]:
    """The command lines of processes that have to do with a folder."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in words and process.name != str(os.getpid()):
            lines.append(words[:200].decode(errors="replace"))
    return lines


def begun(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """The demonstration, with a folder for all of its files."""
    environment = {**os.environ, "TMPDIR": str(folder), "ZKMARGIN_SERVICE_WORKERS": "none of its business"}
    return subprocess.Popen(
        [*PORTABLE, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_the_story(tmp_path: Path) -> None:
    process = begun(tmp_path, "--json")
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    told = json.loads(out)
    assert told["secured"] is True
    assert told["pledged_alone"] == "threshold"
    assert "short by" in told["pledged_twice"]
    assert told["forged_commitment"] == "signature"
    assert told["flipped_bit"] == "pairing"
    assert "signature" in told["altered_receipt"]
    assert (told["renewed"], told["status"], told["covered"]) == ("active", "released", 0)
    assert told["events"] == [*EVENTS, *LATER_EVENTS]
    assert len(set(told["snapshots"])) == 2
    for name in ("start", "pull", "alpha_attest", "beta_attest", "pledge", "renewal"):
        assert isinstance(told[f"{name}_seconds"], float)
    assert list(tmp_path.iterdir()) == []
    assert left_by(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    """While its processes start, so that it is quick."""
    process = begun(tmp_path)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("zkmargin-demo-*/service.log")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.02)
    assert left_by(tmp_path)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    assert b"Traceback" not in err
    assert left_by(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    words = "import sys; sys.exit('the disk is on fire')"
    with Processes(tmp_path) as processes:
        lasting = processes.start("lasting", lambda _: [sys.executable, "-c", "import time; time.sleep(600)"])
        failing = processes.start("failing", lambda _: [sys.executable, "-c", words], "/")
        with pytest.raises(NotProvenError, match="failing did not start: the disk is on fire"):
            failing.wait_until_ready()
        assert "failing ended with 1: the disk is on fire" in processes.failures()
        assert lasting.ended_with is None
    assert lasting.ended_with == -signal.SIGTERM


def test_what_does_not_listen_to_reason_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zkmargin.cli.demo.processes.STOP_SECONDS", 0.2)
    deaf = (
        "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "pathlib.Path('ready').touch(); time.sleep(600)"
    )
    monkeypatch.chdir(tmp_path)
    with Processes(tmp_path) as processes:
        running = processes.start("deaf", lambda _: [sys.executable, "-c", deaf])
        while not (tmp_path / "ready").exists():
            time.sleep(0.01)
    assert running.ended_with == -signal.SIGKILL


def test_a_port_that_was_taken_meanwhile_is_no_failure(tmp_path: Path) -> None:
    ports: list[int] = []

    def command(port: int) -> list[str]:
        ports.append(port)
        if len(ports) == 1:
            return [sys.executable, "-c", "import sys; sys.exit('Address already in use')"]
        return [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]

    with Processes(tmp_path) as processes:
        running = processes.start("server", command, "/")
        running.wait_until_ready()
    assert len(ports) == 2
    assert running.url == f"http://127.0.0.1:{ports[1]}"
