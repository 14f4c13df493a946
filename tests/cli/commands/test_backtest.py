"""`zkmargin backtest`: tables, JSON, pictures, and what is refused."""

import csv
import xml.etree.ElementTree as ET
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from tests.cli.harness import Run
from tests.margin.joint import falling


@pytest.fixture(scope="module")
def history_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    history = falling()
    path = tmp_path_factory.mktemp("history") / "prices.csv"
    rows = zip(history.prices["BTC"], history.prices["ETH"], strict=True)
    lines = [f"{history.date_of(day)},{btc or ''},{eth or ''}" for day, (btc, eth) in enumerate(rows)]
    path.write_text("date,BTC,ETH\n" + "\n".join(lines) + "\n")
    return path


def test_a_run_is_told_in_tables_and_in_json(run: Run, history_file: Path) -> None:
    told = run("backtest", history_file, "--window", 20, "--confidence", "0.9")
    assert told.code == 0
    assert "value at risk at 9/10, 20 scenarios over 1 day" in told.out
    assert "Kupiec's test" in told.out
    document = run("backtest", history_file, "--window", 20, "--confidence", "9/10", "--json").document
    assert (document["model"], document["confidence"], document["lambda"]) == ("var", "9/10", None)
    assert document["days"] == 39
    assert document["breaches"] == len(document["breach_days"])
    assert document["kupiec"]["expected"] == 3.9
    assert 0 <= document["kupiec"]["p_value"] <= 1


def test_the_series_is_written_and_in_json(run: Run, history_file: Path, tmp_path: Path) -> None:
    words = ("backtest", history_file, "--window", 20, "--horizon", 5, "--confidence", "0.9")
    document = run(*words, "-o", tmp_path / "series.csv", "--json").document
    assert (document["periods"], document["days"]) == (len(document["series"]), 5 * len(document["series"]))
    with (tmp_path / "series.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row | {"breach": row["breach"] == "True"} for row in rows] == document["series"]
    assert run(*words, "-o", tmp_path / "series.parquet").code == 0
    assert parquet.read_table(tmp_path / "series.parquet").to_pylist() == document["series"]
    assert run(*words, "-o", "-").out.startswith("day,margin,value_at_risk,loss,breach\n")
    refused = run(*words, "-o", tmp_path / "series.txt")
    assert (refused.code, "end it with .csv or .parquet" in refused.err) == (2, True)


def test_filtered_shortfall_of_two_coins(run: Run, history_file: Path) -> None:
    options = (
        "--model",
        "es",
        "--filtered",
        "--lambda",
        "0.9",
        "--weights",
        "BTC=1,ETH=-0.5",
        "--horizon",
        2,
    )
    document = run("backtest", history_file, "--window", 10, *options, "--json").document
    assert document["lambda"] == "0.9"
    assert document["weights"] == {"BTC": "1", "ETH": "-0.5"}
    assert document["confidence"] == "39/40"


def test_pictures_are_written(run: Run, history_file: Path, tmp_path: Path) -> None:
    png, svg, again = tmp_path / "a.png", tmp_path / "a.svg", tmp_path / "b.svg"
    for path in (png, svg, again):
        assert run("backtest", history_file, "--window", 20, "--plot", path).code == 0
    assert png.read_bytes().startswith(b"\x89PNG")
    assert ET.parse(svg).getroot().tag.endswith("svg")
    assert svg.read_bytes() == again.read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--weights", "SOL=1"], "weights: coin: 'SOL'"),
        (["--weights", "BTC"], "command line: --weights: 'BTC': write COIN=USD"),
        (["--weights", "BTC=1,BTC=2"], "BTC occurs twice"),
        (["--weights", "BTC=x"], "--weights BTC: 'x'"),
        (["--confidence", "1"], "command line: --confidence: '1': must lie strictly between 0 and 1"),
        (["--confidence", "0"], "must lie strictly between"),
        (["--filtered", "--lambda", "1"], "command line: --lambda: '1'"),
        (["--lambda", "0.9"], "command line: --lambda: '0.9': it counts with --filtered only"),
        (["--window", "4000"], ".csv: rows: 60 days"),
        (["--plot", "picture.jpg"], "command line: --plot: 'picture.jpg': end it with .png or .svg"),
        (["--plot", "/no/such/place/a.png"], "name a writable place"),
    ],
)
def test_bad_options_are_refused(run: Run, history_file: Path, options: list[str], message: str) -> None:
    window = [] if "--window" in options else ["--window", 20]
    refused = run("backtest", history_file, *window, *options)
    assert refused.code == 2
    assert message in refused.err
    assert refused.out == ""


def test_a_bad_history_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("date,BTC\n2026-01-01,1\n2026-01-03,1\n")
    refused = run("backtest", path)
    assert refused.code == 2
    assert f"{path}, line 3: date: '2026-01-03': leaves a gap" in refused.err
