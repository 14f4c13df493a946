"""Bodies that are too large, too deep, doubled, cut short or slow, keys that are missing: clear problems, no harm."""

import contextlib
import gzip
import json
import socket
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.verifier.service.conftest import Scene
from tests.verifier.service.world import ADMIN_KEY
from zkmargin.verifier.service.store.event_stream import MOST_OF_ONE

Start = Callable[..., Scene]
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "document"),
        (b"[1, 2", "document"),
        (b"\xff\xfe", "document"),
        (b"[" * 200_000, "document"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "document"),
        (b'{"format": "zkmargin/submission", "format": "zkmargin/submission"}', "document"),
        (b'{"version": 1.0, "nonce": NaN}', "document"),
        (b'{"threshold": 1' + b"0" * 5000 + b"}", "document"),
        (b'"' + b"a" * (1 << 20) + b'"', "body-large"),
    ],
    ids=["empty", "cut", "no-text", "deep-list", "deep-object", "twice", "numbers", "long-number", "large"],
)
@pytest.mark.parametrize("path", ["/v1/proofs", "/v1/batches", "/v1/challenges"])
def test_bodies_that_are_no_documents(scene: Scene, path: str, body: bytes, code: str) -> None:
    if path == "/v1/batches" and code == "body-large":
        body = b'"' + b"a" * (5 << 20) + b'"'
    answer = scene.http.post(path, content=body, headers=JSON)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code, answer.text
    assert answer.status_code == (413 if code == "body-large" else 422)
    assert len(answer.content) < 2000


def test_a_body_of_100_megabytes_is_refused_at_once(scene: Scene) -> None:
    with socket.create_connection(("127.0.0.1", scene.replica.port), 10) as connection:
        connection.sendall(b"POST /v1/proofs HTTP/1.1\r\nhost: x\r\ncontent-length: 104857600\r\n\r\n")
        assert connection.recv(64).startswith(b"HTTP/1.1 413")

    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * (1 << 20)

    # The service answers and closes while we are still sending; whether we see the answer is the network's affair.
    with contextlib.suppress(httpx.TransportError):
        assert scene.http.post("/v1/proofs", content=chunks(), headers=JSON).status_code == 413
    assert scene.http.get("/healthz").status_code == 200


def test_slow_and_half_sent_requests_are_given_up(start: Start) -> None:
    scene = start(head_seconds=0.5, body_seconds=0.5)
    sent = {
        b"POST /v1/proofs HT": b"",
        b"POST /v1/proofs HTTP/1.1\r\nhost: x\r\n": b"",
        b"POST /v1/proofs HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{": b"HTTP/1.1 408",
    }
    for half, begins in sent.items():
        with socket.create_connection(("127.0.0.1", scene.replica.port), 10) as connection:
            connection.sendall(half)
            begun = time.monotonic()
            answer = connection.recv(4096)
            assert answer.startswith(begins)
            assert bool(answer) == bool(begins)
            assert time.monotonic() - begun < 5
    # Nor does it help to send a little now and then.
    with socket.create_connection(("127.0.0.1", scene.replica.port), 10) as connection:
        connection.sendall(b"POST /v1/proofs HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n")
        connection.settimeout(0.1)
        answer = b""
        for _ in range(30):
            with contextlib.suppress(TimeoutError, BrokenPipeError):
                connection.sendall(b" ")
                answer = connection.recv(4096)
            if answer:
                break
        assert answer.startswith(b"HTTP/1.1 408")
    assert scene.http.get("/healthz").status_code == 200


def test_listeners_that_leave_make_room_for_others(scene: Scene) -> None:
    head = f"GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN_KEY}\r\n\r\n".encode()

    def listen() -> tuple[socket.socket, bytes]:
        connection = socket.create_connection(("127.0.0.1", scene.replica.port), 10)
        connection.sendall(head)
        return connection, connection.recv(16)

    there = [listen() for _ in range(MOST_OF_ONE + 1)]
    begins = [answer for _, answer in there]
    # There is still room for others.
    asked = {"name": f"reader-{time.monotonic_ns()}", "role": "protocol"}
    key = scene.http.post("/v1/keys", json=asked, headers=scene.replica.admin()).json()["key"]
    other = scene.http.get("/v1/events", params={"seconds": 0}, headers={"authorization": f"Bearer {key}"})
    assert other.status_code == 200
    for connection, _ in there:
        connection.close()
    assert begins == [b"HTTP/1.1 200 OK\r"] * MOST_OF_ONE + [b"HTTP/1.1 503 Ser"]
    deadline = time.monotonic() + 10
    answer = b""
    while not answer.startswith(b"HTTP/1.1 200"):
        assert time.monotonic() < deadline, answer
        connection, answer = listen()
        connection.close()


