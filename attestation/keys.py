"""A private key of secp256k1: kept in one object that shows its address only."""

from __future__ import annotations

import secrets

from zkmargin.attestation.signing import GROUP_ORDER


class SigningKey:
    """A private key. Neither repr, str, nor pickling gives it away.

    Attributes:
        address: the EIP-55 address of its public half.
    """

    __slots__ = ("_key", "address")

    def __init__(self, secret: bytes) -> None:
        """`secret` is 32 bytes, neither 0 nor beyond the group's order; raises ValueError otherwise."""
        if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < GROUP_ORDER:
            raise ValueError("a private key is 32 bytes between 0 and the group's order")
        from eth_keys import keys  # noqa: PLC0415 - large, and most commands sign nothing

        self._key = keys.PrivateKey(secret)
        self.address = str(self._key.public_key.to_checksum_address())

    @staticmethod
    def fresh_secret() -> bytes:
        """The 32 bytes of a new key, from the operating system's randomness."""
        return (1 + secrets.randbelow(GROUP_ORDER - 1)).to_bytes(32, "big")

    @classmethod
    def generate(cls) -> SigningKey:
        """A new key that is kept in memory only."""
        return cls(cls.fresh_secret())

    def sign(self, digest: bytes) -> str:
        """The canonical signature of a digest of 32 bytes: deterministic (RFC 6979), low s, v 27 or 28."""
        signature = self._key.sign_msg_hash(digest)
        data = signature.to_bytes()
        return "0x" + data[:64].hex() + f"{27 + data[64]:02x}"

    def export(self) -> bytes:
        """The 32 bytes, to be handed in memory to a process of one's own, and never written down."""
        return self._key.to_bytes()

    def __repr__(self) -> str:
        return f"SigningKey({self.address})"

    def __reduce__(self) -> str:
        raise TypeError("a private key is not copied by accident: hand on the file that it is in")
