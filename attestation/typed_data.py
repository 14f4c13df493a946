"""EIP-712: what exactly is signed when somebody signs a document.

    digest = keccak256(0x19 0x01 || domainSeparator || hashStruct(message))
    hashStruct(s) = keccak256(typeHash || encodeData(s)),  typeHash = keccak256(encodeType)

(EIP-712, "Specification"). The members of this room's structs are atomic, text, bytes, arrays of bytes32, and arrays of
other structs. They are hashed here directly, because whole books of accounts are signed; the tests hold every struct to
eth-account's general encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from eth_hash.auto import keccak

WORD = 32

DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


def _address(value: str) -> bytes:
    return bytes.fromhex(value.removeprefix("0x")).rjust(WORD, b"\0")


def _unsigned(value: int) -> bytes:
    return value.to_bytes(WORD, "big")


def _word(value: bytes) -> bytes:
    if len(value) != WORD:
        raise ValueError(f"a bytes32 has {WORD} bytes, not {len(value)}")
    return value


def _words(values: Sequence[bytes]) -> bytes:
    return keccak(b"".join(map(_word, values)))


@lru_cache(maxsize=256)
def _text(value: str) -> bytes:
    return keccak(value.encode())


ENCODERS: Mapping[str, Callable[[Any], bytes]] = {
    "address": _address,
    "bool": lambda value: _unsigned(int(value)),
    "bytes": keccak,
    "bytes32": _word,
    "bytes32[]": _words,
    # The same few names occur in every attestation of a book.
    "string": _text,
    "uint8": _unsigned,
    "uint32": _unsigned,
    "uint64": _unsigned,
    "uint256": _unsigned,
}
"""encodeData of each member type that occurs: 32 bytes from a value."""


@dataclass(frozen=True)
class Struct:
    """A struct of EIP-712: its name and its members in order, as (type, name)."""

    name: str
    members: tuple[tuple[str, str], ...]
    parts: tuple[Struct, ...] = ()
    """Flat structs that members are arrays of, in the order of their names."""

    @cached_property
    def encoded_type(self) -> str:
        """encodeType: Name(type name,type name,..), and that of each struct which it refers to."""
        own = f"{self.name}({','.join(f'{kind} {name}' for kind, name in self.members)})"
        return own + "".join(part.encoded_type for part in self.parts)

    @cached_property
    def type_hash(self) -> bytes:
        """keccak256(encodeType)."""
        return keccak(self.encoded_type.encode())

    def hash(self, message: Mapping[str, Any]) -> bytes:
        """hashStruct of a message. Raises KeyError for a missing member."""
        encoded = (self._encoders[kind](message[name]) for kind, name in self.members)
        return keccak(self.type_hash + b"".join(encoded))

    @cached_property
    def _encoders(self) -> Mapping[str, Callable[[Any], bytes]]:
        return {**ENCODERS, **{f"{part.name}[]": part.hash_many for part in self.parts}}

    def hash_many(self, messages: Sequence[Mapping[str, Any]]) -> bytes:
        """encodeData of an array of messages: the hash of their hashes, one after another."""
        return keccak(b"".join(map(self.hash, messages)))

    def definition(self) -> dict[str, list[dict[str, str]]]:
        """The type, and those that it refers to, as wallets and eth-account want them."""
        return {
            struct.name: [{"name": name, "type": kind} for kind, name in struct.members]
            for struct in (self, *self.parts)
        }


@dataclass(frozen=True)
class SigningDomain:
    """The domain that separates signatures for one deployment from those for any other.

    Attributes:
        chain_id: of the chain that the verifying contract is on.
        verifying_contract: its address, EIP-55; off-chain verifiers use it as their identifier.
    """

    chain_id: int
    verifying_contract: str

    def document(self) -> dict[str, Any]:
        """The domain as wallets and eth-account want it."""
        return {
            "name": "zkmargin",
            "version": "1",
            "chainId": self.chain_id,
            "verifyingContract": self.verifying_contract,
        }

    @property
    def separator(self) -> bytes:
        """hashStruct of the domain."""
        return _separator(self)

    def digest(self, struct: Struct, message: Mapping[str, Any]) -> bytes:
        """The digest that is signed, 32 bytes."""
        return keccak(b"\x19\x01" + self.separator + struct.hash(message))


@lru_cache(maxsize=64)
def _separator(domain: SigningDomain) -> bytes:
    words = (
        keccak(DOMAIN_TYPE.encode()),
        keccak(b"zkmargin"),
        keccak(b"1"),
        _unsigned(domain.chain_id),
        _address(domain.verifying_contract),
    )
    return keccak(b"".join(words))


ATTESTATION = Struct(
    "Attestation",
    (
        ("bytes32", "setup"),
        ("bytes32", "universe"),
        ("uint32", "slots"),
        ("bytes", "commitment"),
        ("uint64", "bound"),
        ("string", "venue"),
        ("string", "account"),
        ("address", "subject"),
        ("bool", "complete"),
        ("string", "source"),
        ("bytes32", "evidence"),
        ("string", "openOrders"),
        ("bytes32", "contractMap"),
        ("uint64", "asOf"),
        ("uint64", "expiry"),
        ("uint64", "sequence"),
        ("uint64", "holdUntil"),
        ("string", "holdAudience"),
    ),
)
"""Signed by a venue: this commitment is that account, and whole if it is said to be complete.

No hold is holdUntil 0 and an empty audience; contractMap is the digest of the map that the ledger was read by, 0 if it
was read without one; evidence is the digest of what the holdings rest on, 0 if that is the signer's word alone.
"""

CONTRACT = Struct(
    "Contract",
    (("string", "contract"), ("string", "instrument"), ("string", "multiplier"), ("string", "settlement")),
)
"""One row of a contract map; the multiplier is a canonical decimal."""

CONTRACT_MAP = Struct(
    "ContractMap",
    (("string", "venue"), ("bytes32", "universe"), ("uint64", "asOf"), ("Contract[]", "contracts")),
    (CONTRACT,),
)
"""Signed by a venue: from this moment on its contracts are these slots of the universe, so many units to each."""

SNAPSHOT = Struct(
    "Snapshot",
    (("bytes32", "snapshot"), ("bytes32", "universe"), ("uint64", "valuationTime")),
)
"""Signed by a risk oracle: the snapshot of this id was right at its valuation time (Unix microseconds)."""

PROOF = Struct(
    "Proof",
    (
        ("bytes32[]", "statements"),
        ("uint256", "amount"),
        ("string", "audience"),
        ("string", "nonce"),
        ("uint64", "expiry"),
    ),
)
"""Signed by the subject: it is I who prove these statements (the sum first), and pledge this amount, in ticks."""

RECEIPT = Struct(
    "Receipt",
    (
        ("string", "pledge"),
        ("bytes32", "statement"),
        ("bytes32[]", "attestations"),
        ("address", "subject"),
        ("bytes32", "snapshot"),
        ("string", "model"),
        ("string", "level"),
        ("uint256", "threshold"),
        ("uint256", "amount"),
        ("bool", "secured"),
        ("string", "audience"),
        ("string", "nonce"),
        ("uint64", "issued"),
        ("uint64", "expiry"),
    ),
)
"""Signed by a verifier service: at this time this proof was verified and this pledge was recorded."""
