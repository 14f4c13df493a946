"""The log of events: append-only, each chained to the one before by its hash.

    hash = SHA-256("zkmargin/event/1;" || previous || ";" || canonical JSON of the event)

Whoever keeps the last hash can tell later whether anything before it was changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, insert, select, update

from zkmargin.margin.files.canonical_json import canonical_json
from zkmargin.verifier.service.store.schema import EVENTS, HEAD

GENESIS = "0" * 64


class Event(BaseModel):
    """One change.

    Attributes:
        sequence: 1, 2, 3, .. without a gap.
        time: Unix seconds.
        kind: what happened, such as pledge.active.
        subject: what it happened to: a pledge, a snapshot, a policy's version.
        data: the rest.
        previous: hash of the event before, 64 zeros for the first.
        hash: of this one.
    """

    model_config = ConfigDict(frozen=True)

    sequence: int
    time: int
    kind: str
    subject: str
    data: dict[str, Any]
    previous: str
    hash: str


class ChainError(ValueError):
    """The log was changed."""


def event_hash(previous: str, content: bytes) -> str:
    """The hash of an event."""
    return hashlib.sha256(b"zkmargin/event/1;" + previous.encode() + b";" + content).hexdigest()


def append(connection: Connection, changes: Iterable[tuple[str, str, dict[str, Any]]], now: int) -> None:
    """Add events, each as (kind, subject, data), at the end of the log, whose end stays locked until the commit."""
    found = list(changes)
    if not found:
        return
    head = connection.execute(select(HEAD.c.sequence, HEAD.c.hash).with_for_update()).one()
    sequence, previous, rows = int(head.sequence), str(head.hash), []
    for kind, subject, data in found:
        sequence += 1
        content = canonical_json(
            {"sequence": sequence, "time": now, "kind": kind, "subject": subject, "data": data}
        )
        digest = event_hash(previous, content)
        rows.append({"sequence": sequence, "content": content.decode(), "previous": previous, "hash": digest})
        previous = digest
    connection.execute(insert(EVENTS), rows)
    connection.execute(update(HEAD).values(sequence=sequence, hash=previous))


def events_after(connection: Connection, sequence: int, most: int) -> list[Event]:
    """The events after a sequence, in order."""
    question = select(EVENTS).where(EVENTS.c.sequence > sequence).order_by(EVENTS.c.sequence).limit(most)
    return [
        Event(**json.loads(row.content), previous=row.previous, hash=row.hash)
        for row in connection.execute(question)
    ]


def last_sequence(connection: Connection) -> int:
    """The sequence of the last event."""
    return int(connection.execute(select(HEAD.c.sequence)).scalar_one())


def verify_chain(events: Sequence[Event], previous: str = GENESIS) -> str:
    """Return the last hash if every event follows from the one before.

    Args:
        events: in order, without a gap.
        previous: hash of the event before the first of them.

    Raises:
        ChainError: names the first event that does not follow.
    """
    expected = events[0].sequence if events else 0
    for event in events:
        content = event.model_dump(include={"sequence", "time", "kind", "subject", "data"})
        follows = event.previous == previous and event.hash == event_hash(previous, canonical_json(content))
        if not follows or event.sequence != expected:
            raise ChainError(f"event {event.sequence} does not follow from the one before")
        previous, expected = event.hash, expected + 1
    return previous
