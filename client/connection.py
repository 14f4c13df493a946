"""The clients, sync and async: they send calls, and make errors of problems."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import ValidationError

from zkmargin.client.calls import WHERE, Call
from zkmargin.client.errors import ServiceError, UnreachableError
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.documents import parse_json

T = TypeVar("T")

SECONDS = 30.0

LONGEST_ANSWER = 64 << 20
"""Bytes of what was asked for: a large snapshot has some megabytes."""
LONGEST_PROBLEM = 64 << 10
"""Bytes of a problem document."""
MOST_MEMBERS = 4_000_000
"""Of an answer; parsed, each takes some hundred bytes."""


class Client:
    """A service, asked synchronously."""

    def __init__(self, url: str, key: str | None = None, *, seconds: float = SECONDS) -> None:
        """`key` is for the calls that need one; it is sent to this service only, and never shown."""
        self._http = httpx.Client(**_options(url, key, seconds))

    def send(self, call: Call[T]) -> T:
        """The answer. Raises ServiceError or UnreachableError."""
        try:
            with self._http.stream(call.method, call.path, **_request(call)) as answer:
                content = bytearray()
                for part in answer.iter_raw():
                    _gather(call, answer, content, part)
            return _read(call, answer, bytes(content))
        except httpx.HTTPError as error:
            raise _unreachable(error) from None

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient:
    """A service, asked asynchronously."""

    def __init__(self, url: str, key: str | None = None, *, seconds: float = SECONDS) -> None:
        """As of `Client`."""
        self._http = httpx.AsyncClient(**_options(url, key, seconds))

    async def send(self, call: Call[T]) -> T:
        """The answer. Raises ServiceError or UnreachableError."""
        try:
            async with self._http.stream(call.method, call.path, **_request(call)) as answer:
                content = bytearray()
                async for part in answer.aiter_raw():
                    _gather(call, answer, content, part)
            return _read(call, answer, bytes(content))
        except httpx.HTTPError as error:
            raise _unreachable(error) from None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _options(url: str, key: str | None, seconds: float) -> dict[str, Any]:
    if not url.startswith(("http://", "https://")):
        raise InputError("client", "url", url, "write the service's http or https address")
    # What is packed could unpack to a thousand times as much.
    headers = {"accept-encoding": "identity"} | ({"authorization": f"Bearer {key}"} if key else {})
    return {"base_url": url, "headers": headers, "timeout": seconds, "follow_redirects": False}


def _request(call: Call[Any]) -> dict[str, Any]:
    headers = {"content-type": "application/json"} if call.content is not None else {}
    return {"content": call.content, "params": call.query, "headers": headers}


def _gather(call: Call[Any], answer: httpx.Response, content: bytearray, part: bytes) -> None:
    """Add a part of an answer's body. Raises UnreachableError if it is packed, or becomes too long."""
    packed = answer.headers.get("content-encoding", "identity")
    if packed.lower() != "identity":
        raise UnreachableError(f"{call.path}: the answer is packed, though it was asked for as it is")
    most = LONGEST_ANSWER if answer.is_success else LONGEST_PROBLEM
    content += part
    if len(content) > most:
        raise UnreachableError(f"{call.path}: status {answer.status_code}, and more than {most} bytes")


def _read(call: Call[T], answer: httpx.Response, content: bytes) -> T:
    path, status = call.path, answer.status_code
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise UnreachableError(f"{path}: status {status}, and no UTF-8") from None
    members = text.count(",") + text.count("[") + text.count("{")
    if members > MOST_MEMBERS:
        raise UnreachableError(f"{path}: the answer has {members} members; at most {MOST_MEMBERS} are read")
    if answer.is_success:
        try:
            return call.read(text)
        except InputError:
            raise
        except (ValidationError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise UnreachableError(f"{path}: the answer cannot be read: {type(error).__name__}") from None
    try:
        document = parse_json(text, WHERE)
    except InputError:
        document = None
    if not isinstance(document, dict):
        raise UnreachableError(f"{path}: status {status}, and no problem document")
    raise ServiceError(status, document)


def _unreachable(error: httpx.HTTPError) -> UnreachableError:
    return UnreachableError(f"no answer: {str(error) or type(error).__name__}")
