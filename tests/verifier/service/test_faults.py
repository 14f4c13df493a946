"""Replicas at once, processes that die, databases that go: no acknowledged pledge is lost, and none is made twice."""

import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

import httpx
import pytest

from tests.verifier.service.conftest import Scene
from tests.verifier.service.postgres import Postgres
from tests.verifier.service.world import TICKS, Replica, Trader, World, snapshot, submit
from zkmargin.attestation import SubmissionDocument
from zkmargin.verifier.service.store.event_log import Event, verify_chain

Start = Callable[..., Scene]


def race(start: Start, rounds: int) -> None:
    """Two replicas are offered the same last excess at the same moment.

    Of an account that is new to the ledger, making its row decides; of one that is known, nothing but its lock.
    """
    one = start()
    other = start()
    trader = one.trader()
    with ThreadPoolExecutor(2) as pool:
        for taken in islice(cycle((0, 40)), rounds):
            account = [trader.account(one.snapshot, 100)]
            if taken:
                assert trader.pledge(one.http, account, one.snapshot, taken).status_code == 201
            rest = 100 - taken
            nonces = [trader.challenge(scene.http, account, rest)["nonce"] for scene in (one, other)]
            made = [trader.prove(account, one.snapshot, nonce, rest, 100 * TICKS) for nonce in nonces]
            answers = list(pool.map(submit, (one.http, other.http), made))
            assert sorted(answer.status_code for answer in answers) == [201, 409]
            assert {answer.json().get("code") for answer in answers} == {None, "threshold"}
            assert trader.challenge(one.http, account, 0)["covered"] == 100 * TICKS


def test_of_two_replicas_taking_the_last_excess_exactly_one_wins(start: Start) -> None:
    race(start, 50)


@pytest.mark.fuzz
def test_of_two_replicas_taking_the_last_excess_exactly_one_wins_a_thousand_times(start: Start) -> None:
    race(start, 1000)


def test_a_policy_that_another_replica_was_given_counts_at_once(start: Start) -> None:
    """A replica remembers the policy it saw last; the transaction that records looks whether it is still in force."""
    one, other = start(), start()
    trader = one.trader()
    account = [trader.account(one.snapshot, 1000)]
    assert trader.pledge(other.http, account, one.snapshot, 60).status_code == 201
    asked = trader.challenge(other.http, account, 60)
    made = trader.prove(account, one.snapshot, asked["nonce"], 60, asked["threshold"])
    strict = one.world.policy(max_pledge="50")
    assert one.http.put("/v1/policy", json=strict, headers=one.replica.admin()).status_code == 200
    answer = submit(other.http, made)
    assert (answer.status_code, answer.json()["code"]) == (422, "pledge-limit")


def test_one_proof_offered_to_two_replicas_counts_once(start: Start) -> None:
    one, other = start(), start()
    trader = one.trader()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(10):
            account = [trader.account(one.snapshot, 1000)]
            made = trader.prove(
                account, one.snapshot, trader.challenge(one.http, account, 1)["nonce"], 1, 10 * TICKS
            )
            answers = list(pool.map(submit, (one.http, other.http), (made, made)))
            assert sorted(answer.status_code for answer in answers) == [201, 409]
            assert {answer.json().get("code") for answer in answers} == {None, "nonce-used"}


def test_what_was_released_is_not_renewed_at_the_same_moment(start: Start) -> None:
    one, other = start(), start()
    trader = one.trader()
    path, headers = "/v1/pledges/{}/release", one.replica.admin()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(12):
            account = [trader.account(one.snapshot, 100)]
            pledge = trader.pledge(one.http, account, one.snapshot, 100).json()["pledge"]
            nonce = trader.challenge(one.http, account, 100, renews=pledge)["nonce"]
            made = trader.prove(account, one.snapshot, nonce, 100)
            renewal = pool.submit(submit, one.http, made, pledge)
            release = pool.submit(other.http.post, path.format(pledge), headers=headers)
            assert release.result().status_code == 200
            answer = renewal.result()
            assert answer.status_code == 201 or answer.json()["code"] == "renewal"
            found = one.http.get(f"/v1/pledges/{pledge}", headers=headers).json()
            assert found["status"] == "released"
            assert trader.challenge(one.http, account, 0)["covered"] == 0


