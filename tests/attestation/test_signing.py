"""Signatures: one form is made and taken; every other way to write the same consent is refused."""

import copy
import pickle
import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attestation.scene import key
from zkmargin.attestation import SignatureError, SigningKey, recover
from zkmargin.attestation.signing import GROUP_ORDER, address_bytes, address_of, is_address

DIGEST = bytes(range(32))


def parts(signature: str) -> tuple[int, int, int]:
    data = bytes.fromhex(signature[2:])
    return int.from_bytes(data[:32], "big"), int.from_bytes(data[32:64], "big"), data[64]


def written(r: int, s: int, v: int) -> str:
    return "0x" + (r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])).hex()


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=30, deadline=None)
def test_what_is_signed_is_recovered(digest: bytes) -> None:
    made = SigningKey.generate()
    signature = made.sign(digest)
    r, s, v = parts(signature)
    assert s <= GROUP_ORDER // 2
    assert v in (27, 28)
    assert recover(digest, signature) == made.address
    assert written(r, s, v) == signature == made.sign(digest)


def test_another_digest_recovers_another_address() -> None:
    assert recover(bytes(32), key("k").sign(DIGEST)) != key("k").address


R, S, V = parts(SigningKey(b"\x01" * 32).sign(DIGEST))
CANONICAL = written(R, S, V)


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(written(R, GROUP_ORDER - S, 55 - V), id="high s"),
        pytest.param(written(R, S, V - 27), id="v of 0 or 1"),
        pytest.param(written(R, S, V + 10), id="v of EIP-155"),
        pytest.param(written(0, S, V), id="r of 0"),
        pytest.param(written(R, 0, V), id="s of 0"),
        pytest.param(written(GROUP_ORDER, S, V), id="r beyond the order"),
        pytest.param("0x" + CANONICAL[2:].upper(), id="upper case"),
        pytest.param(CANONICAL[2:], id="no prefix"),
        pytest.param(CANONICAL[:-2], id="too short"),
        pytest.param(CANONICAL + "00", id="too long"),
        pytest.param(CANONICAL[:-1] + "g", id="not hex"),
        pytest.param(CANONICAL + "\n", id="line feed"),
    ],
)
def test_only_the_canonical_form_is_taken(signature: str) -> None:
    assert recover(DIGEST, CANONICAL) == SigningKey(b"\x01" * 32).address
    with pytest.raises(SignatureError):
        recover(DIGEST, signature)


def test_an_r_that_is_on_no_curve_point_is_refused() -> None:
    """About half of all r belong to no point."""
    refused = 0
    for r in range(1, 40):
        try:
            recover(DIGEST, written(r, 1, 27))
        except SignatureError:
            refused += 1
    assert 0 < refused < 39


def test_a_key_shows_its_address_only() -> None:
    secret = secrets.token_bytes(32)
    made = SigningKey(secret)
    for shown in (repr(made), str(made), f"{made}", f"{[made]}"):
        assert secret.hex() not in shown
        assert made.address in shown
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            copied(made)


@pytest.mark.parametrize("secret", [bytes(32), b"\xff" * 32, bytes(31), GROUP_ORDER.to_bytes(32, "big")])
def test_what_is_no_key_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError, match="a private key is"):
        SigningKey(secret)


def test_addresses_carry_their_checksum() -> None:
    address = key("k").address
    assert address_of(address_bytes(address)) == address
    assert is_address(address)
    for other in (address.lower(), address.upper(), address[:-1], "0x", ""):
        assert not is_address(other) or other == address
