"""The contracts that are installed are those of the sources, and fit where they go."""

import hashlib
import json
import subprocess

import pytest

from tests.verifier.contract.evms import FOLDER, MODULES, required
from zkmargin.verifier.contract.artifacts import FILE, Refusal, contracts, refusal

LIMIT = 24_576


def digest_of_sources() -> str:
    """As build.mjs forms it: each source by its name, the lock file, and the script itself."""
    found = hashlib.sha256()
    sources = sorted((FOLDER / "src").rglob("*.sol"), key=lambda path: path.relative_to(FOLDER).parts)
    for path in sources:
        found.update(f"{path.relative_to(FOLDER)}\0{path.read_text()}\0".encode())
    found.update((FOLDER / "package-lock.json").read_bytes())
    found.update((FOLDER / "build.mjs").read_bytes())
    return found.hexdigest()


def test_the_artifacts_are_of_these_sources() -> None:
    """If not: zkmargin contract build."""
    assert json.loads(FILE.read_text())["sources"] == digest_of_sources()


@pytest.mark.fuzz
def test_the_sources_compile_to_the_artifacts() -> None:
    required(MODULES / "solc")
    made = subprocess.run(["node", str(FOLDER / "build.mjs")], capture_output=True, check=True)
    assert made.stdout == FILE.read_bytes()


def test_every_contract_can_be_deployed() -> None:
    assert {"MarginVerifier", "PledgeLedger", "LendingVault"} <= contracts().keys()
    assert all(0 < one.runtime_bytes <= LIMIT for one in contracts().values())


def test_versions_are_exact() -> None:
    package = json.loads((FOLDER / "package.json").read_text())
    assert all(version[0].isdigit() for version in package["devDependencies"].values())


def test_a_refusal_that_no_interface_knows() -> None:
    assert refusal(b"") == Refusal("")
    assert str(refusal(bytes.fromhex("deadbeef"))) == "no reason given"


def test_every_error_and_event_has_a_name_of_its_own() -> None:
    """A refusal tells its reason by its name alone, whichever contract it comes from."""
    for one in contracts().values():
        names = [entry["name"] for entry in one.abi if entry["type"] == "error"]
        assert len(names) == len(set(names))
