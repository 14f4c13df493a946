"""What a hostile service answers ends a command with one line, and takes no memory."""

from __future__ import annotations

import gzip
import threading
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from zkmargin.client import Client, ServiceError, UnreachableError, calls
from zkmargin.margin.errors import InputError


class Hostile(ThreadingHTTPServer):
    daemon_threads = True
    answer: tuple[int, dict[str, str], bytes] = (200, {}, b"")


class _Asked(BaseHTTPRequestHandler):
    server: Hostile

    def do_GET(self) -> None:
        status, headers, body = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            return

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    server = Hostile(("127.0.0.1", 0), _Asked)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


BOMB = gzip.compress(bytes(256 << 20), 9)
DEEP = b"[" * 30_000 + b"]" * 30_000
ANSWERS = {
    "packed": (200, {"content-encoding": "gzip"}, BOMB),
    "packed problem": (422, {"content-encoding": "gzip"}, BOMB),
    "deep problem": (422, {}, DEEP),
    "deep members": (422, {}, b'{"detail":' * 6000 + b"1" + b"}" * 6000),
    "deep": (200, {}, DEEP),
    "long problem": (500, {}, b'{"detail":"' + b"a" * (1 << 20) + b'"}'),
    "many members": (200, {}, b"[" + b"0," * (5 << 20) + b"0]"),
    "no text": (200, {}, b"\xff\xfe"),
    "a list": (422, {}, b"[]"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_answer_is_one_line(hostile: Hostile, name: str) -> None:
    hostile.answer = ANSWERS[name]
    tracemalloc.start()
    with Client(f"http://127.0.0.1:{hostile.server_port}") as client:
        asked: tuple[calls.Call[Any], ...] = (calls.policy(), calls.snapshot("0" * 64), calls.events())
        for call in asked:
            with pytest.raises((UnreachableError, ServiceError, InputError)) as found:
                client.send(call)
            assert len(str(found.value)) < 3000
            assert "\n" not in str(found.value)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 << 20


def test_what_a_service_says_cannot_steer_the_terminal(hostile: Hostile) -> None:
    hostile.answer = (422, {}, b'{"code":"x\\u001b[2J","detail":"a\\u001b[2Jb\\nvalid"}')
    with (
        Client(f"http://127.0.0.1:{hostile.server_port}") as client,
        pytest.raises(ServiceError, match=r"^x\\x1b\[2J: a\\x1b\[2Jb\\nvalid$"),
    ):
        client.send(calls.policy())
