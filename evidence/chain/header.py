"""A block's header as nodes write it in JSON, and its hash: what binds a state root to a block.

The hash of a block is Keccak-256 of the RLP of its header's fields in order (Ethereum Yellow Paper, section 4.4; fields
were added by EIP-1559, EIP-4895, EIP-4844, EIP-4788 and EIP-7685, each after those before).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rlp
from eth_utils.crypto import keccak

from zkmargin.margin.errors import Finding, InputError

_WORD, _NUMBER = "word", "number"

# In the order of the header. What has no fixed length is "bytes"; a number is written without zeros in front.
_FIELDS: tuple[tuple[str, str | int], ...] = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
    ("difficulty", _NUMBER),
    ("number", _NUMBER),
    ("gasLimit", _NUMBER),
    ("gasUsed", _NUMBER),
    ("timestamp", _NUMBER),
    ("extraData", "bytes"),
    ("mixHash", 32),
    ("nonce", 8),
)
_LATER: tuple[tuple[str, str | int], ...] = (
    ("baseFeePerGas", _NUMBER),
    ("withdrawalsRoot", 32),
    ("blobGasUsed", _NUMBER),
    ("excessBlobGas", _NUMBER),
    ("parentBeaconBlockRoot", 32),
    ("requestsHash", 32),
)
"""A header that has one of these has all those before it."""

LONGEST_FIELD = 4096
"""In bytes; only extraData has no fixed length, and consensus keeps that short."""


@dataclass(frozen=True)
class Header:
    """What of a header matters here.

    Attributes:
        number: of the block.
        hash: of the block, 32 bytes, computed from all fields.
        state_root: 32 bytes.
        timestamp: Unix seconds.
    """

    number: int
    hash: bytes
    state_root: bytes
    timestamp: int

    @classmethod
    def of(cls, block: Mapping[str, Any], where: str) -> Header:
        """The header in what eth_getBlockByNumber answers.

        Raises:
            InputError: a field is missing or malformed, or the hash that is named is not that of the fields.
        """
        present = [name for name, _ in _LATER if block.get(name) is not None]
        if present != [name for name, _ in _LATER[: len(present)]]:
            remedy = "a later field of a header stands without one before it; ask another node"
            raise InputError(where, "header", Finding(", ".join(present)), remedy)
        fields = (*_FIELDS, *_LATER[: len(present)])
        content = [_field(block, name, kind, where) for name, kind in fields]
        found = bytes(keccak(rlp.encode(content)))
        named = _field(block, "hash", 32, where)
        if named != found:
            remedy = f"the fields of the header have the hash {found.hex()}; ask another node"
            raise InputError(where, "hash", named.hex(), remedy)
        by_name = dict(zip((name for name, _ in fields), content, strict=True))
        return cls(
            number=int.from_bytes(by_name["number"], "big"),
            hash=found,
            state_root=by_name["stateRoot"],
            timestamp=int.from_bytes(by_name["timestamp"], "big"),
        )


def _field(block: Mapping[str, Any], name: str, kind: str | int, where: str) -> bytes:
    """The bytes of a field as they stand in the header."""
    data = hex_bytes(block.get(name), name, where, even=kind != _NUMBER)
    if kind == _NUMBER:
        return data.lstrip(b"\0")
    if isinstance(kind, int) and len(data) != kind:
        raise InputError(where, name, f"0x{data.hex()}", f"this field has {kind} bytes; ask another node")
    return data


def hex_bytes(value: object, name: str, where: str, *, even: bool = True) -> bytes:
    """The bytes of a hex text that begins with 0x. Raises InputError."""
    text = value[2:] if isinstance(value, str) and value.startswith("0x") else None
    if text is not None and not even and len(text) % 2:
        text = "0" + text
    if text is None or len(text) > 2 * LONGEST_FIELD:
        raise InputError(where, name, value, "write 0x and hex digits")
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InputError(where, name, value, "write 0x and hex digits") from None


def hex_number(value: object, name: str, where: str) -> int:
    """The number of a hex text that begins with 0x. Raises InputError."""
    return int.from_bytes(hex_bytes(value, name, where, even=False), "big")
