"""Snapshots from every source, shown and checked."""

import json
from pathlib import Path

from tests.cli.harness import Run
from zkmargin.margin.snapshot import Snapshot


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


def test_check_derives_every_table_again(run: Run, snapshot_file: Path, tmp_path: Path) -> None:
    assert run("snapshot", "check", snapshot_file, "--json").document["reproduced"] is True
    forged = json.loads(snapshot_file.read_text())
    forged["marks"][4] += 1
    forged["id"] = "0" * 64
    found = tmp_path / "forged.json"
    found.write_text(json.dumps(forged, sort_keys=True, separators=(",", ":")))
    told = run("snapshot", "show", found).err
    forged["id"] = next(
        word.strip(";") for word in told.split() if len(word.strip(";")) == 64 and word[0] != "'"
    )
    found.write_text(json.dumps(forged, sort_keys=True, separators=(",", ":")))
    assert Snapshot.load(found).id == forged["id"]
    seen = run("snapshot", "check", found)
    assert seen.code == 2
    assert "does not follow" in seen.err
