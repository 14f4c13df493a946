"""Webhooks go to public addresses only, unless the settings say otherwise."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest

from zkmargin.verifier.service.delivery import (
    MOST_ANSWER,
    PrivateAddressError,
    is_public,
    sender,
    status_after,
)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "::1", "::", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "224.0.0.1",
        "ff02::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "255.255.255.255", "198.18.0.1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433", "inside.example"]
)
def test_nothing_private_is_connected_to(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is resolved when it is connected to: a name that was public before may lead inside now."""
    resolve = socket.getaddrinfo

    def inside(name: Any, port: Any, *more: Any, **named: Any) -> Any:
        if name == "inside.example":
            public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", port))
            return [public, (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", port))]
        return resolve(name, port, *more, **named)

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("it was connected to")

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    monkeypatch.setattr(socket, "create_connection", never)
    with sender(1, private=False) as http, pytest.raises((PrivateAddressError, httpx.TransportError)):
        status_after(http, f"http://{host}:9/", b"", {})


def test_a_public_name_is_connected_to_at_the_address_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And the answer is read no further than it matters."""
    seen: list[Any] = []
    server = socket.create_server(("127.0.0.1", 0))
    here = socket.create_connection(server.getsockname())
    there, _ = server.accept()
    server.close()
    endless = b"HTTP/1.1 202 ok\r\nconnection: close\r\n\r\n" + b"a" * (MOST_ANSWER + 1)

    def connect(address: Any, *_: Any, **__: Any) -> socket.socket:
        seen.append(address)
        return here

    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    monkeypatch.setattr(socket, "create_connection", connect)
    there.sendall(endless)
    with sender(5, private=False) as http:
        assert status_after(http, "http://outside.example/hook", b"body", {"a": "b"}) == 202
    assert seen == [("8.8.8.8", 80)]
    sent = there.recv(65536)
    assert b"host: outside.example" in sent.lower()
    assert sent.endswith(b"body")
    there.close()
