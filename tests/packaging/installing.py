"""What `make wheel` has built, installed as users install it: into an empty environment, outside of the tree."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "dist"
VERSIONS = ("3.11", "3.12", "3.13")


def built(ending: str) -> Path:
    """The only file of its kind that was built."""
    (path,) = BUILT.glob(f"*{ending}")
    return path


def interpreter(version: str) -> Path | None:
    """A Python of this version, on PATH or of pyenv; None if the machine has none."""
    found = shutil.which(f"python{version}")
    managed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [*sorted(managed.glob(f"{version}.*/bin/python")), *([Path(found)] if found else [])]
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        candidates.insert(0, Path(sys.executable))
    for path in candidates:
        probe = [
            str(path),
            "-c",
            f"import sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')",
        ]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return path
    return None


@dataclass(frozen=True)
class Environment:
    """An environment that holds the product and what its metadata asks for, and nothing else."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "env" / "bin" / "python"

    @classmethod
    def make(cls, folder: Path, python: Path) -> "Environment":
        """An empty one."""
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder)
        subprocess.run([str(python), "-m", "venv", "--without-pip", str(folder / "env")], check=True)
        return made

    def install(self, distribution: Path) -> None:
        """Have pip install a distribution and what it needs, at the locked versions, as from an index."""
        pins = re.findall(
            r"^[a-z][\w.-]*==[^\s;]+",
            (ROOT / "requirements/runtime.txt").read_text() + (ROOT / "requirements/build.txt").read_text(),
            re.MULTILINE,
        )
        constraints = self.folder / "constraints.txt"
        constraints.write_text("\n".join(pins) + "\n")
        environment = {
            **os.environ,
            "PIP_CONSTRAINT": str(constraints),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            # What the crate needs is compiled already.
            "CARGO_TARGET_DIR": str(ROOT / "native" / "target"),
        }
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "-q", "--no-compile"]
        subprocess.run([*pip, str(distribution)], cwd=self.folder, env=environment, check=True)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the installed command in the folder, with nothing of the tree in its way."""
        command = [str(self.folder / "env" / "bin" / "zkmargin"), *words]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "PYTHONWARNINGS": "error"}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def evaluate(self, expression: str) -> str:
        """What an expression comes to in it, with `zkmargin` imported."""
        command = [str(self.python), "-c", f"import zkmargin; print({expression})"]
        ran = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True)
        return ran.stdout.strip()
