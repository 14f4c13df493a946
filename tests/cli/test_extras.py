"""Parts that are not installed: what is said of them, and that nothing else needs them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.cli.harness import TERMS, Chain, Run
from zkmargin.cli.extras import EXTRAS, PURPOSES, missing_extra

ROOT = Path(__file__).resolve().parents[2]
MODULES = {"psycopg[binary]": "psycopg"}
"""Distributions that bring a module of another name than their own."""


def run_without(modules: tuple[str, ...], *words: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process that cannot import these modules."""
    program = f"""
import sys
for module in {modules!r}:
    sys.modules[module] = None
from zkmargin.cli import main
main()
"""
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, words)], capture_output=True, text=True, check=False
    )


OPTIONAL = tuple(module for modules in EXTRAS.values() for module in modules)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("plots", ("margin", "{snapshot}", "{holdings}", "--compare", "--chart", "{tmp}/models.png")),
        ("client", ("receipt", "get", "1", "--service", "http://127.0.0.1:9", "-o", "{tmp}/receipt.json")),
        ("service", ("serve", "--config", "{tmp}/service.toml")),
        ("service", ("venue", "serve", "{tmp}/venue.toml")),
    ],
)
def test_a_missing_extra_is_named_in_one_line(
    chain: Chain, tmp_path: Path, extra: str, words: tuple[str, ...]
) -> None:
    names = {"snapshot": chain.snapshot, "holdings": chain.holdings, "tmp": tmp_path}
    seen = run_without(OPTIONAL, *(word.format(**names) for word in words))
    assert (seen.returncode, seen.stdout) == (2, "")
    assert len(seen.stderr.splitlines()) == 1
    assert f"pip install 'zkmargin[{extra}]'" in seen.stderr
    assert list(tmp_path.iterdir()) == []


def test_margining_proving_and_verifying_need_no_extra(chain: Chain, tmp_path: Path) -> None:
    proof = tmp_path / "proof.json"
    for words in (
        ("margin", chain.snapshot, chain.holdings),
        ("prove", chain.snapshot, "--opening", chain.opening, *TERMS, "-o", proof),
        ("verify", chain.snapshot, proof, "--commitment", chain.commitment, *TERMS),
    ):
        seen = run_without(OPTIONAL, *words)
        assert seen.returncode == 0, seen.stderr


def test_every_distribution_of_an_extra_is_known_by_its_module() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    extras = {name: needs for name, needs in extras.items() if name not in ("all", "dev")}
    assert set(extras) == set(EXTRAS) == set(PURPOSES)
    known = {module for modules in EXTRAS.values() for module in modules}
    for needs in extras.values():
        for need in needs:
            name = re.split("[<>=]", need)[0]
            assert MODULES.get(name, name.replace("-", "_")) in known, need


def test_a_module_of_no_extra_is_no_business_of_theirs() -> None:
    assert missing_extra(ModuleNotFoundError(name="numpy.linalg")) is None
    assert missing_extra(ModuleNotFoundError()) is None


def test_all_extras_are_in_all() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras["all"] == [f"zkmargin[{','.join(EXTRAS)}]"]


def test_the_slow_backend_is_announced_by_what_proves(
    run: Run, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZKMARGIN_BACKEND", "reference")
    seen = run("commit", chain.snapshot, chain.holdings, "-o", tmp_path / "c", "--opening", tmp_path / "o")
    assert seen.code == 0
    assert (
        seen.err
        == "zkmargin: working on the reference backend, which is slow: ZKMARGIN_BACKEND asks for it\n"
    )
