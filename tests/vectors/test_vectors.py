"""Every vector under every verifier: accepted or refused as the file says, and for a reason that it names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.vectors import python_verifier, typescript
from tests.vectors.agreement import TABLE
from vectors.__main__ import FILES, stale
from vectors.make.files import FOLDER
from zkmargin.algebra import backends, get_backend

Outcomes = Mapping[int, str]


def _python(backend: str) -> Callable[[Path], Outcomes]:
    def run(path: Path) -> Outcomes:
        if backend not in backends():
            pytest.skip("the native extension is not built here")
        return python_verifier.outcomes(path, backend)

    return run


def _typescript(path: Path) -> Outcomes:
    return typescript.outcomes_of(tuple(sorted(FOLDER.glob("*.json"))))[path.name]


VERIFIERS: dict[str, Callable[[Path], Outcomes]] = {
    "native": _python("native"),
    "reference": _python("reference"),
    "TypeScript": _typescript,
}
"""By name, what gives the outcome of each test of a file; a further verifier is one more line here."""


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return content


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize("name", FILES)
def test_a_verifier_agrees_with_every_vector(name: str, verifier: str) -> None:
    tests = read(name)["tests"]
    found = VERIFIERS[verifier](FOLDER / name)
    wrong = [
        f"{test['id']} ({test['comment']}): {found[test['id']]}"
        for test in tests
        if found[test["id"]] not in (test["reasons"] or ["valid"])
    ]
    TABLE.setdefault(name, {})[verifier] = (len(tests) - len(wrong), len(tests))
    assert set(found) == {test["id"] for test in tests}
    assert not wrong


@pytest.mark.skipif(get_backend().name != "native", reason="the reference takes minutes to make them")
def test_the_files_are_what_the_command_writes() -> None:
    assert stale() == [], "run python -m vectors"


def test_every_file_is_listed_and_every_test_has_a_number_and_a_result() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == set(FILES)
    for name in FILES:
        content = read(name)
        assert [test["id"] for test in content["tests"]] == list(range(1, content["count"] + 1))
        for test in content["tests"]:
            assert (test["result"] == "valid") == (not test["reasons"])
            assert set(test["flags"]) <= content["notes"].keys()


def test_every_model_and_every_number_of_limb_columns_is_there() -> None:
    models = {test["statement"]["model"] for test in read("proofs-models.json")["tests"]}
    assert models == {"isolated", "cross", "grid", "span", "tims", "es", "var", "correlation", "tiered"}
    layouts = {test["comment"] for test in read("proofs-layouts.json")["tests"]}
    assert {f"{k} limb columns" for k in range(1, 9)} <= layouts
