"""Pulling snapshots from oracles: each from its own address, again and again, whatever the others do.

What an oracle answers is not trusted: it has so much time and so many bytes, is not followed elsewhere, and is taken
in as if anybody had sent it (see `snapshots`). Whatever goes wrong is logged, counted, and tried again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx

from zkmargin.verifier.service import metrics
from zkmargin.verifier.service.intake.queue import Intake
from zkmargin.verifier.service.intake.snapshots import Snapshots
from zkmargin.verifier.service.logs import log
from zkmargin.verifier.service.problems import UnavailableError, problem_of

TAKEN = ("taken", "same")
"""Outcomes with which nothing is wrong."""


class PullError(Exception):
    """An oracle's answer is not looked at further.

    Attributes:
        outcome: one word, for the metrics.
    """

    def __init__(self, outcome: str, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome


class Oracle:
    """One address that snapshots are pulled from."""

    def __init__(
        self,
        url: str,
        snapshots: Snapshots,
        intake: Intake,
        now: Callable[[], float],
        *,
        limit: int,
        seconds: float,
    ) -> None:
        """`limit` is in bytes, `seconds` for the whole answer; `now` tells Unix seconds."""
        self._url, self._snapshots, self._intake, self._now = url, snapshots, intake, now
        self._limit, self._seconds = limit, seconds
        self._last = b""

    @property
    def name(self) -> str:
        """The address without what may be secret in it."""
        parts = urlsplit(self._url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    async def pull(self) -> str:
        """Ask once; returns what became of it, in a word: one of `TAKEN`, or what went wrong."""
        try:
            content = await self._fetch()
            outcome, cause = await self._intake.run(lambda: self._take(content)), ""
        except TimeoutError:
            outcome, cause = "slow", f"no whole answer within {self._seconds:g} s"
        except httpx.HTTPError as error:
            # Its text may hold the whole address.
            outcome, cause = "unreachable", type(error).__name__
        except PullError as error:
            outcome, cause = error.outcome, str(error)
        except UnavailableError as error:
            outcome, cause = "unavailable", str(error)
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                log.error("oracle", exc_info=error, extra={"url": self.name})
            outcome, cause = (problem.code, problem.detail[:500]) if problem else ("internal", "unexpected")
        metrics.PULLS.labels(outcome).inc()
        if outcome in TAKEN:
            log.debug("oracle", extra={"url": self.name, "outcome": outcome})
        else:
            log.warning("oracle", extra={"url": self.name, "outcome": outcome, "cause": cause})
        return outcome

    async def _fetch(self) -> bytes:
        """The answer's body. Raises PullError, TimeoutError or httpx.HTTPError."""
        options = {"headers": {"accept-encoding": "identity"}, "follow_redirects": False, "trust_env": False}
        async with (
            asyncio.timeout(self._seconds),
            httpx.AsyncClient(**options, timeout=self._seconds) as http,  # type: ignore[arg-type]
            http.stream("GET", self._url) as answer,
        ):
            if answer.is_redirect:
                raise PullError(
                    "redirect", f"status {answer.status_code}: it sends elsewhere; name that address"
                )
            if answer.status_code != httpx.codes.OK:
                raise PullError("status", f"status {answer.status_code}")
            content = bytearray()
            async for part in answer.aiter_raw():
                content += part
                if len(content) > self._limit:
                    raise PullError("too-large", f"more than {self._limit} bytes")
            return bytes(content)

    def _take(self, content: bytes) -> str:
        """Take an answer in. Raises whatever is wrong with it."""
        digest = hashlib.sha256(content).digest()
        if digest == self._last:
            return "same"
        offered = self._snapshots.read(content, self.name)
        newest = self._snapshots.newest_time()
        if offered.signature.valuation_time < newest:
            raise PullError(
                "older", f"it is of {offered.signature.valuation_time}, the newest here of {newest}"
            )
        self._snapshots.accept(offered, self._now())
        self._last = digest
        return "taken"
