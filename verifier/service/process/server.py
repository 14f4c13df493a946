"""Running the application: uvicorn, with worker processes that start fresh.

The native backend's threads do not outlive a fork, so workers are spawned; uvicorn starts one again that has died.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors import Multiprocess

from zkmargin.margin.errors import Finding, InputError
from zkmargin.verifier.service.logs import configure
from zkmargin.verifier.service.metrics import DIRECTORY_VARIABLE
from zkmargin.verifier.service.problems import UnavailableError
from zkmargin.verifier.service.process.settings import FILE_VARIABLE, PREFIX, Settings
from zkmargin.verifier.service.store.database import opened

MOST_CONNECTIONS = 4000
"""Of a worker."""

HEAD_SECONDS_VARIABLE = f"{PREFIX}HEAD_SECONDS"


class Connections:
    """The open connections of a worker, by address: so many of one, and of all.

    Where there is no room the connection of that address is closed that has been idle for longest; of all addresses
    together, one of the address that has most. A request under way is never cut off for another.
    """

    def __init__(self, of_one: int = 1024, of_all: int = MOST_CONNECTIONS) -> None:
        self._of_one, self._of_all, self._count = of_one, of_all, 0
        self._open: dict[str, dict[PunctualProtocol, None]] = {}

    def add(self, address: str, protocol: PunctualProtocol) -> bool:
        """Take a connection in; False if there is no room for it."""
        own = self._open.setdefault(address, {})
        room = len(own) < self._of_one or self._close_idle(own)
        if room and self._count >= self._of_all:
            room = self._close_idle(max(self._open.values(), key=len))
        if room:
            own[protocol] = None
            self._count += 1
        elif not own:
            del self._open[address]
        return room

    def remove(self, address: str, protocol: PunctualProtocol) -> None:
        """It is closed, or about to be."""
        own = self._open.get(address, {})
        if protocol in own:
            del own[protocol]
            self._count -= 1
            if not own:
                del self._open[address]

    def rested(self, address: str, protocol: PunctualProtocol) -> None:
        """It has answered: of all that are idle it is the last to be closed."""
        own = self._open.get(address, {})
        if protocol in own:
            own[protocol] = own.pop(protocol)

    def _close_idle(self, own: dict[PunctualProtocol, None]) -> bool:
        idle = next((protocol for protocol in own if protocol.idle), None)
        if idle is None:
            return False
        idle.let_go()
        return True


class PunctualProtocol(HttpToolsProtocol):
    """HTTP/1.1 with a time limit on the head of a request, and limits on connections, which uvicorn does not have."""

    head_seconds = 10.0
    room = Connections()
    _head_timer: asyncio.TimerHandle | None = None
    _address = ""

    @property
    def idle(self) -> bool:
        """Whether no request is under way."""
        return self.cycle is None or bool(self.cycle.response_complete)

    def let_go(self) -> None:
        """Close it: another needs the room."""
        self.room.remove(self._address, self)
        self.transport.close()

    def connection_made(self, transport: Any) -> None:
        """A client has connected: its first request is due."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        if not self.room.add(self._address, self):
            transport.close()
            return
        self._await_head()

    def on_message_begin(self) -> None:
        """A request has begun."""
        super().on_message_begin()
        self.room.rested(self._address, self)
        if self._head_timer is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._forget_head()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._forget_head()
        self.room.remove(self._address, self)
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _forget_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def configuration(
    settings: Settings, app: Any = "zkmargin.verifier.service.http.app:from_environment"
) -> uvicorn.Config:
    """uvicorn's configuration. Workers read their settings from the environment again."""
    PunctualProtocol.head_seconds = settings.head_seconds
    PunctualProtocol.room = Connections(settings.address_connections)
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http=PunctualProtocol,
        loop="uvloop",
        access_log=False,
        log_config=None,
        lifespan="on",
        server_header=False,
        date_header=False,
        timeout_keep_alive=30,
        # A worker that is still importing answers nothing; on a loaded machine that takes more than uvicorn's 5 s.
        timeout_worker_healthcheck=60,
        timeout_graceful_shutdown=round(settings.drain_seconds) + 1,
        limit_concurrency=MOST_CONNECTIONS + 96,
        h11_max_incomplete_event_size=64 << 10,
    )


def serve(file: Path | None = None) -> None:
    """Run until a signal to stop; requests under way are finished first. Raises InputError."""
    run(prepare(file))


def prepare(file: Path | None = None) -> Settings:
    """The settings, with all that they name in order: keys, policy, and a database that answers. Raises InputError."""
    if file is not None:
        os.environ[FILE_VARIABLE] = str(file.resolve())
    settings = Settings.read()
    settings.signing_key(), settings.first_policy(), settings.first_admin_key()
    try:
        with opened(settings.database_url):
            return settings
    except UnavailableError as error:
        remedy = "start the database, or correct its address"
        raise InputError(
            os.environ.get(FILE_VARIABLE, "environment"),
            "database",
            Finding(f"does not answer: {error}"),
            remedy,
        ) from None


class Workers(Multiprocess):
    """Worker processes, which hear of Ctrl-C from their parent alone: one that is starting would leave a traceback.

    Attributes:
        interrupted: whether it was Ctrl-C that ended them.
    """

    interrupted = False

    def init_processes(self) -> None:
        """Start them."""
        with _without_interrupts():
            super().init_processes()

    def keep_subprocess_alive(self) -> None:
        """Start those again that have died."""
        with _without_interrupts():
            super().keep_subprocess_alive()

    def handle_int(self) -> None:
        """Ctrl-C."""
        self.interrupted = True
        super().handle_int()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C waits until the end of the block; processes that are started in it never get it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    # The first process would start it otherwise; either way it lets interrupts in again.
    resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run(settings: Settings) -> None:
    """Run until a signal to stop; Ctrl-C raises KeyboardInterrupt at the end, with one worker and with several."""
    configure(settings.log_level)
    config = configuration(settings)
    if settings.workers == 1:
        uvicorn.Server(config).run()
        return
    with tempfile.TemporaryDirectory(prefix="zkmargin-metrics-") as directory:
        os.environ[DIRECTORY_VARIABLE] = directory
        with _without_interrupts():
            socket = config.bind_socket()
        workers = Workers(config, [socket])
        workers.run()
    if workers.interrupted:
        raise KeyboardInterrupt
