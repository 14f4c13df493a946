"""The snapshots that proofs may be about: signed by a trusted oracle, reproduced here, and shared by all replicas."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select

from zkmargin.attestation.documents import SnapshotSignature
from zkmargin.circuits.provable import Thresholds
from zkmargin.circuits.relation import Relation
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot import Snapshot
from zkmargin.margin.tables import Level
from zkmargin.verifier.portfolio import check_snapshot
from zkmargin.verifier.service import chain
from zkmargin.verifier.service.database import Database
from zkmargin.verifier.service.policies import Policies
from zkmargin.verifier.service.problems import ProblemError
from zkmargin.verifier.service.tables import HEAD, SNAPSHOTS

KEPT = 8
"""Snapshots in memory, with their relations."""


@dataclass
class Kept:
    """A snapshot in memory.

    Attributes:
        snapshot: itself.
        signature: the oracle's.
        relations: by model and level, for any threshold.
    """

    snapshot: Snapshot
    signature: SnapshotSignature
    relations: dict[tuple[str, Level], Thresholds] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def relation(self, model: str, level: Level, threshold: int) -> Relation:
        """The relation for a threshold; rows are written once for each model and level."""
        with self.lock:
            if (model, level) not in self.relations:
                self.relations[model, level] = Thresholds(self.snapshot, model=model, level=level)
            return self.relations[model, level].at(threshold)


class Snapshots:
    """Takes snapshots in, and finds them again."""

    def __init__(self, database: Database, policies: Policies, quantum_decimals: int) -> None:
        self._database, self._policies, self._quantum = database, policies, quantum_decimals
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def accept(self, content: bytes, signature: SnapshotSignature, now: float) -> Snapshot:
        """Take a snapshot in: its tables are derived again from its prices. Taking it in twice changes nothing.

        Raises:
            PolicyError: no trusted oracle signed it, or it is not of about now.
            InputError: it is no snapshot, or its tables do not follow from its inputs.
        """
        snapshot = parsed(content, "snapshot")
        if snapshot.quantum_decimals != self._quantum:
            remedy = f"this ledger counts in ticks of 10^-{self._quantum} USD"
            raise InputError("snapshot", "quantum_decimals", snapshot.quantum_decimals, remedy)
        oracle = check_snapshot(snapshot, signature, self._policies.look().policy, now)
        row = {
            "id": snapshot.id,
            "universe": snapshot.universe.digest,
            "valuation_time": snapshot.valuation_time,
            "accepted": int(now),
            "oracle": oracle,
            "signature": signature.encode().decode(),
            "content": content,
        }

        def once(connection: Connection) -> None:
            connection.execute(select(HEAD).with_for_update())
            if connection.execute(select(SNAPSHOTS.c.id).where(SNAPSHOTS.c.id == snapshot.id)).first():
                return
            connection.execute(insert(SNAPSHOTS), [row])
            data = {"oracle": oracle, "valuation_time": snapshot.valuation_time}
            chain.append(connection, [("snapshot.accepted", snapshot.id, data)], int(now))

        self._database.write(once)
        self._keep(Kept(snapshot, signature))
        return snapshot

    def get(self, identity: str) -> Kept:
        """A snapshot that was taken in. Raises ProblemError if it was not, or its oracle's key was revoked."""
        with self._lock:
            kept = self._kept.get(identity)
            if kept is not None:
                self._kept.move_to_end(identity)
        if kept is None:
            question = select(SNAPSHOTS.c.content, SNAPSHOTS.c.signature).where(SNAPSHOTS.c.id == identity)
            row = self._database.read(lambda c: c.execute(question).first())
            if row is None:
                raise ProblemError("snapshot", f"snapshot {identity} was not taken in here")
            signature = SnapshotSignature.parse(row.signature, "snapshot's signature")
            kept = self._keep(Kept(parsed(bytes(row.content), "snapshot"), signature))
        if kept.signature.signer in self._policies.current().policy.revoked:
            raise ProblemError(
                "revoked", f"the key of the oracle that signed snapshot {identity} was revoked"
            )
        return kept

    def newest(self) -> str | None:
        """The id of the newest snapshot; None if there is none yet."""
        question = select(SNAPSHOTS.c.id).order_by(SNAPSHOTS.c.valuation_time.desc()).limit(1)
        return self._database.read(lambda c: c.execute(question).scalar())

    def _keep(self, kept: Kept) -> Kept:
        with self._lock:
            kept = self._kept.setdefault(kept.snapshot.id, kept)
            self._kept.move_to_end(kept.snapshot.id)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return kept


def parsed(content: bytes, where: str) -> Snapshot:
    """The snapshot in these bytes, its id checked. Raises InputError."""
    return Snapshot.parse(content, where)
