"""Canonical JSON: the one byte string that stands for a document, and its SHA-256.

Keys sorted, no whitespace, UTF-8, integers and strings only: a decimal number travels as a string. What two
implementations could write differently (floats, escapes of printable characters) cannot occur.
"""

import hashlib
import json
from typing import Any

_LEAVES = frozenset({int, str, bool, type(None)})


def canonical_json(document: Any) -> bytes:
    """The canonical encoding of dicts with string keys, lists, tuples, integers, strings, booleans and null.

    Raises TypeError for anything else, a float above all.
    """
    _check(document)
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(document: Any) -> str:
    """SHA-256 of the canonical encoding, in lower-case hex."""
    return digest_of(canonical_json(document))


def digest_of(content: bytes) -> str:
    """SHA-256 of an encoding, in lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def _check(value: Any) -> None:
    kind = type(value)
    if kind is dict:
        _check_all(value, frozenset({str}))
        _check_all(value.values(), _LEAVES)
    elif kind in (list, tuple):
        _check_all(value, _LEAVES)
    elif kind not in _LEAVES:
        raise TypeError(f"a canonical document holds no {kind.__name__}: {value!r}")


def _check_all(values: Any, leaves: frozenset[object]) -> None:
    """Large tables are flat lists of integers: their types are seen at once, and only others looked into."""
    if not set(map(type, values)) <= leaves:
        if leaves == {str}:
            raise TypeError("a canonical document has text keys only")
        for value in values:
            _check(value)
