"""What strangers send, looked at as bytes before anything is parsed: whose it is, whether it is whole, how much of it.

A JSON text takes some thirty times its length in memory once it is parsed, and tables take a core for seconds. So the
signature of a snapshot is read first, and its id computed over the bytes as they came; only what a trusted oracle
signed is parsed. All else is parsed if it has no more members than what is asked for can have.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from zkmargin.attestation.documents import SnapshotSignature
from zkmargin.margin.errors import Finding, InputError

LONGEST_SIGNATURE = 4096
"""Bytes, of the member `signature`."""

MOST_MEMBERS = 250_000
"""Of a body: a batch of the largest submissions has fewer."""

MOST_ROWS_MEMBERS = 4096
"""Of committed rows: they are few long texts."""

_REMEDY = "hand in what its oracle published: an object of signature and snapshot, and rows if there are any"


@dataclass(frozen=True)
class Sealed:
    """An upload in parts, of which the signature alone has been parsed.

    Attributes:
        snapshot: the bytes of the snapshot.
        signature: what is said to be over it.
        rows: the bytes of a list of rows; empty if there are none.
    """

    snapshot: bytes
    signature: SnapshotSignature
    rows: bytes

    def check_id(self, where: str) -> None:
        """Check that the bytes are those of the snapshot that the signature names. Raises InputError."""
        begin = b'{"id":"%s",' % self.signature.snapshot.encode()
        digest = hashlib.sha256(b"{")
        digest.update(memoryview(self.snapshot)[len(begin) :])
        if not self.snapshot.startswith(begin) or digest.hexdigest() != self.signature.snapshot:
            remedy = "hand it in byte for byte: these are not those of the snapshot that was signed"
            raise InputError(where, "snapshot", Finding("another content"), remedy)


def split(content: bytes, where: str) -> Sealed:
    """The parts of a published snapshot, whichever member comes first. Raises InputError."""
    content = content.strip()
    rows = b""
    if content.startswith(b'{"rows":['):
        end = content.find(b',"signature":{')
        rows, content = content[len(b'{"rows":') : end], b"{" + content[end + 1 :] if end > 0 else b""
    if content.startswith(b'{"signature":{'):
        signature, end = _signature(content, len(b'{"signature":'), where)
        rest = content[end:]
        if rest.startswith(b',"rows":[') and (last := rest.find(b'],"snapshot":{')) > 0:
            rows, rest = rest[len(b',"rows":') : last + 1], rest[last + 1 :]
        if rest.startswith(b',"snapshot":{') and rest.endswith(b"}"):
            snapshot, after = _before_rows(rest[len(b',"snapshot":') :])
            return Sealed(snapshot, signature, rows or after)
    elif content.startswith(b'{"snapshot":{'):
        start = content.rfind(b',"signature":{')
        if start > 0:
            signature, end = _signature(content, start + len(b',"signature":'), where)
            snapshot, after = content[len(b'{"snapshot":') : start], content[end:]
            if after == b"}":
                return Sealed(*_or_rows(snapshot, signature, rows))
            if after.startswith(b',"rows":[') and after.endswith(b"]}"):
                return Sealed(snapshot, signature, after[len(b',"rows":') : -1])
    raise InputError(where, "document", Finding("something else"), _REMEDY)


def check_members(content: bytes, most: int, where: str) -> None:
    """Raises InputError if a JSON text has more members than this; commas and brackets within texts count, too."""
    found = content.count(b",") + content.count(b"[") + content.count(b"{")
    if found > most:
        raise InputError(where, "members", found, f"write at most {most}")


def _before_rows(tail: bytes) -> tuple[bytes, bytes]:
    """A snapshot and the rows that follow it, out of what ends the upload."""
    start = tail.rfind(b',"rows":[')
    if start > 0 and tail.endswith(b"]}"):
        return tail[:start], tail[start + len(b',"rows":') : -1]
    return tail[:-1], b""


def _or_rows(
    snapshot: bytes, signature: SnapshotSignature, rows: bytes
) -> tuple[bytes, SnapshotSignature, bytes]:
    """The rows may stand between snapshot and signature."""
    start = snapshot.rfind(b',"rows":[')
    if start > 0 and snapshot.endswith(b"]"):
        return snapshot[:start], signature, snapshot[start + len(b',"rows":') :]
    return snapshot, signature, rows


def _signature(content: bytes, start: int, where: str) -> tuple[SnapshotSignature, int]:
    """The signature that begins there, and where it ends."""
    try:
        found: Any
        found, length = json.JSONDecoder().raw_decode(
            content[start : start + LONGEST_SIGNATURE].decode("ascii")
        )
    except (ValueError, RecursionError):
        raise InputError(where, "signature", Finding("no document"), _REMEDY) from None
    return SnapshotSignature.accept(found, f"{where}: signature"), start + length
