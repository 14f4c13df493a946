"""A disk that is really full, under either database: clear answers, nothing half-written, and recovery with room."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.verifier.service.conftest import DATABASES, Scene
from tests.verifier.service.postgres import Postgres
from tests.verifier.service.world import Replica, World, snapshot, submit
from zkmargin.verifier.service.store.event_log import Event, verify_chain

SIZES = {"sqlite": 4, "postgresql": 128}
"""Megabytes of the disk."""


@pytest.fixture(params=DATABASES)
def disk(request: pytest.FixtureRequest, folder: Path) -> Iterator[tuple[str, Path]]:
    """A kind of database, and a small disk for it."""
    place = folder / f"disk-{request.param}"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZES[request.param]}m,mode=0755", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError as error:
        pytest.skip(f"a small disk cannot be made here: {error}")
    if done.returncode:
        pytest.skip(f"a small disk cannot be made here: {done.stderr.strip()}")
    try:
        yield request.param, place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@contextlib.contextmanager
def full(disk: Path) -> Iterator[None]:
    """While it lasts, there is no room for another byte."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while True:
                    os.write(file.fileno(), b"\1" * size)
    try:
        yield
    finally:
        filler.unlink()


def test_a_full_disk_is_told_and_nothing_is_half_written(disk: tuple[str, Path], tmp_path: Path) -> None:
    kind, place = disk
    world, server = World(), Postgres(place / "postgres") if kind == "postgresql" else None
    database = server.database("ledger") if server else f"sqlite:///{place}/ledger.db"
    replica = Replica(world, tmp_path / "replica", database)
    try:
        taken = snapshot()
        replica.http.post("/v1/snapshots", json=world.sign_snapshot(taken)).raise_for_status()
        scene = Scene(world, replica, taken)
        trader = scene.trader()
        made = []
        for _ in range(40):
            account = [trader.account(taken, 100)]
            nonce = trader.challenge(scene.http, account, 100)["nonce"]
            made.append(trader.prove(account, taken, nonce, 100))
        with full(place):
            # What fits into pages that are there already is still recorded; then comes the end.
            answers = [submit(scene.http, one) for one in made]
            refused = [answer for answer in answers if answer.status_code != 201]
            assert refused
            for answer in refused:
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["retry-after"]
            assert scene.http.get("/healthz").status_code == 200
        _wait_until_ready(scene, server)
        kept = {answer.json()["pledge"] for answer in answers if answer.status_code == 201}
        assert _pledges(scene) == kept
        for one, answer in zip(made, answers, strict=True):
            again = submit(scene.http, one)
            if answer.status_code == 201:
                assert again.json()["pledge"] == answer.json()["pledge"]
            else:
                assert again.status_code == 201, again.text
        assert len(_pledges(scene)) == len(made)
        log = scene.http.get("/v1/log", headers=replica.admin()).json()["events"]
        verify_chain([Event(**event) for event in log])
    finally:
        replica.close()
        if server:
            server.stop("immediate")


def _pledges(scene: Scene) -> set[str]:
    page = scene.http.get("/v1/pledges", params={"most": 200}, headers=scene.replica.admin()).json()
    return {pledge["id"] for pledge in page["pledges"]}


def _wait_until_ready(scene: Scene, server: Postgres | None) -> None:
    """PostgreSQL stops when it cannot write ahead; it is started again then, as an operator would."""
    if server and not server.running():
        server.start()
    deadline = time.monotonic() + 20
    while scene.http.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline, "it does not recover"
        time.sleep(0.1)
