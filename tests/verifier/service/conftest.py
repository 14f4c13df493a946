"""Services on both databases, started once for all tests that do not break anything."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.service.postgres import Postgres
from tests.verifier.service.world import Replica, Trader, World, snapshot
from zkmargin.margin.snapshot.snapshot import Snapshot

DATABASES = ("sqlite", "postgresql")


@dataclass
class Scene:
    """A running service, with a snapshot taken in."""

    world: World
    replica: Replica
    snapshot: Snapshot

    @property
    def http(self) -> Any:
        return self.replica.http

    def trader(self) -> Trader:
        return Trader(self.world)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Below /tmp directly: PostgreSQL runs as somebody else, and must be able to get there."""
    with tempfile.TemporaryDirectory(prefix="zkmargin-service-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder / "postgres")
    yield server
    server.stop("immediate")


@pytest.fixture(scope="session")
def new_database(request: pytest.FixtureRequest, folder: Path) -> Callable[[str], str]:
    """Makes an empty database of a kind."""
    count = 0

    def make(kind: str) -> str:
        nonlocal count
        count += 1
        if kind == "sqlite":
            return f"sqlite:///{folder}/ledger{count}.db"
        server: Postgres = request.getfixturevalue("postgres")
        return server.database(f"ledger{count}")

    return make


@pytest.fixture(scope="session", params=DATABASES)
def scene(
    request: pytest.FixtureRequest, folder: Path, new_database: Callable[[str], str]
) -> Iterator[Scene]:
    """A service that all tests share: each brings its own accounts."""
    world = World()
    replica = Replica(
        world,
        folder / f"shared-{request.param}",
        new_database(request.param),
        webhook_backoff=0.1,
        event_seconds=0.1,
    )
    try:
        taken = snapshot()
        assert replica.http.post("/v1/snapshots", json=world.sign_snapshot(taken)).status_code == 201
        yield Scene(world, replica, taken)
    finally:
        replica.close()


@pytest.fixture(params=DATABASES)
def start(
    request: pytest.FixtureRequest, folder: Path, tmp_path: Path, new_database: Callable[[str], str]
) -> Iterator[Callable[..., Scene]]:
    """Starts services that a test may break; a second one shares the database of the first.

    With `taken`, no snapshot is handed in: the first service has one already.
    """
    world, started = World(), list[Replica]()
    database = new_database(request.param)

    def begin(**settings: Any) -> Scene:
        taken: Snapshot | None = settings.pop("taken", None)
        if changes := settings.pop("policy_changes", None):
            settings["policy"] = world.policy(**changes)
        replica = Replica(world, tmp_path / str(len(started)), database, **settings)
        started.append(replica)
        if taken is not None:
            return Scene(world, replica, taken)
        taken = snapshot()
        assert replica.http.post("/v1/snapshots", json=world.sign_snapshot(taken)).status_code == 201
        return Scene(world, replica, taken)

    yield begin
    for replica in started:
        replica.close()
