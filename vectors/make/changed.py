"""Proofs that were good until something was changed: a message, an order, a statement, a program, an encoding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tests.argument.changes import with_part
from tests.argument.toys import Toy
from vectors.make.files import VectorFile
from vectors.make.layouts import made, opened
from vectors.make.points import IDENTITY, by_class
from vectors.make.proofs import Shared, fixed_proof, intermediate, setup
from zkmargin.algebra.field import MODULUS
from zkmargin.argument import Proof, Shape
from zkmargin.circuits import Statement

NOTES = {
    "Unchanged": "The proof that the others are changed from.",
    "PointEncoding": "A point of the proof is malformed, in one of the ways of points.json.",
    "CommitmentEncoding": "A commitment of the statement is malformed.",
    "ScalarEncoding": "A scalar is not below r.",
    "Length": "The proof is longer or shorter than the statement asks for.",
    "AlteredPoint": "A point is another one of the group.",
    "IdentityPoint": "A point is the identity, which is a valid encoding.",
    "AlteredScalar": "A scalar is another one below r.",
    "Reordered": "Two messages of one kind changed places.",
    "Replayed": "The proof, or a part of it, belongs to another statement or another run of the prover.",
    "Statement": "One field of the statement was changed after the proof was made.",
    "Program": "The statement names another program than the one that is given beside it.",
    "Mode": "A proof of direct mode is offered in committed mode, or the reverse.",
    "Rows": "The committed rows are others.",
}

EVERYTHING = Toy(limb_columns=3, squares=True, columns=2, group=2)
"""A layout in which every kind of message occurs."""

POINT, SCALAR = 48, 32

ONE_BIT = {"snapshot": "5b" + "5a" * 31, "universe": "c3" * 31 + "c2"}


class Changes:
    """One file of changed proofs over one direct and one committed statement."""

    def __init__(self) -> None:
        self.shared = Shared()
        self.file = VectorFile("proofs", NOTES)
        self.openings = opened("changed", EVERYTHING)
        self.statement = made(EVERYTHING, self.openings)
        self.proof = fixed_proof(self.statement, self.openings, "changed")
        self.data = self.proof.to_bytes()
        self.taken = self.shared.take(self.statement)

    def add(self, comment: str, data: bytes, reason: str, flag: str, **changes: Any) -> None:
        """A test over the direct statement, with members of the test changed."""
        content: dict[str, Any] = {**self.taken, "proof": data.hex(), **changes}
        self.file.add(comment, content, reason.split("|") if reason else (), [flag])

    def about(self, statement: Statement) -> dict[str, Any]:
        """The member by which a test is about another statement."""
        return self.shared.take(statement)


def changed() -> VectorFile:
    """The file: one good proof, and what becomes of it."""
    changes = Changes()
    changes.add(
        "unchanged",
        changes.data,
        "",
        "Unchanged",
        intermediate=intermediate(changes.statement, changes.proof),
    )
    _encodings(changes)
    _messages(changes)
    _replays(changes)
    _statements(changes)
    _modes(changes)
    changes.file.shared = changes.shared.members()
    return changes.file


def _encodings(changes: Changes) -> None:
    data, classes = changes.data, by_class()
    kinds = list(classes)
    for number, (name, at) in enumerate(_places(changes.statement, POINT)):
        kind = kinds[number % len(kinds)]
        changes.add(f"{name}: {kind}", _put(data, at, classes[kind]), "proof-encoding", "PointEncoding")
    for kind, encoding in classes.items():
        changes.add(f"limbs 0: {kind}", _put(data, 0, encoding), "proof-encoding", "PointEncoding")
    for name, at in _places(changes.statement, SCALAR):
        value = int.from_bytes(data[at : at + SCALAR], "big")
        changes.add(f"{name}: r", _put(data, at, _scalar(MODULUS)), "proof-encoding", "ScalarEncoding")
        if value + MODULUS < 1 << 256:
            again = _put(data, at, _scalar(value + MODULUS))
            changes.add(f"{name}: the same and r", again, "proof-encoding", "ScalarEncoding")
    changes.add("limb value 0: all ones", _put(data, _places(changes.statement, SCALAR)[0][1], b"\xff" * 32),
                "proof-encoding", "ScalarEncoding")  # fmt: skip
    for comment, other in (
        ("nothing", b""),
        ("one byte short", data[:-1]),
        ("one byte long", data + b"\0"),
        ("a point short", data[:-POINT]),
        ("a point long", data + data[:POINT]),
        ("twice", data + data),
        ("a limb column more", data[:POINT] + data),
    ):
        changes.add(comment, other, "proof-encoding", "Length")
    for kind, encoding in classes.items():
        document = _with(changes.taken["statement"], commitments=_commitments(changes, encoding))
        changes.add(
            f"commitment 1: {kind}", data, "commitment-encoding", "CommitmentEncoding", statement=document
        )


def _messages(changes: Changes) -> None:
    data, statement = changes.data, changes.statement
    backend = setup().backend
    points, scalars = _places(statement, POINT), _places(statement, SCALAR)
    for name, at in points:
        point = backend.decode(data[at : at + POINT])
        other = backend.encode(backend.msm([point, backend.generator()], [1, 1]))
        changes.add(f"{name}: another point", _put(data, at, other), "pairing", "AlteredPoint")
    for name, at in points[:1] + points[-2:]:
        changes.add(f"{name}: the identity", _put(data, at, IDENTITY), "pairing", "IdentityPoint")
        negative = bytes([data[at] ^ 0x20]) + data[at + 1 : at + POINT]
        changes.add(f"{name}: its negative", _put(data, at, negative), "pairing", "AlteredPoint")
    for name, at in scalars:
        value = int.from_bytes(data[at : at + SCALAR], "big")
        other = _scalar((value + 1) % MODULUS)
        changes.add(f"{name}: one more", _put(data, at, other), "pairing", "AlteredScalar")
    changes.add("all points the identity, all scalars 0", _nothing(statement), "pairing", "IdentityPoint")
    places = dict([*points, *scalars])
    for first, second, size in (
        ("limbs 0", "limbs 1", POINT),
        ("limbs 2", "multiplicity", POINT),
        ("U", "V", POINT),
        ("helper 0", "helper 1", POINT),
        ("quotient 0", "quotient 1", POINT),
        ("opening", "shifted opening", POINT),
        ("limb value 0", "limb value 1", SCALAR),
        ("U value", "running sum value", SCALAR),
    ):
        a, b = places[first], places[second]
        turned = _put(_put(data, a, data[b : b + size]), b, data[a : a + size])
        changes.add(f"{first} and {second} turned round", turned, "pairing", "Reordered")


def _replays(changes: Changes) -> None:
    statement, openings = changes.statement, changes.openings
    again = fixed_proof(statement, openings, "another run")
    other = fixed_proof(replace(statement, nonce="another question"), openings, "changed")
    changes.add("another run of the prover, whole", again.to_bytes(), "", "Unchanged")
    changes.add("the proof of another nonce", other.to_bytes(), "pairing", "Replayed")
    later = made(EVERYTHING, opened("later", EVERYTHING))
    moved = fixed_proof(later, opened("later", EVERYTHING), "changed")
    changes.add("the proof of other commitments", moved.to_bytes(), "pairing", "Replayed")
    for name in ("limbs", "multiplicity", "helpers", "running_sum", "quotients", "limb_values", "opening"):
        mixed: Proof = with_part(changes.proof, name, getattr(again, name))
        changes.add(f"{name} of another run", mixed.to_bytes(), "pairing", "Replayed")


def _statements(changes: Changes) -> None:
    document: Mapping[str, Any] = changes.taken["statement"]
    first, second = document["commitments"]
    for comment, fields in (
        ("snapshot", {"snapshot": ONE_BIT["snapshot"]}),
        ("universe", {"universe": ONE_BIT["universe"]}),
        ("model", {"model": "toys"}),
        ("level", {"level": "maintenance"}),
        ("threshold, one less", {"threshold": document["threshold"] - 1}),
        ("threshold, one more", {"threshold": document["threshold"] + 1}),
        ("threshold, its negative", {"threshold": -document["threshold"]}),
        ("audience", {"audience": "desk "}),
        ("nonce", {"nonce": "another question"}),
        ("audience and nonce exchanged", {"audience": document["nonce"], "nonce": document["audience"]}),
        ("expiry", {"expiry": 1}),
        ("subject", {"subject": "01" * 20}),
        ("chain", {"chain": 1}),
        ("contract", {"contract": "01" * 20}),
        ("commitments in another order", {"commitments": [second, first]}),
        ("columns exchanged", {"commitments": [{**first, "column": 1}, {**second, "column": 0}]}),
        ("attestation", {"commitments": [{**first, "attestation": "01" * 32}, second]}),
        ("another commitment", {"commitments": [first, {**second, "point": _other(second["point"])}]}),
        ("a commitment more", {"commitments": [first, second, {**second, "point": _other(second["point"])}]}),
    ):
        changes.add(comment, changes.data, "pairing", "Statement", statement=_with(document, **fields))
    for comment, fields in (
        ("threshold beyond the reach", {"threshold": changes.statement.relation.reach + 1}),
        ("a commitment less", {"commitments": [first]}),
        ("a column that there is not", {"commitments": [first, {**second, "column": 2}]}),
        ("one commitment twice", {"commitments": [first, second, first]}),
        ("a key more", {"note": "x"}),
        ("an expiry of another type", {"expiry": "0"}),
        ("an empty audience", {"audience": ""}),
        ("an audience with a line feed", {"audience": "desk\n"}),
        ("an audience of 257 characters", {"audience": "a" * 257}),
        ("a level that there is not", {"level": "final"}),
        ("an attestation of zeros", {"commitments": [{**first, "attestation": "00" * 32}, second]}),
        ("a subject of zeros", {"subject": "00" * 20}),
        ("a snapshot in capitals", {"snapshot": "5A" * 32}),
        ("a negative expiry", {"expiry": -1}),
        ("another version", {"version": 2}),
    ):
        changes.add(comment, changes.data, "statement", "Statement", statement=_with(document, **fields))
    missing = {name: value for name, value in document.items() if name != "nonce"}
    changes.add("a key less", changes.data, "statement", "Statement", statement=missing)
    another = made(Toy(limb_columns=3, squares=True, columns=2, group=3), changes.openings)
    taken = changes.about(another)
    changes.add("the digest of another program", changes.data, "pairing|proof-encoding", "Program",
                statement=_with(document, program=taken["statement"]["program"]))  # fmt: skip
    changes.add("another program beside the statement", changes.data, "statement", "Program",
                program=taken["statement"]["program"])  # fmt: skip


def _modes(changes: Changes) -> None:
    toy = replace(EVERYTHING, committed=True)
    openings = opened("changed", toy)
    statement = made(toy, openings)
    proof = fixed_proof(statement, openings, "committed")
    taken = changes.about(statement)
    data = proof.to_bytes()
    add = changes.add
    add(
        "committed mode, unchanged",
        data,
        "",
        "Unchanged",
        **taken,
        intermediate=intermediate(statement, proof),
    )
    add("a proof of committed mode in direct mode", data, "proof-encoding", "Mode")
    add("a proof of direct mode in committed mode", changes.data, "proof-encoding", "Mode", **taken)
    document = taken["statement"]
    add("the whole program in committed mode", data, "statement", "Mode",
        **{**taken, "statement": _with(document, program=taken["whole"])})  # fmt: skip
    add("a frame in direct mode", changes.data, "statement", "Mode",
        **{**taken, "statement": _with(document, rows=None)})  # fmt: skip
    add("the digest of other rows", data, "statement", "Rows",
        **{**taken, "statement": _with(document, rows="01" * 32)})  # fmt: skip
    for name, at in _places(statement, SCALAR)[-3:]:
        value = int.from_bytes(data[at : at + SCALAR], "big")
        add(
            f"{name}: one more",
            _put(data, at, _scalar((value + 1) % MODULUS)),
            "pairing",
            "AlteredScalar",
            **taken,
        )
        add(f"{name}: r", _put(data, at, _scalar(MODULUS)), "proof-encoding", "ScalarEncoding", **taken)
    for comment, rows in _other_rows(statement):
        about = changes.about(replace(statement, rows=rows))
        add(comment, data, "committed-rows|pairing", "Rows", **about)


def _other_rows(statement: Statement) -> Iterator[tuple[str, Any]]:
    """Committed rows that are not the relation's, each named by its own digest in the statement."""
    rows = statement.rows
    assert rows is not None
    first, *rest = rows.points
    yield "two rows exchanged", replace(rows, points=((first[1], first[0], *first[2:]), *rest))
    yield "the columns exchanged", replace(rows, points=rows.points[::-1])
    yield "another table", replace(rows, table=first[0])
    yield "a row that is no point", replace(rows, points=((by_class()["curve"], *first[1:]), *rest))
    yield "a table that is no point", replace(rows, table=by_class()["subgroup"])


