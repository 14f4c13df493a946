"""How long commands take as processes, from the shell's point of view: Python's start and imports included."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import seconds

RUNS = 9
HOLDINGS = Path(__file__).resolve().parent.parent / "examples" / "holdings.csv"
TERMS = ("--audience", "lender", "--nonce", "7f3a", "--threshold", "1000000")


def processes() -> dict[str, Any]:
    """Median wall and processor seconds of `--help` and of each command of the README's way, example market."""
    # Compiled once, as an installed package is, wherever that may be written.
    with TemporaryDirectory() as folder, TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)

        def run(*words: str) -> None:
            command = [sys.executable, "-c", "from zkmargin.cli import main; main()", *words]
            subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)

        run("snapshot", "build", "--example", "-o", "market.json")
        run("commit", "market.json", str(HOLDINGS), "-o", "commitment.json", "--opening", "opening.json")
        run("prove", "market.json", "--opening", "opening.json", *TERMS, "-o", "proof.json")
        cases = {
            "--help": ("--help",),
            "margin": ("margin", "market.json", str(HOLDINGS)),
            "verify": ("verify", "market.json", "proof.json", "--commitment", "commitment.json", *TERMS),
        }
        figures: dict[str, Any] = {}
        for name, words in cases.items():
            figures[f"{name} s"] = seconds(partial(run, *words), RUNS)
            figures[f"{name} processor s"] = _processor_seconds(run, words)
        return figures


def _processor_seconds(run: Callable[..., None], words: Sequence[str]) -> float:
    """Median of user and system time, which other programs on the machine lengthen less than wall time."""

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(*words)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return statistics.median(once() for _ in range(RUNS))
