"""Files from somebody who means harm: refused in one plain line, soon, and nothing of one's own is lost."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import TERMS, Chain, Run
from zkmargin.circuits.account_rows import AccountRows
from zkmargin.margin.files.canonical_json import canonical_json, digest
from zkmargin.margin.market import example_market
from zkmargin.margin.snapshot.snapshot import Snapshot

Change = Callable[[dict[str, Any]], object]


def with_right_id(source: Path, target: Path, change: Change) -> Path:
    """The snapshot after a change, with the id of its new content."""
    document = json.loads(source.read_bytes())
    change(document)
    document["id"] = digest({key: value for key, value in document.items() if key != "id"})
    target.write_bytes(canonical_json(document))
    return target


def test_a_key_cannot_write_a_verdict_on_the_terminal(run: Run, chain: Chain, tmp_path: Path) -> None:
    document = json.loads(chain.proof.read_text())
    document["\x1b[2J\x1b[Hvalid: verified in 2.7 ms\n\x1b[8m\u202e"] = 1
    spoof = tmp_path / "proof.json"
    spoof.write_text(json.dumps(document))
    seen = run("verify", chain.snapshot, spoof, "--commitment", chain.commitment, *TERMS)
    assert seen.code == 2
    assert seen.out == ""
    assert len(seen.err.splitlines()) == 1
    assert seen.err.removesuffix("\n").isprintable()


def test_a_long_key_does_not_fill_the_screen(run: Run, chain: Chain, tmp_path: Path) -> None:
    document = json.loads(chain.proof.read_text()) | {"x" * 100_000: 1}
    spoof = tmp_path / "proof.json"
    spoof.write_text(json.dumps(document))
    seen = run("verify", chain.snapshot, spoof, "--commitment", chain.commitment, *TERMS)
    assert seen.code == 2
    assert len(seen.err) < 2000


def test_a_repeated_key_among_many_is_found_at_once(run: Run, chain: Chain, tmp_path: Path) -> None:
    spoof = tmp_path / "proof.json"
    spoof.write_text("{" + "".join(f'"k{i}":1,' for i in range(100_000)) + '"z":1,"z":1}')
    started = time.perf_counter()
    seen = run("verify", chain.snapshot, spoof, "--commitment", chain.commitment, *TERMS)
    assert time.perf_counter() - started < 10
    assert seen.code == 2
    assert "'z'" in seen.err


def indices(price: str) -> Change:
    """Another index of a coin that has no balance, so that no quote repeats it."""

    def change(document: dict[str, Any]) -> None:
        instruments, quotes = document["universe"]["instruments"], document["inputs"]["quotes"]
        kept = [
            slot
            for slot, instrument in enumerate(instruments)
            if instrument["underlying"] == "USD"
            or (instrument["kind"] == "option" and not instrument["inverse"])
            or (instrument["kind"] == "perpetual" and not instrument["inverse"])
        ]
        document["universe"]["instruments"] = [instruments[slot] for slot in kept]
        document["inputs"]["quotes"] = [quotes[slot] for slot in kept]
        document["marks"] = [document["marks"][slot] for slot in kept]
        document["inputs"]["indices"] = {
            instruments[slot]["underlying"]: price
            for slot in kept
            if instruments[slot]["underlying"] != "USD"
        }

    return change


@pytest.mark.parametrize("price", ["1e999999999", "NaN", "Infinity", "-5", "0", "abc", "", "1.50"])
def test_an_index_is_a_price(run: Run, chain: Chain, tmp_path: Path, price: str) -> None:
    snapshot = with_right_id(chain.snapshot, tmp_path / "s.json", indices(price))
    seen = run("verify", snapshot, chain.proof, "--commitment", chain.commitment, *TERMS)
    assert seen.code == 2
    assert "index" in seen.err


@pytest.mark.parametrize(
    "path",
    [
        ("cross", "long"),
        ("cross", "collaterals", 0, "charge"),
        ("grid", "perpetuals", 0, "charge"),
        ("grid", "strikes", 0, "charge"),
        ("grid", "loss_factor"),
    ],
)
def test_a_level_that_is_left_out(
    run: Run, chain: Chain, tmp_path: Path, path: tuple[str | int, ...]
) -> None:
    def change(document: dict[str, Any]) -> None:
        place = document["models"]
        for key in path:
            place = place[key]
        del place["maintenance"]

    snapshot = with_right_id(chain.snapshot, tmp_path / "s.json", change)
    seen = run("verify", snapshot, chain.proof, "--commitment", chain.commitment, *TERMS)
    assert seen.code == 2
    assert "must have both levels" in seen.err


def test_a_device_is_no_endless_file(
    run: Run, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zkmargin.margin.files.documents.LARGEST_FILE", 1 << 20)
    large = tmp_path / "large"
    large.write_bytes(bytes((1 << 20) + 1))
    for endless in (Path("/dev/zero"), large):
        seen = run("margin", endless, chain.holdings)
        assert seen.code == 2
        assert "more than 1048576 bytes" in seen.err


def test_a_moment_beyond_the_calendar(run: Run, chain: Chain) -> None:
    expires = ("--expires", "9999-12-31T23:59:59-23:59")
    seen = run("verify", chain.snapshot, chain.proof, "--commitment", chain.commitment, *TERMS, *expires)
    assert seen.code == 1
    assert "expiry" in seen.out


def test_a_commitment_does_not_replace_its_opening(run: Run, chain: Chain, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    for output in (tmp_path / "one.json", tmp_path / "link" / "one.json"):
        opening = tmp_path / "one.json"
        seen = run("commit", chain.snapshot, chain.holdings, "-o", output, "--opening", opening)
        assert seen.code == 2
        assert "two files" in seen.err
        assert not opening.exists()


def test_a_proof_does_not_replace_what_it_is_made_from(run: Run, chain: Chain, tmp_path: Path) -> None:
    for source in (chain.opening, chain.snapshot):
        before = source.read_bytes()
        (tmp_path / source.name).symlink_to(source)
        for output in (source, tmp_path / source.name):
            seen = run("prove", chain.snapshot, "--opening", chain.opening, *TERMS, "-o", output)
            assert seen.code == 2
            assert "another file" in seen.err
        assert source.read_bytes() == before


def test_a_proof_file_is_small(run: Run, chain: Chain, tmp_path: Path) -> None:
    spoof = tmp_path / "proof.json"
    spoof.write_text("[" + "[]," * (6 << 20) + "1]")
    seen = run("verify", chain.snapshot, spoof, "--commitment", chain.commitment, *TERMS)
    assert seen.code == 2
    assert "more than" in seen.err


def test_coefficients_beyond_128_bits_are_one_plain_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A denominator of eighteen decimals times prices of a billion, multiplied out as no factor ever is."""
    monkeypatch.setattr(AccountRows, "count", lambda ledger, losses, factor: 10**18)
    whole = example_market()
    quotes = tuple(
        replace(quote, price="1000000000")
        if i.name == "BTC"
        else replace(quote, price="1", forward="1000000000")
        if i.kind == "option" and i.inverse and i.underlying == "BTC"
        else quote
        for i, quote in zip(whole.instruments, whole.inputs.quotes, strict=True)
    )
    prices = {**whole.inputs.indices, "BTC": "1000000000"}
    market = replace(whole, inputs=replace(whole.inputs, indices=prices, quotes=quotes))
    made = Snapshot.build(market)
    snapshot, holdings = tmp_path / "s.json", tmp_path / "h.csv"
    made.dump(snapshot)
    holdings.write_text("instrument,quantity\nUSD,1\n")
    opening = tmp_path / "o.json"
    assert run("commit", snapshot, holdings, "-o", tmp_path / "c.json", "--opening", opening).code == 0
    seen = run("prove", snapshot, "--opening", opening, *TERMS, "--model", "grid", "-o", tmp_path / "p.json")
    assert seen.code == 2
    assert "128 bits" in seen.err
