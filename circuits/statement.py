"""The statement: everything that one proof is about, and the digest that binds it.

The verifier writes the statement himself, from the snapshot he accepts, the commitments he trusts and the nonce he
gave out. A proof carries no part of it that he would have to believe.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from zkmargin.circuits.model_relation import build_relation
from zkmargin.circuits.relation import Relation
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.canonical_json import canonical_json
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level

LONGEST_TEXT = 256
POINT_BYTES = 48


@dataclass(frozen=True)
class CommitmentTerm:
    """One commitment of the statement, added into a holdings column.

    Attributes:
        point: the compressed point, 48 bytes.
        column: the holdings column that it is added into.
        attestation: the digest of what vouches for it, 32 bytes; empty if nothing signed does.
    """

    point: bytes
    column: int = 0
    attestation: bytes = b""


@dataclass(frozen=True, eq=False)
class CommittedRows:
    """Commitments to the relation's coefficients on the holdings, made once and recomputable by anyone.

    Attributes:
        points: for each holdings column the commitment to each equation's coefficients, 48 bytes each.
        table: the commitment to the table 0 .. n-1, 48 bytes.
    """

    points: tuple[tuple[bytes, ...], ...]
    table: bytes

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of all points in order."""
        sha = hashlib.sha256(b"zkmargin/rows/1;" + self.table)
        for column in self.points:
            sha.update(b"".join(column))
        return sha.digest()


@dataclass(frozen=True)
class Statement:
    """What a proof shows: that the holdings behind the commitments satisfy the relation, for this audience, now.

    Attributes:
        relation: the rows, built for model, level and threshold by whoever writes the statement.
        snapshot: the snapshot's id, hex SHA-256 (it covers prices, parameters, scenarios, tables and quantum).
        universe: the universe's digest, hex SHA-256 (slots, lots and n).
        model: name of the margin model.
        level: initial or maintenance.
        threshold: what the excess must reach, in ticks of the snapshot.
        commitments: in order; the sum over each column is what the relation speaks of.
        audience: who the proof is meant for.
        nonce: the verifier's, so that a proof answers one question once.
        expiry: Unix seconds after which the proof no longer counts; 0 for none.
        subject: public key bytes of whoever proves; empty where none is asked for.
        chain: chain id, 0 for none.
        contract: address of the verifying contract, empty for none.
        rows: None in direct mode, where the verifier weighs the coefficients himself; in committed mode the
            commitments that stand for them.
    """

    relation: Relation
    snapshot: str
    universe: str
    model: str
    level: Level
    threshold: int
    commitments: tuple[CommitmentTerm, ...]
    audience: str
    nonce: str
    expiry: int = 0
    subject: bytes = b""
    chain: int = 0
    contract: bytes = b""
    rows: CommittedRows | None = None

    def __post_init__(self) -> None:
        """Raises InputError if a field is empty, too long, or does not fit the relation."""
        for name in ("audience", "nonce"):
            text = getattr(self, name)
            if not 1 <= len(text) <= LONGEST_TEXT or not text.isprintable():
                remedy = f"write 1 to {LONGEST_TEXT} printable characters"
                raise InputError("statement", name, text, remedy)
        if not 0 <= self.expiry < 1 << 63:
            raise InputError("statement", "expiry", self.expiry, "write Unix seconds, or 0 for none")
        if {term.column for term in self.commitments} != set(range(self.relation.columns)):
            remedy = "give at least one commitment for each holdings column"
            raise InputError("statement", "commitments", len(self.commitments), remedy)
        for term in self.commitments:
            if len(term.point) != POINT_BYTES:
                raise InputError("statement", "commitment", term.point.hex(), "write 48 bytes")
        if self.rows is not None:
            counts = [len(column) for column in self.rows.points]
            if counts != [self.relation.equations] * self.relation.columns:
                remedy = "commit to the rows of this very relation"
                raise InputError("statement", "rows", sum(counts), remedy)
        points = [term.point for term in self.commitments]
        if len(set(points)) != len(points):
            raise InputError("statement", "commitments", "the same twice", "name each commitment once")

    @classmethod
    def about(
        cls,
        snapshot: Snapshot,
        commitments: tuple[CommitmentTerm, ...],
        *,
        audience: str,
        nonce: str,
        model: str = "grid",
        level: Level = "initial",
        threshold: int = 0,
        expiry: int = 0,
        rows: CommittedRows | None = None,
    ) -> Statement:
        """The statement that the sum of the commitments covers a model's requirement and the threshold.

        Raises:
            InputError: see `build_relation` and the fields of a statement.
        """
        return cls(
            relation=build_relation(snapshot, model=model, level=level, threshold=threshold),
            snapshot=snapshot.id,
            universe=snapshot.universe.digest,
            model=model,
            level=level,
            threshold=threshold,
            commitments=commitments,
            audience=audience,
            nonce=nonce,
            expiry=expiry,
            rows=rows,
        )

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the canonical encoding of all fields, the relation by its own digest."""
        document = {
            "format": "zkmargin/statement/1",
            "mode": "committed" if self.rows else "direct",
            "relation": (self.relation.frame_digest if self.rows else self.relation.digest).hex(),
            "rows": self.rows.digest.hex() if self.rows else "",
            "snapshot": self.snapshot,
            "universe": self.universe,
            "model": self.model,
            "level": self.level,
            "threshold": self.threshold,
            "commitments": [
                {"point": term.point.hex(), "column": term.column, "attestation": term.attestation.hex()}
                for term in self.commitments
            ],
            "audience": self.audience,
            "nonce": self.nonce,
            "expiry": self.expiry,
            "subject": self.subject.hex(),
            "chain": self.chain,
            "contract": self.contract.hex(),
        }
        return hashlib.sha256(canonical_json(document)).digest()
