"""A ledger that an earlier version filled: brought forward it keeps everything, and goes on."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError

from tests.verifier.service.conftest import DATABASES, Scene
from tests.verifier.service.intake.test_rows import committed
from tests.verifier.service.world import TICKS, Account, Replica, Trader, World, snapshot, submit
from zkmargin.attestation import SubmissionDocument
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.verifier.service.store.database import Database
from zkmargin.verifier.service.store.event_log import Event, verify_chain
from zkmargin.verifier.service.store.schema import EVENTS, HEAD, METADATA, ROWS

FIRST = "0001"
"""The version before committed rows."""

Contents = dict[str, list[tuple[Any, ...]]]


@dataclass
class Kept:
    """What was recorded before the upgrade.

    Attributes:
        world: everybody's keys.
        older, newer: snapshots; pledges were proven against both.
        trader, accounts: who pledged, and out of what.
        used: a submission that was recorded.
        receipts: the text of each receipt, by pledge.
        statuses: by pledge.
        key: a protocol's, made there.
        events: the whole log.
    """

    world: World
    older: Snapshot
    newer: Snapshot
    trader: Trader
    accounts: list[Account]
    used: SubmissionDocument
    receipts: dict[str, str]
    statuses: dict[str, str]
    key: str
    events: list[Any]


@pytest.fixture(scope="module", params=DATABASES)
def filled(
    request: pytest.FixtureRequest, folder: Path, new_database: Callable[[str], str]
) -> tuple[Kept, Callable[[], str]]:
    """What was recorded, and what makes databases of the first version that hold it."""
    source = new_database(request.param)
    kept = live(source, folder / f"filled-{request.param}")

    def make() -> str:
        url = new_database(request.param)
        origin, copy = Database(source), Database(url)
        copy.migrate(FIRST)
        copy.write(lambda c: transfer(origin, c))
        origin.close()
        copy.close()
        return url

    return kept, make


def live(database: str, folder: Path) -> Kept:
    """Run a service for a while: everything that fills a table happens."""
    world = World()
    # Nobody has looked at the pledges again before the ledger is copied.
    replica = Replica(world, folder, database, sweep_seconds=3600, renew_seconds=3600)
    try:
        http, admin = replica.http, replica.admin()
        older = take_in(world, replica, snapshot(time.time() - 60))
        trader = Trader(world)
        accounts = [trader.account(older, 600), trader.account(older, 500, "beta")]
        pledges = [trader.pledge(http, accounts, older, usd).json()["pledge"] for usd in (100, 200, 300, 400)]
        http.post(f"/v1/pledges/{pledges[1]}/call", headers=admin).raise_for_status()
        http.post(f"/v1/pledges/{pledges[2]}/release", headers=admin).raise_for_status()
        newer = take_in(world, replica, snapshot(btc="90000"))
        asked = trader.challenge(http, accounts, 100, pledges[0])
        used = trader.prove(accounts, newer, asked["nonce"], 100, asked["threshold"])
        assert submit(http, used, pledges[0]).status_code == 201
        key = http.post("/v1/keys", json={"name": "desk", "role": "protocol"}, headers=admin).json()["key"]
        hook = {"name": "desk", "url": "http://127.0.0.1:9/"}
        http.post("/v1/webhooks", json=hook, headers=admin).raise_for_status()
        changed = world.policy(max_pledge="5000")
        http.put("/v1/policy", json=changed, headers=admin).raise_for_status()
        listed = http.get("/v1/pledges", headers=admin).json()["pledges"]
        return Kept(
            world,
            older,
            newer,
            trader,
            accounts,
            used,
            {one: http.get(f"/v1/receipts/{one}").text for one in pledges},
            {one["id"]: one["status"] for one in listed},
            key,
            http.get("/v1/log", headers=admin).json()["events"],
        )
    finally:
        replica.close()


def take_in(world: World, replica: Replica, taken: Snapshot) -> Snapshot:
    replica.http.post("/v1/snapshots", json=world.sign_snapshot(taken)).raise_for_status()
    return taken


def tables_in(connection: Connection) -> list[Table]:
    """The ledger's tables that there are, those that others refer to first."""
    present = set(inspect(connection).get_table_names())
    return [table for table in METADATA.sorted_tables if table.name in present]


def contents(connection: Connection) -> Contents:
    """Every row of every table."""
    return {
        table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
        for table in tables_in(connection)
    }


