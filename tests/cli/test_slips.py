"""Slips that anybody makes: an option that would not be asked, an output that is no file, a name misspelt."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.harness import TERMS, Chain, Ran, Run
from zkmargin.cli.options.files import shown_time
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.documents import write_atomically

AT_THE_TIME, LATER = "2029-12-31T23:00:00Z", "2030-01-01T01:00:00Z"
PROGRAM = (sys.executable, "-c", "from zkmargin.cli import main; main()")
EXPIRES = ("--expires", "2030-01-01T00:00:00Z")


def refused(ran: Ran, *words: str) -> None:
    """Exit code 2, one line with these words, and nothing on standard output."""
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1), ran
    for word in words:
        assert word in ran.err


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(InputError, match="a device or a pipe"):
            write_atomically(path, b"content")
    with pytest.raises(InputError, match="a directory"):
        write_atomically(tmp_path, b"content")
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [link, pipe]


def test_a_link_is_followed_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_atomically(tmp_path / "link", b"content")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"content"


def test_an_attestation_is_not_passed_over(run: Run, chain: Chain) -> None:
    trusted = ("--commitment", chain.commitment, "--attestation", "venue.json")
    refused(run("verify", chain.snapshot, chain.proof, *trusted, *TERMS), "--policy", "missing")


def test_a_policy_is_not_passed_over(run: Run, chain: Chain) -> None:
    ran = run("snapshot", "check", chain.snapshot, "--policy", "bank.toml")
    refused(ran, "--snapshot-signature", "missing")


def test_a_proof_is_judged_as_of_the_time_that_is_asked(run: Run, chain: Chain, tmp_path: Path) -> None:
    proof = tmp_path / "proof.json"
    assert run("prove", chain.snapshot, "--opening", chain.opening, *TERMS, *EXPIRES, "-o", proof).code == 0
    trusted = ("--commitment", chain.commitment, *TERMS, *EXPIRES)
    assert run("verify", chain.snapshot, proof, *trusted, "--at", AT_THE_TIME).code == 0
    assert run("verify", chain.snapshot, proof, *trusted, "--at", LATER).code == 1


def test_a_misspelt_instrument_is_answered_with_the_likeliest(run: Run, chain: Chain, tmp_path: Path) -> None:
    holdings = tmp_path / "holdings.csv"
    holdings.write_text("instrument,quantity\nBTC-PERP,1\n")
    ran = run("margin", chain.snapshot, holdings)
    refused(ran, "BTC-PERP", "is BTC-PERPETUAL meant?", "snapshot show --instruments")


@pytest.mark.parametrize("separator", [";", "\t"])
def test_another_separator_is_recognised(run: Run, chain: Chain, tmp_path: Path, separator: str) -> None:
    holdings = tmp_path / "holdings.csv"
    holdings.write_text(f"instrument{separator}quantity\nBTC{separator}1\n")
    seen = run("margin", chain.snapshot, holdings, "--json")
    assert seen.code == 0, seen.err
    assert [row["instrument"] for row in seen.document["positions"]] == ["BTC"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"version": 2, "positions": []}', ("version: 2", "must be 1")),
        ("[]", ("a JSON array", "write an object")),
    ],
)
def test_json_of_another_shape(
    run: Run, chain: Chain, tmp_path: Path, content: str, words: tuple[str, ...]
) -> None:
    holdings = tmp_path / "holdings.json"
    holdings.write_text(content)
    refused(run("margin", chain.snapshot, holdings), *words)


def test_a_torn_snapshot_is_not_recited(run: Run, chain: Chain, tmp_path: Path) -> None:
    torn = tmp_path / "torn.json"
    torn.write_bytes(chain.snapshot.read_bytes()[:2000])
    ran = run("snapshot", "show", torn)
    refused(ran, "write valid JSON")
    assert '"id"' not in ran.err


@pytest.mark.skipif(
    not Path("/dev/full").is_char_device(), reason="there is no device that is always full here"
)
@pytest.mark.parametrize(
    "words", [("info",), ("info", "--json"), ("--help",), ("margin", "--help"), ("demo",)]
)
def test_a_full_disk_behind_standard_output(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run([*PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 2, ran.stderr
    assert ran.stderr.startswith("zkmargin: standard output: answer: No space left on device")
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("words", [("info",), ("info", "--json"), ("--help",), ("margin", "--help")])
def test_a_reader_that_has_gone_is_no_failure(words: tuple[str, ...]) -> None:
    """As of `zkmargin ... | head -1`: the exit code of other programs that are ended by SIGPIPE, and no word."""
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run([*PROGRAM, *words], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (128 + signal.SIGPIPE, "")


def test_standard_output_that_is_closed() -> None:
    program = [
        sys.executable,
        "-c",
        "import sys; sys.stdout = None; from zkmargin.cli import main; main()",
        "info",
    ]
    ran = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_moments_are_shown_as_people_write_them() -> None:
    assert shown_time(1805133600) == "2027-03-15T18:00:00Z"
    assert shown_time(1 << 62) == f"Unix second {1 << 62}"
