"""Change any byte of a proof and it is rejected, at every place and in every shape."""

import pytest

from tests.argument.toys import TOYS, Case, Toy, case, setups
from zkmargin.algebra import MODULUS, Setup
from zkmargin.argument import Shape
from zkmargin.argument.messages import POINT, SCALAR
from zkmargin.verifier import VerificationError, verify_bytes

shapes = pytest.mark.parametrize("toy", TOYS.values(), ids=TOYS.keys())


@pytest.fixture(params=setups())
def where(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def proven(toy: Toy, setup: Setup) -> tuple[Case, bytes]:
    made = case(toy, setup, threshold=toy.excess())
    data = made.prove().to_bytes()
    verify_bytes(made.statement, data, setup)
    return made, data


@shapes
def test_every_byte_counts(toy: Toy, where: str) -> None:
    made, data = proven(toy, setups()[where])
    for place in range(len(data)):
        flipped = data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]
        with pytest.raises(VerificationError):
            verify_bytes(made.statement, flipped, made.setup)


@pytest.mark.fuzz
@shapes
def test_every_bit_counts(toy: Toy, where: str) -> None:
    made, data = proven(toy, setups()[where])
    for place in range(len(data)):
        for bit in range(8):
            flipped = data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
            with pytest.raises(VerificationError):
                verify_bytes(made.statement, flipped, made.setup)


@shapes
def test_a_proof_has_one_length(toy: Toy, where: str) -> None:
    made, data = proven(toy, setups()[where])
    longer = [data + b"\0", b"\0" + data, data + data[-48:], data * 2]
    for wrong in (b"", data[:1], data[:-1], data[1:], data[:-48], *longer):
        with pytest.raises(VerificationError, match=f"has {len(data)} bytes, not {len(wrong)}") as refusal:
            verify_bytes(made.statement, wrong, made.setup)
        assert refusal.value.check == "proof encoding"


@shapes
def test_a_scalar_has_one_encoding(toy: Toy, where: str) -> None:
    """Adding the field's order to a scalar changes nothing modulo the order, and is refused."""
    made, data = proven(toy, setups()[where])
    shape = Shape.of(made.statement)
    start = POINT * (shape.points - 2)
    for place in range(start, start + SCALAR * shape.scalars, SCALAR):
        value = int.from_bytes(data[place : place + SCALAR], "big")
        for shifted in (value + MODULUS, MODULUS, 2**256 - 1):
            if shifted < 2**256:
                malleated = data[:place] + shifted.to_bytes(SCALAR, "big") + data[place + SCALAR :]
                with pytest.raises(VerificationError, match=f"scalar at byte {place} is not below"):
                    verify_bytes(made.statement, malleated, made.setup)


@shapes
def test_the_sign_of_a_point_counts(toy: Toy, where: str) -> None:
    """x and -x are different messages: (x, -y) in the place of (x, y) is rejected for every point."""
    setup = setups()[where]
    made, data = proven(toy, setup)
    shape, backend = Shape.of(made.statement), setup.backend
    sent = [k * POINT for k in range(shape.points - 2)]
    for place in (*sent, len(data) - 2 * POINT, len(data) - POINT):
        point = backend.decode(data[place : place + POINT])
        negative = backend.encode(backend.msm([point], [-1]))
        with pytest.raises(VerificationError):
            verify_bytes(made.statement, data[:place] + negative + data[place + POINT :], setup)