def _places(statement: Statement, size: int) -> list[tuple[str, int]]:
    """Where each point, or each scalar, starts in a proof of the statement; by name."""
    shape = Shape.of(statement)
    points = [
        *(f"limbs {k}" for k in range(shape.limbs)),
        "multiplicity",
        *(["U", "V"] if shape.squares else []),
        *(f"helper {k}" for k in range(shape.helpers)),
        "table helper",
        "running sum",
        *(f"quotient {k}" for k in range(shape.quotients)),
    ]
    scalars = [
        *(f"limb value {k}" for k in range(shape.limbs)),
        *(["U value"] if shape.squares else []),
        "running sum value",
        *(f"coefficient value {k}" for k in range(shape.coefficients)),
    ]
    start = POINT * len(points)
    end = start + SCALAR * len(scalars)
    if size == SCALAR:
        return [(name, start + SCALAR * k) for k, name in enumerate(scalars)]
    placed = [(name, POINT * k) for k, name in enumerate(points)]
    return [*placed, ("opening", end), ("shifted opening", end + POINT)]


def _nothing(statement: Statement) -> bytes:
    points = len(_places(statement, POINT)) - 2
    return IDENTITY * points + bytes(SCALAR * len(_places(statement, SCALAR))) + IDENTITY * 2


def _commitments(changes: Changes, encoding: bytes) -> list[dict[str, Any]]:
    first, second = changes.taken["statement"]["commitments"]
    return [first, {**second, "point": encoding.hex()}]


def _other(point: str) -> str:
    backend = setup().backend
    moved = backend.msm([backend.decode(bytes.fromhex(point)), backend.generator()], [1, 1])
    return backend.encode(moved).hex()


def _with(document: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    return {**document, **fields}


def _put(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _scalar(value: int) -> bytes:
    return value.to_bytes(SCALAR, "big")
