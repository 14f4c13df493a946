"""Snapshots are pulled from oracles over HTTP: what is wrong is told and counted, and the service goes on."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.verifier.service.conftest import Scene
from tests.verifier.service.intake.test_rows import committed, forged
from tests.verifier.service.world import snapshot
from zkmargin.attestation import SigningKey

Start = Callable[..., Scene]
Answer = Callable[[BaseHTTPRequestHandler], None]

LIMIT = 1 << 20
SECONDS = 0.6


class Oracle(ThreadingHTTPServer):
    """Answers as it is told, and remembers what was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.answer: Answer = status(404)
        self.asked = list[str]()

    @property
    def url(self) -> str:
        return f"http://user:secret@127.0.0.1:{self.server_port}/snapshot.json?token=secret"


class _Asked(BaseHTTPRequestHandler):
    server: Oracle

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.answer(self)

    def log_message(self, *_: Any) -> None:
        return


def body(content: bytes) -> Answer:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return send


def document(content: Any) -> Answer:
    return body(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode())


def status(code: int, **headers: str) -> Answer:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()

    return send


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, for ever: no single wait is long."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(200):
        try:
            handler.wfile.write(b" ")
        except OSError:
            return
        time.sleep(0.05)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        try:
            handler.wfile.write(b" " * 65536)
        except OSError:
            return


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.close()


@pytest.fixture
def oracles() -> Iterator[list[Oracle]]:
    found = [Oracle(), Oracle()]
    for one in found:
        threading.Thread(target=one.serve_forever, daemon=True).start()
    yield found
    for one in found:
        one.shutdown()
        one.server_close()


def test_what_oracles_answer_is_taken_or_told(start: Start, oracles: list[Oracle]) -> None:
    first, second = oracles
    scene = start(
        oracles=[one.url for one in oracles],
        oracle_seconds=0.05,
        pull_seconds=SECONDS,
        snapshot_limit=LIMIT,
    )
    world = scene.world
    fresh = _rising()

    def signed(taken: Any, key: SigningKey | None = None) -> dict[str, Any]:
        return world.sign_snapshot(taken, key)

    tampered = signed(next(fresh))
    tampered["snapshot"]["marks"][0] += 1
    other_signature = signed(next(fresh)) | {"signature": signed(next(fresh))["signature"]}
    bad_signature = signed(next(fresh))
    bad_signature["signature"]["signature"] = "0x" + "11" * 64 + "1b"
    false_rows = next(fresh)
    answers: dict[str, Answer] = {
        "oracle-unknown": document(signed(next(fresh), SigningKey.generate())),
        "oracle-signature": document(bad_signature),
        "snapshot-future": document(signed(snapshot(time.time() + 700))),
        "older": document(signed(snapshot(time.time() - 300))),
        "rows": document(signed(false_rows) | {"rows": [json.loads(forged(committed(false_rows)).encode())]}),
        "too-large": endless,
        "slow": drip,
        "redirect": status(302, location=second.url),
        "status": status(410),
        "unreachable": hang_up,
    }
    for outcome, answer in answers.items():
        before = newest(scene)
        meet(first, answer, lambda name=outcome: count(scene, name))  # type: ignore[misc]
        assert newest(scene) == before, outcome
    for broken in (
        document(tampered),
        document(other_signature),
        body(b"{"),
        body(b"\xff\xfe"),
        body(b'{"snapshot":1,"snapshot":2}'),
        document([]),
        body(b"[" * 100_000),
    ):
        meet(first, broken, lambda: count(scene, "document") + count(scene, "oracle-signature"))
    # While one is slow, another is heard.
    first.answer = drip
    good = snapshot(btc="88999")
    second.answer = document(signed(good) | {"rows": [json.loads(committed(good).encode())]})
    wait(lambda: newest(scene) == good.id)
    assert [one["model"] for one in scene.http.get(f"/v1/snapshots/{good.id}/rows").json()] == ["isolated"]
    wait(lambda: count(scene, "same") > 0)
    trader = scene.trader()
    assert trader.pledge(scene.http, [trader.account(good, 100)], good, 10).status_code == 201
    log = (scene.replica.folder / "log").read_text()
    told = [json.loads(line) for line in log.splitlines() if '"event": "oracle"' in line]
    assert {line["outcome"] for line in told} >= {*answers, "document"}
    assert "secret" not in log
    assert all(line["url"].startswith("http://127.0.0.1:") for line in told)


def _rising() -> Iterator[Any]:
    """Snapshots, none like another."""
    price = 88300
    while True:
        price += 1
        yield snapshot(btc=str(price))


def newest(scene: Scene) -> str:
    return str(scene.http.get("/v1/snapshots", params={"most": 1}).json()[0]["id"])


def count(scene: Scene, outcome: str) -> float:
    """How often the service has counted an outcome."""
    start = f'zkmargin_oracle_pulls_total{{outcome="{outcome}"}} '
    lines = scene.http.get("/metrics").text.splitlines()
    return sum(float(line.removeprefix(start)) for line in lines if line.startswith(start))


def meet(oracle: Oracle, answer: Answer, counted: Callable[[], float]) -> None:
    """Let the service meet an answer, until it has counted it."""
    before = counted()
    oracle.answer = answer
    wait(lambda: counted() > before, repr(answer))
    oracle.answer = status(404)


def wait(holds: Callable[[], bool], told: str = "", seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"it did not come about: {told}"
        time.sleep(0.02)
