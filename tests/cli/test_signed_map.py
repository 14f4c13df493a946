"""`--map` with a map that a venue signed, on every command that reads holdings."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.harness import Chain, Ran, Run

CONTRACT = "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"
DOMAIN = ("--chain-id", 1, "--contract", CONTRACT)
TABLE = "contract,instrument,multiplier,settlement\nXBT-100,BTC-PERPETUAL,100,BTC\n"
NAMED = "instrument,quantity,entry_price\nUSD,100000,\nXBT-100,-30,88000\n"
PLAIN = "instrument,quantity,entry_price\nUSD,100000,\nBTC-PERPETUAL,-3000,88000\n"

Attest = Callable[..., Ran]


@pytest.fixture
def signer(run: Run, chain: Chain, tmp_path: Path) -> str:
    """A venue's key, its signed map and a ledger by it; the key's address."""
    made = run("venue", "keygen", "-o", tmp_path / "venue.key", "--json")
    (tmp_path / "map.csv").write_text(TABLE)
    (tmp_path / "named.csv").write_text(NAMED)
    (tmp_path / "plain.csv").write_text(PLAIN)
    signing = (*("--name", "alpha", "--key", tmp_path / "venue.key"), *DOMAIN)
    map_files = (chain.snapshot, tmp_path / "map.csv", "-o", tmp_path / "map.json")
    signed = run("venue", "sign-map", *map_files, *signing, "--json")
    assert signed.code == 0, signed.err
    assert signed.document["contracts"] == 1
    assert signed.document["signer"] == made.document["address"]
    return str(made.document["address"])


@pytest.fixture
def attest(run: Run, chain: Chain, tmp_path: Path, signer: str) -> Attest:
    def attest(*arguments: object, holdings: str = "named.csv") -> Ran:
        return run(
            *(
                "venue",
                "attest",
                chain.snapshot,
                tmp_path / holdings,
                "--name",
                "alpha",
                "--account",
                "alice",
            ),
            *("--subject", CONTRACT, "--key", tmp_path / "venue.key", *DOMAIN),
            *("--register", tmp_path / "venue.db", "-o", tmp_path / "a.json"),
            *("--opening", tmp_path / "a.secret.json", *arguments),
        )

    return attest


def test_margin_and_commit_read_by_a_signed_map(run: Run, chain: Chain, tmp_path: Path, signer: str) -> None:
    by_map = ("--map", tmp_path / "map.json", "--map-signer", signer)
    one = run("margin", chain.snapshot, tmp_path / "named.csv", *by_map, "--json")
    assert one.code == 0, one.err
    assert one.document == run("margin", chain.snapshot, tmp_path / "plain.csv", "--json").document
    output = ("-o", tmp_path / "c.json", "--opening", tmp_path / "o.json")
    assert run("commit", chain.snapshot, tmp_path / "named.csv", *by_map, *output).code == 0
    assert json.loads((tmp_path / "o.json").read_text())["lots"]["BTC-PERPETUAL"] == -3000


def test_a_signature_is_never_taken_unseen(run: Run, chain: Chain, tmp_path: Path, signer: str) -> None:
    map_file, tampered = tmp_path / "map.json", tmp_path / "tampered.json"
    tampered.write_bytes(map_file.read_bytes().replace(b'"100"', b'"1000"'))
    for arguments, message in (
        (("--map", map_file), "--map-signer: missing: the map is signed; say by whose key"),
        (
            ("--map", map_file, "--map-signer", CONTRACT),
            f"map.json: signer: '{signer}': {CONTRACT} is expected",
        ),
        (("--map", map_file, "--map-signer", signer.lower()), "--map-signer"),
        (("--map", tampered, "--map-signer", signer), "tampered.json: signature"),
        (("--map", tmp_path / "map.csv", "--map-signer", signer), "a CSV table has no signature"),
        (("--map-signer", signer), "--map: missing"),
        (("--map", tmp_path / "none.json", "--map-signer", signer), "none.json: file"),
        (("--map", chain.snapshot, "--map-signer", signer), "market.json"),
    ):
        seen = run("margin", chain.snapshot, tmp_path / "named.csv", *arguments)
        assert (seen.code, message in seen.err) == (2, True), seen.err


def test_an_attestation_names_its_map(
    run: Run, chain: Chain, tmp_path: Path, signer: str, attest: Attest
) -> None:
    made = attest("--map", tmp_path / "map.json")
    assert made.code == 0, made.err
    checking = ("venue", "check-map", chain.snapshot, tmp_path / "map.json", "--map-signer", signer)
    checked = run(*checking, "--attestation", tmp_path / "a.json", "--json")
    assert checked.code == 0, checked.err
    assert checked.document["digest"] == json.loads((tmp_path / "a.json").read_text())["contract_map"]
    assert "XBT-100 = 100 BTC-PERPETUAL, settled in BTC" in run(*checking).out
    (tmp_path / "a.secret.json").unlink()
    assert attest("--register", tmp_path / "other.db", holdings="plain.csv").code == 0
    seen = run(*checking, "--attestation", tmp_path / "a.json")
    assert (seen.code, "it was made by no map" in seen.err) == (1, True)
    assert run(*checking[:-1], CONTRACT).code == 2


def test_who_attests_needs_the_map_signed_by_its_own_key(tmp_path: Path, signer: str, attest: Attest) -> None:
    for arguments, message in (
        (("--map", tmp_path / "map.csv"), "map.csv: map: not signed"),
        (("--map", tmp_path / "map.json", "--map-signer", CONTRACT), f"{CONTRACT} is expected"),
        (("--map", tmp_path / "map.json", "--as-of", "2020-01-01T00:00:00Z"), "use the map that held then"),
        (("--map", tmp_path / "map.json", "--chain-id", 2), "map of contracts: chain_id: 1"),
        (("--map", tmp_path / "map.json", "--name", "beta"), "map of contracts: venue: 'alpha'"),
        ((), "named.csv, line 3: instrument: 'XBT-100': not listed by the snapshot"),
    ):
        seen = attest(*arguments)
        assert (seen.code, message in seen.err) == (2, True), seen.err
    assert not (tmp_path / "a.secret.json").exists()


def test_a_book_by_the_map(run: Run, chain: Chain, tmp_path: Path, signer: str) -> None:
    book = tmp_path / "book.csv"
    book.write_text(
        f"account,subject,instrument,quantity\nann,{CONTRACT},XBT-100,-30\nbo,{CONTRACT},XBT-10,1\n"
    )
    command = (
        *("venue", "attest-book", chain.snapshot, book, "--name", "alpha", "--key", tmp_path / "venue.key"),
        *(*DOMAIN, "--register", tmp_path / "alpha.db", "--workers", 1, "-o", tmp_path / "out"),
        *("--map", tmp_path / "map.json"),
    )
    seen = run(*command)
    assert seen.code == 2
    words = "book.csv, row 2: instrument: 'XBT-10': the map of contracts does not list it; is XBT-100 meant?"
    assert words in seen.err
    book.write_text(book.read_text().replace("XBT-10,1", "XBT-100,1"))
    made = run(*command[:-1], tmp_path / "map.json", "-o", tmp_path / "again", "--json")
    assert made.code == 0, made.err
    assert made.document["accounts"] == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("map.csv", "--output"),
        ("venue.key", "--output"),
    ],
)
def test_a_signed_map_replaces_nothing_it_is_made_from(
    run: Run, chain: Chain, tmp_path: Path, signer: str, name: str, message: str
) -> None:
    before = (tmp_path / name).read_bytes()
    signing = (*("--name", "alpha", "--key", tmp_path / "venue.key"), *DOMAIN)
    seen = run("venue", "sign-map", chain.snapshot, tmp_path / "map.csv", *signing, "-o", tmp_path / name)
    assert (seen.code, message in seen.err) == (2, True), seen.err
    assert (tmp_path / name).read_bytes() == before


def test_a_map_of_a_moment_to_come(run: Run, chain: Chain, tmp_path: Path, signer: str) -> None:
    signing = (*("--name", "alpha", "--key", tmp_path / "venue.key"), *DOMAIN)
    files = (chain.snapshot, tmp_path / "map.csv", "-o", tmp_path / "later.json")
    seen = run("venue", "sign-map", *files, *signing, "--as-of", "2100-01-01T00:00:00Z")
    assert (seen.code, "write a time that has come" in seen.err) == (2, True), seen.err
