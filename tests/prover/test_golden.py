"""Golden proofs: both backends make the same bytes from the same randomness, today and tomorrow."""

import json
from typing import Any

import pytest

from tests.argument.toys import TOYS
from tests.vectors.proofs import FILE, golden, golden_case
from zkmargin.algebra import Setup, backends, ceremony, get_backend
from zkmargin.argument.challenges import PROTOCOL
from zkmargin.argument.messages import POINT, SCALAR
from zkmargin.verifier import VerificationError, verify_batch, verify_bytes
from zkmargin.verifier.verify import parse

STORED: dict[str, Any] = json.loads(FILE.read_text())

names = pytest.mark.parametrize("name", TOYS)


@pytest.fixture(params=["native", "reference"])
def setup(request: pytest.FixtureRequest) -> Setup:
    if request.param not in backends():
        pytest.skip("the native extension is not built here")
    return ceremony(get_backend(request.param))


def test_the_vectors_are_of_this_protocol_and_setup() -> None:
    assert STORED["protocol"] == PROTOCOL
    assert STORED["setup"] == ceremony(get_backend()).digest
    assert set(STORED["vectors"]) == set(TOYS)


@names
def test_a_golden_proof_is_made_again(name: str, setup: Setup) -> None:
    assert golden(name, setup) == STORED["vectors"][name]


@names
def test_a_golden_proof_verifies(name: str, setup: Setup) -> None:
    statement = golden_case(name, setup).statement
    data = bytes.fromhex(STORED["vectors"][name]["proof"])
    verify_bytes(statement, data, setup)
    wrong = data[: -2 * POINT - SCALAR] + bytes(SCALAR) + data[-2 * POINT :]
    with pytest.raises(VerificationError, match="pairing"):
        verify_bytes(statement, wrong, setup)


def test_golden_proofs_verify_together(setup: Setup) -> None:
    statements = [golden_case(name, setup).statement for name in TOYS]
    data = [bytes.fromhex(STORED["vectors"][name]["proof"]) for name in TOYS]
    verify_batch([(s, parse(s, d)) for s, d in zip(statements, data, strict=True)], setup)
