"""A proof is about its statement and nothing else: change any field, and it is rejected."""

from dataclasses import fields, replace
from typing import Any

import pytest

from tests.argument.changes import with_part
from tests.argument.toys import TOYS, Case, Toy, case, setups
from zkmargin.algebra import Setup
from zkmargin.argument import Proof
from zkmargin.circuits import CommitmentTerm, Statement
from zkmargin.margin.errors import InputError
from zkmargin.prover import Opening, random_blinder
from zkmargin.verifier import VerificationError, verify

OTHERS: dict[str, Any] = {
    "snapshot": "5b" + "5a" * 31,
    "universe": "c3" * 31 + "c2",
    "model": "toys",
    "level": "maintenance",
    "threshold": 1,
    "audience": "desk ",
    "nonce": "another question",
    "expiry": 1,
    "subject": b"\x02" * 20,
    "chain": 1,
    "contract": b"\x03" * 20,
}


@pytest.fixture(params=setups())
def setup(request: pytest.FixtureRequest) -> Setup:
    return setups()[request.param]


@pytest.fixture
def made(setup: Setup) -> Case:
    return case(Toy(columns=2), setup)


@pytest.fixture
def proof(made: Case) -> Proof:
    return made.prove()


def rejected(statement: Statement, proof: Proof, setup: Setup) -> None:
    with pytest.raises(VerificationError) as refusal:
        verify(statement, proof, setup)
    assert refusal.value.check in {"pairing", "shape"}


def test_every_field_is_tried() -> None:
    assert {f.name for f in fields(Statement)} == {*OTHERS, "relation", "commitments", "rows"}


@pytest.mark.parametrize("name", OTHERS)
def test_a_changed_field_is_rejected(made: Case, proof: Proof, name: str) -> None:
    assert getattr(made.statement, name) != OTHERS[name]
    if name == "threshold":  # the relation asks for the same
        other = made.about(made.relation.at(1)).statement
    else:
        other = with_part(made.statement, name, OTHERS[name])
    rejected(other, proof, made.setup)


def test_a_changed_relation_is_rejected(made: Case, proof: Proof) -> None:
    for threshold in (1, -1, 10**6):
        rejected(made.about(Toy(columns=2).relation(threshold)).statement, proof, made.setup)
    for limb_columns in (2, 3):
        rejected(made.about(Toy(limb_columns, columns=2).relation()).statement, proof, made.setup)
    rejected(made.about(Toy(squares=True, columns=2).relation()).statement, proof, made.setup)


def test_changed_commitments_are_rejected(made: Case, proof: Proof) -> None:
    first, second = made.statement.commitments
    other = case(Toy(), made.setup).statement.commitments[0]
    for commitments in (
        (second, first),
        (replace(first, column=1), replace(second, column=0)),
        (other, second),
        (first, second, other),
        (first, second, replace(other, column=1)),
        (replace(first, attestation=b"\x01" * 32), second),
    ):
        rejected(replace(made.statement, commitments=commitments), proof, made.setup)


def test_a_commitment_named_twice_is_refused(made: Case) -> None:
    """The same account would count twice."""
    first, second = made.statement.commitments
    for again in (first, replace(first, column=1), replace(first, attestation=b"\x07" * 32)):
        with pytest.raises(InputError, match="name each commitment once"):
            replace(made.statement, commitments=(first, second, again))


def test_a_column_without_a_commitment_is_refused(made: Case) -> None:
    first, second = made.statement.commitments
    for commitments in ((), (first,), (second,), (first, second, replace(second, column=2))):
        with pytest.raises(InputError, match="at least one commitment for each holdings column"):
            replace(made.statement, commitments=commitments)


def test_opposite_commitments_are_a_sum_like_any_other(setup: Setup) -> None:
    """C and -C cancel: what is left must meet the statement by itself."""
    toy = Toy()
    blinder = random_blinder()
    parts = [Opening(lots, b) for lots, b in (((7, -3), blinder), ((-7, 3), -blinder), ((1, 0), 5))]
    made = case(toy, setup, openings=parts)
    assert made.account[:2] == (1, 0)
    verify(made.statement, made.prove(), setup)


def test_the_same_proof_under_another_setup_is_rejected(made: Case, proof: Proof) -> None:
    other = replace(made.setup, digest="00" * 32)
    rejected(made.statement, proof, other)


@pytest.mark.parametrize("name", ["audience", "nonce"])
def test_a_text_must_be_short_and_printable(made: Case, name: str) -> None:
    for text in ("", "a" * 257, "line\nfeed", "\x00", "\u202e", "\ud800"):
        with pytest.raises(InputError, match=name):
            with_part(made.statement, name, text)
    with_part(made.statement, name, "é" * 256)


@pytest.mark.parametrize("expiry", [-1, 1 << 63])
def test_an_expiry_is_a_time(made: Case, expiry: int) -> None:
    with pytest.raises(InputError, match="expiry"):
        replace(made.statement, expiry=expiry)


@pytest.mark.parametrize("length", [0, 47, 49, 96])
def test_a_commitment_has_48_bytes(made: Case, length: int) -> None:
    _, second = made.statement.commitments
    with pytest.raises(InputError, match="48 bytes"):
        replace(made.statement, commitments=(CommitmentTerm(bytes(length)), second))


def test_direct_and_committed_proofs_are_not_each_others(setup: Setup) -> None:
    direct = case(TOYS["two holdings columns"], setup)
    rows = case(TOYS["committed rows"], setup).statement.rows
    committed = replace(direct, statement=replace(direct.statement, rows=rows))
    verify(committed.statement, committed.prove(), setup)
    rejected(committed.statement, direct.prove(), setup)
    rejected(direct.statement, committed.prove(), setup)


def test_rows_of_another_relation_are_rejected(setup: Setup) -> None:
    toy = TOYS["committed rows"]
    made = case(toy, setup)
    rows = made.statement.rows
    assert rows is not None
    first, second = rows.points
    for points in ((second[::-1], second), (first, (*second[:-1], second[0]))):
        changed = replace(made.statement, rows=replace(rows, points=points))
        for proof in (made.prove(), replace(made, statement=changed).prove()):
            with pytest.raises(VerificationError, match="not those of the relation") as refusal:
                verify(changed, proof, setup)
            assert refusal.value.check == "committed rows"
    with pytest.raises(InputError, match="rows of this very relation"):
        replace(made.statement, rows=replace(rows, points=(first,)))
