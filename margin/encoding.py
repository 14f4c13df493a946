"""Canonical JSON: the one byte string that stands for a document, and its SHA-256.

Keys sorted, no whitespace, UTF-8, integers and strings only: a decimal number travels as a string. What two
implementations could write differently (floats, escapes of printable characters) cannot occur.
"""

import hashlib
import json
from typing import Any


def canonical_json(document: Any) -> bytes:
    """The canonical encoding of dicts with string keys, lists, strings, integers, booleans and null.

    Raises TypeError for anything else, a float above all.
    """
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_refuse
    ).encode()


def digest(document: Any) -> str:
    """SHA-256 of the canonical encoding, in lower-case hex."""
    return digest_of(canonical_json(document))


def digest_of(content: bytes) -> str:
    """SHA-256 of an encoding, in lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def _refuse(value: Any) -> Any:
    raise TypeError(f"a canonical document holds no {type(value).__name__}: {value!r}")
