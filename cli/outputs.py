"""Files that a command is to write: refused before the work, where that can be told."""

import os
from pathlib import Path

from zkmargin.margin.errors import Finding, InputError


def refuse_unwritable(output: Path) -> None:
    """Raises InputError where a file cannot be written, as far as can be told beforehand."""
    directory = output.resolve().parent
    if output.is_dir() or not directory.is_dir() or not os.access(directory, os.W_OK):
        raise InputError(str(output), "file", Finding("cannot be written"), "name a writable place")
