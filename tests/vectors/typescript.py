"""The TypeScript verifier for tests: installed from its lock and compiled where that is not done yet."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "verifier/web"
SECONDS = 280
"""No command takes as long on any machine."""


@cache
def built() -> Path:
    """The folder of the package, compiled from what is there now; skips where there is no Node."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node and npm are not here")
    made = subprocess.run(
        ["make", "--silent", "web-current"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert made.returncode == 0, f"{made.stdout}{made.stderr}"
    return WEB


def node(*arguments: str, given: str = "", code: int = 0) -> str:
    """What a script of the package prints. Fails with what it said if it ends with another code."""
    ended = subprocess.run(
        ["node", *arguments],
        cwd=built(),
        input=given,
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert ended.returncode == code, f"{ended.returncode}: {ended.stdout}{ended.stderr}"
    return ended.stdout + ended.stderr


@cache
def outcomes_of(paths: tuple[Path, ...]) -> dict[str, dict[int, str]]:
    """The outcome of every test of these files: {file: {id: "valid" or a reason}}."""
    said: dict[str, Any] = json.loads(node("test/vectors.mjs", *map(str, paths)))
    return {name: {int(test): outcome for test, outcome in found.items()} for name, found in said.items()}
