"""Reading a book: positions of many accounts from Parquet or CSV, a stretch of whole accounts at a time.

Columns: account, subject, instrument, quantity and, if wanted, entry_price. Numbers are text, integers or decimals,
never floating point. The rows of an account stand together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from zkmargin.margin.account.contract_map import Target
from zkmargin.margin.account.holdings import MISLEADING, Holdings, Position, mapped
from zkmargin.margin.arithmetic.decimals import parse_decimal, parse_positive
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.csv_rows import known_columns
from zkmargin.margin.files.table_text import SUFFIXES, read_beginning
from zkmargin.margin.files.unpacking import open_unpacked
from zkmargin.margin.market.names import without_padding
from zkmargin.margin.snapshot.snapshot import Snapshot

REQUIRED = ("account", "subject", "instrument", "quantity")
OPTIONAL = ("entry_price",)
ROWS_AT_ONCE = 1 << 16
ACCOUNTS_AT_ONCE = 4000

ROW = "row"
"""A column added on reading: the number of the row in the file, the first below the header being 1."""


@dataclass(frozen=True)
class Stretch:
    """Whole accounts, next to one another in the book.

    Attributes:
        number: 0 for the first.
        rows: their positions.
        accounts: how many they are.
    """

    number: int
    rows: pa.Table
    accounts: int


def stretches(path: Path, accounts: int) -> Iterator[Stretch]:
    """The book in stretches of so many accounts; the last may be shorter.

    Raises InputError for a file that cannot be read, wrong columns, and an account whose rows do not stand together.
    """
    seen: set[str] = set()
    waiting, number = None, 0
    for batch in _numbered(path):
        waiting = batch if waiting is None else pa.concat_tables([waiting, batch])
        # The last account of what has been read may go on in the next batch.
        starts = _starts(waiting)
        while len(starts) > accounts:
            yield _stretch(path, number, waiting.slice(0, starts[accounts]), starts[:accounts], seen)
            waiting, starts = (
                waiting.slice(starts[accounts]),
                [s - starts[accounts] for s in starts[accounts:]],
            )
            number += 1
    if waiting is None or len(waiting) == 0:
        raise InputError(str(path), "rows", Finding("none"), "write at least one position")
    yield _stretch(path, number, waiting, _starts(waiting), seen)


def check_whole(path: Path) -> None:
    """Go through the book once before anything is signed.

    An account whose rows are scattered would be attested to as complete after its first rows.

    Raises InputError as `stretches` does.
    """
    for _ in stretches(path, ACCOUNTS_AT_ONCE):
        pass


def holdings_of(
    rows: pa.Table, snapshot: Snapshot, book: str, contracts: Mapping[str, Target] | None = None
) -> Iterator[tuple[tuple[str, str], Holdings]]:
    """Each account of a stretch, as (name, subject), with its holdings.

    With `contracts`, instruments have the names of those; see `mapped`.

    Raises InputError naming the row for what cannot be held.
    """
    columns = {name: rows.column(name).to_pylist() for name in rows.column_names}
    starts = [*_starts(rows), len(rows)]
    entries = columns.get("entry_price", [None] * len(rows))
    for start, stop in pairwise(starts):
        where = [f"{book}, row {row}" for row in columns[ROW][start:stop]]
        positions = (
            Position(
                without_padding(instrument),
                parse_decimal(quantity, place, "quantity"),
                None if entry in (None, "") else parse_positive(entry, place, "entry_price"),
                place,
            )
            for instrument, quantity, entry, place in zip(
                columns["instrument"][start:stop],
                columns["quantity"][start:stop],
                entries[start:stop],
                where,
                strict=True,
            )
        )
        if contracts is not None:
            positions = (mapped(position, contracts, snapshot.universe) for position in positions)
        holdings = Holdings.of(positions, snapshot)
        subjects = set(columns["subject"][start:stop])
        if len(subjects) > 1:
            remedy = f"account {columns['account'][start]!r} has several subjects; an account has one"
            held = columns["subject"][start:stop]
            other = next(place for place, subject in enumerate(held) if subject != held[0])
            raise InputError(where[other], "subject", held[other], remedy)
        yield (columns["account"][start], columns["subject"][start]), holdings


def _numbered(path: Path) -> Iterator[pa.Table]:
    """The rows in batches, with their numbers."""
    number = 1
    with _readable(path):
        for batch in _batches(path):
            rows = pa.Table.from_batches([batch])
            _check(path, rows)
            count = len(rows)
            yield rows.append_column(ROW, pa.array(range(number, number + count), pa.int64()))
            number += count


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    if path.suffix.lower() == ".parquet":
        with pa_parquet.ParquetFile(path) as file:
            _check_columns(path, file.schema_arrow.names)
            yield from file.iter_batches(batch_size=ROWS_AT_ONCE)
        return
    table, encoding = read_beginning(path, (*REQUIRED, *OPTIONAL))
    columns = known_columns(table, REQUIRED, OPTIONAL, MISLEADING)
    names = [f"unused {place}" for place in range(len(table.header))]
    for name, place in columns.items():
        names[place] = name
    text = pa_csv.ConvertOptions(
        column_types={name: pa.string() for name in columns},
        strings_can_be_null=False,
        include_columns=list(columns),
    )
    reading = pa_csv.ReadOptions(skip_rows=table.header_line, column_names=names, encoding=encoding)
    parsing = pa_csv.ParseOptions(delimiter=table.separator)
    with (
        open_unpacked(path, SUFFIXES) as stream,
        pa_csv.open_csv(stream, read_options=reading, parse_options=parsing, convert_options=text) as reader,
    ):
        yield from reader


def _check_columns(path: Path, names: list[str]) -> None:
    for name in names:
        if name not in (*REQUIRED, *OPTIONAL) or names.count(name) > 1:
            known = ", ".join((*REQUIRED, *OPTIONAL))
            raise InputError(str(path), "column", name, f"unknown, or there twice; known are {known}")
    for name in REQUIRED:
        if name not in names:
            raise InputError(str(path), "column", name, "missing; add the column")


def _check(path: Path, rows: pa.Table) -> None:
    """Text where names are, exact numbers where numbers are, and nothing empty that is needed."""
    for name in rows.column_names:
        kind = rows.schema.field(name).type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        number = name in ("quantity", "entry_price")
        exact = pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)
        if not (text or (number and exact)):
            wanted = "text, integers or decimals" if number else "text"
            raise InputError(str(path), f"column {name}", Finding(kind), f"write {wanted}")
        if name in REQUIRED and rows.column(name).null_count:
            raise InputError(str(path), f"column {name}", Finding("empty"), "write a value in every row")


def _starts(rows: pa.Table) -> list[int]:
    """The first row of each account."""
    if len(rows) == 0:
        return []
    names = rows.column("account").combine_chunks()
    if pa.types.is_dictionary(names.type):
        names = names.dictionary_decode()
    changed = pc.not_equal(names.slice(1), names.slice(0, len(names) - 1))
    return [0, *(place + 1 for place in pc.indices_nonzero(changed).to_pylist())]


def _stretch(path: Path, number: int, rows: pa.Table, starts: list[int], seen: set[str]) -> Stretch:
    first = rows.take(pa.array(starts, pa.int64()))
    for name, row in zip(first.column("account").to_pylist(), first.column(ROW).to_pylist(), strict=True):
        if name in seen:
            remedy = "its rows do not stand together; sort the book by account"
            raise InputError(f"{path}, row {row}", "account", name, remedy)
        seen.add(name)
    return Stretch(number, rows, len(starts))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Errors of the file reader as InputError."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        cause: Any = error.strerror if isinstance(error, OSError) and error.strerror else error
        remedy = "name a readable Parquet or CSV file (.parquet, .csv) with the columns of a book"
        raise InputError(str(path), "file", Finding(str(cause).split("\n", 1)[0]), remedy) from None
