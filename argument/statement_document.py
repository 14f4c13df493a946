"""A statement as a file: what a proof is about, for verifiers that have no snapshot to derive it from.

The program is named by its digest: whoever verifies by this file alone relies on someone for the digest's being that of
the snapshot's model.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints

from zkmargin.argument.documents import Digest, Document, PointHex, Version
from zkmargin.circuits.relation import Relation
from zkmargin.circuits.statement import LONGEST_TEXT, CommitmentTerm, CommittedRows, Statement
from zkmargin.margin.errors import InputError
from zkmargin.margin.units import Level

MOST_COMMITMENTS = 1024


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("write printable characters only")
    return text


def _some(text: str) -> str:
    if not text.strip("0"):
        raise ValueError("write null for none")
    return text


Text = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT), AfterValidator(_printable)]
SomeDigest = Annotated[Digest, AfterValidator(_some)]
AddressHex = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$"), AfterValidator(_some)]
"""20 bytes, not all of them 0."""
Amount = Annotated[int, Field(ge=-(1 << 255), lt=1 << 255)]


class TermDocument(Document):
    """One commitment: its point, the holdings column that it is added into, and what vouches for it."""

    point: PointHex
    column: Annotated[int, Field(ge=0, lt=1 << 16)]
    attestation: SomeDigest | None


class StatementDocument(Document):
    """All fields of a statement; `program` and `rows` by their digests.

    Attributes:
        program: SHA-256 of the program, or of the frame in committed mode.
        rows: digest of the committed rows; None in direct mode.
        threshold: in ticks of the snapshot.
        expiry: Unix seconds; 0 for none.
        subject, contract: 20 bytes; None where there is none.
    """

    format: Literal["zkmargin/statement"] = "zkmargin/statement"
    version: Version = 1
    program: Digest
    rows: SomeDigest | None
    snapshot: Digest
    universe: Digest
    model: Text
    level: Level
    threshold: Amount
    commitments: Annotated[list[TermDocument], Field(min_length=1, max_length=MOST_COMMITMENTS)]
    audience: Text
    nonce: Text
    expiry: Annotated[int, Field(ge=0, lt=1 << 63)]
    subject: AddressHex | None
    chain: Annotated[int, Field(ge=0, lt=1 << 63)]
    contract: AddressHex | None

    @classmethod
    def of(cls, statement: Statement) -> Self:
        """The document of a statement."""
        relation, rows = statement.relation, statement.rows
        return cls(
            program=(relation.frame_digest if rows else relation.digest).hex(),
            rows=rows.digest.hex() if rows else None,
            snapshot=statement.snapshot,
            universe=statement.universe,
            model=statement.model,
            level=statement.level,
            threshold=statement.threshold,
            commitments=[
                TermDocument(
                    point=term.point.hex(), column=term.column, attestation=term.attestation.hex() or None
                )
                for term in statement.commitments
            ],
            audience=statement.audience,
            nonce=statement.nonce,
            expiry=statement.expiry,
            subject=statement.subject.hex() or None,
            chain=statement.chain,
            contract=statement.contract.hex() or None,
        )

    def statement(self, relation: Relation, rows: CommittedRows | None, where: str) -> Statement:
        """The statement, about a relation and committed rows that must be those that the document names.

        Args:
            relation: at any threshold; the document's is put in its place.
            rows: None in direct mode.
            where: the document, for messages.

        Raises:
            InputError: relation or rows are others, or a field does not fit them.
            RelationError: the threshold lies beyond the relation's reach.
        """
        found = {
            "program": (relation.frame_digest if rows else relation.digest).hex(),
            "rows": rows.digest.hex() if rows else None,
        }
        for name, own in found.items():
            if getattr(self, name) != own:
                raise InputError(where, name, getattr(self, name), f"what was given beside it has {own}")
        return Statement(
            relation=relation.at(self.threshold),
            snapshot=self.snapshot,
            universe=self.universe,
            model=self.model,
            level=self.level,
            threshold=self.threshold,
            commitments=tuple(
                CommitmentTerm(bytes.fromhex(term.point), term.column, bytes.fromhex(term.attestation or ""))
                for term in self.commitments
            ),
            audience=self.audience,
            nonce=self.nonce,
            expiry=self.expiry,
            subject=bytes.fromhex(self.subject or ""),
            chain=self.chain,
            contract=bytes.fromhex(self.contract or ""),
            rows=rows,
        )
