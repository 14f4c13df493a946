"""Writes the vectors, or checks that they are what would be written.

python -m vectors            write all files
python -m vectors --check    exit code 1 and the names of files that differ
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from vectors.make.canonical import canonical
from vectors.make.changed import changed
from vectors.make.files import FOLDER, VectorFile
from vectors.make.forgeries import forgeries
from vectors.make.layouts import layouts
from vectors.make.models import models
from vectors.make.points import points
from vectors.make.programs import programs
from vectors.make.signatures import signatures
from vectors.make.submissions import submissions
from vectors.make.transcripts import transcripts

FILES: dict[str, Callable[[], VectorFile]] = {
    "canonical-json.json": canonical,
    "transcript.json": transcripts,
    "points.json": points,
    "programs.json": programs,
    "proofs-layouts.json": layouts,
    "proofs-models.json": models,
    "proofs-changed.json": changed,
    "proofs-forged.json": forgeries,
    "signatures.json": signatures,
    "submissions.json": submissions,
}


def stale() -> list[str]:
    """The names of files that are not what would be written."""
    found = []
    for name, make in FILES.items():
        path = FOLDER / name
        if not path.is_file() or path.read_bytes() != make().encode():
            found.append(name)
    return found


def main(arguments: Sequence[str]) -> int:
    """The command. Returns its exit code."""
    if list(arguments) == ["--check"]:
        differing = stale()
        for name in differing:
            sys.stdout.write(f"vectors/{name} is not what `python -m vectors` writes\n")
        return 1 if differing else 0
    if arguments:
        sys.stderr.write("python -m vectors [--check]\n")
        return 2
    for name, make in FILES.items():
        made = make()
        (FOLDER / name).write_bytes(made.encode())
        sys.stdout.write(f"vectors/{name}: {len(made.tests)} tests\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
