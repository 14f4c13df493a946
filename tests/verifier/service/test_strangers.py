"""What strangers send costs them more than us: nothing is parsed, held or waited for before it is known whose it is."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.verifier.service.conftest import Scene
from tests.verifier.service.world import DOMAIN, snapshot
from zkmargin.attestation import SigningKey, SnapshotSignature
from zkmargin.client.calls import published
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.canonical_json import canonical_json
from zkmargin.verifier.service.http.limits import Buckets, Held
from zkmargin.verifier.service.uploads import check_members, split

Start = Callable[..., Scene]
JSON = {"content-type": "application/json"}


def signature(taken: Any, key: SigningKey) -> SnapshotSignature:
    return SnapshotSignature.sign(
        key, DOMAIN, snapshot=taken.id, universe=taken.universe.digest, valuation_time=taken.valuation_time
    )


def resident(pid: int) -> int:
    """Megabytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) >> 10
    raise AssertionError("no such process")


# Uploads ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [b"", b'[{"a":1}]'])
def test_an_upload_is_split_whichever_member_comes_first(rows: bytes) -> None:
    taken, key = snapshot(), SigningKey.generate()
    signed = signature(taken, key)
    body, sign = taken.encode().strip(), signed.encode().strip()
    parts = [(b"snapshot", body), (b"signature", sign), *([(b"rows", rows)] if rows else [])]
    orders = [parts, parts[::-1], sorted(parts), [*parts[1:], *parts[:1]]]
    for order in orders:
        content = b"{%s}" % b",".join(b'"%s":%s' % part for part in order)
        sealed = split(content, "body")
        assert (sealed.snapshot, sealed.signature, sealed.rows) == (body, signed, rows)
        sealed.check_id("body")
    assert split(published(taken, signed), "body").snapshot == body


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"[]", b'{"snapshot":{}}', b'{"signature":{', b'{"signature":{}}', b'{"snapshot":{},"signature":{',
        b'{"rows":[', b'{"rows":[],"signature":{', b'{"signature":{"a":' + b"[" * 5000, 
        b'{"signature":{"a":"' + b"b" * 9999,
        b'{"snapshot":{' + b"[" * 100_000, b'{"signature":{},"snapshot":{}}',
    ],
)  # fmt: skip
def test_what_is_no_upload_is_told_in_one_line(content: bytes) -> None:
    with pytest.raises(InputError, match=r"body: "):
        split(content, "body")


def test_another_snapshot_under_a_signature_is_not_parsed(scene: Scene) -> None:
    taken, other = snapshot(btc="90301"), snapshot(btc="90302")
    signed = signature(taken, scene.world.oracle)
    for body in (
        other.encode(),
        taken.encode().replace(b"90301", b"90303"),
        b'{"id":"' + taken.id.encode() + b'",[[[',
    ):
        content = b'{"signature":%s,"snapshot":%s}' % (signed.encode().strip(), body.strip())
        answer = scene.http.post(
            "/v1/snapshots", content=content + b"}" * body.endswith(b"[[["), headers=JSON
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "document"), answer.text
        assert len(answer.content) < 1000
    stranger = b'{"signature":%s,"snapshot":%s}' % (
        signature(taken, SigningKey.generate()).encode().strip(), taken.encode().strip(),
    )  # fmt: skip
    assert scene.http.post("/v1/snapshots", content=stranger, headers=JSON).json()["code"] == "oracle-unknown"


def test_members_are_counted_before_anything_is_parsed() -> None:
    check_members(b"[1,2,3]", 3, "body")
    with pytest.raises(InputError, match="members: 4: write at most 3"):
        check_members(b"[1,2,{}]", 3, "body")


