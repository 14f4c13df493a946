"""EIP-712: every struct against eth-account's general encoder, and every member of it in the digest."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from tests.attestation.scene import CONTRACT, DOMAIN, key
from zkmargin.attestation import SigningDomain, Struct, recover
from zkmargin.attestation.typed_data import ATTESTATION, CONTRACT_MAP, DOMAIN_TYPE, PROOF, RECEIPT, SNAPSHOT

STRUCTS = [ATTESTATION, CONTRACT_MAP, SNAPSHOT, PROOF, RECEIPT]


def values(struct: Struct) -> dict[str, Any]:
    """Some value for each member."""
    makers: dict[str, Callable[[], Any]] = {
        "address": lambda: key(secrets.token_hex(2)).address,
        "bool": lambda: True,
        "bytes": lambda: secrets.token_bytes(48),
        "bytes32": lambda: secrets.token_bytes(32),
        "bytes32[]": lambda: [secrets.token_bytes(32) for _ in range(3)],
        "string": lambda: "Zürich \u2713 " + secrets.token_hex(4),
        "uint32": lambda: secrets.randbits(32),
        "uint64": lambda: secrets.randbits(64),
        "uint256": lambda: secrets.randbits(256),
    }
    for part in struct.parts:
        makers[f"{part.name}[]"] = lambda part=part: [values(part) for _ in range(3)]  # type: ignore[misc]
    return {name: makers[kind]() for kind, name in struct.members}


def digest_by_eth_account(domain: SigningDomain, struct: Struct, message: dict[str, Any]) -> bytes:
    signable = encode_typed_data(domain.document(), struct.definition(), message)
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.name)
@pytest.mark.parametrize("chain", [1, 10**9])
def test_digests_are_those_of_eth_account(struct: Struct, chain: int) -> None:
    message, domain = values(struct), SigningDomain(chain, CONTRACT)
    assert domain.digest(struct, message) == digest_by_eth_account(domain, struct, message)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.name)
def test_every_member_is_in_the_digest(struct: Struct) -> None:
    message, other = values(struct), values(struct)
    digest = DOMAIN.digest(struct, message)
    for kind, name in struct.members:
        changed = not message[name] if kind == "bool" else other[name]
        assert DOMAIN.digest(struct, {**message, name: changed}) != digest, name


def test_the_domain_is_in_the_digest() -> None:
    message = values(SNAPSHOT)
    domains = [DOMAIN, SigningDomain(2, CONTRACT), SigningDomain(1, key("another").address)]
    assert len({domain.digest(SNAPSHOT, message) for domain in domains}) == 3


def test_a_wallet_can_sign_and_we_recover_it() -> None:
    message, account = values(ATTESTATION), Account.create()
    signed = account.sign_message(encode_typed_data(DOMAIN.document(), ATTESTATION.definition(), message))
    digest = DOMAIN.digest(ATTESTATION, message)
    assert recover(digest, "0x" + signed.signature.hex().removeprefix("0x")) == account.address


def test_a_word_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes, not 31"):
        DOMAIN.digest(SNAPSHOT, {**values(SNAPSHOT), "snapshot": bytes(31)})


def test_the_documentation_shows_the_types() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "attestation.md").read_text()
    shown = "".join(text.split())
    for struct in STRUCTS:
        assert "".join(struct.encoded_type.split()) in shown, struct.name
    assert "".join(DOMAIN_TYPE.split()) in shown
