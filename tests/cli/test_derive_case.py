"""A portfolio case of Derive on the command line: imported, margined, proven, verified."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.harness import TERMS, Run
from tests.margin.derive_cases import collateral, document, feed, option


@pytest.fixture
def case_file(tmp_path: Path) -> Path:
    options = [
        option(794852, "2700", "-2"),
        option(794852, "2900", "2"),
        option(3214052, "2500", "-1.5", call=False),
    ]
    case = document(
        options,
        [feed(794852, confidence="0.5"), feed(3214052)],
        collaterals=[collateral("wstETH", "1.25")],
        parameters={"Margin": {"BASE_STATIC_DISCOUNT": "1.1", "BASE_STATIC_DISCOUNT_NEG": "0.9"}},
        NumPerps="1",
        PerpConfidence="0.4",
        Cash="20000",
    )
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case))
    return path


def test_a_case_is_imported_margined_and_proven(run: Run, case_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "case"
    imported = run("import", "derive-case", case_file, "-o", folder, "--json")
    assert imported.code == 0, imported.err
    assert imported.document["positions"] == 6
    assert imported.document["tick"] == "0.000000001"
    snapshot, holdings = folder / "snapshot.json", folder / "holdings.csv"
    assert holdings.read_text().splitlines()[:2] == ["instrument,quantity", "USD,20000"]
    assert run("snapshot", "check", snapshot).code == 0

    excess = run("margin", snapshot, holdings, "--json").document["excess"]
    commitment, opening, proof = (
        tmp_path / name for name in ("commitment.json", "opening.json", "proof.json")
    )
    committed = run("commit", snapshot, holdings, "-o", commitment, "--opening", opening)
    assert committed.code == 0, committed.err
    threshold = ("--threshold", excess)
    proven = run("prove", snapshot, "--opening", opening, *TERMS, *threshold, "-o", proof)
    assert proven.code == 0, proven.err
    verified = run("verify", snapshot, proof, "--commitment", commitment, *TERMS, *threshold)
    assert verified.code == 0, verified.err
    more = ("--threshold", str(Decimal(excess) + Decimal("1e-9")))
    assert run("prove", snapshot, "--opening", opening, *TERMS, *more, "-o", tmp_path / "no.json").code == 1


def test_the_report_has_a_column_for_each_skew(run: Run, case_file: Path, tmp_path: Path) -> None:
    run("import", "derive-case", case_file, "-o", tmp_path)
    shown = run("margin", tmp_path / "snapshot.json", tmp_path / "holdings.csv").out
    for words in ("linear skew", "absolute skew", "tail +200 %, damped", "confidence"):
        assert words in shown


def test_a_case_that_cannot_be_used(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text('{"Scenario": {}}')
    ran = run("import", "derive-case", path, "-o", tmp_path / "out")
    assert ran.code == 2
    assert "case.json" in ran.err
    assert not (tmp_path / "out").exists()
    in_the_way = run("import", "derive-case", path, "-o", path / "below")
    assert in_the_way.code == 2
