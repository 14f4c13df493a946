"""How a run of the command is described, and the files that a chain of runs leaves."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import Result


@dataclass(frozen=True)
class Ran:
    """How a run of the command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


def finished(result: Result) -> Ran:
    """The result, once it is certain that nobody saw a traceback."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


@dataclass(frozen=True)
class Chain:
    """The files of one account, from snapshot to proof."""

    snapshot: Path
    holdings: Path
    commitment: Path
    opening: Path
    proof: Path


TERMS = ("--audience", "bank", "--nonce", "7f3a")
