"""`make mutants`: break each check in a copy of the repository, and run the tests that must notice.

    python -m tests.mutants.run [TEXT ...]     only mutants whose name contains one of the texts

Exit code 1 if one survives that `explained.toml` does not explain, or if one is explained that no longer survives.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tests.mutants.mutations import ROOT, Mutant, mutants

SECONDS = 900
EXPLAINED = Path(__file__).with_name("explained.toml")
_LEFT = shutil.ignore_patterns(
    ".git", ".venv", "target", "__pycache__", ".hypothesis", ".pytest_cache", ".mypy_cache"
)


def noticed(copy: Path, mutant: Mutant) -> bool:
    """Whether a test fails in the copy with this change; the copy is put back."""
    place = copy / mutant.file
    before = place.read_text()
    place.write_text(mutant.applied(before))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *mutant.tests]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    finally:
        place.write_text(before)
    return done.returncode == 1


def main(wanted: list[str]) -> int:
    """Run those whose names contain one of the texts; all of them without any."""
    explained: dict[str, str] = tomllib.loads(EXPLAINED.read_text())
    chosen = [m for m in mutants() if not wanted or any(text in m.name for text in wanted)]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, symlinks=True, ignore=_LEFT)
        if (ROOT.parent / "shared").exists():
            (Path(folder) / "shared").symlink_to((ROOT.parent / "shared").resolve())
        for number, mutant in enumerate(chosen, 1):
            found, reason = noticed(copy, mutant), explained.get(mutant.name)
            outcome = "noticed" if found else "survives"
            if found == (reason is not None):
                failures += 1
                outcome += ", though it is explained" if found else ", UNEXPLAINED"
            sys.stdout.write(f"{number}/{len(chosen)} {outcome}: line {mutant.line}, {mutant.name}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen)} mutants, {failures} not as they should be\n")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
