"""Which kind of file a file is, to say so when a command was given another kind than it reads."""

import json
from collections.abc import Mapping
from pathlib import Path

from zkmargin.margin.errors import InputError

LARGEST = 64 << 20
"""Bytes that are read to recognise a file."""

# A file is of the first kind all of whose keys it has.
KEYS: Mapping[str, frozenset[str]] = {
    kind: frozenset(keys.split())
    for kind, keys in {
        "a receipt": "pledge signer signature issued",
        "a submission": "attestations signature nonce",
        "an attestation": "venue account point signature",
        "a signed contract map": "contracts signature venue",
        "a snapshot's signature": "snapshot signer signature",
        "a snapshot": "universe models inputs id",
        "holdings": "positions",
    }.items()
}
NAMES = {
    "zkmargin/proof": "a proof",
    "zkmargin/commitment": "a commitment",
    "zkmargin/opening": "an opening",
    "zkmargin/rows": "committed rows",
}


def kind_of(path: Path) -> str | None:
    """The kind of a file, such as "a proof" or "a CSV table"; None if it cannot be told."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return None
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    if not text.lstrip().startswith("{"):
        first = text.lstrip().partition("\n")[0]
        return "a CSV table" if any(mark in first for mark in ",;\t") else None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    name = str(document.get("format"))
    if name in NAMES:
        return NAMES[name]
    return next((kind for kind, keys in KEYS.items() if keys <= document.keys()), None)


def mistaken(error: InputError) -> str:
    """A remark on the file that an error is about, where its fields suggest that it is of another kind; or "".

    Only errors of a whole document are remarked on: a missing or unknown key, another format, or no JSON at all.
    """
    whole = (
        error.field in {"document", "format"}
        or str(error.value) == "missing"
        or "unknown key" in error.remedy
    )
    kind = kind_of(Path(error.where)) if whole else None
    return f"; this file is {kind}: check the order of the arguments, or name another file" if kind else ""