def test_what_was_released_is_not_called_at_the_same_moment(start: Start) -> None:
    one, other = start(), start()
    trader = one.trader()
    path, headers = "/v1/pledges/{}/{}", one.replica.admin()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(12):
            account = [trader.account(one.snapshot, 100)]
            pledge = trader.pledge(one.http, account, one.snapshot, 100).json()["pledge"]
            call = pool.submit(one.http.post, path.format(pledge, "call"), headers=headers)
            release = pool.submit(other.http.post, path.format(pledge, "release"), headers=headers)
            assert release.result().status_code == 200
            answer = call.result()
            assert answer.status_code == 200 or answer.json()["code"] == "pledge-status"
            found = one.http.get(f"/v1/pledges/{pledge}", headers=headers).json()
            assert found["status"] == "released"


def proofs(scene: Scene, trader: Trader, count: int) -> list[SubmissionDocument]:
    """Of an account each, which they use up."""
    made = []
    for _ in range(count):
        account = [trader.account(scene.snapshot, 100)]
        nonce = trader.challenge(scene.http, account, 100)["nonce"]
        made.append(trader.prove(account, scene.snapshot, nonce, 100))
    return made


def check_nothing_lost_or_twice(
    scene: Scene, trader: Trader, made: list[SubmissionDocument], acknowledged: dict[str, str]
) -> None:
    """Offer all proofs again: every one has become one pledge, and what was acknowledged still is what it was."""
    for one in made:
        answer = submit(scene.http, one)
        if one.nonce in acknowledged:
            assert answer.json()["pledge"] == acknowledged[one.nonce]
        assert answer.status_code == 201 or answer.json()["code"] == "nonce-used"
    query = {"subject": trader.key.address, "most": 200}
    found = scene.http.get("/v1/pledges", params=query, headers=scene.replica.admin()).json()["pledges"]
    assert len(found) == len(made)
    ids = {pledge["id"] for pledge in found}
    assert set(acknowledged.values()) <= ids
    events = log_of(scene)
    verify_chain(events)
    assert sum(event.kind == "pledge.active" and event.subject in ids for event in events) == len(made)


def log_of(scene: Scene) -> list[Event]:
    """The whole log."""
    events = list[Event]()
    while True:
        query = {"after": len(events)}
        page = scene.http.get("/v1/log", params=query, headers=scene.replica.admin()).json()["events"]
        if not page:
            return events
        events += [Event(**event) for event in page]


def test_kill_9_in_the_middle_of_load_loses_no_acknowledged_pledge(start: Start) -> None:
    scene = start()
    trader = scene.trader()
    made = proofs(scene, trader, 60)
    acknowledged = dict[str, str]()

    def offer(one: SubmissionDocument) -> None:
        try:
            answer = submit(scene.http, one)
        except httpx.TransportError:
            return
        if answer.status_code == 201:
            acknowledged[answer.json()["nonce"]] = answer.json()["pledge"]
        if len(acknowledged) == 20:
            os.killpg(scene.replica.process.pid, signal.SIGKILL)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(offer, made))
    assert 20 <= len(acknowledged) < 60
    scene.replica.process.wait()
    scene.replica.start()
    check_nothing_lost_or_twice(scene, trader, made, acknowledged)


def test_kill_9_of_one_worker_of_several_is_made_good_under_load(start: Start) -> None:
    kill_one_of_several(start(workers=2), 40, 2)


@pytest.mark.fuzz
def test_kill_9_of_one_worker_of_several_is_made_good_again_and_again(start: Start) -> None:
    scene = start(workers=3)
    for number in range(20):
        kill_one_of_several(scene, 150, 3 + number)


