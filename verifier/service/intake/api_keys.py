"""API keys for administration and for protocols: 256 random bits each, of which only a hash is kept."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from typing import Literal

from sqlalchemy import Connection, delete, insert, select

from zkmargin.verifier.service.problems import ProblemError
from zkmargin.verifier.service.store.database import Database
from zkmargin.verifier.service.store.schema import API_KEYS

Role = Literal["admin", "protocol"]

REMEMBERED_SECONDS = 2.0
"""So long may a key still work on a replica after it was deleted on another."""

MOST_REMEMBERED = 1024


def hashed(key: str) -> str:
    """What is kept of a key. It is random and long, so that a plain hash cannot be searched through."""
    return hashlib.sha256(b"zkmargin/api-key/1;" + key.encode()).hexdigest()


class KeyRing:
    """Knows keys by their hashes."""

    def __init__(self, database: Database, first_admin: str | None) -> None:
        """`first_admin` is the key for administration that the settings name; it is not kept either."""
        self._database = database
        self._first = hashed(first_admin) if first_admin else None
        self._known: dict[str, tuple[Role | None, float]] = {}
        self._lock = threading.Lock()

    def role(self, key: str) -> Role | None:
        """What a key is for; None if nobody knows it."""
        digest = hashed(key)
        if self._first is not None and secrets.compare_digest(digest, self._first):
            return "admin"
        with self._lock:
            known = self._known.get(digest)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        role = self._database.read(
            lambda c: c.execute(select(API_KEYS.c.role).where(API_KEYS.c.hash == digest)).scalar()
        )
        with self._lock:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[digest] = role, time.monotonic() + REMEMBERED_SECONDS
        return role

    def forget(self) -> None:
        """Look every key up again."""
        with self._lock:
            self._known.clear()


def add_key(connection: Connection, name: str, role: Role, now: int) -> str:
    """Make a key; it is shown this once. Raises ProblemError if the name is taken."""
    if connection.execute(select(API_KEYS.c.name).where(API_KEYS.c.name == name)).first():
        raise ProblemError("exists", f"a key named {name!r} is there already; delete it first")
    key = f"zkm_{secrets.token_hex(32)}"
    connection.execute(insert(API_KEYS).values(name=name, role=role, hash=hashed(key), created=now))
    return key


def delete_key(connection: Connection, name: str) -> None:
    """Let a key work no more. Raises ProblemError if it is not there."""
    if not connection.execute(delete(API_KEYS).where(API_KEYS.c.name == name)).rowcount:
        raise ProblemError("not-found", f"no key named {name!r}")
