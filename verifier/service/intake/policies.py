"""The policy in force: begun with a file, changed by the API, the same for all replicas."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from zkmargin.margin.files.canonical_json import canonical_json
from zkmargin.verifier.policy import Policy
from zkmargin.verifier.service.problems import ProblemError
from zkmargin.verifier.service.store import event_log as chain
from zkmargin.verifier.service.store.database import Database
from zkmargin.verifier.service.store.schema import HEAD, POLICIES
from zkmargin.verifier.service.store.statuses import distrust


@dataclass(frozen=True)
class InForce:
    """A policy and its version."""

    version: int
    policy: Policy


class Policies:
    """Knows the policy in force."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._current: InForce | None = None

    def begin(self, first: Policy, now: int) -> None:
        """Put the first policy in force, unless the ledger has one already."""

        def unless_there(connection: Connection) -> None:
            connection.execute(select(HEAD).with_for_update())
            if connection.execute(select(func.count()).select_from(POLICIES)).scalar_one() == 0:
                _insert(connection, 1, first, now)

        self._database.write(unless_there)

    def current(self) -> InForce:
        """The policy that was in force when last looked."""
        with self._lock:
            found = self._current
        return found if found is not None else self.look()

    def look(self) -> InForce:
        """The policy in force now."""
        question = select(POLICIES).order_by(POLICIES.c.version.desc()).limit(1)
        row = self._database.read(lambda c: c.execute(question).one())
        found = InForce(int(row.version), Policy.accept(json.loads(row.content), "policy"))
        with self._lock:
            self._current = found
        return found

    def change(self, policy: Policy, now: int) -> InForce:
        """Put a policy in force; pledges that lean on a key which it revokes go stale.

        Raises ProblemError for another audience, chain or contract: pledges and receipts name these.
        """

        def to(connection: Connection) -> int:
            connection.execute(select(HEAD).with_for_update())
            row = connection.execute(select(POLICIES).order_by(POLICIES.c.version.desc()).limit(1)).one()
            before = Policy.accept(json.loads(row.content), "policy")
            for name in ("audience", "chain_id", "verifying_contract"):
                if getattr(before, name) != getattr(policy, name):
                    detail = f"{name} stays as it is for the life of a ledger; begin another one"
                    raise ProblemError("parameter", detail)
            _insert(connection, row.version + 1, policy, now)
            for key in sorted(set(policy.revoked) - set(before.revoked)):
                distrust(connection, key, now)
            return int(row.version) + 1

        self._database.write(to)
        return self.look()


def _insert(connection: Connection, version: int, policy: Policy, now: int) -> None:
    content = canonical_json(policy.model_dump(mode="json")).decode()
    connection.execute(insert(POLICIES).values(version=version, content=content, since=now))
    chain.append(connection, [("policy.changed", str(version), {})], now)
