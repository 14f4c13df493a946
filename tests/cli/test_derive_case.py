"""A portfolio case of Derive on the command line: imported, margined, proven, verified."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.harness import TERMS, Run
from tests.margin import published_pmrm, published_srm
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


def proves(run: Run, folder: Path, model: str, excess: str) -> None:
    """The excess of the account is proven and verified from the files."""
    snapshot, holdings = folder / "snapshot.json", folder / "holdings.csv"
    commitment, opening, proof = (folder / name for name in ("commitment.json", "opening.json", "proof.json"))
    committed = run("commit", snapshot, holdings, "-o", commitment, "--opening", opening)
    assert committed.code == 0, committed.err
    terms = (*TERMS, "--model", model, "--threshold", excess)
    proven = run("prove", snapshot, "--opening", opening, *terms, "-o", proof)
    assert proven.code == 0, proven.err
    verified = run("verify", snapshot, proof, "--commitment", commitment, *terms)
    assert verified.code == 0, verified.err


def test_one_of_several_cases_of_the_standard_manager(run: Run, tmp_path: Path) -> None:
    cases = {f"Test{case.name}": published_srm.document(case) for case in published_srm.WITH_A_SMILE}
    path, folder = tmp_path / "srm.json", tmp_path / "case"
    path.write_text(json.dumps(cases))
    unnamed = run("import", "derive-case", path, "-o", folder)
    assert unnamed.code == 2
    assert "name one of the cases with --case; it holds Test1, Test2" in unnamed.err
    assert run("import", "derive-case", path, "--case", "Test99", "-o", folder).code == 2
    imported = run("import", "derive-case", path, "--case", "Test7", "-o", folder)
    assert imported.code == 0, imported.err
    assert "a case of the model isolated" in " ".join(imported.out.split())
    asked = (folder / "snapshot.json", folder / "holdings.csv", "--model", "isolated")
    shown = run("margin", *asked)
    assert "maximum loss" in shown.out
    found = run("margin", *asked, "--json").document
    assert Decimal(found["excess"]) == pytest.approx(Decimal("-380.099993517"), abs=Decimal("1e-8"))
    proves(run, folder, "isolated", found["excess"])


def test_a_case_of_the_first_portfolio_manager(run: Run, tmp_path: Path) -> None:
    path, folder = tmp_path / "pmrm.json", tmp_path / "case"
    path.write_text(json.dumps({"Test14": published_pmrm.document(published_pmrm.VERIFIED[13])}))
    imported = run("import", "derive-case", path, "-o", folder)
    assert imported.code == 0, imported.err
    found = run("margin", folder / "snapshot.json", folder / "holdings.csv", "--json").document
    assert Decimal(found["excess"]) == pytest.approx(Decimal("1114.746715016"), abs=Decimal("1e-8"))
    proves(run, folder, "grid", found["excess"])


@pytest.mark.parametrize("name", ["srm", "pmrm1"])
def test_the_example_market_under_the_rules_of_a_manager(run: Run, tmp_path: Path, name: str) -> None:
    built = run("snapshot", "build", "--example", "--preset", name, "-o", tmp_path / "market.json")
    assert built.code == 0, built.err
    assert run("snapshot", "check", tmp_path / "market.json").code == 0
