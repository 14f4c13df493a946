"""The examples in the docstrings, run under the names that the modules are imported by."""

import doctest
import importlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def modules() -> list[str]:
    """The modules whose docstrings hold examples."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = []
    for package in settings["packages"]:
        room, *inner = package.removeprefix("zkmargin.").split(".")
        for path in sorted((ROOT / room).joinpath(*inner).glob("*.py")):
            if ">>> " in path.read_text():
                found.append(package if path.stem == "__init__" else f"{package}.{path.stem}")
    return found


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
