"""Secret files, openings and keys: readable by their owner only, and never overwritten."""

import os
from pathlib import Path

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import is_standard_stream

OWNER_ONLY = 0o600
OWNERS_FOLDER = 0o700


def refuse_existing(path: Path, what: str = "opening") -> None:
    """Raises InputError if the file is there: what is lost with an opening or a key cannot be made again."""
    if is_standard_stream(path):
        remedy = f"this {what} is a secret and is never printed; name a file, which only you can read"
        raise InputError("command line", what, str(path), remedy)
    if os.path.lexists(path):
        remedy = f"a secret such as this {what} is never overwritten; name another file"
        raise InputError(str(path), what, Finding("exists already"), remedy)


def own_database(path: Path, what: str) -> None:
    """Let a database's file be its owner's alone, made empty if it is not there, in a folder of its own if that is not.

    What a database keeps beside the file takes the file's permissions, its journal say. A file that others
    could read is closed to them. Raises InputError if it cannot be made.
    """
    try:
        if not path.parent.exists():
            path.parent.mkdir(mode=OWNERS_FOLDER, parents=True)
            path.parent.chmod(OWNERS_FOLDER)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        try:
            if os.fstat(handle).st_mode & 0o077:
                os.fchmod(handle, OWNER_ONLY)
        finally:
            os.close(handle)
    except OSError as error:
        reason = Finding(error.strerror or "unwritable")
        raise InputError(str(path), what, reason, "name a writable place of your own") from None


def write_secret(path: Path, content: bytes, what: str = "opening") -> None:
    """Create a file that only its owner may read, from its first byte on; on InputError nothing is left."""
    refuse_existing(path, what)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, OWNER_ONLY)
    except FileExistsError:
        refuse_existing(path, what)
        raise
    except OSError as error:
        reason = Finding(error.strerror or "unwritable")
        raise InputError(str(path), what, reason, "name a writable place") from None
    try:
        with os.fdopen(handle, "wb") as stream:
            # The process's umask may take rights away from the owner, too.
            os.fchmod(stream.fileno(), OWNER_ONLY)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException as error:
        os.unlink(path)
        if isinstance(error, OSError):
            reason = Finding(error.strerror or "unwritable")
            raise InputError(str(path), what, reason, "name a place with room") from None
        raise
