"""compare-venue: a saved answer of the venue, beside what its rules say here."""

import json
from pathlib import Path

from tests.cli.harness import Run
from tests.margin.venue_answers import documented, recorded


def test_an_answer_that_agrees(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(recorded()))
    ran = run("compare-venue", "--exchange", "deribit", path)
    assert ran.code == 0
    assert "all cells and charges agree" in ran.out
    document = run("compare-venue", "--exchange", "deribit", path, "--json").document
    assert (document["exchange"], document["currency"], document["agrees"]) == ("deribit", "ETH", True)


def test_an_answer_with_parts_of_its_own(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(documented()))
    ran = run("compare-venue", "--exchange", "deribit", path)
    assert ran.code == 0
    assert "3 of them differ" in ran.out
    assert "mmp margin, initial: of market makers' protection" in ran.out


def test_what_is_no_answer(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text("[]")
    ran = run("compare-venue", "--exchange", "deribit", path)
    assert ran.code == 2
    assert "margins: missing" in ran.err
    assert run("compare-venue", "--exchange", "deribit", tmp_path / "none.json").code == 2
    assert run("compare-venue", "--exchange", "nowhere", path).code == 2
