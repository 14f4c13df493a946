"""Files in and out: read whole, written at once or not at all, and validation errors in the words of
InputError.
"""

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from pydantic_core import from_json

from zkmargin.margin.errors import Finding, InputError

LARGEST_FILE = 256 << 20

STANDARD = Path("-")
"""Standard input where a file is read, standard output where one is written."""


def is_standard_stream(path: Path) -> bool:
    """Whether a path names standard input or output: `-`, /dev/stdin, /dev/stdout, /dev/fd/0 or /dev/fd/1."""
    return str(path) in {"-", "/dev/stdin", "/dev/stdout", "/dev/fd/0", "/dev/fd/1"}


def read_bytes(path: Path, most: int | None = None) -> bytes:
    """The bytes of a file; raises InputError if it cannot be read or has more than `most` (or LARGEST_FILE)."""
    limit = LARGEST_FILE if most is None else most
    try:
        if path.is_dir():
            raise InputError(str(path), "file", Finding("a directory"), "name a file")
        with _opened(path) as stream:
            # What is no regular file, such as a device, does not tell its size beforehand.
            content = stream.read(limit + 1)
    except OSError as error:
        raise InputError(
            str(path), "file", Finding(error.strerror or "unreadable"), "name a readable file"
        ) from None
    if len(content) > limit:
        found = Finding(f"more than {limit} bytes")
        raise InputError(str(path), "file", found, f"name a file below {limit + 1} bytes")
    return content


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if is_standard_stream(path):
        yield sys.stdin.buffer
        return
    with path.open("rb") as stream:
        yield stream


def read_text(path: Path, most: int | None = None) -> str:
    """The text of a UTF-8 file, with or without a byte order mark; raises InputError if it cannot be read."""
    try:
        return read_bytes(path, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = Finding(f"byte {error.object[error.start]:#04x} at offset {error.start}")
        raise InputError(str(path), "file", found, "save the file as UTF-8") from None


def parse_json(text: str, where: str, *, constants: bool = True) -> Any:
    """JSON with numbers exact (int or Decimal); a repeated key is an InputError.

    NaN and infinity, which are no JSON, become text where `constants` are taken, and are an InputError otherwise.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        document = dict(pairs)
        if len(document) != len(pairs):
            # Counting each key would take the square of their number.
            counts = Counter(key for key, _ in pairs)
            twice = next(key for key, count in counts.items() if count > 1)
            raise InputError(where, "key", twice, "occurs twice in one object; keep one")
        return document

    try:
        # This parser limits how deeply it nests; Python's recurses, and deep enough ends the whole process.
        from_json(text, allow_inf_nan=constants)
        return json.loads(text, parse_float=Decimal, parse_constant=str, object_pairs_hook=once)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(where, "document", Finding(error), "write valid JSON") from None


def _replaceable(path: Path) -> Path:
    """The file that is there or to be made, links followed; raises InputError if another thing is there."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise InputError(str(path), "file", Finding("a directory"), "name a file")
    if target.exists() and not target.is_file():
        remedy = "name a file; what is written here would take its place"
        raise InputError(str(path), "file", Finding("a device or a pipe"), remedy)
    return target


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part; else InputError.

    A link is followed to its file. Only a file is ever replaced: a device, a pipe or a directory stays as it is.
    `-` is standard output.
    """
    if is_standard_stream(path):
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    temporary: str | None = None
    try:
        target = _replaceable(path)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files private; a document that travels gets the permissions that any new file would.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, target)
    except BaseException as error:
        # An interrupt leaves nothing behind either.
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        if not isinstance(error, OSError):
            raise
        raise InputError(
            str(path), "file", Finding(error.strerror or "unwritable"), "name a writable place"
        ) from None
