"""Signatures of secp256k1 over EIP-712 digests: made in one form, and taken in that form only.

A signature is 65 bytes, r, s and v in lower-case hex with 0x, s in the lower half of the group's order (EIP-2) and v 27
or 28. Of the ways to write the same consent only one is therefore accepted, and no copy of a document looks new.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

# eth_keys and eth_utils are large, and imported where something is signed or recovered: most commands do neither.
GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SIGNATURE_BYTES = 65
SIGNATURE_PATTERN = r"^0x[0-9a-f]{130}$"
ADDRESS_BYTES = 20
ADDRESS_PATTERN = r"^0x[0-9a-fA-F]{40}$"


def is_address(text: str) -> bool:
    """True if a text is an address in the mixed case of EIP-55."""
    from eth_utils.address import is_checksum_address  # noqa: PLC0415

    return bool(is_checksum_address(text))


def _checksummed(text: str) -> str:
    if not is_address(text):
        raise ValueError("write an address as 0x and 40 hex digits in the mixed case of EIP-55")
    return text


Address = Annotated[
    str,
    AfterValidator(_checksummed),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": ADDRESS_PATTERN,
            "description": "An address; the case of its digits is the checksum of EIP-55.",
        }
    ),
]
"""20 bytes as 0x and 40 hex digits, their case carrying the checksum of EIP-55."""

Signature = Annotated[str, Field(pattern=SIGNATURE_PATTERN)]
"""r, s, v: 65 bytes as 0x and 130 lower-case hex digits."""


class SignatureError(ValueError):
    """A signature that is not canonical, or that no key can have made."""


def address_bytes(address: str) -> bytes:
    """The 20 bytes of an address."""
    return bytes.fromhex(address.removeprefix("0x"))


def address_of(data: bytes) -> str:
    """The EIP-55 form of 20 bytes."""
    from eth_utils.address import to_checksum_address  # noqa: PLC0415

    return str(to_checksum_address(data))


def recover(digest: bytes, signature: str) -> str:
    """The EIP-55 address of the key that signed a digest of 32 bytes.

    Raises:
        SignatureError: the signature is not in the one form that is accepted, or belongs to no key.
    """
    from eth_keys import keys  # noqa: PLC0415
    from eth_keys.exceptions import BadSignature, ValidationError  # noqa: PLC0415

    if not re.fullmatch(SIGNATURE_PATTERN, signature):
        raise SignatureError("a signature is 0x and 130 lower-case hex digits")
    data = bytes.fromhex(signature[2:])
    r, s, v = int.from_bytes(data[:32], "big"), int.from_bytes(data[32:64], "big"), data[64]
    if v not in (27, 28):
        raise SignatureError(f"v is {v}; it must be 27 or 28")
    if not 0 < r < GROUP_ORDER:
        raise SignatureError("r is not between 0 and the group's order")
    if not 0 < s <= GROUP_ORDER // 2:
        raise SignatureError("s is not in the lower half of the group's order")
    try:
        public = keys.Signature(vrs=(v - 27, r, s)).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError):
        raise SignatureError("no key can have made it") from None
    return str(public.to_checksum_address())