def kill_one_of_several(scene: Scene, count: int, begun: int) -> None:
    """Kill the busiest worker while proofs come in; `begun` workers have been ready so far."""
    trader = scene.trader()
    made = proofs(scene, trader, count)
    until(lambda: len(scene.replica.logged("ready")) == begun, "all workers answer")
    before = scene.replica.workers()
    acknowledged, killed, once = dict[str, str](), list[int](), threading.Lock()

    def offer(part: list[SubmissionDocument]) -> None:
        # What breaks is offered again, as a client would.
        waiting = [*part]
        with httpx.Client(base_url=scene.http.base_url, timeout=30, trust_env=False) as http:
            while waiting:
                try:
                    answer = submit(http, waiting[-1])
                except httpx.TransportError:
                    continue
                one = waiting.pop()
                if answer.status_code == 201:
                    acknowledged[one.nonce] = answer.json()["pledge"]
                else:
                    assert answer.json()["code"] == "nonce-used"
                if len(acknowledged) >= 12 and once.acquire(blocking=False):
                    killed.append(max(before, key=seconds_used))
                    os.kill(killed[0], signal.SIGKILL)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(offer, (made[k::8] for k in range(8))))
        assert scene.http.get("/readyz").status_code == 200
    assert killed
    until(lambda: len(scene.replica.logged("ready")) == begun + 1, "the worker was started again")
    after = scene.replica.workers()
    assert len(after) == len(before)
    assert killed[0] not in after
    check_nothing_lost_or_twice(scene, trader, made, acknowledged)


@pytest.fixture(scope="module")
def several(folder: Path) -> Iterator[Scene]:
    """A service of two workers. Tests leave it running."""
    world = World()
    replica = Replica(world, folder / "several", f"sqlite:///{folder}/several.db", workers=2)
    taken = snapshot()
    try:
        replica.http.post("/v1/snapshots", json=world.sign_snapshot(taken)).raise_for_status()
        until(lambda: len(replica.logged("ready")) == 2, "both workers answer")
        yield Scene(world, replica, taken)
    finally:
        replica.close()


def test_workers_do_not_outlive_the_process_that_started_them(several: Scene) -> None:
    replica = several.replica
    ended = len(replica.logged("stopped"))
    begun = len(replica.logged("ready"))
    os.kill(replica.process.pid, signal.SIGKILL)
    replica.process.wait()
    until(lambda: len(replica.logged("stopped")) == ended + 2, "both workers have stopped")
    replica.start()
    until(lambda: len(replica.logged("ready")) == begun + 2, "both workers answer")


def test_a_request_under_way_is_answered_though_the_service_is_told_to_stop(several: Scene) -> None:
    replica, trader = several.replica, several.trader()
    ended, begun = len(replica.logged("stopped")), len(replica.logged("ready"))
    made = [one.encode() for one in proofs(several, trader, 8)]
    halves = []
    for body in made:
        connection = socket.create_connection(("127.0.0.1", replica.port), 20)
        connection.sendall(b"POST /v1/proofs HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body))
        connection.sendall(body[:1000])
        halves.append((connection, body[1000:]))
    time.sleep(0.3)
    replica.process.terminate()
    time.sleep(0.7)
    for connection, rest in halves:
        connection.sendall(rest)
    for connection, _ in halves:
        with connection:
            assert connection.recv(4096).startswith(b"HTTP/1.1 201")
    assert replica.stop() == 0
    assert len(replica.logged("stopped")) == ended + 2
    replica.start()
    until(lambda: len(replica.logged("ready")) == begun + 2, "both workers answer")
    query = {"subject": trader.key.address}
    found = several.http.get("/v1/pledges", params=query, headers=replica.admin()).json()["pledges"]
    assert len(found) == len(made)


def test_more_than_can_wait_is_told_to_come_back(start: Start) -> None:
    scene = start(queue=2, batch=1)
    trader = scene.trader()
    made = proofs(scene, trader, 24)
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda one: submit(scene.http, one), made))
    refused = [answer for answer in answers if answer.status_code != 201]
    assert 0 < len(refused) < len(made)
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert answer.headers["retry-after"] == "1"
    acknowledged = {a.json()["nonce"]: a.json()["pledge"] for a in answers if a.status_code == 201}
    check_nothing_lost_or_twice(scene, trader, made, acknowledged)


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, f"not seen in time: {what}"
        time.sleep(0.05)