def test_bodies_of_many_members_take_no_memory(start: Start) -> None:
    scene = start()
    pid = scene.replica.process.pid
    scene.http.get("/healthz")
    before = resident(pid)
    many = b'{"columns":[' + b"0," * (3 << 20) + b"0]}"
    path = f"/v1/snapshots/{scene.snapshot.id}/rows/isolated/initial"
    for _ in range(4):
        answer = scene.http.put(path, content=many, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (422, "document")
        unknown = scene.http.put(path.replace(scene.snapshot.id, "0" * 64), content=many, headers=JSON)
        assert unknown.json()["code"] == "snapshot"
        junk = b'{"signature":{},"snapshot":{"a":[' + many + b"]}}"
        assert scene.http.post("/v1/snapshots", content=junk, headers=JSON).json()["code"] == "document"
    # Each body has 6 MB; parsed, it would take 60.
    assert resident(pid) < before + 60


def test_strangers_do_not_hold_up_an_oracle(start: Start) -> None:
    """Twenty of them hand in what a trusted oracle never signed, while it hands in its own."""
    scene = start(rate=1e6, burst=10**6)
    stop = threading.Event()
    body = published(scene.snapshot, signature(scene.snapshot, SigningKey.generate()))

    def press() -> None:
        with httpx.Client(base_url=str(scene.http.base_url), timeout=30) as http:
            while not stop.is_set():
                with contextlib.suppress(httpx.TransportError):
                    http.post("/v1/snapshots", content=body, headers=JSON)

    threads = [threading.Thread(target=press) for _ in range(20)]
    for thread in threads:
        thread.start()
    try:
        taken = 0
        for number in range(5):
            made = snapshot(btc=str(90400 + number))
            for _ in range(50):
                answer = scene.http.post(
                    "/v1/snapshots", content=published(made, signature(made, scene.world.oracle))
                )
                if answer.status_code == 201:
                    taken += 1
                    break
                assert answer.json()["code"] == "overloaded"
                time.sleep(0.05)
        assert taken == 5
    finally:
        stop.set()
        for thread in threads:
            thread.join()


# Limits -----------------------------------------------------------------------------------------------


def raw(port: int, *lines: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(b"\r\n".join((*lines, b"", b"")))
        return connection.recv(4096)


@pytest.mark.parametrize("length", [b"9" * 5001, b"1" * 19, b"-1", b"0x10", b"1 2"])
def test_a_length_that_is_none_is_a_bad_request(scene: Scene, length: bytes) -> None:
    answer = raw(scene.replica.port, b"POST /v1/proofs HTTP/1.1", b"host: x", b"content-length: " + length)
    assert answer.startswith(b"HTTP/1.1 400 "), answer[:200]
    assert scene.http.get("/healthz").status_code == 200


def test_health_has_a_limit_of_its_own(start: Start) -> None:
    scene = start(rate=0.001, burst=5)
    codes = [scene.http.get("/healthz").status_code for _ in range(8)]
    assert codes[0] == 200
    assert codes[-1] == 429
    assert scene.http.get("/v1/venues").status_code == 200


def test_idle_connections_are_closed_for_new_ones(start: Start) -> None:
    scene = start(address_connections=40)
    idle = []
    for _ in range(120):
        connection = socket.create_connection(("127.0.0.1", scene.replica.port), 10)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 ")
        idle.append(connection)
    with httpx.Client(base_url=str(scene.http.base_url)) as fresh:
        assert fresh.get("/v1/venues").status_code == 200
    closed = 0
    for connection in idle:
        connection.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            closed += connection.recv(1) == b""
        connection.close()
    assert closed >= 60


def test_what_an_address_holds_leaves_room_for_others() -> None:
    held = Held(100)
    assert held.take("a", 50)
    assert not held.take("a", 1)
    assert held.take("b", 50)
    assert not held.take("c", 1)
    held.release("a", 50)
    assert held.take("c", 1)
    assert Buckets(1, 1, lambda: 0.0).take("a")


def test_a_canonical_upload_is_taken(scene: Scene) -> None:
    taken = snapshot(btc="90501")
    whole = {
        "snapshot": json.loads(taken.encode()),
        "signature": signature(taken, scene.world.oracle).model_dump(),
    }
    assert scene.http.post("/v1/snapshots", content=canonical_json(whole), headers=JSON).status_code == 201
