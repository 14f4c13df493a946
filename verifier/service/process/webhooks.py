"""Webhooks: every event in order to every address, signed, tried again with growing pauses, at least once.

    Zkmargin-Signature: t=<Unix seconds>,v1=<HMAC-SHA256(secret, "<t>." || body) in hex>

A webhook's secret follows from the key that signs receipts and a salt: it is shown once, and kept nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

import httpx
from sqlalchemy import Connection, delete, insert, select, update

from zkmargin.attestation.keys import SigningKey
from zkmargin.verifier.service import metrics
from zkmargin.verifier.service.delivery import PrivateAddressError, sender, status_after
from zkmargin.verifier.service.problems import ProblemError
from zkmargin.verifier.service.store.database import Database
from zkmargin.verifier.service.store.event_log import Event, events_after, last_sequence
from zkmargin.verifier.service.store.schema import WEBHOOKS

PAGE = 50
LEASE_SECONDS = 60
LONGEST_PAUSE = 3600
TOLERANCE_SECONDS = 300


def secret_of(key: SigningKey, name: str, salt: str) -> str:
    """A webhook's secret."""
    return hmac.digest(key.export(), f"zkmargin/webhook/1;{name};{salt}".encode(), "sha256").hex()


def signature(secret: str, moment: int, body: bytes) -> str:
    """The value of the signature's header."""
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
    return f"t={moment},v1={mac.hexdigest()}"


def signed_by(secret: str, header: str, body: bytes, now: float) -> bool:
    """Whether a delivery was signed with this secret, lately: what a receiver checks."""
    moment = header.partition(",")[0].removeprefix("t=")
    if not moment.isdigit() or abs(now - int(moment)) > TOLERANCE_SECONDS:
        return False
    return hmac.compare_digest(header, signature(secret, int(moment), body))


def add_webhook(connection: Connection, key: SigningKey, name: str, url: str) -> str:
    """Deliver the events from now on to an address; returns the secret. Raises ProblemError if the name is taken."""
    if connection.execute(select(WEBHOOKS.c.name).where(WEBHOOKS.c.name == name)).first():
        raise ProblemError("exists", f"a webhook named {name!r} is there already; delete it first")
    salt = secrets.token_hex(16)
    connection.execute(
        insert(WEBHOOKS).values(
            name=name,
            url=url,
            salt=salt,
            delivered=last_sequence(connection),
            attempts=0,
            due=0,
            leased=0,
            suspended=False,
            finding="",
        )
    )
    return secret_of(key, name, salt)


def delete_webhook(connection: Connection, name: str) -> None:
    """Deliver no more. Raises ProblemError if it is not there."""
    if not connection.execute(delete(WEBHOOKS).where(WEBHOOKS.c.name == name)).rowcount:
        raise ProblemError("not-found", f"no webhook named {name!r}")


class Courier:
    """Delivers. Of several replicas one at a time has the lease of a webhook."""

    def __init__(
        self,
        database: Database,
        key: SigningKey,
        seconds: float,
        attempts: int,
        backoff: float,
        *,
        private: bool = False,
    ) -> None:
        self._database, self._key = database, key
        self._attempts, self._backoff = attempts, backoff
        self._http = sender(seconds, private=private)

    def close(self) -> None:
        """Let go of all connections."""
        self._http.close()

    def round(self, now: float) -> int:
        """Deliver what is due; returns how many events were delivered."""
        if not self._database.read(lambda c: c.execute(_due(c, int(now)).limit(1)).first()):
            return 0
        return sum(self._deliver(row, now) for row in self._database.write(lambda c: _lease(c, int(now))))

    def _deliver(self, row: Any, now: float) -> int:
        secret = secret_of(self._key, row.name, row.salt)
        events = self._database.read(lambda c: events_after(c, row.delivered, PAGE))
        delivered, finding = row.delivered, ""
        for event in events:
            finding = self._post(row.url, secret, event, int(now))
            metrics.DELIVERIES.labels("failed" if finding else "delivered").inc()
            if finding:
                break
            delivered = event.sequence
        attempts = (row.attempts if delivered == row.delivered else 0) + 1 if finding else 0
        pause = min(LONGEST_PAUSE, self._backoff * 2 ** max(0, attempts - 1)) if finding else 0
        values = {
            "delivered": delivered,
            "attempts": attempts,
            "due": int(now + pause),
            "leased": 0,
            "suspended": attempts >= self._attempts,
            "finding": finding,
        }
        self._database.write(
            lambda c: c.execute(update(WEBHOOKS).where(WEBHOOKS.c.name == row.name).values(**values))
        )
        return int(delivered - row.delivered)

    def _post(self, url: str, secret: str, event: Event, now: int) -> str:
        """Deliver one event; what went wrong, or nothing."""
        body = event.model_dump_json().encode()
        headers = {
            "content-type": "application/json",
            "zkmargin-signature": signature(secret, now, body),
            "zkmargin-event": str(event.sequence),
        }
        try:
            status = status_after(self._http, url, body, headers)
        except PrivateAddressError as error:
            return str(error)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return type(error).__name__
        return "" if 200 <= status < 300 else f"status {status}"


def _due(connection: Connection, now: int) -> Any:
    """The webhooks that have something due, and that nobody else delivers to."""
    return select(WEBHOOKS).where(
        WEBHOOKS.c.suspended.is_(False),
        WEBHOOKS.c.due <= now,
        WEBHOOKS.c.leased <= now,
        WEBHOOKS.c.delivered < last_sequence(connection),
    )


def _lease(connection: Connection, now: int) -> list[Any]:
    """What is due, leased to whoever asks."""
    question = _due(connection, now).order_by(WEBHOOKS.c.name).with_for_update(skip_locked=True)
    rows = list(connection.execute(question))
    for row in rows:
        connection.execute(
            update(WEBHOOKS).where(WEBHOOKS.c.name == row.name).values(leased=now + LEASE_SECONDS)
        )
    return rows