def seconds_used(process: int) -> int:
    """Ticks of a processor that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_service_that_is_told_to_stop_answers_what_is_under_way(start: Start) -> None:
    scene = start()
    trader = scene.trader()
    account = [trader.account(scene.snapshot, 1000)]
    made = [
        trader.prove(
            account, scene.snapshot, trader.challenge(scene.http, account, 1)["nonce"], 1, 900 * TICKS
        )
        for _ in range(20)
    ]
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(submit, scene.http, one) for one in made]
        time.sleep(0.03)
        scene.replica.stop()
    failed = [answer.exception() for answer in answers if answer.exception()]
    assert all(isinstance(error, httpx.TransportError) for error in failed)
    done = [answer.result().json()["pledge"] for answer in answers if not answer.exception()]
    scene.replica.start()
    for pledge in done:
        assert scene.http.get(f"/v1/receipts/{pledge}").status_code == 200


def test_the_database_gone_and_back(folder: Path, tmp_path: Path) -> None:
    server = Postgres(folder / "fragile")
    world = World()
    replica = Replica(world, tmp_path / "replica", server.database("ledger"))
    try:
        taken = snapshot()
        replica.http.post("/v1/snapshots", json=world.sign_snapshot(taken)).raise_for_status()
        scene = Scene(world, replica, taken)
        trader = scene.trader()
        made = proofs(scene, trader, 40)
        acknowledged, once = dict[str, str](), threading.Lock()

        def offer(one: SubmissionDocument) -> None:
            answer = submit(scene.http, one)
            if answer.status_code == 201:
                acknowledged[one.nonce] = answer.json()["pledge"]
            else:
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            if len(acknowledged) >= 10 and once.acquire(blocking=False):
                server.stop("immediate")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(offer, made))
        assert 10 <= len(acknowledged) < 40
        assert scene.http.get("/healthz").status_code == 200
        account = [{"venue": "alpha", "account": "x"}]
        asked = {"subject": trader.key.address, "accounts": account, "amount": 1}
        for answer in (scene.http.get("/readyz"), scene.http.post("/v1/challenges", json=asked)):
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert answer.headers["retry-after"]
        server.start()
        assert scene.http.get("/readyz").status_code == 200
        check_nothing_lost_or_twice(scene, trader, made, acknowledged)
    finally:
        replica.close()
        server.stop("immediate")


def test_a_full_disk_is_told_and_harms_nothing(tmp_path: Path) -> None:
    world = World()
    replica = Replica(world, tmp_path / "replica", f"sqlite:///{tmp_path}/full.db")
    try:
        taken = snapshot()
        replica.http.post("/v1/snapshots", json=world.sign_snapshot(taken)).raise_for_status()
        scene = Scene(world, replica, taken)
        trader = scene.trader()
        account = [trader.account(taken, 1000)]
        nonces = [trader.challenge(scene.http, account, 10)["nonce"] for _ in range(2)]
        made = [trader.prove(account, taken, nonce, 10, 900 * TICKS) for nonce in nonces]
        # What a full disk does: nothing can be written any more, by this process.
        full = (4096, resource.RLIM_INFINITY)
        before = resource.prlimit(replica.process.pid, resource.RLIMIT_FSIZE, full)
        answer = submit(scene.http, made[0])
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        resource.prlimit(replica.process.pid, resource.RLIMIT_FSIZE, before)
        assert submit(scene.http, made[0]).status_code == 201
        assert submit(scene.http, made[1]).status_code == 201
    finally:
        replica.close()
