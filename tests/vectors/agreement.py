"""The table of vectors and verifiers that a test run ends with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

TABLE: dict[str, dict[str, tuple[int, int]]] = {}
"""By file and verifier, how many tests came out as they should, of how many."""


def lines(table: Mapping[str, Mapping[str, tuple[int, int]]]) -> Iterator[str]:
    """The table in words; a verifier that was not run has a dash."""
    verifiers = list(dict.fromkeys(name for row in table.values() for name in row))
    width = max((len(name) for name in table), default=0)
    yield f"{'':{width}}" + "".join(f"{name:>14}" for name in verifiers)
    for name, row in table.items():
        cells = (f"{row[v][0]} of {row[v][1]}" if v in row else "-" for v in verifiers)
        yield f"{name:{width}}" + "".join(f"{cell:>14}" for cell in cells)
