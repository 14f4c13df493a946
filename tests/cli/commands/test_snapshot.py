"""Snapshots from every source, shown and checked."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.cli.harness import TERMS, Chain, Run
from zkmargin.margin.files.canonical_json import canonical_json
from zkmargin.margin.snapshot.snapshot import Snapshot


def test_building_is_deterministic(run: Run, tmp_path: Path) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    ids = [run("snapshot", "build", "--example", "-o", path, "--json").document["id"] for path in files]
    assert ids[0] == ids[1]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_parameters_make_another_snapshot(run: Run, tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text('[grid]\nspot_shocks = ["-0.3", "0", "0.3"]\n')
    built = run(
        "snapshot",
        "build",
        "--example",
        "--params",
        tmp_path / "desk.toml",
        "-o",
        tmp_path / "s.json",
        "--json",
    ).document
    plain = run("snapshot", "build", "--example", "-o", tmp_path / "p.json", "--json").document
    assert built["id"] != plain["id"]
    assert built["universe"] == plain["universe"]
    assert built["models"]["grid"] == "15 scenarios, 2 underlyings"


def test_show(run: Run, snapshot_file: Path) -> None:
    document = run("snapshot", "show", snapshot_file, "--instruments", "--json").document
    assert document["domain"] == 64
    assert len(document["listing"]) == document["instruments"]
    text = run("snapshot", "show", snapshot_file, "--instruments").out
    assert document["id"] in text
    assert all(instrument["name"] in text for instrument in document["listing"])


@pytest.fixture(scope="module")
def doctored(run: Run, snapshot_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot with one mark raised, under the id that its content has."""
    path = tmp_path_factory.mktemp("doctored") / "snapshot.json"
    forged = json.loads(snapshot_file.read_text())
    forged["marks"][4] += 1
    del forged["id"]
    forged["id"] = hashlib.sha256(canonical_json(forged)).hexdigest()
    path.write_bytes(canonical_json(forged))
    assert Snapshot.load(path).id == forged["id"]
    return path


def test_check_derives_every_table_again(run: Run, snapshot_file: Path, doctored: Path) -> None:
    assert run("snapshot", "check", snapshot_file, "--json").document["reproduced"] is True
    seen = run("snapshot", "check", doctored)
    assert seen.code == 2
    assert "does not follow" in seen.err


def test_nothing_is_proven_or_verified_under_doctored_tables(
    run: Run, chain: Chain, doctored: Path, tmp_path: Path
) -> None:
    proof = tmp_path / "proof.json"
    for command in (
        ("prove", doctored, "--opening", chain.opening, *TERMS, "-o", proof),
        ("verify", doctored, chain.proof, "--commitment", chain.commitment, *TERMS),
    ):
        seen = run(*command)
        assert seen.code == 2
        assert "does not follow" in seen.err
    assert not proof.exists()
