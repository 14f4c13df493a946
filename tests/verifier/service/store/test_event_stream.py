"""Events reach listeners and webhooks, in order, signed, and again if they were refused."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.verifier.service.conftest import Scene
from zkmargin.verifier.service.process.webhooks import signed_by
from zkmargin.verifier.service.store.event_log import ChainError, Event, verify_chain

Start = Callable[..., Scene]


class Receiver(HTTPServer):
    """Takes deliveries, refusing the first few."""

    def __init__(self, refuse: int) -> None:
        super().__init__(("127.0.0.1", 0), _Delivery)
        self.refuse, self.taken, self.refused = refuse, list[tuple[dict[str, str], bytes]](), 0


class _Delivery(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        refused = self.server.refused < self.server.refuse
        if refused:
            self.server.refused += 1
        else:
            self.server.taken.append((dict(self.headers), body))
        self.send_response(500 if refused else 204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver(refuse=2)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_webhooks_are_signed_and_tried_again(scene: Scene, receiver: Receiver) -> None:
    admin = scene.replica.admin()
    asked = {"name": "hook", "url": f"http://127.0.0.1:{receiver.server_port}/events"}
    made = scene.http.post("/v1/webhooks", json=asked, headers=admin)
    assert made.status_code == 201
    secret = made.json()["secret"]
    trader = scene.trader()
    account = [trader.account(scene.snapshot, 100)]
    pledges = [trader.pledge(scene.http, account, scene.snapshot, 1).json()["pledge"] for _ in range(3)]
    deadline = time.monotonic() + 20
    while len(receiver.taken) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert receiver.refused == 2
    assert [json.loads(body)["subject"] for _, body in receiver.taken[:3]] == pledges
    for headers, body in receiver.taken:
        signature = headers["zkmargin-signature"]
        assert signed_by(secret, signature, body, time.time())
        assert not signed_by(secret, signature, body + b" ", time.time())
        assert not signed_by("0" * 64, signature, body, time.time())
        assert not signed_by(secret, signature, body, time.time() + 3600)
    assert secret not in scene.http.get("/v1/webhooks", headers=admin).text
    assert scene.http.delete("/v1/webhooks/hook", headers=admin).status_code == 204


def test_events_are_streamed_and_resumed(scene: Scene) -> None:
    admin = scene.replica.admin()
    trader = scene.trader()
    account = [trader.account(scene.snapshot, 100)]
    first = trader.pledge(scene.http, account, scene.snapshot, 1).json()["pledge"]
    after = next(e["sequence"] for e in _log(scene) if e["subject"] == first) - 1
    with scene.http.stream("GET", "/v1/events", params={"after": after}, headers=admin) as stream:
        lines = stream.iter_lines()
        seen = _next(lines)
        assert (seen["subject"], seen["kind"]) == (first, "pledge.active")
        second = trader.pledge(scene.http, account, scene.snapshot, 1).json()["pledge"]
        assert _next(lines)["subject"] == second
    resumed = {**admin, "last-event-id": str(seen["sequence"])}
    with scene.http.stream("GET", "/v1/events", headers=resumed) as stream:
        assert _next(stream.iter_lines())["subject"] == second


def test_a_stream_ends_when_it_was_asked_to(scene: Scene) -> None:
    admin = scene.replica.admin()
    trader = scene.trader()
    made = trader.pledge(scene.http, [trader.account(scene.snapshot, 100)], scene.snapshot, 1).json()[
        "pledge"
    ]
    last = _log(scene)[-1]["sequence"]
    there = scene.http.get("/v1/events", params={"after": last - 1, "seconds": 0}, headers=admin)
    assert there.headers["content-type"].startswith("text/event-stream")
    assert _next(iter(there.text.splitlines()))["subject"] == made
    started = time.monotonic()
    none = scene.http.get("/v1/events", params={"after": last, "seconds": 1}, headers=admin)
    assert 0.9 < time.monotonic() - started < 10
    assert "data:" not in none.text


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "http://[::1",
        "http://a:b@c.example/",
        "http://a.example:70000/",
        "http://",
        "http:///x",
    ],
)
def test_webhooks_go_to_addresses_only(scene: Scene, url: str) -> None:
    answer = scene.http.post("/v1/webhooks", json={"name": "no", "url": url}, headers=scene.replica.admin())
    assert (answer.status_code, answer.json()["code"]) == (422, "document")


def test_a_webhook_that_always_refuses_is_suspended(start: Start) -> None:
    scene = start(webhook_backoff=0.01, webhook_attempts=2)
    admin = scene.replica.admin()
    asked = {"name": "gone", "url": "http://127.0.0.1:9/events"}
    scene.http.post("/v1/webhooks", json=asked, headers=admin).raise_for_status()
    trader = scene.trader()
    trader.pledge(scene.http, [trader.account(scene.snapshot, 100)], scene.snapshot, 1).raise_for_status()
    deadline = time.monotonic() + 20
    while not (found := scene.http.get("/v1/webhooks", headers=admin).json()[0])["suspended"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (found["attempts"], found["finding"]) == (2, "ConnectError")


def test_a_changed_log_is_found(scene: Scene) -> None:
    events = [Event(**event) for event in _log(scene)]
    verify_chain(events)
    for changed in (
        [events[0].model_copy(update={"time": events[0].time + 1}), *events[1:]],
        [events[0], *events[2:]],
        [events[1], events[0], *events[2:]],
    ):
        with pytest.raises(ChainError, match="does not follow"):
            verify_chain(changed)


def _log(scene: Scene) -> list[dict[str, Any]]:
    found, after = list[dict[str, Any]](), 0
    while True:
        page = scene.http.get("/v1/log", params={"after": after}, headers=scene.replica.admin()).json()[
            "events"
        ]
        if not page:
            return found
        found += page
        after = page[-1]["sequence"]


def _next(lines: Iterator[str]) -> dict[str, Any]:
    for line in lines:
        if line.startswith("data: "):
            document: dict[str, Any] = json.loads(line.removeprefix("data: "))
            return document
    raise AssertionError("the stream ended")
