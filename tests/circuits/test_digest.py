"""The digests of relation and statement change with every field that a proof depends on, and with no other."""

from dataclasses import fields, replace
from hashlib import sha256
from typing import Any

import pytest

from tests.argument.exposed import exposed_setup
from tests.argument.toys import Toy, case
from zkmargin.argument.rows import commit_rows
from zkmargin.circuits import Relation, Statement
from zkmargin.circuits.matrix import IntMatrix
from zkmargin.circuits.relation import Row, Unit
from zkmargin.margin.errors import InputError

TOY = Toy(limb_columns=2, squares=True, columns=2)
RELATION = TOY.relation()


def bumped(matrix: IntMatrix) -> IntMatrix:
    """One more in the last entry of a row; in a matrix without entries, one entry."""
    rows = [dict(row) for row in matrix.mappings]
    place = next((i for i, row in enumerate(rows) if row), 0)
    column = max(rows[place], default=0)
    rows[place][column] = rows[place].get(column, 0) + 1
    return IntMatrix.from_rows(rows, matrix.cols)


def bent(**changes: object) -> Relation:
    """A copy without the checks of a relation's own shape."""
    copy = object.__new__(Relation)
    kept = {field.name: getattr(RELATION, field.name) for field in fields(Relation)}
    copy.__dict__.update({**kept, **changes})
    return copy


def with_row(place: int, **changes: Any) -> tuple[Row, ...]:
    rows = RELATION.rows
    return (*rows[:place], replace(rows[place], **changes), *rows[place + 1 :])


def exchanged(one: int, other: int) -> tuple[Row, ...]:
    rows = list(RELATION.rows)
    assert rows[one].limbs != rows[other].limbs
    rows[one], rows[other] = rows[other], rows[one]
    return tuple(rows)


MEANINGLESS = {"defines", "holding_bounds", "threshold"}
"""What a relation is checked by, not what it says; and the threshold, which the statement binds."""

CHANGES: dict[str, dict[str, object]] = {
    "domain": {"domain": 128},
    "columns": {"columns": 3},
    "squares": {"squares": 2},
    "holdings": {"holdings": bumped(RELATION.holdings)},
    "row_terms": {"row_terms": bumped(RELATION.row_terms)},
    "u_terms": {"u_terms": bumped(RELATION.u_terms)},
    "v_terms": {"v_terms": bumped(RELATION.v_terms)},
    "constants": {"constants": (*RELATION.constants[:-1], RELATION.constants[-1] + 1)},
    "constants: beyond 128 bits": {"constants": (1 << 200, *RELATION.constants[1:])},
    "step": {"step": 2, "constants": (*RELATION.constants[:-1], RELATION.constants[-1])},
    "reach": {"reach": RELATION.reach + 1},
    "group": {"group": RELATION.group + 1},
    "rows: one limb more": {"rows": with_row(0, limbs=RELATION.rows[0].limbs + 1)},
    "rows: limbs elsewhere": {
        "rows": with_row(0, limbs=RELATION.rows[1].limbs)[:1]
        + tuple(replace(row, limbs=RELATION.rows[0].limbs + 1) for row in RELATION.rows[1:2])
        + RELATION.rows[2:]
    },
    "rows: exchanged": {"rows": exchanged(0, -1)},
    "swapped matrices": {"u_terms": RELATION.v_terms, "v_terms": RELATION.u_terms},
}


def test_every_field_of_a_relation_is_tried() -> None:
    named = {name.split(":")[0] for name in CHANGES} - {"swapped matrices"}
    assert named | MEANINGLESS == {f.name for f in fields(Relation)}


def test_a_copy_has_the_same_digest() -> None:
    assert bent().digest == RELATION.digest
    assert bent().frame_digest == RELATION.frame_digest


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_relation_has_another_digest(changes: dict[str, object]) -> None:
    changed = bent(**changes)
    assert changed.digest != RELATION.digest
    # The frame leaves the coefficients on the holdings to the commitments that stand for them.
    assert (changed.frame_digest == RELATION.frame_digest) == ("holdings" in changes)


def test_all_changes_have_digests_of_their_own() -> None:
    digests = {bent(**changes).digest for changes in CHANGES.values()}
    assert len(digests) == len(CHANGES)


def test_every_single_coefficient_counts() -> None:
    seen = {RELATION.digest}
    for name in ("holdings", "row_terms", "u_terms", "v_terms"):
        matrix: IntMatrix = getattr(RELATION, name)
        rows = [dict(row) for row in matrix.mappings]
        for equation in range(0, len(rows), 3):
            for column in rows[equation]:
                changed = [dict(row) for row in rows]
                changed[equation][column] += 1 << 64
                seen.add(bent(**{name: IntMatrix.from_rows(changed, matrix.cols)}).digest)
    assert len(seen) > 20
    entries = sum(
        len(row)
        for name in ("holdings", "row_terms", "u_terms", "v_terms")
        for row in getattr(RELATION, name).mappings[::3]
    )
    assert len(seen) == entries + 1


