"""The snapshots that proofs may be about: signed by a trusted oracle, reproduced here, and shared by all replicas."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, insert, select

from zkmargin.algebra.setup import Setup
from zkmargin.argument.documents import RowsDocument
from zkmargin.attestation.documents import SnapshotSignature
from zkmargin.attestation.exchange import RowsInfo
from zkmargin.circuits.model_relation import Thresholds
from zkmargin.circuits.relation import Relation
from zkmargin.circuits.statement import CommittedRows
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import parse_json
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level
from zkmargin.verifier.policy import Policy
from zkmargin.verifier.service.intake.policies import Policies
from zkmargin.verifier.service.intake.rows import known, named_rows, recompute, record
from zkmargin.verifier.service.problems import ProblemError
from zkmargin.verifier.service.store import event_log as chain
from zkmargin.verifier.service.store.database import Database
from zkmargin.verifier.service.store.schema import HEAD, SNAPSHOTS
from zkmargin.verifier.service.uploads import MOST_ROWS_MEMBERS, check_members, split
from zkmargin.verifier.submission import check_oracle, check_snapshot

KEPT = 8
"""Snapshots in memory, with their relations."""

MOST_ROWS = 64
"""Of one upload: models, by level."""

KEPT_BYTES = 6 << 20
"""Of the documents of snapshots in memory, where large ones take up about ten times that."""

KEPT_ANYWAY = 2
"""Snapshots that stay in memory however large they are."""


@dataclass(frozen=True)
class Published:
    """What an oracle publishes.

    Attributes:
        content: the snapshot's bytes.
        signature: the oracle's.
        rows: commitments to the rows of its models, if there are any.
    """

    content: bytes
    signature: SnapshotSignature
    rows: tuple[RowsDocument, ...] = ()

    @classmethod
    def read(cls, content: bytes, where: str, policy: Policy) -> Published:
        """What is in an upload, parsed once it is known that a trusted oracle signed these very bytes.

        Raises:
            PolicyError: no trusted oracle signed it.
            InputError: it is none, or another snapshot than the signed one.
        """
        sealed = split(content, where)
        check_oracle(sealed.signature, policy, f"the signature of snapshot {sealed.signature.snapshot}")
        sealed.check_id(where)
        check_members(sealed.rows, MOST_ROWS_MEMBERS, f"{where}: rows")
        try:
            rows = parse_json(sealed.rows.decode() or "[]", f"{where}: rows")
        except UnicodeDecodeError:
            raise InputError(
                where, "rows", Finding("no UTF-8"), "give the rows as they were written"
            ) from None
        if not isinstance(rows, list) or len(rows) > MOST_ROWS:
            raise InputError(where, "rows", Finding("something else"), f"give a list of at most {MOST_ROWS}")
        documents = tuple(RowsDocument.accept(one, f"{where}: rows") for one in rows)
        return cls(sealed.snapshot, sealed.signature, documents)


@dataclass
class Kept:
    """A snapshot in memory.

    Attributes:
        snapshot: itself.
        signature: the oracle's.
        size: bytes of its document.
        relations: by model and level, for any threshold.
        rows: committed, by model and level, as far as they were asked for.
    """

    snapshot: Snapshot
    signature: SnapshotSignature
    size: int
    relations: dict[tuple[str, Level], Thresholds] = field(default_factory=dict)
    rows: dict[tuple[str, Level], CommittedRows] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def relation(self, model: str, level: Level, threshold: int) -> Relation:
        """The relation for a threshold; rows are written once for each model and level."""
        with self.lock:
            if (model, level) not in self.relations:
                self.relations[model, level] = Thresholds(self.snapshot, model=model, level=level)
            return self.relations[model, level].at(threshold)


class Snapshots:
    """Takes snapshots in, and finds them again."""

    def __init__(self, database: Database, policies: Policies, setup: Setup, quantum_decimals: int) -> None:
        self._setup = setup
        self._database, self._policies, self._quantum = database, policies, quantum_decimals
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def accept(self, offered: Published, now: float) -> Snapshot:
        """Take a snapshot in: its tables are derived again from its prices, and its rows from its tables.

        Either all of it is taken in or nothing; taking it in twice changes nothing. Rows of models that the policy
        does not accept are passed over.

        Raises:
            PolicyError: no trusted oracle signed it, or it is not of about now.
            ProblemError: rows are not those of the snapshot.
            InputError: it is no snapshot, or its tables do not follow from its inputs.
        """
        content, signature = offered.content, offered.signature
        snapshot = parsed(content, "snapshot")
        if snapshot.quantum_decimals != self._quantum:
            remedy = f"this ledger counts in ticks of 10^-{self._quantum} USD"
            raise InputError("snapshot", "quantum_decimals", snapshot.quantum_decimals, remedy)
        policy = self._policies.look().policy
        oracle = check_snapshot(snapshot, signature, policy, now)
        kept = self._known(snapshot.id) or Kept(snapshot, signature, len(content))
        wanted = [document for document in offered.rows if _accepted(policy, document)]
        recomputed = [(document, self._recomputed(kept, document)) for document in wanted]
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
            if not connection.execute(select(SNAPSHOTS.c.id).where(SNAPSHOTS.c.id == snapshot.id)).first():
                connection.execute(insert(SNAPSHOTS), [row])
                data = {"oracle": oracle, "valuation_time": snapshot.valuation_time}
                chain.append(connection, [("snapshot.accepted", snapshot.id, data)], int(now))
            for document, digest in recomputed:
                record(connection, document, digest, int(now))

        self._database.write(once)
        self._keep(kept)
        return snapshot

    def read(self, content: bytes, where: str) -> Published:
        """What is in an upload, under the policy in force. Raises as `Published.read` does."""
        return Published.read(content, where, self._policies.look().policy)

    def expect_rows(self, identity: str, model: str, level: Level) -> None:
        """Check, before anything of them is read, that rows may be taken in.

        Raises:
            ProblemError: the snapshot is not here, or the policy does not accept the model.
        """
        found = self._policies.look().policy.models.get(model)
        if found is None or not found.admits(level):
            raise ProblemError("model", f"{model} at {level} is not accepted here")
        question = select(SNAPSHOTS.c.id).where(SNAPSHOTS.c.id == identity)
        if self._database.read(lambda c: c.execute(question).first()) is None:
            raise ProblemError("snapshot", f"snapshot {identity} was not taken in here")

    def publish(self, identity: str, document: RowsDocument, now: float) -> RowsInfo:
        """Take committed rows of a snapshot in that is here already. Taking them in twice changes nothing.

        Raises:
            ProblemError: they are not those of the snapshot, or the policy does not accept their model.
            InputError: the snapshot lacks the model.
        """
        if not _accepted(self._policies.look().policy, document):
            raise ProblemError("model", f"{document.model} at {document.level} is not accepted here")
        kept = self.get(identity)
        digest = self._recomputed(kept, document)

        def once(connection: Connection) -> None:
            connection.execute(select(HEAD).with_for_update())
            record(connection, document, digest, int(now))

        self._database.write(once)
        return RowsInfo(model=document.model, level=document.level, digest=digest)

    def rows(self, kept: Kept, model: str, level: Level, digest: str) -> CommittedRows:
        """The committed rows with this digest, for a proof that uses them. Raises ProblemError if they are not here."""
        found = kept.rows.get((model, level))
        if found is None:
            identity = kept.snapshot.id
            row = self._database.read(lambda c: known(c, identity, model, level))
            if row is not None:
                document = RowsDocument.parse(bytes(row.content).decode(), "rows")
                found = kept.rows.setdefault((model, level), named_rows(document, self._setup, identity))
        if found is None or found.digest.hex() != digest:
            raise ProblemError("rows", f"no rows {digest} of {model} at {level} were taken in here")
        return found

    def _recomputed(self, kept: Kept, document: RowsDocument) -> str:
        """The digest of rows that are those of a snapshot. Raises ProblemError or InputError."""
        rows = named_rows(document, self._setup, kept.snapshot.id)
        model, level = document.model, document.level
        before = self._database.read(lambda c: known(c, kept.snapshot.id, model, level))
        if before is None:
            recompute(rows, self._setup, kept.relation(model, level, 0))
            kept.rows[model, level] = rows
        elif before.digest != rows.digest.hex():
            # There is one way to write each commitment down, and these rows were recomputed once.
            raise ProblemError("rows", f"rows: those of {model} at {level} are {before.digest}")
        return rows.digest.hex()

    def _known(self, identity: str) -> Kept | None:
        with self._lock:
            return self._kept.get(identity)

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
            content = bytes(row.content)
            kept = self._keep(Kept(parsed(content, "snapshot"), signature, len(content)))
        if kept.signature.signer in self._policies.current().policy.revoked:
            raise ProblemError(
                "revoked", f"the key of the oracle that signed snapshot {identity} was revoked"
            )
        return kept

    def newest(self) -> str | None:
        """The id of the newest snapshot; None if there is none yet."""
        question = select(SNAPSHOTS.c.id).order_by(SNAPSHOTS.c.valuation_time.desc()).limit(1)
        return self._database.read(lambda c: c.execute(question).scalar())

    def newest_time(self) -> int:
        """The valuation time of the newest snapshot, Unix microseconds; 0 if there is none yet."""
        question = select(func.max(SNAPSHOTS.c.valuation_time))
        return int(self._database.read(lambda c: c.execute(question).scalar()) or 0)

    def _keep(self, kept: Kept) -> Kept:
        with self._lock:
            kept = self._kept.setdefault(kept.snapshot.id, kept)
            self._kept.move_to_end(kept.snapshot.id)
            size = sum(one.size for one in self._kept.values())
            while len(self._kept) > (KEPT_ANYWAY if size > KEPT_BYTES else KEPT):
                size -= self._kept.popitem(last=False)[1].size
            return kept


def _accepted(policy: Policy, document: RowsDocument) -> bool:
    """Whether proofs under the model and level of these rows are taken at all."""
    found = policy.models.get(document.model)
    return found is not None and found.admits(document.level)


def parsed(content: bytes, where: str) -> Snapshot:
    """The snapshot in these bytes, its id checked. Raises InputError."""
    return Snapshot.parse(content, where)
