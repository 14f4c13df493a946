"""The one clock that all replicas decide by: the database's.

When a nonce runs out, when a pledge lapses and how old a snapshot is are decisions about money, and machines' clocks
differ and are set. On PostgreSQL each worker asks the server for its time now and again, and counts on from there with
a clock that nobody sets. SQLite runs on the machine of its workers, whose clock they share anyway.

Answers still differ by as much as a message takes. No rule of the ledger leans on that: what one replica has decided
stands in the rows that the next one locks (see `ledger`).
"""

from __future__ import annotations

import time

from sqlalchemy import Connection, text

from zkmargin.verifier.service.store.database import Database

LONGEST_ANSWER = 1.0
"""Seconds: a slower answer tells less than what is known already."""


class Clock:
    """Tells the database's time without asking for it each time."""

    def __init__(self, database: Database) -> None:
        """Raises UnavailableError."""
        self._database = database
        self._asks = database.dialect == "postgresql"
        self._ahead: float | None = None
        self.look()

    def now(self) -> float:
        """Unix seconds."""
        return time.time() if self._ahead is None else time.monotonic() + self._ahead

    def look(self) -> None:
        """Ask the database how late it is. Raises UnavailableError."""
        if not self._asks:
            return
        ahead, seconds = self._database.read(_measured)
        if self._ahead is None or seconds < LONGEST_ANSWER:
            self._ahead = ahead


def _measured(connection: Connection) -> tuple[float, float]:
    """By how many seconds the server's time is ahead of this process's count, and how long it took to answer."""
    asked = time.monotonic()
    found = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
    answered = time.monotonic()
    return float(found) - (asked + answered) / 2, answered - asked
