"""The examples in the docstrings, run under the names that the modules are imported by."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def modules() -> list[str]:
    """The modules whose docstrings hold examples."""
    found = []
    for link in sorted((ROOT / "zkmargin").iterdir()):
        room = link.resolve()
        for path in sorted(room.rglob("*.py")) if room.is_dir() else [room]:
            if path.suffix == ".py" and ">>> " in path.read_text():
                parts = path.relative_to(ROOT).with_suffix("").parts
                parts = parts if parts[0] == "zkmargin" else ("zkmargin", *parts)
                found.append(".".join(parts).removesuffix(".__init__"))
    return found


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
