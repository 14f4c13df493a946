"""The walk that strangers see first, and what else shows without an account."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.harness import Run
from zkmargin.cli.demo.account import example_positions
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.market import example_market
from zkmargin.margin.snapshot.snapshot import Snapshot

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def walked(run: Run) -> dict[str, object]:
    seen = run("demo", "--json")
    assert seen.code == 0
    document: dict[str, object] = seen.document
    return document


def test_the_demonstration_proves_and_refuses(walked: dict[str, object]) -> None:
    assert walked["valid"] is True
    assert "short by 0.000001 USD" in str(walked["one_tick_less"])
    assert str(walked["one_bit_flipped"]).startswith("pairing")
    assert str(walked["claimed_for_1_USD_more"]).startswith("pairing")


def test_the_demonstration_shows_a_portfolio_whose_hedges_count(walked: dict[str, object]) -> None:
    assert isinstance(walked["positions"], int)
    assert walked["positions"] >= 20
    comparisons = walked["comparisons"]
    assert isinstance(comparisons, list)
    savings = {comparison["model"]: Decimal(comparison["saving"]) for comparison in comparisons}
    assert savings["cross"] > 0
    assert savings["isolated"] > 0


def test_the_demonstration_tells_times_and_sizes(run: Run, walked: dict[str, object]) -> None:
    for name in ("snapshot", "margin", "setup", "commit", "prove", "verify"):
        assert isinstance(walked[f"{name}_seconds"], float)
    text = run("demo").out
    for word in (
        "worst >",
        "grid saves",
        f"{walked['proof_bytes']} bytes",
        "valid, in",
        "rejected",
        "no proof",
    ):
        assert word in text


def test_the_example_file_is_the_account_of_the_demonstration() -> None:
    snapshot = Snapshot.build(example_market())
    read = Holdings.read(ROOT / "examples/holdings.csv", snapshot)
    assert read.document() == Holdings.of(example_positions(), snapshot).document()


def test_the_example_parameters_can_be_used(run: Run, tmp_path: Path) -> None:
    parameters = ROOT / "examples/desk.toml"
    built = run("snapshot", "build", "--example", "--params", parameters, "-o", tmp_path / "s.json", "--json")
    assert built.document["models"]["grid"] == "37 scenarios, 2 underlyings"


def test_info(run: Run) -> None:
    document = run("info", "--json").document
    assert document["backend"] in document["backends"]
    assert set(document["models"]) >= {"grid", "cross", "isolated"}
    assert document["setup"]["sha256"].startswith("d39b9f2d")
    assert "Ethereum KZG ceremony" in run("info").out


def test_version(run: Run) -> None:
    assert run("--version").out.startswith("zkmargin, version ")