def test_one_client_cannot_ask_without_end(start: Start) -> None:
    scene = start(rate=1, burst=20)
    answers = [scene.http.get("/v1/venues") for _ in range(25)]
    assert answers[0].status_code == 200
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "rate")
    assert answers[-1].headers["retry-after"] == "1"
    assert scene.http.get("/healthz").status_code == 200


def test_keys_are_asked_for_hashed_and_can_be_deleted(scene: Scene) -> None:
    assert scene.http.get("/v1/pledges").status_code == 401
    assert scene.http.get("/v1/pledges", headers={"authorization": "Bearer nobody"}).status_code == 401
    admin = scene.replica.admin()
    made = scene.http.post("/v1/keys", json={"name": "desk", "role": "protocol"}, headers=admin)
    assert made.status_code == 201
    assert (
        scene.http.post("/v1/keys", json={"name": "desk", "role": "protocol"}, headers=admin).status_code
        == 409
    )
    key = {"authorization": f"Bearer {made.json()['key']}"}
    assert scene.http.get("/v1/pledges", headers=key).status_code == 200
    assert scene.http.get("/v1/keys", headers=key).status_code == 403
    assert made.json()["key"] not in scene.http.get("/v1/keys", headers=admin).text
    assert scene.http.delete("/v1/keys/desk", headers=admin).status_code == 204
    assert scene.http.delete("/v1/keys/desk", headers=admin).status_code == 404
    assert scene.http.get("/v1/pledges", headers=key).status_code == 401
    log = (scene.replica.folder / "log").read_text()
    secrets = (ADMIN_KEY, made.json()["key"], scene.world.service.export().hex())
    assert not any(secret in log for secret in secrets)
    for line in filter(None, log.splitlines()):
        assert "event" in json.loads(line)


def test_what_is_not_there(scene: Scene) -> None:
    admin = scene.replica.admin()
    for path in ("/v1/receipts/p-" + "0" * 32, "/v1/snapshots/" + "0" * 64, "/nothing"):
        assert scene.http.get(path).json()["code"] == "not-found"
    assert scene.http.get("/v1/pledges/p-" + "0" * 32, headers=admin).json()["code"] == "not-found"
    assert scene.http.get("/v1/receipts/mine").json()["code"] == "parameter"
    assert scene.http.patch("/v1/policy").json()["code"] == "method"
    assert "zkmargin_proofs_total" in scene.http.get("/metrics").text


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_may_ask_for_the_head_alone(scene: Scene, path: str) -> None:
    answer = scene.http.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("name", [".", "..", "...", "-", "_", ".-."])
@pytest.mark.parametrize("what", ["keys", "webhooks"])
def test_a_name_that_a_path_cannot_carry_is_none(scene: Scene, what: str, name: str) -> None:
    body = (
        {"name": name, "role": "protocol"} if what == "keys" else {"name": name, "url": "https://a.example/"}
    )
    answer = scene.http.post(f"/v1/{what}", json=body, headers=scene.replica.admin())
    assert (answer.status_code, answer.json()["code"]) == (422, "document")


def test_a_name_may_have_dots_beside_letters(scene: Scene) -> None:
    admin = scene.replica.admin()
    body = {"name": "..desk.1", "role": "protocol"}
    assert scene.http.post("/v1/keys", json=body, headers=admin).status_code == 201
    assert scene.http.delete("/v1/keys/..desk.1", headers=admin).status_code == 204
    assert scene.http.post("/v1/keys", json=body | {"name": "a" * 65}, headers=admin).status_code == 422


@pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, deflate", "GZIP"])
def test_a_compressed_body_is_named(scene: Scene, encoding: str) -> None:
    headers = JSON | {"content-encoding": encoding}
    answer = scene.http.post("/v1/challenges", content=gzip.compress(b"{}"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "content-encoding")
    assert encoding.lower() in answer.json()["detail"]
    headers["content-encoding"] = "identity"
    assert scene.http.post("/v1/challenges", content=b"{}", headers=headers).status_code == 422


def test_an_empty_last_event_is_none(scene: Scene) -> None:
    headers = scene.replica.admin() | {"last-event-id": ""}
    answer = scene.http.get("/v1/events", params={"seconds": 0}, headers=headers)
    assert answer.status_code == 200, answer.text
    headers["last-event-id"] = "x"
    assert scene.http.get("/v1/events", params={"seconds": 0}, headers=headers).status_code == 422
