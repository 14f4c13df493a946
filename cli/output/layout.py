"""Tables that fit: where a table is wider than the screen, its rows are written as records, and nothing is cut.

Numbers and instrument names are never shortened. A table keeps its columns while they fit; otherwise every row
becomes a block of lines `column  value`, which a terminal may wrap but never truncates.
"""

from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text


def fitted(table: Table, console: Console) -> RenderableType:
    """The table itself if its widest row fits the console, else its rows as records."""
    needed = Measurement.get(console, console.options.update(max_width=10**6), table).maximum
    return table if needed <= console.width else records(table)


def records(table: Table) -> Text:
    """Every row as lines of `column  value`; a first row without headers has its first cell as the name."""
    blocks: list[Text] = []
    if table.title is not None:
        blocks.append(Text.from_markup(str(table.title), style="bold"))
    headers = [_plain(column.header) for column in table.columns] if table.show_header else []
    for cells in _rows(table):
        shown = [(name, cell) for name, cell in _named(headers, cells) if cell]
        width = max((len(name) for name, _ in shown), default=0)
        lines = [f"{name:<{width}}  {cell}".rstrip() for name, cell in shown]
        if lines:
            blocks.append(Text("\n".join(lines) + ("\n" if headers else "")))
    return Text("\n").join(blocks)


def _named(headers: list[str], cells: list[str]) -> list[tuple[str, str]]:
    if headers:
        return list(zip(headers, cells, strict=True))
    name, *rest = cells
    return [(name, "  ".join(cell for cell in rest if cell))]


def _rows(table: Table) -> Iterator[list[str]]:
    columns = [list(column.cells) for column in table.columns]
    for cells in zip(*columns, strict=True):
        yield [_plain(cell) for cell in cells]


def _plain(cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else Text.from_markup(str(cell)).plain
