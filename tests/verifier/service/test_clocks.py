"""Replicas whose clocks differ: PostgreSQL's decides for all; on SQLite, what one has decided binds the others."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.service.conftest import DATABASES, Scene
from tests.verifier.service.world import TICKS, Account, Replica, Trader, World, snapshot, submit

NEAR, FAR = 20, 3600
"""Seconds that two replicas are ahead."""


@dataclass
class Clocks:
    """Three replicas of one ledger. None looks for lapsed pledges after its start."""

    right: Scene
    near: Scene
    far: Scene
    shared: bool

    def rule(self, clock_skew: int) -> None:
        """Put a policy in force, and let every replica see it."""
        policy = self.right.world.policy(clock_skew=clock_skew, snapshot_age=2 * FAR)
        answer = self.right.http.put("/v1/policy", json=policy, headers=self.right.replica.admin())
        assert answer.status_code == 200
        for scene in (self.near, self.far):
            assert scene.http.get("/v1/policy").json()["version"] == answer.json()["version"]


@pytest.fixture(scope="module", params=DATABASES)
def clocks(
    request: pytest.FixtureRequest, folder: Path, new_database: Callable[[str], str]
) -> Iterator[Clocks]:
    world, database, started = World(), new_database(request.param), list[Replica]()
    try:
        for name, ahead in (("right", 0), ("near", NEAR), ("far", FAR)):
            place = folder / f"clocks-{request.param}-{name}"
            started.append(Replica(world, place, database, ahead=ahead, sweep_seconds=3600))
        taken = snapshot()
        assert started[0].http.post("/v1/snapshots", json=world.sign_snapshot(taken)).status_code == 201
        right, near, far = (Scene(world, replica, taken) for replica in started)
        yield Clocks(right, near, far, shared=request.param == "postgresql")
    finally:
        for replica in started:
            replica.close()


def across(trader: Trader, account: list[Account], issuer: Scene, recorder: Scene) -> tuple[int, Any]:
    """A pledge of a dollar by a nonce of one replica, recorded by another."""
    asked = trader.challenge(issuer.http, account, 1)
    made = trader.prove(account, issuer.snapshot, asked["nonce"], 1, asked["threshold"])
    answer = submit(recorder.http, made)
    return answer.status_code, answer.json()


def status(scene: Scene, pledge: str) -> str:
    return str(scene.http.get(f"/v1/pledges/{pledge}", headers=scene.replica.admin()).json()["status"])


def called(scene: Scene, pledge: str) -> tuple[int, Any]:
    answer = scene.http.post(f"/v1/pledges/{pledge}/call", headers=scene.replica.admin())
    return answer.status_code, answer.json()


def test_replicas_apart_by_less_than_the_policy_s_skew_take_each_other_s_nonces(clocks: Clocks) -> None:
    clocks.rule(clock_skew=30)
    trader = clocks.right.trader()
    account = [trader.account(clocks.right.snapshot, 100)]
    for issuer, recorder in ((clocks.near, clocks.right), (clocks.right, clocks.near)):
        code, answer = across(trader, account, issuer, recorder)
        assert code == 201, answer
    assert trader.challenge(clocks.right.http, account, 0)["covered"] == 2 * TICKS


def test_an_hour_apart_the_database_s_clock_decides_or_nonces_are_refused(clocks: Clocks) -> None:
    clocks.rule(clock_skew=30)
    trader = clocks.right.trader()
    account = [trader.account(clocks.right.snapshot, 100)]
    for issuer, recorder, why in (
        (clocks.far, clocks.right, "from the future"),
        (clocks.right, clocks.far, "has run out"),
    ):
        code, answer = across(trader, account, issuer, recorder)
        if clocks.shared:
            assert code == 201, answer
            assert abs(answer["issued"] - time.time()) < 5
        else:
            assert (code, answer["code"]) == (422, "nonce")
            assert why in answer["detail"]


def test_an_excess_that_a_fast_replica_gives_away_is_not_called_at_a_slow_one(clocks: Clocks) -> None:
    clocks.rule(clock_skew=0)
    right, far = clocks.right, clocks.far
    trader = right.trader()
    account = [trader.account(right.snapshot, 100, expiry=int(time.time()) + 2 * FAR)]
    first = trader.pledge(right.http, account, right.snapshot, 100, expiry=int(time.time()) + 60).json()
    nonce = trader.challenge(far.http, account, 100)["nonce"]
    made = trader.prove(account, right.snapshot, nonce, 100, expiry=int(time.time()) + FAR + 60)
    answer = submit(far.http, made)
    if clocks.shared:
        assert (answer.status_code, answer.json()["code"]) == (409, "threshold")
        assert called(right, first["pledge"])[0] == 200
    else:
        assert answer.status_code == 201, answer.text
        assert status(right, first["pledge"]) == "lapsed"
        assert called(right, first["pledge"])[1]["code"] == "pledge-status"
    assert trader.challenge(right.http, account, 0)["covered"] == 100 * TICKS


def test_a_lapsed_pledge_ends_with_the_proof_that_takes_its_excess(clocks: Clocks) -> None:
    clocks.rule(clock_skew=0)
    scene = clocks.right
    trader = scene.trader()
    accounts = [trader.account(scene.snapshot, 100) for _ in range(2)]
    soon = int(time.time()) + 2
    first, other = (
        trader.pledge(scene.http, [account], scene.snapshot, 100, expiry=soon).json()["pledge"]
        for account in accounts
    )
    time.sleep(max(0.0, soon + 1.1 - time.time()))
    # Nobody has looked for lapsed pledges, and all the same neither can be called any more.
    assert called(scene, other)[1]["detail"] == f"{other} is lapsed and cannot be called"
    again = trader.pledge(scene.http, accounts[:1], scene.snapshot, 100)
    assert again.status_code == 201
    assert status(scene, first) == "lapsed"
    log = scene.http.get("/v1/log", headers=scene.replica.admin()).json()["events"]
    told = [(e["kind"], e["subject"]) for e in log[-2:]]
    assert told == [("pledge.lapsed", first), ("pledge.active", again.json()["pledge"])]
