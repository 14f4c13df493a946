"""Committed mode and joint scenarios on the command line."""

import json
from pathlib import Path

import pytest

from tests.cli.harness import TERMS, Run
from tests.margin.joint import year

SECTIONS = """
[es]
cells = 30
filter_lambda = "0.94"

[var]
source = "drawn"
coins = ["BTC", "ETH"]
volatilities = ["0.5", "0.7"]
correlation = [["1", "0.8"], ["0.8", "1"]]
seed = "seven"
cells = 30
"""


@pytest.fixture(scope="module")
def made(run: Run, holdings_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a snapshot from a history, a commitment and the committed rows of its shortfall."""
    folder = tmp_path_factory.mktemp("rows")
    history = year()
    rows = zip(history.prices["BTC"], history.prices["ETH"], strict=True)
    lines = [f"{history.date_of(day)},{btc or ''},{eth or ''}" for day, (btc, eth) in enumerate(rows)]
    (folder / "prices.csv").write_text("date,BTC,ETH\n" + "\n".join(lines) + "\n")
    (folder / "params.toml").write_text(SECTIONS)
    options = ("--params", folder / "params.toml", "--history", folder / "prices.csv", "--domain", "256")
    built = run("snapshot", "build", "--example", *options, "-o", folder / "market.json")
    assert built.code == 0, built.err
    assert "30 joint scenarios, 2 underlyings" in built.out
    files = ("-o", folder / "commitment.json", "--opening", folder / "opening.json")
    assert run("commit", folder / "market.json", holdings_file, *files).code == 0
    committed = run("rows", folder / "market.json", "--model", "es", "-o", folder / "rows.json", "--json")
    assert committed.code == 0, committed.err
    assert committed.document["rows"] > 30
    return folder


def options(folder: Path, *more: object, rows: str = "rows.json") -> tuple[object, ...]:
    return ("--model", "es", "--rows", folder / rows, *TERMS, *more)


@pytest.fixture(scope="module")
def proof(run: Run, made: Path) -> Path:
    path = made / "proof.json"
    proven = run(
        "prove", made / "market.json", "--opening", made / "opening.json", *options(made), "-o", path
    )
    assert proven.code == 0, proven.err
    return path


def test_a_proof_over_committed_rows_verifies(run: Run, made: Path, proof: Path) -> None:
    trusted = ("--commitment", made / "commitment.json")
    found = run("verify", made / "market.json", proof, *trusted, *options(made))
    assert found.code == 0, found.err + found.out
    terms = ("--model", "es", *TERMS)
    direct = run("verify", made / "market.json", proof, *trusted, *terms)
    assert direct.code == 1
    assert "NOT valid: proof encoding" in direct.out


def test_rows_of_something_else_are_refused(run: Run, made: Path, proof: Path) -> None:
    trusted = (made / "market.json", proof, "--commitment", made / "commitment.json")
    other = run("verify", *trusted, "--model", "var", "--rows", made / "rows.json", *TERMS)
    assert other.code == 2
    assert "rows.json: model: 'es': these rows are of another model than yours, var" in other.err
    level = run("verify", *trusted, *options(made, "--level", "maintenance"))
    assert level.code == 2
    assert "level: 'initial'" in level.err


def test_forged_rows_are_caught_before_anything_is_verified(run: Run, made: Path, proof: Path) -> None:
    document = json.loads((made / "rows.json").read_text())
    column = document["columns"][0]
    document["columns"][0] = column[96:192] + column[:96] + column[192:]
    (made / "forged.json").write_text(json.dumps(document))
    trusted = ("--commitment", made / "commitment.json")
    refused = run("verify", made / "market.json", proof, *trusted, *options(made, rows="forged.json"))
    assert refused.code == 2
    assert "forged.json: rows: not those of the snapshot" in refused.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version"),
        ({"table": "00"}, "table"),
        ({"columns": []}, "columns"),
        ({"columns": ["00" * 47]}, "columns.0"),
        ({"colour": "red"}, "colour: 'red': unknown key"),
    ],
)
def test_spoilt_rows_are_refused(
    run: Run, made: Path, proof: Path, change: dict[str, object], message: str
) -> None:
    document = json.loads((made / "rows.json").read_text()) | change
    (made / "spoilt.json").write_text(json.dumps(document))
    trusted = ("--commitment", made / "commitment.json")
    refused = run("verify", made / "market.json", proof, *trusted, *options(made, rows="spoilt.json"))
    assert refused.code == 2
    assert f"spoilt.json: {message}" in refused.err


def test_an_account_explains_its_tail(run: Run, made: Path, holdings_file: Path) -> None:
    told = run("margin", made / "market.json", holdings_file, "--model", "es")
    assert told.code == 0
    assert "Worst of 30 joint scenarios; the tail is 0.75 of them" in told.out
    assert "In the worst of them, " in told.out
    assert "expected shortfall   97.5 %, 30 scenarios" in told.out
    document = run("margin", made / "market.json", holdings_file, "--model", "var", "--json").document
    assert document["tail"]["title"] == "value at risk"


def test_a_model_that_the_snapshot_lacks(run: Run, snapshot_file: Path, holdings_file: Path) -> None:
    for command in (
        ("margin", snapshot_file, holdings_file, "--model", "es"),
        ("rows", snapshot_file, "--model", "es", "-o", "rows.json"),
    ):
        refused = run(*command)
        assert refused.code == 2
        assert "model: 'es': the snapshot has " in refused.err
        assert "--history FILE" in refused.err
