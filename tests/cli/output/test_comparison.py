"""`zkmargin margin --compare`: a table, a document, a picture."""

from pathlib import Path

import pytest

from tests.cli.harness import Chain, Run


def test_the_table_names_every_model(run: Run, chain: Chain) -> None:
    seen = run("margin", chain.snapshot, chain.holdings, "--compare")
    assert seen.code == 0
    for words in ("isolated", "cross", "grid", "saving against isolated", "%"):
        assert words in seen.out


def test_the_document_adds_up(run: Run, chain: Chain) -> None:
    document = run("margin", chain.snapshot, chain.holdings, "--compare", "--json").document
    single = run("margin", chain.snapshot, chain.holdings, "--model", "cross", "--json").document
    (cross,) = (row for row in document["models"] if row["model"] == "cross")
    assert (cross["requirement"], cross["excess"]) == (single["requirement"], single["excess"])
    assert document["account_value"] == single["account_value"]


@pytest.mark.parametrize(("name", "begins"), [("m.png", b"\x89PNG"), ("m.svg", b"<?xml")])
def test_a_picture_is_written(run: Run, chain: Chain, tmp_path: Path, name: str, begins: bytes) -> None:
    """It implies the comparison, and is the same every time."""
    seen = run("margin", chain.snapshot, chain.holdings, "--chart", tmp_path / name, "--json")
    assert seen.code == 0, seen.err
    assert seen.document["chart"] == str(tmp_path / name)
    first = (tmp_path / name).read_bytes()
    assert first.startswith(begins)
    run("margin", chain.snapshot, chain.holdings, "--chart", tmp_path / name)
    assert (tmp_path / name).read_bytes() == first


def test_a_picture_of_an_account_that_is_short(run: Run, chain: Chain, tmp_path: Path) -> None:
    account = tmp_path / "short.csv"
    account.write_text("instrument,quantity\nUSD,1\nBTC-PERPETUAL,-300000\n")
    seen = run("margin", chain.snapshot, account, "--compare", "--chart", tmp_path / "m.svg")
    assert seen.code == 0, seen.err
    assert "picture written to" in seen.out


def test_another_kind_of_picture_is_refused(run: Run, chain: Chain, tmp_path: Path) -> None:
    seen = run("margin", chain.snapshot, chain.holdings, "--chart", tmp_path / "m.pdf")
    assert seen.code == 2
    assert "end it with .png or .svg" in seen.err
