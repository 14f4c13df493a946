"""The example's files: those of the repository, written where there is none, and never over others."""

from pathlib import Path

from tests.cli.harness import Run
from zkmargin.cli.commands.example import DESK

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def test_the_files_serve_the_next_commands(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    written = run("example", out, "--json")
    assert written.code == 0, written.err
    assert [Path(name).name for name in written.document["files"]] == [
        "market.json",
        "holdings.csv",
        "desk.toml",
    ]
    told = run("margin", out / "market.json", out / "holdings.csv", "--json")
    assert told.code == 0, told.err
    assert len(told.document["positions"]) == 24
    desk = run("snapshot", "build", "--example", "--params", out / "desk.toml", "-o", tmp_path / "desk.json")
    assert desk.code == 0, desk.err


def test_they_are_those_of_the_repository(run: Run, tmp_path: Path) -> None:
    assert run("example", tmp_path).code == 0
    assert (tmp_path / "holdings.csv").read_text() == (EXAMPLES / "holdings.csv").read_text()
    assert (EXAMPLES / "desk.toml").read_text().replace("examples/desk.toml", "desk.toml") == DESK


def test_nothing_is_written_over(run: Run, tmp_path: Path) -> None:
    (tmp_path / "holdings.csv").write_text("mine")
    refused = run("example", tmp_path)
    assert (refused.code, refused.out) == (2, "")
    assert "holdings.csv: file: is there already" in refused.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["holdings.csv"]
    assert run("example", tmp_path, "--force").code == 0
    assert (tmp_path / "holdings.csv").read_text() != "mine"
    (tmp_path / "file").write_text("")
    assert run("example", tmp_path / "file" / "below").code == 2
