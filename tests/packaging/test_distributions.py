"""Wheel and source distribution: what is in them, and that they work where the repository is not."""

import json
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.installing import ROOT, VERSIONS, Environment, built, interpreter

pytestmark = pytest.mark.packaging

TERMS = ("--audience", "lender", "--nonce", "7f3a", "--threshold", "1000000")


def chain(environment: Environment) -> None:
    """The README's way, from an example market to a verified proof, and no to a false one."""
    shutil.copy(ROOT / "examples/holdings.csv", environment.folder)
    for words in (
        ("snapshot", "build", "--example", "-o", "market.json"),
        ("margin", "market.json", "holdings.csv", "--compare"),
        ("commit", "market.json", "holdings.csv", "-o", "commitment.json", "--opening", "opening.json"),
        ("prove", "market.json", "--opening", "opening.json", *TERMS, "-o", "proof.json"),
        ("verify", "market.json", "proof.json", "--commitment", "commitment.json", *TERMS),
    ):
        seen = environment.run(*words)
        assert (seen.returncode, seen.stderr) == (0, ""), words
    other = (*TERMS[:1], "somebody-else", *TERMS[2:])
    seen = environment.run("verify", "market.json", "proof.json", "--commitment", "commitment.json", *other)
    assert seen.returncode == 1
    information = json.loads(environment.run("info", "--json").stdout)
    assert information["backend"] == "native"
    assert Path(environment.evaluate("zkmargin.__file__")).is_relative_to(environment.folder)


def test_the_wheel_holds_the_package_and_serves_every_later_python() -> None:
    path = built(".whl")
    assert "-cp311-abi3-" in path.name
    names = set(zipfile.ZipFile(path).namelist())
    modules = {
        f"zkmargin/{room.name}/{source.relative_to(room.resolve())}"
        for room in (ROOT / "zkmargin").iterdir()
        if room.is_dir() and room.name != "__pycache__"
        for source in room.resolve().rglob("*.py")
    }
    packaged = {name for name in names if name.endswith(".py")}
    assert packaged == modules | {"zkmargin/__init__.py"}
    assert {"zkmargin/_native.abi3.so", "zkmargin/_native.pyi", "zkmargin/py.typed"} <= names
    assert {name.split("/")[0] for name in names} == {"zkmargin", "zkmargin-0.1.0.dist-info"}


def test_the_source_distribution_holds_what_it_is_built_from_and_explained_by() -> None:
    with tarfile.open(built(".tar.gz")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for folder, kind in (("docs", "*.md"), ("examples", "*"), ("native", "Cargo.*"), ("native/src", "*.rs")):
        files = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob(kind) if path.is_file()}
        assert files - {name for name in files if name.startswith("native/target")} <= names, folder
    assert {"README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "setup.cfg"} <= names
    assert not [name for name in names if name.endswith((".so", ".pyc")) or "/target/" in name]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_wheel_works_where_it_is_installed(version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"this machine has no Python {version}")
    environment = Environment.make(tmp_path, python)
    environment.install(built(".whl"))
    chain(environment)
    missing = environment.run("margin", "market.json", "holdings.csv", "--compare", "--chart", "models.png")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "pip install 'zkmargin[plots]'" in missing.stderr


def test_the_source_distribution_works_where_it_is_installed(tmp_path: Path) -> None:
    python = interpreter("3.11") or interpreter("3.12") or interpreter("3.13")
    assert python is not None
    environment = Environment.make(tmp_path, python)
    environment.install(built(".tar.gz"))
    chain(environment)
