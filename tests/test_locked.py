"""The check that the environment is the locked one, and that the locks hold all that the product needs."""

import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
CHECK = runpy.run_path(str(ROOT / ".ci/locked.py"))
RUNTIME, DEVELOPMENT = ("pip", "build", "runtime"), ("pip", "build", "runtime", "dev")


def pins_of(locks: tuple[str, ...]) -> dict[str, str]:
    pins: dict[str, str] = CHECK["locked"]((ROOT / f"requirements/{lock}.txt").read_text() for lock in locks)
    return pins


def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def test_a_newer_a_missing_and_an_unlocked_version_are_named() -> None:
    pins = {"coverage": "7.15.2", "numpy": "2.4.1", "rich": "14.0"}
    installed = {"coverage": "7.15.3", "numpy": "2.4.1", "stray": "1.0", "zkmargin": "0.1.0"}
    assert CHECK["differences"](pins, installed) == [
        "coverage is locked as 7.15.2, and installed as 7.15.3",
        "rich 14.0 is locked, and not installed",
        "stray 1.0 is installed, and no lock names it",
    ]
    assert CHECK["differences"](pins, pins) == []


def test_a_pin_counts_where_its_marker_holds() -> None:
    text = "a==1 ; sys_platform == 'nowhere' \\\n    --hash=sha256:00\nB_c==2.0 \\\n    --hash=sha256:00\n    # via d\n"
    assert CHECK["locked"]([text]) == {"b-c": "2.0"}


@pytest.mark.parametrize(
    ("texts", "message"), [(["a>=1\n"], "a lock pins"), (["a==1\n", "a==2\n"], "as 1 and as 2")]
)
def test_a_lock_that_is_none_is_refused(texts: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CHECK["locked"](texts)


def test_unmet_requirements_are_named() -> None:
    needed = ["numpy>=2", "coverage[toml]>=7.6; extra == 'dev'", "rich>=99", "a; sys_platform == 'nowhere'"]
    lines = CHECK["unmet"](needed, {"numpy": "2.4.1", "rich": "14.0"}, ["dev"])
    assert lines == [
        'zkmargin needs coverage[toml]>=7.6; extra == "dev", and no lock names it: run make lock',
        "zkmargin needs rich>=99, and 14.0 is locked: run make lock",
    ]


def test_the_locks_hold_everything_that_the_product_names() -> None:
    table = project()
    assert CHECK["unmet"](table["dependencies"], pins_of(RUNTIME), []) == []
    named = [each for extra in table["optional-dependencies"].values() for each in extra]
    assert CHECK["unmet"](named, pins_of(DEVELOPMENT), table["optional-dependencies"]) == []
