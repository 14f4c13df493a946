"""HTTP to addresses that somebody named: to public ones only, whatever a name resolves to at the moment of connecting.

A webhook's address comes over the API. Without this it could make the service ask what only the service can reach: its
database, a cloud's metadata, other machines of its network.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

MOST_ANSWER = 64 << 10
"""Bytes of an answer that are read; what a receiver says does not matter."""


class PrivateAddressError(httpx.HTTPError):
    """A name that leads to an address that is not public."""


def is_public(address: str) -> bool:
    """Whether an IP address can be reached by anybody; addresses within others are looked into.

    >>> [is_public(a) for a in ("8.8.8.8", "127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1")]
    [True, False, False, False, False, False]
    """
    found = ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    if getattr(found, "teredo", None):
        return False
    part = found if inner is None else inner
    return part.is_global and not part.is_multicast


class _PublicBackend(httpcore.SyncBackend):
    """Connects to what a name resolves to, once it has seen that all of it is public."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from None
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses or not all(map(is_public, addresses)):
            raise PrivateAddressError("the address is not public")
        return super().connect_tcp(addresses[0], port, timeout, local_address, socket_options)


class _PublicTransport(httpx.BaseTransport):
    """httpx's transport over a pool that connects to public addresses only."""

    def __init__(self) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False), network_backend=_PublicBackend()
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        sent = httpcore.Request(
            request.method,
            url,
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            answer = self._pool.handle_request(sent)
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise httpx.TransportError(type(error).__name__) from None
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Stream(answer), extensions=answer.extensions
        )

    def close(self) -> None:
        self._pool.close()


class _Stream(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer.stream)  # type: ignore[arg-type]

    def close(self) -> None:
        self._answer.close()


def sender(seconds: float, *, private: bool) -> httpx.Client:
    """A client that is not sent elsewhere, and connects to public addresses only unless `private`."""
    transport = None if private else _PublicTransport()
    return httpx.Client(timeout=seconds, follow_redirects=False, trust_env=False, transport=transport)


def status_after(http: httpx.Client, url: str, content: bytes, headers: dict[str, str]) -> int:
    """The status of an answer to a delivery; no more of the answer is read than `MOST_ANSWER`, and nothing unpacked.

    Raises httpx.HTTPError or httpx.InvalidURL.
    """
    asked = {**headers, "accept-encoding": "identity"}
    with http.stream("POST", url, content=content, headers=asked) as answer:
        read = 0
        for part in answer.iter_raw():
            read += len(part)
            if read > MOST_ANSWER:
                break
        return answer.status_code