def test_names_and_filling_rules_are_no_part_of_what_is_proven() -> None:
    rows = tuple(
        replace(row, name="x", unit=Unit("x"), closes=None, choice=None, free=True) for row in RELATION.rows
    )
    assert bent(rows=rows).digest == RELATION.digest
    assert bent(holding_bounds=(1,) * len(RELATION.holding_bounds)).digest == RELATION.digest
    assert RELATION.at(5).digest == RELATION.digest
    assert RELATION.at(5).frame_digest == RELATION.frame_digest


STATEMENT = case(TOY, exposed_setup()).statement
FIRST, SECOND = STATEMENT.commitments
ADDRESS, DIGEST = bytes(19) + b"\x01", bytes(31) + b"\x01"
ROWS = commit_rows(exposed_setup(), RELATION)
STATEMENTS: dict[str, dict[str, Any]] = {
    "relation": {"relation": replace(TOY, limb_columns=3).relation()},
    "snapshot": {"snapshot": "5a" * 31 + "5b"},
    "universe": {"universe": "c3" * 31 + "c4"},
    "model": {"model": "toy "},
    "level": {"level": "maintenance"},
    "threshold": {"threshold": -1, "relation": TOY.relation(-1)},
    "audience": {"audience": "desk2"},
    "nonce": {"nonce": "one question?"},
    "expiry": {"expiry": 1},
    "subject": {"subject": ADDRESS},
    "chain": {"chain": 1},
    "contract": {"contract": ADDRESS},
    "rows": {"rows": ROWS},
    "rows: others": {"rows": replace(ROWS, table=ROWS.points[0][0])},
    "commitments": {"commitments": (SECOND, FIRST)},
    "commitments: columns": {"commitments": (replace(FIRST, column=1), replace(SECOND, column=0))},
    "commitments: attestation": {"commitments": (replace(FIRST, attestation=DIGEST), SECOND)},
    "commitments: other attestation": {"commitments": (FIRST, replace(SECOND, attestation=DIGEST))},
    "commitments: point": {"commitments": (replace(FIRST, point=bytes(47) + b"\x01"), SECOND)},
    "exchanged texts": {"audience": STATEMENT.nonce, "nonce": STATEMENT.audience},
    "exchanged digests": {"snapshot": STATEMENT.universe, "universe": STATEMENT.snapshot},
}


def test_every_field_of_a_statement_is_tried() -> None:
    named = {name.split(":")[0] for name in STATEMENTS}
    assert {f.name for f in fields(Statement)} <= named


def test_changed_statements_have_digests_of_their_own() -> None:
    digests = {replace(STATEMENT, **changes).digest for changes in STATEMENTS.values()}
    assert len(digests) == len(STATEMENTS)
    assert STATEMENT.digest not in digests
    assert replace(STATEMENT).digest == STATEMENT.digest


def test_in_committed_mode_the_rows_stand_for_the_coefficients() -> None:
    committed = replace(STATEMENT, rows=ROWS)
    moved = replace(committed, relation=bent(holdings=bumped(RELATION.holdings)))
    assert moved.digest == committed.digest
    assert replace(moved, rows=None).digest != STATEMENT.digest


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold", 1),
        ("subject", b"\x00"),
        ("subject", bytes(20)),
        ("contract", bytes(21)),
        ("contract", bytes(20)),
        ("chain", -1),
        ("chain", 1 << 63),
        ("snapshot", "5A" * 32),
        ("universe", "c3" * 31),
        ("commitments", (replace(FIRST, attestation=b"\x00"), SECOND)),
        ("commitments", (replace(FIRST, attestation=bytes(32)), SECOND)),
    ],
)
def test_what_has_no_place_in_the_encoding_is_refused(field: str, value: Any) -> None:
    """Among them a threshold that is not the relation's: the digest binds the two apart from each other."""
    with pytest.raises(InputError, match=f"statement: {'attestation' if field == 'commitments' else field}"):
        replace(STATEMENT, **{field: value})


def test_the_encoding_of_a_statement() -> None:
    words = [STATEMENT.encode()[start : start + 32] for start in range(0, 15 * 32, 32)]
    assert b"".join(words) == STATEMENT.encode()
    assert words[0] == sha256(b"zkmargin/statement/2").digest()
    assert words[1] == RELATION.digest
    assert words[7] == bytes(32)
    assert (
        replace(STATEMENT, threshold=-2, relation=TOY.relation(-2)).encode()[224:256]
        == b"\xff" * 31 + b"\xfe"
    )
    first = FIRST.point + bytes(4) + bytes(32)
    second = SECOND.point + bytes(3) + b"\x01" + bytes(32)
    assert words[8] == sha256(first + second).digest()
