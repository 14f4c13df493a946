"""A proof has one encoding, and bytes that are not one are no proof."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkmargin.algebra import MODULUS
from zkmargin.argument import Proof, ProofFormatError, Shape

shapes = st.builds(
    Shape,
    limbs=st.integers(1, 5),
    squares=st.booleans(),
    helpers=st.integers(1, 5),
    quotients=st.integers(1, 5),
    coefficients=st.integers(0, 3),
)


@st.composite
def proofs(draw: st.DrawFn) -> tuple[Shape, Proof]:
    shape = draw(shapes)

    def points(count: int) -> tuple[bytes, ...]:
        return tuple(draw(st.binary(min_size=48, max_size=48)) for _ in range(count))

    def scalars(count: int) -> tuple[int, ...]:
        edges = st.sampled_from([0, 1, MODULUS - 1])
        return tuple(draw(edges | st.integers(0, MODULUS - 1)) for _ in range(count))

    return shape, Proof(
        limbs=points(shape.limbs),
        multiplicity=points(1)[0],
        squares=points(2 * shape.squares),
        helpers=points(shape.helpers),
        table_helper=points(1)[0],
        running_sum=points(1)[0],
        quotients=points(shape.quotients),
        limb_values=scalars(shape.limbs),
        square_value=scalars(int(shape.squares)),
        shifted_sum=scalars(1)[0],
        coefficient_values=scalars(shape.coefficients),
        opening=points(1)[0],
        shifted_opening=points(1)[0],
    )


@settings(max_examples=40, deadline=None)
@given(proofs())
def test_encoding_and_decoding_undo_each_other(made: tuple[Shape, Proof]) -> None:
    shape, proof = made
    data = proof.to_bytes()
    assert len(data) == shape.size
    assert Proof.from_bytes(data, shape) == proof
    assert Proof.from_bytes(data, shape).to_bytes() == data


@settings(max_examples=40, deadline=None)
@given(proofs(), st.integers(-600, 600).filter(bool))
def test_another_length_is_refused(made: tuple[Shape, Proof], change: int) -> None:
    shape, proof = made
    data = proof.to_bytes()
    wrong = data[:change] if change < 0 else data + bytes(change)
    with pytest.raises(ProofFormatError, match=f"has {shape.size} bytes, not {len(wrong)}"):
        Proof.from_bytes(wrong, shape)


@settings(max_examples=40, deadline=None)
@given(proofs(), st.data())
def test_a_scalar_that_is_not_below_the_order_is_refused(
    made: tuple[Shape, Proof], data: st.DataObject
) -> None:
    shape, proof = made
    encoded = proof.to_bytes()
    place = 48 * (shape.points - 2) + 32 * data.draw(st.integers(0, shape.scalars - 1))
    value = data.draw(st.integers(MODULUS, 2**256 - 1))
    wrong = encoded[:place] + value.to_bytes(32, "big") + encoded[place + 32 :]
    with pytest.raises(ProofFormatError, match=f"scalar at byte {place} is not below"):
        Proof.from_bytes(wrong, shape)


@settings(max_examples=20, deadline=None)
@given(proofs())
def test_the_openings_come_last_and_the_values_before_them(made: tuple[Shape, Proof]) -> None:
    shape, proof = made
    data = proof.to_bytes()
    assert data[-96:] == proof.opening + proof.shifted_opening
    assert data[: 48 * (shape.points - 2)] == b"".join(proof.points()[:-2])


@settings(max_examples=20, deadline=None)
@given(proofs(), st.integers(0, 10**6))
def test_different_proofs_have_different_bytes(made: tuple[Shape, Proof], value: int) -> None:
    _, proof = made
    other = replace(proof, shifted_sum=value)
    assert (other.to_bytes() == proof.to_bytes()) == (other == proof)


@pytest.mark.parametrize("value", [-1, 1 << 256])
def test_what_is_no_scalar_cannot_be_encoded(value: int) -> None:
    point = bytes(48)
    proof = Proof(
        limbs=(point,),
        multiplicity=point,
        squares=(),
        helpers=(point,),
        table_helper=point,
        running_sum=point,
        quotients=(point,),
        limb_values=(value,),
        square_value=(),
        shifted_sum=0,
        opening=point,
        shifted_opening=point,
    )
    with pytest.raises(OverflowError):
        proof.to_bytes()