def transfer(origin: Database, connection: Connection) -> None:
    """Write the rows of another ledger into empty tables."""
    for table in tables_in(connection):
        rows = origin.read(lambda c, t=table: c.execute(select(t)).mappings().all())  # type: ignore[misc]
        if table is HEAD:
            connection.execute(table.delete())
        assert rows, f"nothing fills {table.name}"
        connection.execute(insert(table), [dict(row) for row in rows])
    if connection.dialect.name == "postgresql":
        numbers = "pg_get_serial_sequence('accounts', 'id')"
        connection.execute(text(f"SELECT setval({numbers}, (SELECT max(id) FROM accounts))"))


def test_nothing_is_lost_on_the_way(filled: tuple[Kept, Callable[[], str]]) -> None:
    url = filled[1]()
    database, others = Database(url), [Database(url) for _ in range(3)]
    before = database.read(contents)
    assert ROWS.name not in before
    starting = [threading.Thread(target=one.migrate) for one in others]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join()
    database.check()
    assert database.read(contents) == {**before, ROWS.name: []}
    for verb in ("UPDATE events SET content = ''", "DELETE FROM events"):
        with pytest.raises(DBAPIError, match="append-only"), database.engine.begin() as connection:
            connection.execute(text(verb))
    assert len(database.read(contents)[EVENTS.name]) == len(filled[0].events)
    for one in (database, *others):
        one.close()


def test_a_service_goes_on_with_it(filled: tuple[Kept, Callable[[], str]], tmp_path: Path) -> None:
    kept, make = filled
    replica = Replica(kept.world, tmp_path, make(), sweep_seconds=3600, renew_seconds=3600)
    try:
        http, key = replica.http, {"authorization": f"Bearer {kept.key}"}
        for pledge, receipt in kept.receipts.items():
            assert http.get(f"/v1/receipts/{pledge}").text == receipt
        listed = http.get("/v1/pledges", headers=key).json()["pledges"]
        assert {one["id"]: one["status"] for one in listed} == kept.statuses
        assert sorted(kept.statuses.values()) == ["active", "active", "called", "released"]
        assert http.get("/v1/log", headers=key).json()["events"] == kept.events
        assert http.get("/v1/policy").json()["version"] == 2
        hooks = http.get("/v1/webhooks", headers=replica.admin()).json()
        assert [one["name"] for one in hooks] == ["desk"]
        go_on(kept, Scene(kept.world, replica, kept.newer))
        events = http.get("/v1/log", headers=key).json()["events"]
        assert events[: len(kept.events)] == kept.events
        verify_chain([Event(**event) for event in events])
        assert {"rows.accepted", "pledge.renewed"} <= {one["kind"] for one in events[len(kept.events) :]}
    finally:
        replica.close()


def go_on(kept: Kept, scene: Scene) -> None:
    """What was there still counts, and what is new is added to it."""
    http, (renewed, _, _, fresh) = scene.http, kept.receipts
    again = submit(http, kept.used, renewed).json()
    assert (again["code"], again["pledge"]) == ("nonce-used", renewed)
    asked = kept.trader.challenge(http, kept.accounts, 401)
    assert (asked["snapshot"], asked["covered"]) == (kept.newer.id, 700 * TICKS)
    too_much = kept.trader.prove(kept.accounts, kept.newer, asked["nonce"], 401, 1100 * TICKS)
    assert submit(http, too_much).json()["code"] == "threshold"
    asked = kept.trader.challenge(http, kept.accounts, 400, fresh)
    proof = kept.trader.prove(kept.accounts, kept.newer, asked["nonce"], 400, asked["threshold"])
    assert submit(http, proof, fresh).status_code == 201
    assert kept.trader.pledge(http, kept.accounts, kept.newer, 400).status_code == 201
    other = kept.trader.account(kept.newer, 50)
    assert kept.trader.pledge(http, [other], kept.newer, 50).status_code == 201
    for taken in (kept.older, kept.newer):
        assert http.get(f"/v1/snapshots/{taken.id}").json()["snapshot"]["id"] == taken.id
    document = committed(kept.older)
    path = f"/v1/snapshots/{kept.older.id}/rows/isolated/initial"
    assert http.put(path, content=document.encode()).status_code == 201


@pytest.mark.parametrize("kind", DATABASES)
def test_tables_of_a_newer_version_are_left_alone(kind: str, new_database: Callable[[str], str]) -> None:
    database = Database(new_database(kind))
    database.migrate()
    database.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(InputError, match="database: made by a newer version: run the newer version"):
        database.migrate()
    assert (
        database.read(lambda c: c.execute(text("SELECT version_num FROM alembic_version")).scalar()) == "9999"
    )
    database.close()
