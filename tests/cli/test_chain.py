"""From a snapshot to a verified proof."""

import json
import os
import stat
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.harness import TERMS, Chain, Run
from zkmargin.cli.options import files as options


def test_a_proof_verifies(run: Run, chain: Chain) -> None:
    seen = run("verify", chain.snapshot, chain.proof, "--commitment", chain.commitment, *TERMS, "--json")
    assert seen.code == 0
    assert seen.document["valid"] is True
    assert seen.document["seconds"] > 0
    assert "check" not in seen.document


def test_a_proof_says_how_long_it_is_and_took(run: Run, chain: Chain, tmp_path: Path) -> None:
    output = tmp_path / "proof.json"
    proven = run("prove", chain.snapshot, "--opening", chain.opening, *TERMS, "-o", output, "--json")
    assert proven.code == 0
    written = bytes.fromhex(json.loads(output.read_text())["proof"])
    assert proven.document["proof_bytes"] == len(written)
    assert proven.document["seconds"] > 0


@pytest.mark.parametrize("model", ["grid", "cross", "isolated"])
@pytest.mark.parametrize("level", ["initial", "maintenance"])
def test_the_excess_proves_and_one_tick_more_does_not(
    run: Run, chain: Chain, tmp_path: Path, model: str, level: str
) -> None:
    terms = (*TERMS, "--model", model, "--level", level)
    margin = run("margin", chain.snapshot, chain.holdings, "--model", model, "--level", level, "--json")
    excess = Decimal(margin.document["excess"])
    proof = tmp_path / "proof.json"
    proven = run(
        "prove", chain.snapshot, "--opening", chain.opening, *terms, "--threshold", excess, "-o", proof
    )
    assert proven.code == 0, proven.err
    seen = run(
        "verify", chain.snapshot, proof, "--commitment", chain.commitment, *terms, "--threshold", excess
    )
    assert seen.code == 0
    beyond = excess + Decimal("0.000001")
    proof.unlink()
    refused = run(
        "prove", chain.snapshot, "--opening", chain.opening, *terms, "--threshold", beyond, "-o", proof
    )
    assert refused.code == 1
    assert f"excess is {excess} USD" in refused.err
    assert "0.000001 USD short" in refused.err
    assert refused.out == ""
    assert not proof.exists()


def test_two_commitments_add_up(run: Run, chain: Chain, tmp_path: Path) -> None:
    (tmp_path / "second.csv").write_text("instrument,quantity\nUSD,1000\n")
    second, opening, proof = (tmp_path / name for name in ("second.json", "opening.json", "proof.json"))
    run("commit", chain.snapshot, tmp_path / "second.csv", "-o", second, "--opening", opening)
    alone = run("margin", chain.snapshot, chain.holdings, "--json").document["excess"]
    terms = (*TERMS, "--threshold", Decimal(alone) + 1000)
    both = ("--opening", chain.opening, "--opening", opening)
    assert run("prove", chain.snapshot, *both, *terms, "-o", proof).code == 0
    first = ("--commitment", chain.commitment)
    assert run("verify", chain.snapshot, proof, *first, "--commitment", second, *terms).code == 0
    turned = run("verify", chain.snapshot, proof, "--commitment", second, *first, *terms, "--json")
    assert turned.code == 1
    assert turned.document["check"] == "statement"


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (("--audience", "bourse", "--nonce", "7f3a"), "audience"),
        (("--audience", "bank", "--nonce", "7f3b"), "nonce"),
        ((*TERMS, "--threshold", "0.000001"), "threshold"),
        ((*TERMS, "--level", "maintenance"), "level"),
        ((*TERMS, "--model", "cross"), "model"),
        ((*TERMS, "--expires", "2100-01-01T00:00:00Z"), "expiry"),
    ],
)
def test_a_proof_of_another_statement_is_not_valid(
    run: Run, chain: Chain, terms: tuple[str, ...], field: str
) -> None:
    seen = run("verify", chain.snapshot, chain.proof, "--commitment", chain.commitment, *terms, "--json")
    assert seen.code == 1
    assert seen.document["valid"] is False
    assert seen.document["check"] == "statement"
    assert field in seen.document["message"]
    if field == "threshold":
        assert "about 0.000000 USD, the statement about 0.000001 USD" in seen.document["message"]


