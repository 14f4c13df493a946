"""The service does what its OpenAPI document says, whatever is sent to it: all phases, all checks, all operations."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.service.conftest import Scene
from tests.verifier.service.world import Replica, World, snapshot

Start = Callable[..., Scene]

RULES = Path(__file__).with_name("schemathesis.toml")

BRIEF = ["--max-examples=2"]
LONG = ["--max-examples=200", "--max-time=300"]

PROMPT: dict[str, Any] = {"event_seconds": 0.1, "listen_seconds": 0.2}
"""A stream of events ends soon, so that each request does."""


def hold(replica: Replica, folder: Path, options: list[str], seconds: float) -> None:
    """Run schemathesis; it finds nothing."""
    program = Path(sys.executable).parent / "schemathesis"
    command = [
        str(program),
        "--no-color",
        f"--config-file={RULES}",
        "run",
        f"http://127.0.0.1:{replica.port}/openapi.json",
        f"--header=Authorization: {replica.admin()['authorization']}",
        "--phases=examples,coverage,fuzzing,stateful",
        "--checks=all",
        "--suppress-health-check=all",
        *options,
    ]
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    assert f"Tested: {len(operations(replica))}" in done.stdout
    assert replica.http.get("/readyz").status_code == 200


def operations(replica: Replica) -> list[tuple[str, str]]:
    paths = replica.http.get("/openapi.json").json()["paths"]
    return [(path, method) for path, found in paths.items() for method in found]


def test_every_operation_keeps_to_the_document(tmp_path: Path) -> None:
    world = World()
    replica = Replica(world, tmp_path / "service", f"sqlite:///{tmp_path}/ledger.db", **PROMPT)
    try:
        signed = world.sign_snapshot(snapshot())
        assert replica.http.post("/v1/snapshots", json=signed).status_code == 201
        hold(replica, tmp_path, BRIEF, 480)
    finally:
        replica.close()


@pytest.mark.fuzz
def test_every_operation_keeps_to_the_document_for_long(start: Start, tmp_path: Path) -> None:
    hold(start(**PROMPT).replica, tmp_path, LONG, 1200)
