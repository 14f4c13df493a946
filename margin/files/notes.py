"""Notes on what a reader passed over or took another way: collected for the user, never dropped.

A note is no error: the file was read. A command collects the notes of its run and shows them; a program that collects
none gets each as a Python warning.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from zkmargin.margin.errors import printable

LONGEST = 1000
"""Characters of a note."""

_collected: ContextVar[list[str] | None] = ContextVar("notes", default=None)


class InputNote(UserWarning):
    """A note that no caller collects."""


def note(where: str, text: str) -> None:
    """Say something of an input.

    Args:
        where: file, with line where there is one.
        text: one sentence.
    """
    line = printable(f"{where}: {text}")
    line = line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."
    notes = _collected.get()
    if notes is None:
        warnings.warn(line, InputNote, stacklevel=3)
    elif line not in notes:
        notes.append(line)


def collected() -> list[str]:
    """The notes of the innermost `collecting` block so far; none outside of one."""
    return list(_collected.get() or ())


@contextmanager
def collecting() -> Iterator[list[str]]:
    """Collect all notes of a block in the list that this yields."""
    notes: list[str] = []
    token = _collected.set(notes)
    try:
        yield notes
    finally:
        _collected.reset(token)
