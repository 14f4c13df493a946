"""The Fiat-Shamir transcript: a chain of SHA-256 that turns everything sent so far into challenges.

The state is 32 bytes. With enc(x) = len(x) as 8 bytes big-endian || x, and labels in UTF-8:

    start      state = SHA-256("zkmargin transcript 1" || enc(protocol))
    append     state = SHA-256(state || 0x01 || enc(label) || enc(data))
    challenge  high  = SHA-256(state || 0x02 || enc(label))
               low   = SHA-256(state || 0x03 || enc(label))
               c     = (high || low as a 512-bit big-endian integer) mod r
               state = SHA-256(state || 0x04 || enc(label) || high || low)

Lengths come before what they measure, so no two sequences of labelled appends hash the same bytes.
"""

import hashlib

from zkmargin.algebra.backend import POINT_BYTES
from zkmargin.algebra.field import MODULUS, scalar_bytes

DOMAIN = b"zkmargin transcript 1"

APPEND, HIGH, LOW, CHALLENGE = b"\x01", b"\x02", b"\x03", b"\x04"

INTEGER_BYTES = 32


class Transcript:
    """The Fiat-Shamir transcript of one proof: everything sent so far, in order.

    >>> Transcript("example").challenge("x") == Transcript("example").challenge("x")
    True
    """

    def __init__(self, protocol: str) -> None:
        self._state = _sha256(DOMAIN, _framed(protocol.encode()))

    def append(self, label: str, data: bytes) -> None:
        """Absorb data under a label."""
        self._state = _sha256(self._state, APPEND, _framed(label.encode()), _framed(data))

    def append_int(self, label: str, value: int) -> None:
        """Absorb a signed integer as 32 bytes of two's complement, big-endian.

        Raises ValueError outside -2^255..2^255-1.
        """
        try:
            data = value.to_bytes(INTEGER_BYTES, "big", signed=True)
        except OverflowError:
            raise ValueError(f"{label}: integer does not fit {8 * INTEGER_BYTES} signed bits") from None
        self.append(label, data)

    def append_scalar(self, label: str, value: int) -> None:
        """Absorb a field element as 32 bytes big-endian. Raises ValueError unless 0 <= value < r."""
        self.append(label, scalar_bytes(value))

    def append_point(self, label: str, encoded: bytes) -> None:
        """Absorb a point by its compressed encoding. Raises ValueError unless that has 48 bytes."""
        if len(encoded) != POINT_BYTES:
            raise ValueError(f"{label}: a compressed point has {POINT_BYTES} bytes, not {len(encoded)}")
        self.append(label, encoded)

    def challenge(self, label: str) -> int:
        """Return a challenge in 0..r-1 that depends on everything absorbed and drawn so far; absorb it."""
        framed = _framed(label.encode())
        high, low = _sha256(self._state, HIGH, framed), _sha256(self._state, LOW, framed)
        self._state = _sha256(self._state, CHALLENGE, framed, high, low)
        return int.from_bytes(high + low, "big") % MODULUS


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(8, "big") + data


def _sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()
