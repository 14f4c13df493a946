"""CSV files with a header: every row a mapping, every fault an InputError with its line."""

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import read_text


def read_rows(
    path: Path, required: Collection[str], optional: Collection[str] = ()
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Rows as (where, values by column), `where` being file and line.

    Raises InputError for a missing, unknown or repeated column, a row of the wrong length, and an empty
    table.
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header, required, optional)
        empty = True
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if not any(value.strip() for value in row):
                continue
            if len(row) != len(header):
                remedy = f"the header has {len(header)} columns; write as many values"
                raise InputError(where, "row", Finding(f"{len(row)} values"), remedy)
            empty = False
            yield where, dict(zip(header, (value.strip() for value in row), strict=True))
        if empty:
            raise InputError(str(path), "rows", Finding("none"), "write at least one row below the header")
    except csv.Error as error:
        where = f"{path}, line {reader.line_num}"
        raise InputError(where, "row", Finding(error), "write valid comma-separated values") from None


def _check_header(
    path: Path, header: list[str], required: Collection[str], optional: Collection[str]
) -> None:
    for column in header:
        if column not in required and column not in optional:
            known = ", ".join([*required, *optional])
            if len(header) == 1 and any(separator in column for separator in ";\t|"):
                remedy = "one column only; separate columns by commas"
                raise InputError(f"{path}, line 1", "header", column, remedy)
            raise InputError(f"{path}, line 1", "column", column, f"unknown column; known are {known}")
        if header.count(column) > 1:
            raise InputError(f"{path}, line 1", "column", column, "occurs twice; keep one")
    for column in required:
        if column not in header:
            raise InputError(f"{path}, line 1", "column", column, "missing; add the column")
