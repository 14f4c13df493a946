"""The statuses of pledges, and what time and revoked keys make of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from zkmargin.verifier.service import chain
from zkmargin.verifier.service.tables import BACKING, NONCES, PLEDGES, SNAPSHOTS

LIVE = ("active", "stale", "called")
"""What counts against the excess."""

LAPSING = ("active", "stale")
"""What ends with its expiry: a pledge that was called stands until it is released."""

MOVES: dict[str, tuple[str, ...]] = {"called": ("active", "stale"), "released": LIVE}
"""What a protocol may make of a pledge, and out of which statuses."""


def age(connection: Connection, renew_seconds: int, skew: int, now: int) -> int:
    """Find pledges that have lapsed or gone stale; returns how many.

    A pledge is stale when a snapshot newer than its own was accepted more than `renew_seconds` ago.
    """
    overdue = select(func.max(SNAPSHOTS.c.valuation_time)).where(SNAPSHOTS.c.accepted < now - renew_seconds)
    newest = connection.execute(overdue).scalar() or 0
    stale = (PLEDGES.c.status == "active") & (PLEDGES.c.valuation_time < newest)
    question = select(PLEDGES.c.id, PLEDGES.c.status, PLEDGES.c.expiry).where(lapsed(now - skew) | stale)
    rows = connection.execute(question.order_by(PLEDGES.c.id).limit(1000).with_for_update(skip_locked=True))
    found = {row.id: (row.status, "lapsed" if row.expiry < now - skew else "stale") for row in rows}
    set_statuses(connection, found, now)
    forgotten = now - 86400
    connection.execute(delete(NONCES).where(NONCES.c.until < forgotten))
    return len(found)


def lapsed(moment: int) -> Any:
    """What has lapsed by then."""
    return PLEDGES.c.status.in_(LAPSING) & (PLEDGES.c.expiry < moment)


def distrust(connection: Connection, key: str, now: int) -> int:
    """Make every active pledge stale whose attestations were signed by a key that is revoked; returns how many."""
    question = (
        select(PLEDGES.c.id)
        .where(
            PLEDGES.c.status == "active",
            PLEDGES.c.id.in_(select(BACKING.c.pledge).where(BACKING.c.signer == key)),
        )
        .order_by(PLEDGES.c.id)
        .with_for_update()
    )
    found = {row.id: ("active", "stale") for row in connection.execute(question)}
    set_statuses(connection, found, now)
    return len(found)


def set_statuses(connection: Connection, moves: dict[str, tuple[str, str]], now: int) -> None:
    """Move pledges, each from a status to another, and write it into the log."""
    for pledge, (_, to) in moves.items():
        connection.execute(update(PLEDGES).where(PLEDGES.c.id == pledge).values(status=to))
    changes = ((f"pledge.{to}", pledge, {"from": before}) for pledge, (before, to) in moves.items())
    chain.append(connection, changes, now)
