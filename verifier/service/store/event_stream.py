"""Events as they happen: server-sent events out of the log, so that nothing is missed between two connections."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

from zkmargin.verifier.service.logs import log
from zkmargin.verifier.service.problems import UnavailableError
from zkmargin.verifier.service.store.database import Database
from zkmargin.verifier.service.store.event_log import Event, events_after, last_sequence

PAGE = 200
HEARTBEAT_SECONDS = 15.0
MOST_LISTENERS = 256
MOST_OF_ONE = 64
"""Streams with one key: whoever opens all that there are leaves none for the others."""


class Feed:
    """Watches the end of the log for everybody who listens; any replica may have written to it."""

    def __init__(self, database: Database, seconds: float) -> None:
        self._database, self._seconds = database, seconds
        self._grown = asyncio.Condition()
        self._last = 0
        self._listeners = 0
        self._of: Counter[str] = Counter()
        self._stopped = False

    def full(self, listener: str) -> bool:
        """Whether there is no room for one more stream of this listener."""
        return self._listeners >= MOST_LISTENERS or self._of[listener] >= MOST_OF_ONE

    def stop(self) -> None:
        """Let every listener go."""
        self._stopped = True

    async def watch(self) -> None:
        """Look for new events for ever, while anybody listens."""
        while True:
            if self._listeners:
                try:
                    last = await asyncio.to_thread(self._database.read, last_sequence)
                except UnavailableError as error:
                    log.warning("events", extra={"cause": str(error)})
                    last = self._last
                async with self._grown:
                    self._last = max(self._last, last)
                    self._grown.notify_all()
            await asyncio.sleep(self._seconds)

    async def listen(self, after: int, seconds: float, listener: str = "") -> AsyncIterator[bytes]:
        """Every event after a sequence, those of so many seconds to come included, as text/event-stream.

        Nothing but a word if there is no room any more: of many that ask at once, all may have been let in.
        """
        if self.full(listener):
            yield b": no room\n\n"
            return
        self._listeners += 1
        self._of[listener] += 1
        until = asyncio.get_running_loop().time() + seconds
        try:
            yield b": zkmargin\n\n"
            silent = 0.0
            while not self._stopped:
                page = await asyncio.to_thread(self._page, after)
                for event in page:
                    yield frame(event)
                    after = event.sequence
                if page:
                    silent = 0.0
                    continue
                if asyncio.get_running_loop().time() >= until:
                    break
                silent += self._seconds
                if silent >= HEARTBEAT_SECONDS:
                    silent = 0.0
                    yield b": still here\n\n"
                await self._growth(after)
        finally:
            self._listeners -= 1
            self._of[listener] -= 1
            if not self._of[listener]:
                del self._of[listener]

    def _page(self, after: int) -> list[Event]:
        return self._database.read(lambda connection: events_after(connection, after, PAGE))

    async def _growth(self, after: int) -> None:
        """Wait until the log has grown, or for a moment."""
        try:
            async with asyncio.timeout(self._seconds), self._grown:
                await self._grown.wait_for(lambda: self._last > after or self._stopped)
        except TimeoutError:
            return


def frame(event: Event) -> bytes:
    """One server-sent event."""
    return f"id: {event.sequence}\nevent: {event.kind}\ndata: {event.model_dump_json()}\n\n".encode()
