"""Where Solidity keeps what: slots of mappings and arrays (its documentation: "Layout of State Variables in Storage").

A slot is a number below 2^256; the value of `key` in a mapping at slot p lies at keccak(key . p), each 32 bytes, and
the elements of an array at slot p, whose length is the word there, lie from keccak(p) on.
"""

from __future__ import annotations

from eth_utils.crypto import keccak

WORD = 32
MODULUS = 1 << 256


def in_mapping(slot: int, key: int) -> int:
    """The slot of a key's value: an address or a number, below 2^256."""
    return int.from_bytes(keccak(key.to_bytes(WORD, "big") + slot.to_bytes(WORD, "big")), "big")


def in_array(slot: int, index: int) -> int:
    """The slot of an element, where each takes a whole word."""
    return (int.from_bytes(keccak(slot.to_bytes(WORD, "big")), "big") + index) % MODULUS


def signed(value: int, bits: int) -> int:
    """The number that these bits, the lowest of a word, are in two's complement."""
    low = value & ((1 << bits) - 1)
    return low - (1 << bits) if low >> (bits - 1) else low


def address_number(address: str) -> int:
    """An address as the number that a mapping's key is."""
    return int(address, 16)
