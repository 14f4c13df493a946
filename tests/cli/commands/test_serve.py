"""Servers on the command line: what keeps them from starting, and what a venue hands out by file."""

import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.harness import Ran, Run
from tests.cli.standing import service_files, venue_files
from tests.cli.test_services import refused
from tests.verifier.service.world import DOMAIN, World, toml
from zkmargin.attestation import SigningKey
from zkmargin.verifier.service.process.settings import FILE_VARIABLE


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a service and of a venue, good as they are."""
    # Settings are handed to workers by the environment, which is to be as before after each test.
    monkeypatch.setenv(FILE_VARIABLE, "")
    world = World()
    service_files(tmp_path, world)
    venue_files(tmp_path, world, SigningKey.generate())
    return tmp_path


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held.getsockname()[1]


def serve(run: Run, folder: Path, **changes: object) -> Ran:
    """`zkmargin serve` with settings that differ from good ones; None leaves one out."""
    settings: dict[str, object] = {
        "policy": str(folder / "policy.toml"),
        "key_file": str(folder / "service.key"),
        "database": f"sqlite:///{folder}/ledger.db",
        "admin_key_file": str(folder / "admin.key"),
        **changes,
    }
    (folder / "service.toml").write_text(toml(settings))
    return run("serve", "--config", folder / "service.toml")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"policy": None}, ("service.toml", "policy", "write it in the settings", "ZKMARGIN_SERVICE_POLICY")),
        ({"key_file": None}, ("service.toml", "key_file")),
        ({"policy": "none.toml"}, ("none.toml", "No such file")),
        ({"key_file": "none.key"}, ("none.key", "No such file")),
        ({"admin_key_file": "none.key"}, ("none.key", "No such file")),
        ({"admin_key": "short", "admin_key_file": None}, ("admin_key", "5 characters", "at least 32")),
        ({"colour": "red"}, ("service.toml", "colour", "unknown key")),
        ({"workers": 0}, ("service.toml", "workers", "write a number that is at least 1")),
        ({"port": 70000}, ("service.toml", "port", "65535")),
        ({"oracles": ["oracle.example"]}, ("service.toml", "oracles", "http or https")),
        ({"quantum_decimals": 7}, ("service.toml", "quantum_decimals", "6 or 9")),
        ({"database": "mysql://x"}, ("database", "mysql", "postgresql://")),
        ({"database": "sqlite://"}, ("database", "in memory", "name a file")),
        (
            {"database": "sqlite:////dev/null/ledger.db"},
            ("/dev/null/ledger.db", "ledger", "name a writable place"),
        ),
        (
            {"database": "postgresql://u:hidden@127.0.0.1:1/x"},
            ("service.toml", "database", "correct its address"),
        ),
        ({"host": "256.1.1.1"}, ("service.toml", "host", "256.1.1.1", "address of this machine")),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_settings_that_cannot_be_used(
    run: Run, folder: Path, changes: dict[str, object], words: tuple[str, ...]
) -> None:
    ran = serve(run, folder, **changes)
    refused(ran, *words)
    assert "hidden" not in ran.err


def test_files_that_hold_no_settings(run: Run, folder: Path) -> None:
    refused(run("serve", "--config", folder / "none.toml"), "none.toml", "No such file")
    refused(run("serve", "--config", folder), str(folder), "a directory")
    (folder / "torn.toml").write_text("policy = ")
    refused(run("serve", "--config", folder / "torn.toml"), "torn.toml", "valid TOML")
    (folder / "policy.toml").write_text("audience = 1")
    refused(serve(run, folder), "policy.toml", "audience")
    os.chmod(folder / "service.key", 0o644)
    (folder / "policy.toml").write_text(toml(World().policy()))
    refused(serve(run, folder), "service.key", "0644", "chmod 600")
    assert run("serve", "--port", 1).code == 2


def test_an_address_that_is_taken(run: Run, folder: Path, taken: int) -> None:
    for workers in (1, 2):
        refused(serve(run, folder, port=taken, workers=workers), "service.toml", "port", str(taken), "in use")
    ran = run("venue", "serve", folder / "venue.toml", "--port", taken)
    refused(ran, "--port", str(taken), "in use", "free")
    ran = run("venue", "serve", folder / "venue.toml", "--host", "256.1.1.1")
    refused(ran, "--host", "256.1.1.1", "address of this machine")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("colour = 1", ("venue.toml", "colour", "unknown key")),
        ("lifetime = 0", ("venue.toml", "lifetime", "0")),
        ('snapshot = "none.json"', ("none.json", "No such file")),
        ('key = "none.key"', ("none.key", "No such file")),
        ('key = "trader.token"', ("trader.token",)),
        ("chain_id = 0", ("venue.toml", "chain_id")),
        ('verifying_contract = "0x12"', ("venue.toml", "verifying_contract", "0x12")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_venue_with_settings_that_cannot_be_used(
    run: Run, folder: Path, line: str, words: tuple[str, ...]
) -> None:
    name = f'"{line.partition(" ")[0]}"'
    kept = [row for row in (folder / "venue.toml").read_text().splitlines() if not row.startswith(name)]
    (folder / "venue.toml").write_text("\n".join([line, *kept]))
    refused(run("venue", "serve", folder / "venue.toml"), *words)


def test_a_ledger_that_cannot_be_read_is_found_at_the_start(run: Run, folder: Path) -> None:
    (folder / "alice.csv").write_text("instrument,quantity\nDOGE,1\n")
    refused(run("venue", "serve", folder / "venue.toml"), "alice.csv", "DOGE")
    refused(run("venue", "serve", folder / "none.toml"), "none.toml", "No such file")


def test_a_token_is_for_its_owner_alone(run: Run, tmp_path: Path) -> None:
    token = tmp_path / "alice.token"
    made = run("venue", "token", "-o", token, "--json")
    assert set(made.document) == {"token_sha256", "output"}
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert token.read_text().strip() not in made.out
    refused(run("venue", "token", "-o", token), "alice.token", "exists already", "never overwritten")
    refused(run("venue", "token", "-o", tmp_path / "none" / "x"), "none/x", "writable")


def test_an_account_is_taken_out_of_a_book(run: Run, folder: Path) -> None:
    subject = SigningKey.generate().address
    book = folder / "book.csv"
    book.write_text(f"account,subject,instrument,quantity\nalice,{subject},USD,5\nbob,{subject},USD,7\n")
    domain = ("--chain-id", DOMAIN.chain_id, "--contract", DOMAIN.verifying_contract)
    keys = ("--key", folder / "venue.key", "--register", folder / "book.db", "--name", "alpha")
    words = ("venue", "attest-book", folder / "market.json", book, *keys, *domain, "--workers", 1)
    attested = run(*words, "-o", folder / "attested", "--json")
    assert (attested.code, attested.document["accounts"]) == (0, 2), attested.err
    pair = ("-o", folder / "bob.json", "--opening", folder / "bob.secret.json")
    taken = run("venue", "extract", folder / "attested", "bob", *pair, "--json")
    assert (taken.code, set(taken.document)) == (0, {"attestation", "opening"}), taken.err
    assert json.loads((folder / "bob.secret.json").read_text())["lots"] == {"USD": 7 * 10**6}
    refused(
        run("venue", "extract", folder / "attested", "bob", *pair), "bob.secret.json", "never overwritten"
    )
    other = ("-o", folder / "c.json", "--opening", folder / "c.secret.json")
    refused(run("venue", "extract", folder / "attested", "carol", *other), "account", "carol")
    refused(run("venue", "extract", folder / "none", "bob", *other), "none", "No such file")
    assert not (folder / "c.secret.json").exists()
    refused(
        run(*words[:3], folder / "none.csv", *words[4:], "-o", folder / "x"), "none.csv", "name a readable"
    )
