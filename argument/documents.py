"""The public documents that travel: a commitment, and a proof with what it claims to be about.

All are JSON with a format name, a version, lower-case hex and integers; unknown, missing or repeated keys are refused.
What a proof claims is for people and for early, clear refusals: the verifier compares it with his own statement.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError

from zkmargin.argument.challenges import PROTOCOL
from zkmargin.circuits.relation import MAX_DOMAIN, MIN_DOMAIN
from zkmargin.circuits.statement import LONGEST_TEXT, POINT_BYTES, CommittedRows, Statement
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.canonical_json import canonical_json
from zkmargin.margin.files.documents import parse_json, read_text
from zkmargin.margin.files.literals import PlainLiterals
from zkmargin.margin.files.validation import input_error
from zkmargin.margin.units import Level


def size_in_words(schema: dict[str, Any]) -> None:
    """Say a greatest size in words only: what makes up requests by a schema would make up megabytes for it."""
    for name in ("maxItems", "maxLength", "maxProperties"):
        if name in schema:
            schema["description"] = f"At most {schema.pop(name)}."


Version = Literal[1]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
PointHex = Annotated[str, Field(pattern=r"^[0-9a-f]{96}$")]
PointsHex = Annotated[
    str, Field(pattern=r"^([0-9a-f]{96})+$", max_length=1 << 25, json_schema_extra=size_in_words)
]
Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
Domain = Annotated[int, Field(ge=MIN_DOMAIN, le=MAX_DOMAIN)]
Curve = Literal["BLS12-381"]

LONGEST_FILE = 16 << 20
"""In bytes; read whole, JSON takes some thirty times its length, and few documents need a thousandth of this."""

LONGEST_PROOF = 1 << 16
"""In bytes; a proof over the largest relation that fits the setup is far shorter."""


class Document(PlainLiterals):
    """A frozen, strict document with one canonical encoding."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, defer_build=True
    )

    def encode(self) -> bytes:
        """Canonical JSON and a line feed."""
        return canonical_json(self.model_dump(mode="json")) + b"\n"

    @classmethod
    def read(cls, path: Path) -> Self:
        """The document in a file. Raises InputError naming file, field and value."""
        return cls.parse(read_text(path, LONGEST_FILE), str(path))

    @classmethod
    def parse(cls, text: str, where: str) -> Self:
        """The document in a text. Raises InputError naming where it came from, field and value."""
        return cls.accept(parse_json(text, where, constants=False), where)

    @classmethod
    def accept(cls, content: Any, where: str) -> Self:
        """The document with this content. Raises InputError."""
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise input_error(where, error) from None


class CommitmentDocument(Document):
    """A commitment to holdings over one universe."""

    format: Literal["zkmargin/commitment"] = "zkmargin/commitment"
    version: Version = 1
    curve: Curve = "BLS12-381"
    setup: Digest
    universe: Digest
    domain: Domain
    point: PointHex


class RowsDocument(Document):
    """Commitments to the rows of one snapshot, model and level, which stand in for their coefficients.

    They serve every threshold: that enters as a constant.
    """

    format: Literal["zkmargin/rows"] = "zkmargin/rows"
    version: Literal[1] = 1
    curve: Curve = "BLS12-381"
    setup: Digest
    snapshot: Digest
    model: Text
    level: Level
    columns: Annotated[list[PointsHex], Field(min_length=1)]
    """For each holdings column the points of all equations, one after another."""
    table: PointHex

    @classmethod
    def of(cls, rows: CommittedRows, *, setup: str, snapshot: str, model: str, level: Level) -> RowsDocument:
        """The document of committed rows."""
        return cls(
            setup=setup,
            snapshot=snapshot,
            model=model,
            level=level,
            columns=[b"".join(column).hex() for column in rows.points],
            table=rows.table.hex(),
        )

    def rows(self, where: str, *, setup: str, snapshot: str, model: str, level: Level) -> CommittedRows:
        """The committed rows, if they are those of this setup, snapshot, model and level; else InputError."""
        wanted = {"setup": setup, "snapshot": snapshot, "model": model, "level": level}
        for name, own in wanted.items():
            found = getattr(self, name)
            if found != own:
                raise InputError(where, name, found, f"these rows are of another {name} than yours, {own}")
        points = (bytes.fromhex(column) for column in self.columns)
        return CommittedRows(
            tuple(tuple(x[k : k + POINT_BYTES] for k in range(0, len(x), POINT_BYTES)) for x in points),
            bytes.fromhex(self.table),
        )


class Claims(Document):
    """The statement that a proof file claims to be about."""

    snapshot: Digest
    universe: Digest
    model: Text
    level: Level
    threshold: int
    commitments: Annotated[list[PointHex], Field(min_length=1)]
    audience: Text
    nonce: Text
    expiry: Annotated[int, Field(ge=0, lt=1 << 63)]

    @classmethod
    def of(cls, statement: Statement) -> Claims:
        """The claims of a proof of this statement."""
        return cls(
            snapshot=statement.snapshot,
            universe=statement.universe,
            model=statement.model,
            level=statement.level,
            threshold=statement.threshold,
            commitments=[term.point.hex() for term in statement.commitments],
            audience=statement.audience,
            nonce=statement.nonce,
            expiry=statement.expiry,
        )


class ProofDocument(Document):
    """A proof and its claims."""

    format: Literal["zkmargin/proof"] = "zkmargin/proof"
    version: Version = 1
    curve: Curve = "BLS12-381"
    protocol: Literal["zkmargin/margin-argument/2"] = PROTOCOL
    setup: Digest
    claims: Claims
    proof: Annotated[str, Field(pattern=r"^([0-9a-f]{2})+$", max_length=2 * LONGEST_PROOF)]
