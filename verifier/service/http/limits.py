"""What a client may take: so many requests a second, so many bytes, so much time to send them."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zkmargin.verifier.service import metrics
from zkmargin.verifier.service.logs import log
from zkmargin.verifier.service.problems import MEDIA_TYPE, ProblemError, problem_of

APART = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths with a bucket of their own, so that whoever watches a service is not held up by those that ask behind the same
address.
"""
LONGEST_LENGTH = 18
"""Digits of a body's length."""
MOST_CLIENTS = 65536


class Buckets:
    """A bucket of tokens for each client: `rate` flow in a second, `burst` fit in."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> bool:
        """Take a token; False if there is none."""
        now = self._clock()
        level, since = self._levels.pop(client, (float(self._burst), now))
        level = min(float(self._burst), level + (now - since) * self._rate)
        taken = level >= 1
        self._levels[client] = level - taken, now
        # Whoever has not asked for longest has a full bucket anyway.
        if len(self._levels) > MOST_CLIENTS:
            self._levels.popitem(last=False)
        return taken


class Held:
    """The bytes of bodies that a worker holds: so many in all, and of one address at most half of them."""

    def __init__(self, most: int) -> None:
        self._most, self._all = most, 0
        self._by_client: dict[str, int] = {}

    def take(self, client: str, count: int) -> bool:
        """Hold so many more; False if there is no room."""
        own = self._by_client.get(client, 0) + count
        if self._all + count > self._most or own > max(self._most // 2, count):
            return False
        self._all += count
        self._by_client[client] = own
        return True

    def release(self, client: str, count: int) -> None:
        """Let go of so many."""
        self._all -= count
        left = self._by_client.get(client, 0) - count
        if left > 0:
            self._by_client[client] = left
        else:
            self._by_client.pop(client, None)


@dataclass
class Limits:
    """Wraps the application: limits before it, metrics and a line of the log after it.

    Attributes:
        app: what is wrapped.
        buckets: of all clients.
        apart: of all clients, for the paths in `APART`.
        held: the bytes of all bodies under way.
        body_limit: bytes of a body.
        large: beginnings of paths with another limit, in bytes.
        body_seconds: for the whole body to arrive.
    """

    app: ASGIApp
    buckets: Buckets
    apart: Buckets
    held: Held
    body_limit: int
    large: dict[str, int]
    body_seconds: float

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, answered = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = message["status"]
            await send(message)

        try:
            await self._limited(scope, receive, watched)
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                log.error("unexpected", exc_info=error)
                problem = ProblemError("internal", "something went wrong here; it has been logged")
            if not answered:
                await answer(problem, watched)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            seconds = time.perf_counter() - started
            metrics.REQUESTS.labels(scope["method"], route, answered).inc()
            metrics.SECONDS.labels(route).observe(seconds)
            if log.isEnabledFor(10) or answered >= 500:
                extra = {
                    "method": scope["method"],
                    "route": route,
                    "status": answered,
                    "seconds": round(seconds, 4),
                }
                log.log(30 if answered >= 500 else 10, "request", extra=extra)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope["client"][0] if scope.get("client") else ""
        buckets = self.apart if scope["path"] in APART else self.buckets
        if not buckets.take(client):
            raise ProblemError("rate", "too many requests from this address; come back in a second")
        path = scope["path"]
        limit = next((size for start, size in self.large.items() if path.startswith(start)), self.body_limit)
        headers = dict(scope["headers"])
        encoding = headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()
        if encoding not in ("", "identity"):
            raise ProblemError(
                "content-encoding", f"the body is encoded as {encoding[:40]!r}; send it as it is"
            )
        length = headers.get(b"content-length", b"0")
        if not (length.isascii() and length.isdigit()) or len(length) > LONGEST_LENGTH:
            raise ProblemError("length", f"write the length of the body in at most {LONGEST_LENGTH} digits")
        if int(length) > limit:
            raise ProblemError("body-large", f"a body may have {limit} bytes")
        received = [0]
        try:
            await self.app(scope, self._metered(receive, limit, client, received), send)
        finally:
            self.held.release(client, received[0])

    def _metered(self, receive: Receive, limit: int, client: str, total: list[int]) -> Receive:
        """The body, as long as it is short and quick enough, and there is room for it; `total` says what was held."""
        loop = asyncio.get_running_loop()
        received, deadline, whole = 0, loop.time() + self.body_seconds, False

        async def metered() -> Message:
            nonlocal received, whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise ProblemError("body-slow", f"the body took more than {self.body_seconds:g} s") from None
            count = len(message.get("body", b""))
            received += count
            whole = not message.get("more_body", False)
            if received > limit:
                raise ProblemError("body-large", f"a body may have {limit} bytes")
            if not self.held.take(client, count):
                raise ProblemError("overloaded", "too many bytes are under way; come back in a second")
            total[0] += count
            return message

        return metered


async def answer(problem: ProblemError, send: Send) -> None:
    """Send a problem document; the connection is closed, for more may be on its way."""
    body = problem.body()
    headers = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **problem.headers}
    if problem.code in {"body-slow", "body-large", "content-encoding", "length", "overloaded"}:
        headers["connection"] = "close"
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
