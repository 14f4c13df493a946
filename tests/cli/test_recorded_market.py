"""The whole way on a recorded market of 1,778 options, with a portfolio spread over it."""

import csv
import os
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.harness import TERMS, Run

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/market"

if not RECORDED.exists() and not os.environ.get("CI"):
    pytest.skip(f"the recorded market is not at {RECORDED}", allow_module_level=True)


def write_portfolio(path: Path) -> int:
    """Coins, perpetuals, futures, and options that alternate between long and short over all expiries."""
    with (RECORDED / "options_btc_eth.csv").open() as file:
        options = [row["instrument"] for row in csv.DictReader(file)][::71]
    rows = [("USD", "250000", ""), ("BTC", "8.5", ""), ("ETH", "120.25", "")]
    rows += [("BTC-PERPETUAL", "-200000", "70650.5"), ("ETH-PERPETUAL", "90000", "2071.35")]
    rows += [(name, f"{(-1) ** place * (1 + place % 4)}", "") for place, name in enumerate(options)]
    path.write_text("instrument,quantity,entry_price\n" + "".join(f"{','.join(row)}\n" for row in rows))
    return len(rows)


def test_the_whole_way(run: Run, tmp_path: Path) -> None:
    snapshot, holdings, proof = (tmp_path / name for name in ("snapshot.json", "holdings.csv", "proof.json"))
    files = ("--options", RECORDED / "options_btc_eth.csv", "--futures", RECORDED / "futures_btc_eth.csv")
    built = run("snapshot", "build", *files, "-o", snapshot, "--json")
    assert built.code == 0, built.err
    assert built.document["instruments"] == 1795
    assert write_portfolio(holdings) >= 20

    margin = run("margin", snapshot, holdings, "--json").document
    excess = Decimal(margin["excess"])
    assert excess > 0
    assert Decimal(margin["account_value"]) - Decimal(margin["requirement"]) == excess

    commitment, opening = tmp_path / "commitment.json", tmp_path / "opening.json"
    assert run("commit", snapshot, holdings, "-o", commitment, "--opening", opening).code == 0
    proving = ("prove", snapshot, "--opening", opening, *TERMS, "-o", proof, "--json")
    beyond = run(*proving, "--threshold", excess + Decimal("0.000001"))
    assert beyond.code == 1
    assert not proof.exists()
    proven = run(*proving, "--threshold", excess)
    assert proven.code == 0, proven.err
    assert proven.document["proof_bytes"] <= 1000

    verifying = ("verify", snapshot, proof, "--commitment", commitment, *TERMS, "--json")
    assert run(*verifying, "--threshold", excess).document["valid"] is True
    assert run(*verifying, "--threshold", excess + 1).code == 1
