"""The statement: everything that one proof is about, and the digest that binds it.

The verifier writes the statement himself, from the snapshot he accepts, the commitments he trusts and the nonce he
gave out. A proof carries no part of it that he would have to believe.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property

from zkmargin.circuits.model_relation import build_relation
from zkmargin.circuits.relation import Relation
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level

LONGEST_TEXT = 256
POINT_BYTES = 48
ADDRESS_BYTES = 20
WORD = 32

FORMAT = b"zkmargin/statement/2"
_DIGEST = re.compile(r"[0-9a-f]{64}")


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

    def encode(self) -> bytes:
        """Point (48 bytes), column (4, big-endian), and the attestation's digest (32; zeros if there is none)."""
        return self.point + self.column.to_bytes(4, "big") + self.attestation.rjust(WORD, b"\0")


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
        threshold: what the excess must reach, in ticks of the snapshot; that of the relation.
        commitments: in order; the sum over each column is what the relation speaks of.
        audience: who the proof is meant for.
        nonce: the verifier's, so that a proof answers one question once.
        expiry: Unix seconds after which the proof no longer counts; 0 for none.
        subject: address of the key of whoever proves, 20 bytes; empty where none is asked for.
        chain: chain id, 0 for none.
        contract: address of the verifying contract, 20 bytes; empty for none.
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
        self._check_fields()
        if self.threshold != self.relation.threshold:
            remedy = f"the relation asks for {self.relation.threshold} ticks; build it for this threshold"
            raise InputError("statement", "threshold", self.threshold, remedy)
        self._check_commitments()
        if self.rows is not None:
            counts = [len(column) for column in self.rows.points]
            if counts != [self.relation.equations] * self.relation.columns:
                remedy = "commit to the rows of this very relation"
                raise InputError("statement", "rows", sum(counts), remedy)

    def _check_fields(self) -> None:
        for name in ("audience", "nonce"):
            text = getattr(self, name)
            if not 1 <= len(text) <= LONGEST_TEXT or not text.isprintable():
                remedy = f"write 1 to {LONGEST_TEXT} printable characters"
                raise InputError("statement", name, text, remedy)
        if not 0 <= self.expiry < 1 << 63:
            raise InputError("statement", "expiry", self.expiry, "write Unix seconds, or 0 for none")
        if not 0 <= self.chain < 1 << 63:
            raise InputError("statement", "chain", self.chain, "write a chain id, or 0 for none")
        for name in ("subject", "contract"):
            address = getattr(self, name)
            if address and (len(address) != ADDRESS_BYTES or not any(address)):
                raise InputError("statement", name, address.hex(), "write an address of 20 bytes, or none")
        for name in ("snapshot", "universe"):
            digest = getattr(self, name)
            if not _DIGEST.fullmatch(digest):
                raise InputError("statement", name, digest, "write a SHA-256 in lower-case hex")

    def _check_commitments(self) -> None:
        if {term.column for term in self.commitments} != set(range(self.relation.columns)):
            remedy = "give at least one commitment for each holdings column"
            raise InputError("statement", "commitments", len(self.commitments), remedy)
        for term in self.commitments:
            if len(term.point) != POINT_BYTES:
                raise InputError("statement", "commitment", term.point.hex(), "write 48 bytes")
            if term.attestation and (len(term.attestation) != WORD or not any(term.attestation)):
                raise InputError(
                    "statement", "attestation", term.attestation.hex(), "write 32 bytes, or none"
                )
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
        """SHA-256 of all fields, each a word of 32 bytes; see `encode`."""
        return hashlib.sha256(self.encode()).digest()

    def encode(self) -> bytes:
        """Fifteen words of 32 bytes.

        SHA-256 of the format's name; the digest of the relation's program (of its frame in committed mode, which the
        program itself says); the digest of the committed rows, or 0; snapshot; universe; SHA-256 of model and of level;
        the threshold, in two's complement; SHA-256 of all commitment terms in order; SHA-256 of audience and of nonce;
        expiry; subject; chain; contract. Texts are UTF-8, numbers and addresses big-endian with zeros in front.
        """
        relation = self.relation
        return b"".join(
            (
                _sha256(FORMAT),
                relation.frame_digest if self.rows else relation.digest,
                self.rows.digest if self.rows else bytes(WORD),
                bytes.fromhex(self.snapshot),
                bytes.fromhex(self.universe),
                _sha256(self.model.encode()),
                _sha256(self.level.encode()),
                self.threshold.to_bytes(WORD, "big", signed=True),
                _sha256(b"".join(term.encode() for term in self.commitments)),
                _sha256(self.audience.encode()),
                _sha256(self.nonce.encode()),
                self.expiry.to_bytes(WORD, "big"),
                self.subject.rjust(WORD, b"\0"),
                self.chain.to_bytes(WORD, "big"),
                self.contract.rjust(WORD, b"\0"),
            )
        )


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
