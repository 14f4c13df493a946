"""Files as they are downloaded: plain, or packed in a zip archive or by gzip; the content is bounded either way."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import IO, cast

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files import documents
from zkmargin.margin.files.documents import read_bytes

_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_EMPTY_ZIP = b"PK\x05\x06"
_WORKBOOK = "[Content_Types].xml"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"


def read_unpacked(path: Path, suffixes: Collection[str]) -> tuple[str, bytes]:
    """The content of a file, unpacked where it is an archive.

    Args:
        path: the file; told by its first bytes, whatever its name ends in.
        suffixes: what the one wanted member of an archive ends in, such as ".csv".

    Returns:
        The name to use in messages, with the member of an archive, and the bytes.

    Raises:
        InputError: the file cannot be read, is too large unpacked, is a workbook, or is an archive with no such
            member, with several, or with a password.
    """
    content = read_bytes(path)
    if content.startswith((_ZIP, _EMPTY_ZIP)):
        with _archive(path, io.BytesIO(content)) as archive:
            member = chosen_member(path, archive, suffixes)
            return f"{path} ({member.filename})", _extracted(path, archive, member)
    if content.startswith(_OLD_WORKBOOK):
        raise _workbook(path)
    if content.startswith(_GZIP):
        return str(path), _gunzipped(path, content)
    return str(path), content


def open_unpacked(path: Path, suffixes: Collection[str]) -> IO[bytes]:
    """A stream of what `read_unpacked` reads whole, of any size.

    Raises InputError as `read_unpacked` does, and OSError where the file cannot be opened.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
    if start.startswith(_GZIP):
        return cast(IO[bytes], gzip.open(path))
    if start == _OLD_WORKBOOK:
        raise _workbook(path)
    if start not in (_ZIP, _EMPTY_ZIP):
        return path.open("rb")
    archive = _archive(path, path.open("rb"))
    member = chosen_member(path, archive, suffixes)
    try:
        return archive.open(member)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise _not_unpacked(path, member, error) from None


def chosen_member(path: Path, archive: zipfile.ZipFile, suffixes: Collection[str]) -> zipfile.ZipInfo:
    """The only member with one of the suffixes. Raises InputError if there is none, or more."""
    members = [
        member
        for member in archive.infolist()
        # What the Macintosh adds to an archive is no file of anyone's.
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    if any(member.filename == _WORKBOOK for member in members):
        raise _workbook(path)
    wanted = [member for member in members if PurePosixPath(member.filename).suffix.lower() in suffixes]
    if len(members) == 1 and not wanted:
        wanted = members
    if len(wanted) != 1:
        names = ", ".join(member.filename for member in (wanted or members)[:5]) or "nothing"
        more = len(wanted or members) - 5
        found = Finding(f"a zip archive of {names}" + (f" and {more} more" if more > 0 else ""))
        raise InputError(str(path), "archive", found, "unpack it, and name the one file that is meant")
    return wanted[0]


def _archive(path: Path, stream: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        found = Finding(f"a zip archive that is damaged ({error})")
        raise InputError(str(path), "archive", found, "get the file again, or unpack it") from None


def _extracted(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    limit = documents.LARGEST_FILE
    try:
        with archive.open(member) as stream:
            content = stream.read(limit + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error, OSError) as error:
        raise _not_unpacked(path, member, error) from None
    if len(content) > limit:
        raise _too_large(path, limit)
    return content


def _not_unpacked(path: Path, member: zipfile.ZipInfo, error: Exception) -> InputError:
    found = Finding(f"a zip archive that cannot be unpacked ({error})")
    return InputError(str(path), member.filename, found, "unpack it, and name the file in it")


def _gunzipped(path: Path, content: bytes) -> bytes:
    limit, out = documents.LARGEST_FILE, bytearray()
    try:
        # A file may be several of them, one after the other.
        while content:
            unpacker = zlib.decompressobj(_GZIP_WINDOW)
            out += unpacker.decompress(content, limit + 1 - len(out))
            if len(out) > limit:
                raise _too_large(path, limit)
            if not unpacker.eof:
                raise InputError(str(path), "archive", Finding("cut short"), "get the file again")
            content = unpacker.unused_data.lstrip(b"\0")
    except zlib.error as error:
        found = Finding(f"gzip that is damaged ({error})")
        raise InputError(str(path), "archive", found, "get the file again, or unpack it") from None
    return bytes(out)


def _too_large(path: Path, limit: int) -> InputError:
    found = Finding(f"more than {limit} bytes unpacked")
    return InputError(str(path), "file", found, f"name a file below {limit + 1} bytes")


def _workbook(path: Path) -> InputError:
    return InputError(str(path), "file", Finding("an Excel workbook"), "save its sheet as CSV (UTF-8)")
