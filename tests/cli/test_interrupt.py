"""Ctrl-C: exit code 130, and nothing half-written."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.harness import TERMS, Chain, Run
from zkmargin.cli import main


def test_an_interrupt_while_proving(chain: Chain, tmp_path: Path) -> None:
    """On the reference backend, which takes long enough to be interrupted, and on a terminal, to see when."""
    terminal, end = pty.openpty()
    proof = tmp_path / "proof.json"
    command = ("prove", chain.snapshot, "--opening", chain.opening, *TERMS, "-o", proof)
    process = subprocess.Popen(
        [sys.executable, "-c", "from zkmargin.cli import main; main()", *map(str, command)],
        env={**os.environ, "ZKMARGIN_BACKEND": "reference", "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=end,
    )
    os.close(end)
    seen = b""
    deadline = time.monotonic() + 120
    while b"proving" not in seen and time.monotonic() < deadline:
        seen += os.read(terminal, 4096)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    os.close(terminal)
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in seen
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("moment", ["write_atomically", "commit_holdings"])
def test_an_interrupt_while_committing(
    run: Run, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"zkmargin.cli.commands.commit.{moment}", interrupt)
    seen = run(
        "commit", chain.snapshot, chain.holdings, "-o", tmp_path / "c.json", "--opening", tmp_path / "o.json"
    )
    assert seen.code == 130
    assert "interrupted" in seen.err
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_while_writing(
    run: Run, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    proof = tmp_path / "proof.json"
    proof.write_text("the one before")
    monkeypatch.setattr(os, "fsync", interrupt)
    assert run("prove", chain.snapshot, "--opening", chain.opening, *TERMS, "-o", proof).code == 130
    assert proof.read_text() == "the one before"
    assert list(tmp_path.iterdir()) == [proof]


def test_an_interrupt_before_the_command_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("zkmargin.cli.command.command", interrupt)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 130
