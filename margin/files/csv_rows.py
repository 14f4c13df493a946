"""CSV files with a header: every row a mapping, every fault an InputError with its line.

The form of the file is told from the file itself; see `zkmargin.margin.files.table_text`. Columns may come in any
order and in upper or lower case. A column that is not known is left out with a note that names it, but for one that may
be meant for a known column, or would change what the others mean.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.notes import note
from zkmargin.margin.files.table_text import RawTable, column_key, looks_like_values, read_table
from zkmargin.margin.files.written_numbers import decimal_mark, plain_number

_CLOSE = 0.75


def read_rows(
    path: Path,
    required: Collection[str],
    optional: Collection[str] = (),
    *,
    numbers: Collection[str] = (),
    refused: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Rows as (where, values by column), `where` being file and line.

    Args:
        path: the file.
        required: columns that must be there.
        optional: columns that may be there.
        numbers: those of them that hold numbers, which may be written with separated thousands.
        refused: columns that must not be there, each with what to do instead.

    Raises:
        InputError: a missing or repeated column, one that is refused or misspelt, a row of the wrong length, a number
            that can be read in two ways, and an empty table.
    """
    table = read_table(path, [*required, *optional])
    columns = known_columns(table, required, optional, refused or {})
    rows = [
        (where, {name: values[place] for name, place in columns.items()}) for where, values in table.rows()
    ]
    if not rows:
        remedy = "write at least one row below the header"
        raise InputError(table.where, "rows", Finding("none"), remedy)
    written = [name for name in columns if name in numbers]
    mark = decimal_mark(row[name] for _, row in rows for name in written)
    for where, row in rows:
        yield where, row | {name: plain_number(row[name], mark, where, name) for name in written}


def known_columns(
    table: RawTable, required: Collection[str], optional: Collection[str], refused: Mapping[str, str]
) -> dict[str, int]:
    """The place of each known column in the header; what is not known is noted. Raises InputError as `read_rows`."""
    where, known = table.header_place, {column_key(name): name for name in (*required, *optional)}
    keys = [column_key(name) for name in table.header]
    places = {known[key]: place for place, key in enumerate(keys) if key in known}
    missing = [name for name in required if name not in places]
    if missing and len(missing) == len(required) and looks_like_values(table.header):
        remedy = f"the first line holds values; write the line {','.join(required)} above it"
        raise InputError(where, "header", Finding("missing"), remedy)
    unknown = []
    for name, key in zip(table.header, keys, strict=True):
        if keys.count(key) > 1 and key in known:
            raise InputError(where, "column", name, "occurs twice; keep one")
        if key in known:
            continue
        if key in refused:
            raise InputError(where, "column", name, f"unknown column; {refused[key]}")
        absent = [column_key(column) for column in (*required, *optional) if column not in places]
        close = difflib.get_close_matches(key, absent, n=1, cutoff=_CLOSE)
        if close:
            remedy = f"unknown column; is {known[close[0]]} meant? correct or remove it"
            raise InputError(where, "column", name, remedy)
        if name:
            unknown.append(name)
    if missing:
        remedy = "missing; add the column"
        if unknown:
            remedy += f"; the header has {', '.join(name for name in table.header if name)}"
        raise InputError(where, "column", missing[0], remedy)
    if unknown:
        note(where, f"columns that are not used: {', '.join(unknown)}")
    return places
