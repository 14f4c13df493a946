"""The clients, sync and async: they send calls, and make errors of problems."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import ValidationError

from zkmargin.client.calls import Call
from zkmargin.client.errors import ServiceError, UnreachableError
from zkmargin.margin.errors import InputError

T = TypeVar("T")

SECONDS = 30.0


class Client:
    """A service, asked synchronously."""

    def __init__(self, url: str, key: str | None = None, *, seconds: float = SECONDS) -> None:
        """`key` is for the calls that need one; it is sent to this service only, and never shown."""
        self._http = httpx.Client(**_options(url, key, seconds))

    def send(self, call: Call[T]) -> T:
        """The answer. Raises ServiceError or UnreachableError."""
        try:
            return _read(call, self._http.request(call.method, call.path, **_request(call)))
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
            return _read(call, await self._http.request(call.method, call.path, **_request(call)))
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
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return {"base_url": url, "headers": headers, "timeout": seconds, "follow_redirects": False}


def _request(call: Call[Any]) -> dict[str, Any]:
    headers = {"content-type": "application/json"} if call.content is not None else {}
    return {"content": call.content, "params": call.query, "headers": headers}


def _read(call: Call[T], answer: httpx.Response) -> T:
    if answer.is_success:
        try:
            return call.read(answer.text)
        except (ValidationError, KeyError, TypeError) as error:
            raise UnreachableError(
                f"{call.path}: the answer cannot be read: {type(error).__name__}"
            ) from None
    try:
        document = json.loads(answer.text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise UnreachableError(f"{call.path}: status {answer.status_code}, and no problem document")
    raise ServiceError(answer.status_code, document)


def _unreachable(error: httpx.HTTPError) -> UnreachableError:
    return UnreachableError(f"no answer: {str(error) or type(error).__name__}")
