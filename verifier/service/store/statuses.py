"""The statuses of pledges, and what time and revoked keys make of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from zkmargin.verifier.service.store import event_log as chain
from zkmargin.verifier.service.store.schema import BACKING, NONCES, PLEDGES, SNAPSHOTS

LIVE = ("active", "stale", "called")
"""What counts against the excess."""

LAPSING = ("active", "stale")
"""What ends with its expiry: a pledge that was called stands until it is released."""

MOVES: dict[str, tuple[str, ...]] = {"called": ("active", "stale"), "released": LIVE}
"""What a protocol may make of a pledge, and out of which statuses."""


@dataclass(frozen=True)
class RenewalTerms:
    """By what pledges are found to have lapsed or gone stale.

    Attributes:
        renew_seconds: a pledge is stale when a snapshot newer than its own was accepted longer ago than this.
        skew: seconds by which clocks may differ.
        now: Unix seconds.
    """

    renew_seconds: int
    skew: int
    now: int


def due(connection: Connection, terms: RenewalTerms) -> bool:
    """Whether `age` would change anything. It only reads: it is asked far more often than there is anything to do."""
    found = connection.execute(_aged(connection, terms).limit(1)).first()
    return (
        found is not None
        or connection.execute(select(NONCES.c.nonce).where(_over(terms)).limit(1)).first() is not None
    )


def age(connection: Connection, terms: RenewalTerms) -> int:
    """Find pledges that have lapsed or gone stale; returns how many. Nonces long over are forgotten."""
    question = _aged(connection, terms).order_by(PLEDGES.c.id).limit(1000)
    rows = connection.execute(question.with_for_update(skip_locked=True))
    last = terms.now - terms.skew
    found = {row.id: (row.status, "lapsed" if row.expiry < last else "stale") for row in rows}
    set_statuses(connection, found, terms.now)
    connection.execute(delete(NONCES).where(_over(terms)))
    return len(found)


def _aged(connection: Connection, terms: RenewalTerms) -> Any:
    """The pledges that have lapsed, and those that a newer snapshot has made stale."""
    overtaken = SNAPSHOTS.c.accepted < terms.now - terms.renew_seconds
    newest = connection.execute(select(func.max(SNAPSHOTS.c.valuation_time)).where(overtaken)).scalar() or 0
    stale = (PLEDGES.c.status == "active") & (PLEDGES.c.valuation_time < newest)
    return select(PLEDGES.c.id, PLEDGES.c.status, PLEDGES.c.expiry).where(
        lapsed(terms.now - terms.skew) | stale
    )


def _over(terms: RenewalTerms) -> Any:
    """The nonces that no replica takes any more, whatever its clock says."""
    return NONCES.c.until < terms.now - 86400


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
