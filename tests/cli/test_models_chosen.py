"""Which models a snapshot carries, what a verifier derives again, and the margin of an opening."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.harness import TERMS, Chain, Run
from zkmargin.margin.snapshot.snapshot import Snapshot


def models(path: Path) -> list[str]:
    return sorted(Snapshot.load(path).models)


def test_only_the_models_that_are_named(run: Run, tmp_path: Path) -> None:
    made = tmp_path / "m.json"
    assert run("snapshot", "build", "--example", "--only", "grid", "--only", "cross", "-o", made).code == 0
    assert models(made) == ["cross", "grid"]
    assert run("snapshot", "build", "--example", "--without", "span", "-o", made).code == 0
    assert models(made) == ["cross", "grid", "isolated"]
    both = ("--only", "grid", "--only", "cross", "--without", "cross")
    assert run("snapshot", "build", "--example", *both, "-o", made).code == 0
    assert models(made) == ["grid"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--only", "gird"), "'gird': no model has this name; known models are"),
        (("--without", "gird"), "'gird': no model has this name"),
        (("--only", "es"), "'es': build it with a price history"),
        (("--only", "grid", "--without", "grid"), "a snapshot carries a model at least"),
    ],
)
def test_models_that_cannot_be_there(run: Run, tmp_path: Path, options: tuple[str, ...], reason: str) -> None:
    ran = run("snapshot", "build", "--example", *options, "-o", tmp_path / "m.json")
    assert ran.code == 2
    assert reason in ran.err
    assert not (tmp_path / "m.json").exists()


def test_a_verifier_derives_what_the_statement_needs(
    chain: Chain, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says how long all of it took."""
    asked: list[object] = []
    whole = Snapshot.reproduce

    def noted(self: Snapshot, only: object = None) -> None:
        asked.append(only)
        whole(self, only)  # type: ignore[arg-type]

    monkeypatch.setattr(Snapshot, "reproduce", noted)
    verify = ("verify", chain.snapshot, chain.proof, "--commitment", chain.commitment, *TERMS)
    ran = run(*verify, "--json")
    assert asked == [("grid",)]
    document = json.loads(ran.out)
    assert document["valid"]
    assert document["seconds_in_all"] > document["seconds"]
    assert "s in all, with reading the snapshot and deriving its tables of grid again" in run(*verify).out


def test_the_margin_of_an_opening_is_that_of_its_holdings(chain: Chain, run: Run, tmp_path: Path) -> None:
    """Committed lots have their entries in the balances: value, requirement and excess are the same."""
    found = json.loads(run("margin", chain.snapshot, chain.opening, "--json").out)
    held = json.loads(run("margin", chain.snapshot, chain.holdings, "--json").out)
    for part in ("account_value", "requirement", "excess"):
        assert found[part] == held[part]
    assert run("margin", chain.snapshot, chain.opening).code == 0
    other = tmp_path / "other.json"
    run("snapshot", "build", "--example", "-o", other)
    ran = run("margin", other, chain.opening)
    assert ran.code == 2
    assert "it was made for another universe" in ran.err


def test_a_preset_with_the_numbers_of_a_file(run: Run, tmp_path: Path) -> None:
    """The file may state the preset's section, or what stands beside it; other rules are refused."""
    made, params = tmp_path / "m.json", tmp_path / "p.toml"
    build = ("snapshot", "build", "--example", "--only", "grid", "--params", params, "-o", made)
    params.write_text("[deribit]\ndampener = 7\n")
    assert run(*build, "--preset", "deribit").code == 0
    rules = Snapshot.load(made).parameters.deribit
    assert rules is not None
    assert (rules.of("BTC").dampener, rules.of("ETH").price_range) == (Decimal(7), Decimal("0.18"))
    params.write_text("[default_debt]\ninitial = 0.3\nmaintenance = 0.2\n")
    assert run(*build, "--preset", "okx").code == 0
    found = Snapshot.load(made).parameters
    assert found.okx is not None
    assert found.default_debt.initial == Decimal("0.3")
    params.write_text("[deribit]\ndampener = 7\n")
    for other, reason in (("okx", "cannot stand together"), ("default", "has the rules of a venue")):
        ran = run(*build, "--preset", other)
        assert ran.code == 2
        assert reason in ran.err
