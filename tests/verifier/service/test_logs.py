"""Whatever happens, the log holds no secret, and the ledger nothing of a position."""

import hashlib
import hmac
import sqlite3
from pathlib import Path

import pytest

from tests.verifier.service.conftest import Scene
from tests.verifier.service.postgres import Postgres
from tests.verifier.service.world import ADMIN_KEY, TICKS, Replica, World, snapshot, submit
from zkmargin.verifier.service.problems import UnavailableError
from zkmargin.verifier.service.store.database import Database

PASSWORD = "correct-horse-battery"


def test_a_full_run_at_its_most_talkative_tells_no_secret(folder: Path, tmp_path: Path) -> None:
    server, world = Postgres(folder / "talkative"), World()
    url = server.database("ledger").replace("@", f":{PASSWORD}@")
    replica = Replica(world, tmp_path / "replica", url, log_level="debug", sweep_seconds=0.1, renew_seconds=1)
    try:
        scene = Scene(world, replica, snapshot())
        secrets = _run(scene)
        server.stop("immediate")
        assert scene.http.get("/readyz").status_code == 503
        server.start()
    finally:
        replica.close()
        server.stop("immediate")
    log = (replica.folder / "log").read_text()
    assert len(log.splitlines()) > 20
    assert '"event": "background"' in log
    for what, secret in secrets.items():
        assert secret not in log, what


def test_a_ledger_knows_nothing_of_a_position(tmp_path: Path) -> None:
    world = World()
    replica = Replica(world, tmp_path / "replica", f"sqlite:///{tmp_path}/ledger.db", log_level="debug")
    try:
        secrets = _run(Scene(world, replica, snapshot()))
    finally:
        replica.close()
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        dump = "\n".join(connection.iterdump())
    assert "zkmargin/receipt" in dump
    for what, secret in secrets.items():
        assert secret not in dump, what


def test_a_database_that_is_not_there_is_told_without_its_password() -> None:
    database = Database(f"postgresql://somebody:{PASSWORD}@127.0.0.1:1/nothing")
    with pytest.raises(UnavailableError) as found:
        database.migrate()
    assert PASSWORD not in str(found.value)


def _run(scene: Scene) -> dict[str, str]:
    """Everything that a service is asked, well and badly; returns what must not be seen anywhere."""
    http, admin, world = scene.http, scene.replica.admin(), scene.world
    assert http.post("/v1/snapshots", json=world.sign_snapshot(scene.snapshot)).status_code == 201
    key = http.post("/v1/keys", json={"name": "desk", "role": "protocol"}, headers=admin).json()["key"]
    hook = {"name": "hook", "url": "http://127.0.0.1:1/nobody"}
    webhook = http.post("/v1/webhooks", json=hook, headers=admin).json()["secret"]
    trader = scene.trader()
    accounts = [trader.account(scene.snapshot, 31_415_926), trader.account(scene.snapshot, 600, "beta")]
    pledge = trader.pledge(http, accounts, scene.snapshot, 5).json()["pledge"]
    asked = trader.challenge(http, accounts, 1)
    made = trader.prove(accounts, scene.snapshot, asked["nonce"], 1, asked["threshold"])
    unused = trader.challenge(http, accounts, 1)["nonce"]
    spoiled = made.model_copy(update={"proof": made.proof[:-2] + "00"})
    assert submit(http, spoiled).status_code == 422
    assert submit(http, made).status_code == 201
    assert submit(http, made).status_code == 409
    for path in ("/v1/proofs", "/v1/challenges", "/v1/batches"):
        assert http.post(path, content=f'{{"key": "{key}"').status_code == 422
    assert http.get("/v1/pledges", headers={"authorization": "Bearer stolen-key-1"}).status_code == 401
    assert http.get("/v1/pledges", headers={"authorization": f"Bearer {key}"}).status_code == 200
    assert http.post(f"/v1/pledges/{pledge}/call", headers=admin).status_code == 200
    service = world.service.export()
    return {
        "the key for administration": ADMIN_KEY,
        "a protocol's key": key,
        "a key that nobody knows": "stolen-key-1",
        "a webhook's secret": webhook,
        "the database's password": PASSWORD,
        "the key that signs receipts": service.hex(),
        "the key of nonces": hmac.digest(service, b"zkmargin/challenge/1", hashlib.sha256).hex(),
        "a nonce that has not worked yet": unused,
        "the subject's key": trader.key.export().hex(),
        "a venue's key": world.venues["alpha"].export().hex(),
        "a quantity": str(31_415_926 * TICKS),
        "a blinder": str(accounts[0][1].blinder),
        "a blinder in hexadecimal": f"{accounts[0][1].blinder:x}",
        "another blinder": str(accounts[1][1].blinder),
    }
