"""Nonces that the service gives out without writing anything down.

    nonce = until . random . MAC(key; until . random . subject)

It knows its own by the MAC, and writes down only those that have worked, so that each works once. Replicas share the
key, which follows from the key that signs receipts.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable

from zkmargin.attestation.keys import SigningKey
from zkmargin.verifier.errors import PolicyError

_FORM = re.compile(r"([0-9]{1,12})\.([0-9a-f]{32})\.([0-9a-f]{32})")


class Challenges:
    """Gives nonces out, and knows them again."""

    def __init__(self, key: SigningKey, seconds: int, skew: Callable[[], int]) -> None:
        """`seconds` is how long a nonce works; `skew` tells by how many seconds clocks may differ."""
        self._key = hmac.digest(key.export(), b"zkmargin/challenge/1", "sha256")
        self.seconds, self._skew = seconds, skew

    def give(self, subject: str, now: int) -> tuple[str, int]:
        """A nonce for a subject, and the Unix second until which it works."""
        until, drawn = now + self.seconds, secrets.token_hex(16)
        return f"{until}.{drawn}.{self._mac(until, drawn, subject)}", until

    def check(self, nonce: str, subject: str, now: int) -> int:
        """The Unix second until which a nonce works. Raises PolicyError unless it was given to this subject, lately."""
        form = _FORM.fullmatch(nonce)
        if form is None or not hmac.compare_digest(form[3], self._mac(int(form[1]), form[2], subject)):
            raise PolicyError("nonce", f"this nonce was not given to {subject}; ask for a challenge")
        if now > int(form[1]):
            raise PolicyError("nonce", "this nonce has run out; ask for a challenge")
        if int(form[1]) > now + self.seconds + self._skew():
            # Used nonces are forgotten some time after their end, by the clock of this replica.
            raise PolicyError("nonce", "this nonce is from the future; clocks differ; ask for a challenge")
        return int(form[1])

    def _mac(self, until: int, drawn: str, subject: str) -> str:
        content = f"{until}.{drawn}.{subject}".encode()
        return hmac.new(self._key, content, hashlib.sha256).hexdigest()[:32]
