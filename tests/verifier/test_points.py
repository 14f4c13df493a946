"""Points that are no points, points of the wrong group, and proofs made of nothing."""

from collections.abc import Callable
from dataclasses import fields, replace
from itertools import combinations

import pytest

from tests.argument.changes import with_part
from tests.argument.exposed import exposed_setup
from tests.argument.toys import Case, Toy, case, curve_setup, setups
from zkmargin.algebra import MODULUS
from zkmargin.argument import Proof, Shape
from zkmargin.argument.messages import POINT
from zkmargin.circuits import CommitmentTerm
from zkmargin.verifier import VerificationError, verify, verify_bytes

P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
COMPRESSED, INFINITE, LARGER_Y = 1 << 383, 1 << 382, 1 << 381
IDENTITY = (COMPRESSED | INFINITE).to_bytes(POINT, "big")


def has_root(value: int) -> bool:
    return pow(value, (P - 1) // 2, P) == 1


def first(accept: Callable[[int], bool]) -> int:
    return next(x for x in range(2, 1000) if accept(x))


ON_CURVE = first(lambda x: has_root(x**3 + 4))
OFF_CURVE = first(lambda x: not has_root(x**3 + 4))

WRONG = {
    "off the curve": (COMPRESSED | OFF_CURVE).to_bytes(POINT, "big"),
    "outside the subgroup": (COMPRESSED | ON_CURVE).to_bytes(POINT, "big"),
    "not compressed": ON_CURVE.to_bytes(POINT, "big"),
    "x not below p": (COMPRESSED | P).to_bytes(POINT, "big"),
    "x beyond p": (COMPRESSED | (P + ON_CURVE)).to_bytes(POINT, "big"),
    "an identity with a sign": (COMPRESSED | INFINITE | LARGER_Y).to_bytes(POINT, "big"),
    "an identity with an x": (COMPRESSED | INFINITE | 1).to_bytes(POINT, "big"),
    "nothing but zeros": bytes(POINT),
    "nothing but ones": bytes([255] * POINT),
    "x = 0 of order 3": COMPRESSED.to_bytes(POINT, "big"),
}
ONE_POINT = ("multiplicity", "table_helper", "running_sum", "opening", "shifted_opening")
SEVERAL = ("limbs", "squares", "helpers", "quotients")

wrong = pytest.mark.parametrize("point", WRONG.values(), ids=WRONG.keys())


@pytest.fixture(scope="module")
def made() -> Case:
    return case(Toy(limb_columns=3, squares=True, group=2), curve_setup())


@pytest.fixture(scope="module")
def proof(made: Case) -> Proof:
    return made.prove()


def rejected(made: Case, proof: Proof, check: str) -> None:
    with pytest.raises(VerificationError) as refusal:
        verify(made.statement, proof, made.setup)
    assert refusal.value.check == check


@wrong
def test_a_wrong_point_is_refused_in_every_place(made: Case, proof: Proof, point: bytes) -> None:
    data = proof.to_bytes()
    shape = Shape.of(made.statement)
    places = [k * POINT for k in range(shape.points - 2)] + [len(data) - 2 * POINT, len(data) - POINT]
    for place in places:
        with pytest.raises(VerificationError) as refusal:
            verify_bytes(made.statement, data[:place] + point + data[place + POINT :], made.setup)
        assert refusal.value.check == "proof encoding"


@wrong
def test_a_wrong_point_is_refused_as_a_commitment(made: Case, proof: Proof, point: bytes) -> None:
    changed = replace(made, statement=replace(made.statement, commitments=(CommitmentTerm(point),)))
    rejected(changed, proof, "commitment encoding")


def test_a_point_of_another_length_is_refused(made: Case, proof: Proof) -> None:
    for length in (0, 47, 49, 96):
        rejected(made, replace(proof, running_sum=bytes(length)), "proof encoding")


def test_a_proof_of_identities_and_zeros_shows_nothing(made: Case) -> None:
    shape = Shape.of(made.statement)
    for point, scalar in ((IDENTITY, 0), (IDENTITY, 1), (IDENTITY, MODULUS - 1)):
        data = point * (shape.points - 2) + scalar.to_bytes(32, "big") * shape.scalars + point * 2
        with pytest.raises(VerificationError, match="pairing"):
            verify_bytes(made.statement, data, made.setup)
    with pytest.raises(VerificationError, match="encoding"):
        verify_bytes(made.statement, bytes(shape.size), made.setup)


def test_no_part_can_be_left_empty(made: Case, proof: Proof) -> None:
    for name in ONE_POINT:
        rejected(made, with_part(proof, name, IDENTITY), "pairing")
    for name in SEVERAL:
        points = getattr(proof, name)
        for k in range(len(points)):
            rejected(made, with_part(proof, name, (*points[:k], IDENTITY, *points[k + 1 :])), "pairing")


def test_an_empty_commitment_holds_nothing(made: Case, proof: Proof) -> None:
    empty = replace(made.statement, commitments=(CommitmentTerm(IDENTITY),))
    rejected(replace(made, statement=empty), proof, "pairing")


def test_no_two_points_can_be_exchanged() -> None:
    made = case(Toy(limb_columns=3, squares=True, group=2), list(setups().values())[-1])
    data = made.prove().to_bytes()
    shape = Shape.of(made.statement)
    places = [k * POINT for k in range(shape.points - 2)] + [len(data) - 2 * POINT, len(data) - POINT]
    for a, b in combinations(places, 2):
        parts = bytearray(data)
        parts[a : a + POINT], parts[b : b + POINT] = data[b : b + POINT], data[a : a + POINT]
        with pytest.raises(VerificationError, match="pairing"):
            verify_bytes(made.statement, bytes(parts), made.setup)


def test_no_two_scalars_can_be_exchanged() -> None:
    made = case(Toy(limb_columns=3, squares=True, group=2), exposed_setup())
    proof = made.prove()
    verify(made.statement, proof, made.setup)
    values = [*proof.limb_values, *proof.square_value, proof.shifted_sum]
    for a, b in combinations(range(len(values)), 2):
        swapped = list(values)
        swapped[a], swapped[b] = values[b], values[a]
        *limbs, square, shifted = swapped
        changed = replace(proof, limb_values=tuple(limbs), square_value=(square,), shifted_sum=shifted)
        rejected(made, changed, "pairing")


def test_a_count_that_is_not_the_statements_is_refused(made: Case, proof: Proof) -> None:
    counted = [f.name for f in fields(Proof) if isinstance(getattr(proof, f.name), tuple)]
    assert set(counted) == {*SEVERAL, "limb_values", "square_value", "coefficient_values"}
    for name in counted:
        parts = getattr(proof, name)
        extra = (parts or (0,))[:1]
        rejected(made, with_part(proof, name, (*parts, *extra)), "shape")
        if parts:
            rejected(made, with_part(proof, name, parts[:-1]), "shape")
            rejected(made, with_part(proof, name, ()), "shape")


def test_a_scalar_in_memory_is_held_to_its_range_too(made: Case, proof: Proof) -> None:
    for value in (MODULUS, proof.shifted_sum + MODULUS, proof.shifted_sum - MODULUS, -1):
        rejected(made, replace(proof, shifted_sum=value), "encoding")
    first_value, *others = proof.limb_values
    rejected(made, replace(proof, limb_values=(first_value + MODULUS, *others)), "encoding")
    rejected(made, replace(proof, square_value=(-1,)), "encoding")