def test_an_expired_proof_is_not_valid(
    run: Run, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms, proof = (*TERMS, "--expires", "2020-01-01T00:00:00Z"), tmp_path / "proof.json"
    with monkeypatch.context() as patched:
        patched.setattr(options, "now", lambda: 1577836799)
        assert run("prove", chain.snapshot, "--opening", chain.opening, *terms, "-o", proof).code == 0
    seen = run("verify", chain.snapshot, proof, "--commitment", chain.commitment, *terms)
    assert seen.code == 1
    assert "expiry" in seen.out


def test_a_proof_that_nobody_could_accept_is_not_made(run: Run, chain: Chain, tmp_path: Path) -> None:
    proof = tmp_path / "proof.json"
    proving = ("prove", chain.snapshot, "--opening", chain.opening, *TERMS, "-o", proof)
    seen = run(*proving, "--expires", "2020-01-01T00:00:00Z")
    assert seen.code == 2
    assert "command line: --expires: '2020-01-01T00:00:00Z': it is 20" in seen.err
    assert "write a time to come" in seen.err
    assert not proof.exists()


def test_the_opening_is_for_its_owner_only(run: Run, chain: Chain, tmp_path: Path) -> None:
    opening = tmp_path / "opening.json"
    before = os.umask(0)
    try:
        run("commit", chain.snapshot, chain.holdings, "-o", tmp_path / "c.json", "--opening", opening)
    finally:
        os.umask(before)
    assert stat.S_IMODE(opening.stat().st_mode) == 0o600


def test_the_opening_is_never_overwritten(run: Run, chain: Chain, tmp_path: Path) -> None:
    opening, commitment = tmp_path / "opening.json", tmp_path / "c.json"
    for target in (opening, tmp_path / "link"):
        if target != opening:
            opening.unlink()
            target.symlink_to(tmp_path / "nowhere")
        else:
            target.write_text("precious")
        seen = run("commit", chain.snapshot, chain.holdings, "-o", commitment, "--opening", target)
        assert seen.code == 2
        assert "never overwritten" in seen.err
        assert not commitment.exists()
    assert not (tmp_path / "nowhere").exists()


def test_nothing_secret_is_ever_shown(run: Run, chain: Chain, tmp_path: Path) -> None:
    secret = json.loads(chain.opening.read_text())
    opening = tmp_path / "o.json"
    runs = [
        run("commit", chain.snapshot, chain.holdings, "-o", tmp_path / "c.json", "--opening", opening),
        run("prove", chain.snapshot, "--opening", chain.opening, *TERMS, "-o", tmp_path / "p.json", "--json"),
        run("verify", chain.snapshot, chain.proof, "--commitment", chain.commitment, *TERMS),
    ]
    shown = "".join(seen.out + seen.err for seen in runs)
    public = chain.proof.read_text() + chain.commitment.read_text()
    for blinder in (secret["blinder"], json.loads(opening.read_text())["blinder"]):
        assert blinder not in shown + public
    for name, lots in secret["lots"].items():
        assert f'"{name}"' not in public
        assert abs(lots) < 10**6 or str(lots) not in shown


def test_committing_twice_gives_two_commitments(run: Run, chain: Chain, tmp_path: Path) -> None:
    again = tmp_path / "c.json"
    run("commit", chain.snapshot, chain.holdings, "-o", again, "--opening", tmp_path / "o.json")
    points = [json.loads(path.read_text())["point"] for path in (again, chain.commitment)]
    assert points[0] != points[1]
