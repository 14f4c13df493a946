"""The whole way in a securities market: a CSV file, TIMS, a commitment, a proof."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.harness import TERMS, Run
from tests.margin.securities import CALL, FUTURE, INDEX, PUT, ROWS, SHARE, write

HOLDINGS = """instrument,quantity,entry_price
USD,90000,
ACME,1000,
ACME-20260220-80-C,-10,
ACME-20260220-80-P,4,
BIG-20260320,-1,6831.5
"""
DESK = """
[tims]
minimum = "0.375"
factor = { initial = "1.1", maintenance = "1" }
groups.all = { members = ["ACME", "BIG"], offset = "0.5" }
"""


def test_the_whole_way(run: Run, tmp_path: Path) -> None:
    market, snapshot, holdings, proof = (tmp_path / name for name in ("m.csv", "s.json", "h.csv", "p.json"))
    (tmp_path / "desk.toml").write_text(DESK)
    holdings.write_text(HOLDINGS)
    write(market, *ROWS)
    building = ("snapshot", "build", "--securities", market, "--params", tmp_path / "desk.toml")
    built = run(*building, "-o", snapshot, "--json")
    assert built.code == 0, built.err
    assert built.document["kinds"] == {"balance": 1, "future": 1, "option": 2, "share": 1}
    assert run("snapshot", "check", snapshot, "--json").document["reproduced"] is True

    told = run("margin", snapshot, holdings, "--model", "tims", "--json")
    assert told.code == 0, told.err
    excess = Decimal(told.document["excess"])
    assert Decimal(told.document["requirement"]) > 0
    assert run("margin", snapshot, holdings, "--model", "tims").code == 0

    commitment, opening = tmp_path / "c.json", tmp_path / "o.json"
    assert run("commit", snapshot, holdings, "-o", commitment, "--opening", opening).code == 0
    proving = ("prove", snapshot, "--opening", opening, *TERMS, "--model", "tims", "-o", proof, "--json")
    beyond = run(*proving, "--threshold", excess + Decimal("0.000001"))
    assert beyond.code == 1
    proven = run(*proving, "--threshold", excess)
    assert proven.code == 0, proven.err
    verifying = ("verify", snapshot, proof, "--commitment", commitment, *TERMS, "--json", "--model", "tims")
    assert run(*verifying, "--threshold", excess).document["valid"] is True
    assert run(*verifying, "--threshold", excess + 1).code == 1


@pytest.mark.parametrize("model", ["grid", "cross", "isolated"])
def test_the_other_models_work_as_well(model: str, run: Run, tmp_path: Path) -> None:
    write(tmp_path / "m.csv", SHARE, CALL, PUT, INDEX, FUTURE)
    (tmp_path / "h.csv").write_text(HOLDINGS)
    snapshot = tmp_path / "s.json"
    assert run("snapshot", "build", "--securities", tmp_path / "m.csv", "-o", snapshot).code == 0
    told = run("margin", snapshot, tmp_path / "h.csv", "--model", model, "--json").document
    assert Decimal(told["requirement"]) > 0
    assert Decimal(told["account_value"]) == 90000 + 75000 - 1850 + 2560 + 50 * (
        Decimal("6831.5") - Decimal("6850.25")
    )


def test_one_source_only(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "m.csv", *ROWS)
    refused = run(
        "snapshot", "build", "--securities", tmp_path / "m.csv", "--example", "-o", tmp_path / "s.json"
    )
    assert refused.code == 2
    assert "several sources" in refused.err
    assert "--securities" in refused.err
