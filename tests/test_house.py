"""The rules of the house: who may import whom, and what no file does."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from setuptools import find_packages

ROOT = Path(__file__).resolve().parent.parent
LINES = 450

LOWER = ("zkmargin.circuits", "zkmargin.algebra", "zkmargin.margin")

# What each room may import of ours. The face may use everything; nothing uses the face.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "margin": ("zkmargin._native", "zkmargin.margin"),
    "algebra": ("zkmargin._native", "zkmargin.algebra"),
    "circuits": ("zkmargin.circuits", "zkmargin.margin", "zkmargin.algebra.field"),
    "planning": ("zkmargin.planning", "zkmargin.circuits", "zkmargin.margin"),
    "argument": ("zkmargin.argument", *LOWER),
    "attestation": ("zkmargin.attestation", "zkmargin.argument", *LOWER),
    "prover": ("zkmargin.prover", "zkmargin.attestation", "zkmargin.argument", *LOWER),
    "verifier": ("zkmargin.verifier", "zkmargin.attestation", "zkmargin.argument", *LOWER),
    "client": ("zkmargin.client", "zkmargin.prover", "zkmargin.attestation", "zkmargin.argument", *LOWER),
    "venue": ("zkmargin.venue", "zkmargin.prover", "zkmargin.attestation", "zkmargin.argument", *LOWER),
    "evidence": (
        "zkmargin.evidence",
        "zkmargin.venue",
        "zkmargin.attestation",
        "zkmargin.argument",
        "zkmargin.algebra",
        "zkmargin.margin",
    ),
    "cli": ("zkmargin",),
    "zkmargin": ("zkmargin",),
}
SOURCES = sorted(path for room in MAY_IMPORT for path in (ROOT / room).rglob("*.py"))
CRATE = sorted((ROOT / "native/src").rglob("*.rs"))
TESTS = sorted([*(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")])

sources = pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def imports(tree: ast.AST, package: str) -> Iterator[str]:
    """The full names of all modules and names that a file of `package` imports, at any depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(parents if node.level else []), *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def package_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parent.parts
    return ".".join(parts if parts[0] == "zkmargin" else ("zkmargin", *parts))


