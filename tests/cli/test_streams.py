"""Standard input and output in place of files, and failures as JSON."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli.harness import TERMS, Chain, Run
from zkmargin.cli.command import command
from zkmargin.cli.demo.processes import ZKMARGIN


@pytest.mark.parametrize("output", ["-", "/dev/stdout"])
def test_a_snapshot_goes_through_a_pipe(output: str, holdings_file: Path, tmp_path: Path) -> None:
    built = subprocess.run(
        [*ZKMARGIN, "snapshot", "build", "--example", "-o", output], capture_output=True, check=True
    )
    assert json.loads(built.stdout)["id"]
    assert b"instruments" in built.stderr
    shown = subprocess.run(
        [*ZKMARGIN, "margin", "-", str(holdings_file), "--json"],
        input=built.stdout,
        capture_output=True,
        check=True,
    )
    assert json.loads(shown.stdout)["model"] == "grid"


def test_holdings_are_read_from_standard_input(run: Run, snapshot_file: Path, holdings_file: Path) -> None:
    arguments = ["margin", str(snapshot_file), "-", "--json"]
    piped = CliRunner().invoke(command, arguments, input=holdings_file.read_bytes())
    assert piped.exit_code == 0
    assert (
        json.loads(piped.stdout)["excess"] == run(*arguments[:2], holdings_file, "--json").document["excess"]
    )


def test_a_secret_is_never_printed(
    run: Run, snapshot_file: Path, holdings_file: Path, tmp_path: Path
) -> None:
    seen = run("commit", snapshot_file, holdings_file, "-o", tmp_path / "c.json", "--opening", "-")
    assert (seen.code, seen.out) == (2, "")
    assert "never printed" in seen.err
    assert not (tmp_path / "c.json").exists()


def test_a_failure_is_an_object_with_a_stable_code(run: Run, chain: Chain) -> None:
    missing = run("margin", chain.snapshot, "nowhere.csv", "--json")
    error = missing.document["error"]
    assert missing.code == error["exit"] == 2
    assert (error["code"], error["where"], error["field"]) == ("input", "nowhere.csv", "file")
    assert error["message"] in missing.err
    assert run("margin", "--json").document["error"]["code"] == "usage"
    words = ("--opening", chain.opening, *TERMS, "--threshold", "900000000", "-o", "x.json")
    short = run("prove", chain.snapshot, *words, "--json")
    assert short.code == 1
    assert short.document["error"]["code"] == "not-covered"


def test_a_file_of_another_kind_is_named(run: Run, chain: Chain) -> None:
    for arguments, kind in (
        (("margin", chain.holdings, chain.snapshot), "a CSV table"),
        (("verify", chain.proof, chain.snapshot, "--commitment", chain.commitment, *TERMS), "a proof"),
        (
            ("verify", chain.snapshot, chain.commitment, "--commitment", chain.commitment, *TERMS),
            "a commitment",
        ),
        (("prove", chain.snapshot, "--opening", chain.commitment, *TERMS, "-o", "x.json"), "a commitment"),
        (("receipt", "verify", chain.snapshot, "--signer", "0x" + "7" * 40), "a snapshot"),
    ):
        seen = run(*arguments)
        assert seen.code == 2
        assert f"this file is {kind}" in seen.err


def test_a_mistyped_model_is_suggested(run: Run, chain: Chain) -> None:
    assert "did you mean grid?" in run("margin", chain.snapshot, chain.holdings, "--model", "gird").err


def test_a_shortfall_is_said_and_has_an_exit_code(run: Run, snapshot_file: Path, tmp_path: Path) -> None:
    holdings = tmp_path / "short.csv"
    holdings.write_text("instrument,quantity\nUSD,-5\n")
    seen = run("margin", snapshot_file, holdings)
    assert seen.code == 0
    assert "NOT covered: 5.00 USD short of the grid initial requirement" in seen.out
    assert run("margin", snapshot_file, holdings, "--check").code == 1
    document = run("margin", snapshot_file, holdings, "--check", "--json")
    assert (document.code, document.document["covered"]) == (1, False)


def test_a_commitment_is_replaced_on_request_only(run: Run, chain: Chain, tmp_path: Path) -> None:
    commitment = tmp_path / "c.json"
    words = ("commit", chain.snapshot, chain.holdings, "-o", commitment, "--opening")
    assert run(*words, tmp_path / "1.json").code == 0
    before = commitment.read_bytes()
    refused = run(*words, tmp_path / "2.json")
    assert refused.code == 2
    assert "--force" in refused.err
    assert commitment.read_bytes() == before
    assert not (tmp_path / "2.json").exists()
    assert run(*words, tmp_path / "3.json", "--force").code == 0
    assert commitment.read_bytes() != before
    answer = run("verify", chain.snapshot, chain.proof, "--commitment", commitment, *TERMS)
    assert answer.code == 1
    shown = json.loads(commitment.read_text())["point"]
    assert shown in answer.out, "both commitments are shown"
    assert json.loads(chain.commitment.read_text())["point"] in answer.out
