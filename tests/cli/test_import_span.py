"""From a clearing house's file to a verified proof."""

from pathlib import Path

import pytest

from tests.cli.harness import TERMS, Run

FILE = Path(__file__).parents[1] / "margin/fixtures/span/small.spn"
HOLDINGS = """instrument,quantity,entry_price
USD,500000,
SP-202603,5,2790
SP-202606,-3,
ND-202603,-4,
SPO-202603-2825-C,-1,
"""


@pytest.mark.parametrize("method", ["SCANRANGE", "NORMAL", "SCANRANGE_CAP"])
def test_the_whole_way(method: str, run: Run, tmp_path: Path) -> None:
    file, holdings = tmp_path / "house.spn", tmp_path / "holdings.csv"
    file.write_text(FILE.read_text().replace("SCANRANGE", method))
    holdings.write_text(HOLDINGS.replace(",2790", ",697500"))
    snapshot, commitment, opening, proof = (
        tmp_path / name for name in ("s.json", "c.json", "o.json", "p.json")
    )
    imported = run("import", "span", file, "-o", snapshot, "--json")
    assert imported.code == 0, imported.err
    assert imported.document["kinds"] == {"balance": 1, "future": 4, "option": 2}
    assert run("snapshot", "check", snapshot).code == 0
    told = run("margin", snapshot, holdings, "--model", "span", "--json")
    assert told.code == 0, told.err
    assert [unit["unit"] for unit in told.document["units"]] == ["SP", "ND"]
    assert "price down the range" in run("margin", snapshot, holdings, "--model", "span").out
    excess = told.document["excess"]
    assert run("commit", snapshot, holdings, "-o", commitment, "--opening", opening).code == 0
    asked = (*TERMS, "--model", "span", "--threshold", excess)
    proven = run("prove", snapshot, "--opening", opening, *asked, "-o", proof, "--json")
    assert proven.code == 0, proven.err
    checked = run("verify", snapshot, proof, "--commitment", commitment, *asked, "--json")
    assert checked.code == 0, checked.err


def test_a_file_that_cannot_be_read_leaves_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.spn").write_text("<spanFile>")
    refused = run("import", "span", tmp_path / "bad.spn", "-o", tmp_path / "s.json")
    assert refused.code == 2
    assert "well-formed" in refused.err
    assert not (tmp_path / "s.json").exists()