def lies_in(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")


@sources
def test_imports_run_one_way(path: Path) -> None:
    allowed = MAY_IMPORT[room_of(path)]
    for name in imports(ast.parse(path.read_text()), package_of(path)):
        if lies_in(name, "zkmargin"):
            assert any(lies_in(name, module) for module in allowed), f"{room_of(path)} must not import {name}"
        else:
            assert name.split(".")[0] not in set(MAY_IMPORT), f"write zkmargin.{name}"


def test_the_import_rule_sees_every_form_of_import() -> None:
    text = "import a.b\nfrom c import d\ndef f():\n    from . import e\n    from ..g import h\n"
    assert list(imports(ast.parse(text), "zkmargin.cli")) == ["a.b", "c.d", "zkmargin.cli.e", "zkmargin.g.h"]


@sources
def test_no_error_is_swallowed(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            silent = all(isinstance(statement, ast.Pass) for statement in node.body)
            assert not silent, f"line {node.lineno}: an exception is dropped without a word"
            assert node.type is not None, f"line {node.lineno}: name the exceptions that are meant"


@sources
def test_only_the_face_talks_to_the_terminal(path: Path) -> None:
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    for call in calls:
        if isinstance(call.func, ast.Name):
            assert call.func.id not in {"print", "breakpoint", "input"}, f"line {call.lineno}"


@sources
def test_randomness_comes_from_the_operating_system(path: Path) -> None:
    for name in imports(ast.parse(path.read_text()), package_of(path)):
        assert not lies_in(name, "random"), "draw from secrets: random can be predicted"
        assert not lies_in(name, "numpy.random"), "draw from secrets: numpy.random can be predicted"


@pytest.mark.parametrize("path", [*SOURCES, *CRATE], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_one_idea(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LINES, "split it"
    assert path.stem not in {"utils", "util", "helpers", "misc", "common"}, "name it after its idea"
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", path.read_text()), "finish it"


@sources
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), "a module starts with a docstring"


@pytest.mark.parametrize("path", [*SOURCES, *CRATE], ids=lambda path: str(path.relative_to(ROOT)))
def test_the_product_needs_nothing_beside_the_repository(path: Path) -> None:
    assert not re.search(r"shared/|/tmp/|/work/", path.read_text()), (
        "only tests and benchmarks use outside data"
    )


def test_every_room_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = find_packages(str(ROOT), **settings["packages"]["find"])
    assert set(found) == {package_of(path) for path in SOURCES}
    for room in set(MAY_IMPORT) - {"zkmargin"}:
        assert (ROOT / "zkmargin" / room).resolve() == ROOT / room, "zkmargin/ holds a link to each room"


def test_locks_pin_every_dependency_by_hash_and_name_no_host() -> None:
    for lock in ("pip", "build", "runtime", "dev"):
        text = (ROOT / f"requirements/{lock}.txt").read_text()
        pins = re.findall(r"^[a-z][\w.-]*==\S+ (?:; [^\\\n]+ )?\\\n    --hash=sha256:", text, re.MULTILINE)
        assert pins
        assert len(pins) == len(re.findall(r"^[^\s#]", text, re.MULTILINE))
        assert "://" not in text


def test_installing_a_lock_resolves_nothing() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert "INSTALL_LOCKED := $(PIP) install -q --no-deps --require-hashes\n" in makefile
    for line in re.findall(r"^.*-r requirements/.*$", makefile, re.MULTILINE):
        assert "$(INSTALL_LOCKED) -r" in line, "a lock is installed as it stands"


def test_continuous_integration_runs_the_whole_check_and_nothing_else() -> None:
    commands = [
        line
        for line in (ROOT / ".ci/run").read_text().splitlines()
        if line and not line.startswith(("#", "set ", "cd "))
    ]
    assert commands == ["exec make test"]


# The wings of a room, from the ground up: a wing imports from those before it only.
FLOORS: dict[str, list[str]] = {
    "margin": [
        "units",
        "errors",
        "arithmetic",
        "files",
        "instruments",
        "parameters",
        "tables",
        "market",
        "valuation",
        "scenarios",
        "models",
        "snapshot",
        "account",
        "venue_answers",
    ],
    "circuits": [
        "errors",
        "matrix_products",
        "matrix",
        "program",
        "relation",
        "builder",
        "witness",
        "account_rows",
        "gadgets",
        "models",
        "model_relation",
        "statement",
        "program_reader",
    ],
    "cli": "extras file_kinds boundary output options process demo commands lazy_group command".split(),  # noqa: SIM905
    "verifier/service": "logs metrics problems delivery uploads store intake process http".split(),  # noqa: SIM905
}
ENTRIES = 24
"""Files and folders in a folder, at most."""


def without_typing(tree: ast.Module) -> ast.Module:
    """A module without the imports that only a type checker sees."""
    kept = [
        node
        for node in tree.body
        if not (
            isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        )
    ]
    return ast.Module(kept, [])


def wing_imports(room: str) -> Iterator[tuple[Path, str, str]]:
    """(file, its wing, the wing that it imports) for every import inside a room."""
    own = "zkmargin." + room.replace("/", ".")
    for path in sorted((ROOT / room).rglob("*.py")):
        wing = path.relative_to(ROOT / room).parts[0].removesuffix(".py")
        for name in imports(without_typing(ast.parse(path.read_text())), package_of(path)):
            if name.startswith(own + "."):
                yield path, wing, name.removeprefix(own + ".").split(".")[0]


@pytest.mark.parametrize("room", FLOORS)
def test_wings_import_from_lower_floors_only(room: str) -> None:
    floors = list(FLOORS[room])
    for path, wing, other in wing_imports(room):
        if wing not in {"__init__", "migrations", other}:
            assert wing in floors, f"{path}: give the wing {wing} a floor"
            assert floors.index(other) < floors.index(wing), f"{path} must not import {other}"


def test_a_folder_has_few_entries() -> None:
    for folder in {path.parent for path in SOURCES}:
        entries = [
            entry for entry in folder.iterdir() if entry.suffix in {"", ".py"} and entry.name[0] not in "._"
        ]
        assert len(entries) <= ENTRIES, f"{folder.relative_to(ROOT)} has {len(entries)} entries"


@sources
def test_no_module_is_imported_by_name(path: Path) -> None:
    if path != ROOT / "zkmargin/__init__.py":
        found = set(imports(ast.parse(path.read_text()), package_of(path)))
        assert not {"importlib", "importlib.import_module", "pkgutil"} & found, "import it by statement"
