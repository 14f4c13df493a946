"""Tables as programs export them: encoding, line ends, separator, comments and header told from the file itself.

Accepted: UTF-8 with or without a byte order mark, UTF-16 with one; lines that end in LF, CR LF or CR alone; commas,
semicolons, tabs or bars between values, quoted or not; blank lines and lines that begin with # anywhere; a first line
such as sep=; that a spreadsheet writes; values packed by zip or gzip.
"""

import csv
import io
import re
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.unpacking import open_unpacked, read_unpacked

SEPARATORS = (",", ";", "\t", "|")
BEGINNING = 1 << 16
"""Bytes from which the form of a table in a stream is told."""
SUFFIXES = (".csv", ".txt", ".tsv", ".tab")
"""What a table's name ends in, where an archive holds other files, too."""

_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_VALUE = re.compile(r"[+-]?\d[\d.,:TZ+\-/ ]*%?", re.ASCII)
_BREAKS = re.compile(r"[\s\-]+")


@dataclass(frozen=True)
class RawTable:
    """A table before its columns are known.

    Attributes:
        where: the file, and the member of an archive.
        header: the names as written, without white space around them.
        header_line: the line that the header is in.
        separator: between the values.
        lines: those below the header, each with its number.
    """

    where: str
    header: list[str]
    header_line: int
    separator: str
    lines: list[tuple[int, str]]

    @property
    def header_place(self) -> str:
        """File and line of the header."""
        return f"{self.where}, line {self.header_line}"

    def rows(self) -> Iterator[tuple[str, list[str]]]:
        """Rows that are not blank, as (file and line, values without white space around them).

        Raises InputError for quotes that do not close, and a row with another number of values than the header.
        """
        for place, values in _records(self.where, self.lines, self.separator):
            if not any(values):
                continue
            row = list(values)
            while len(row) > len(self.header) and not row[-1]:
                row.pop()
            if len(row) != len(self.header):
                remedy = f"the header has {len(self.header)} columns; write as many values"
                raise InputError(place, "row", Finding(f"{len(row)} values"), remedy)
            yield place, row


def read_table(path: Path, known: Collection[str]) -> RawTable:
    """The table in a file.

    Args:
        path: the file.
        known: names of columns that the header may have: the separator is the one that shows most of them.

    Raises:
        InputError: the file cannot be read, or is no text.
    """
    where, content = read_unpacked(path, SUFFIXES)
    return parsed_table(where, decoded(where, content), known)


def read_beginning(path: Path, known: Collection[str]) -> tuple[RawTable, str]:
    """The table as far as the first lines of a file go, for tables that are read in a stream; and their encoding.

    Raises InputError as `read_table` does.
    """
    try:
        with open_unpacked(path, SUFFIXES) as stream:
            content = stream.read(BEGINNING + 1)
    except (OSError, EOFError, zlib.error) as error:
        found = Finding(getattr(error, "strerror", None) or str(error) or "unreadable")
        raise InputError(str(path), "file", found, "name a readable file") from None
    utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    if len(content) > BEGINNING and not utf16:
        # A line that is cut may end within a character.
        content = content[: max(content.rfind(b"\n"), content.rfind(b"\r")) + 1] or content
    elif len(content) > BEGINNING:
        content = content[: BEGINNING - BEGINNING % 4]
    return parsed_table(str(path), decoded(str(path), content), known), "utf16" if utf16 else "utf8"


def parsed_table(where: str, text: str, known: Collection[str]) -> RawTable:
    """The table in a text. Raises InputError as `read_table` does, naming `where`."""
    lines, separator = _lines(text), None
    if lines and (stated := _SEPARATOR_LINE.fullmatch(lines[0][1].strip())):
        separator, lines = stated[1], lines[1:]
    if not lines:
        return RawTable(where, [], 1, ",", [])
    separator = separator or chosen_separator(lines, known)
    number, header, rest = _header(where, lines, separator)
    return RawTable(where, header, number, separator, rest)


def chosen_separator(lines: list[tuple[int, str]], known: Collection[str]) -> str:
    """The separator that shows most known columns in the first line, or most columns; a comma where none does."""
    wanted = {column_key(name) for name in known}

    def shown(separator: str) -> tuple[int, int]:
        try:
            cells = [column_key(cell) for cell in next(csv.reader([lines[0][1]], delimiter=separator))]
        except (csv.Error, StopIteration):
            return 0, 0
        return len(wanted.intersection(cells)), len(cells)

    # max() keeps the first of several that are equal.
    return max(SEPARATORS, key=shown)


def column_key(name: str) -> str:
    """A column's name as it is compared: in lower case, with _ between words."""
    return _BREAKS.sub("_", name.strip().lower())


def looks_like_values(header: Collection[str]) -> bool:
    """Whether a first line holds a number or a date, so that the header is missing."""
    return any(_VALUE.fullmatch(cell.strip()) for cell in header)


def decoded(where: str, content: bytes) -> str:
    """The text. Raises InputError if it is not UTF-8, or UTF-16 with a byte order mark."""
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        found = Finding(f"byte {error.object[error.start]:#04x} at offset {error.start}")
        raise InputError(where, "file", found, "save the file as UTF-8") from None


def _lines(text: str) -> list[tuple[int, str]]:
    """Lines with their numbers, without comments and blank ones; a quoted value keeps its lines whatever they hold."""
    found: list[tuple[int, str]] = []
    quoted = False
    # This reads LF, CR LF and CR alone as the end of a line, and nothing else.
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        if not quoted and (not line.strip() or line.lstrip().startswith("#")):
            continue
        found.append((number, line))
        quoted ^= bool(line.count('"') % 2)
    return found


def _header(
    where: str, lines: list[tuple[int, str]], separator: str
) -> tuple[int, list[str], list[tuple[int, str]]]:
    """The number of the header's line, its names, and the lines below."""
    reader = csv.reader((line for _, line in lines), delimiter=separator, strict=True)
    number = lines[0][0]
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        remedy = "write valid comma-separated values"
        raise InputError(f"{where}, line {number}", "row", Finding(error), remedy) from None
    return number, header, lines[reader.line_num :]


def _records(
    where: str, lines: list[tuple[int, str]], separator: str
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Values of each record, with the file and the line that it ends in."""
    reader = csv.reader((line for _, line in lines), delimiter=separator, strict=True)
    try:
        for row in reader:
            place = f"{where}, line {lines[reader.line_num - 1][0]}"
            yield place, tuple(value.strip() for value in row)
    except csv.Error as error:
        place = f"{where}, line {lines[min(reader.line_num, len(lines)) - 1][0]}"
        raise InputError(place, "row", Finding(error), "write valid comma-separated values") from None
