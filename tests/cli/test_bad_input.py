"""Bad input: exit code 2, one message that names file, field and value, no traceback, nothing written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import TERMS, Chain, Ran, Run

OPTION = (
    "BTC-27MAR26-64000-C,C,BTC,2026-03-27T08:00:00Z,64000,0.11,55.5,70800,SYN,70710,0.1,0.12,0.8,20,1,"
    "2026-03-14T09:25:21Z"
)
OPTION_HEADER = (
    "instrument,type,underlying,expiry_utc,strike,mark_price,mark_iv,forward,forward_name,index,bid,ask,delta,vega,"
    "open_interest,timestamp"
)
FUTURES = """instrument,underlying,expiry_utc,price,price_min,price_max,n_options,kind,price_time_utc
BTC-PERPETUAL,BTC,,70717.0,,,,perp_trade_1min_candle_open,2026-03-14T09:25:00Z
BTC-INDEX,BTC,,70710.77,70696.79,70717.5,958,index_first_ticker_call,2026-03-14T09:25:21Z
"""


def assert_refused(ran: Ran, *words: str) -> None:
    """Exit code 2 and one line that says all of it."""
    assert ran.code == 2, (ran.out, ran.err)
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    for word in words:
        assert word in ran.err


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("DOGE,1", ("instrument", "DOGE")),
        ("BTC-9JAN26-84000-P,1\nBTC-9JAN26-84000-P,1", ("BTC-9JAN26-84000-P", "twice")),
        ("BTC,NaN", ("quantity", "NaN")),
        ("BTC,inf", ("quantity", "inf")),
        ("BTC,-Infinity", ("quantity", "Infinity")),
        ("BTC,", ("quantity", "missing")),
        ("BTC,1e400", ("quantity", "1e400")),
        ('BTC,"1,000"', ("quantity", "1,000")),
        ("BTC,0.000000001", ("quantity", "0.000000001", "lot")),
        ("BTC,0.0000000000000000000000001", ("quantity", "precise")),
        ("BTC-9JAN26-84000-P,0.05", ("quantity", "0.05", "lot")),
        ("BTC-PERPETUAL,0.5", ("quantity", "0.5", "lot")),
        ("BTC-9JAN26-84000-P,300000", ("300000", "at most")),
        ("BTC,99999999999", ("99999999999", "at most")),
        ("BTC,1,2,3", ("line 2",)),
    ],
)
def test_holdings(run: Run, snapshot_file: Path, tmp_path: Path, row: str, words: tuple[str, ...]) -> None:
    holdings = tmp_path / "h.csv"
    holdings.write_text(f"instrument,quantity\n{row}\n")
    for command in (
        ("margin", snapshot_file, holdings),
        ("commit", snapshot_file, holdings, "-o", tmp_path / "c.json", "--opening", tmp_path / "o.json"),
    ):
        assert_refused(run(*command), str(holdings), *words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["h.csv"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ()),
        ("instrument,amount\nBTC,1\n", ("amount",)),
        ("instrument,quantity,quantity\nBTC,1,1\n", ("quantity",)),
        ("instrument\nBTC\n", ("quantity",)),
        ("instrument,quantity,entry_price\nBTC-PERPETUAL,10,0\n", ("entry_price", "0")),
        ("instrument,quantity,entry_price\nBTC-PERPETUAL,10,-5\n", ("entry_price", "-5")),
        ("instrument,quantity,entry_price\nBTC,10,5\n", ("entry_price", "5")),
    ],
)
def test_holdings_files(
    run: Run, snapshot_file: Path, tmp_path: Path, content: str, words: tuple[str, ...]
) -> None:
    holdings = tmp_path / "h.csv"
    holdings.write_text(content)
    assert_refused(run("margin", snapshot_file, holdings), str(holdings), *words)


def test_a_holdings_file_that_is_no_text(run: Run, snapshot_file: Path, tmp_path: Path) -> None:
    holdings = tmp_path / "h.csv"
    holdings.write_bytes(b"\xff\xfe\x00")
    assert_refused(run("margin", snapshot_file, holdings), str(holdings), "UTF-8")
    assert_refused(run("margin", snapshot_file, tmp_path / "none.csv"), "none.csv", "No such file")
    assert_refused(run("margin", snapshot_file, tmp_path), str(tmp_path), "directory")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2026-03-27T08:00:00Z,64000", "2026-03-13T08:00:00Z,64000", ("expir",)),
        (",0.11,55.5", ",-0.11,55.5", ("mark_price", "-0.11")),
        (",0.11,55.5", ",0.11,0", ("mark_iv", "0")),
        (",0.11,55.5", ",0.11,-5", ("mark_iv", "-5")),
        (",0.11,55.5", ",0.11,nan", ("mark_iv", "nan")),
        (",0.11,55.5", ",0.11,", ("mark_iv",)),
        (",70800,", ",0,", ("forward", "0")),
        (",70800,", ",1e15,", ("forward", "1000000000")),
        (",0.11,55.5", ",0.11,99999999", ("volatility", "100")),
        (",64000,", ",-64000,", ("strike",)),
        ("64000-C,C,", "64000-C,X,", ("type", "X")),
        (",C,BTC,", ",C,DOGE,", ("DOGE",)),
        ("2026-03-14T09:25:21Z", "yesterday", ("timestamp", "yesterday")),
        (OPTION, f"{OPTION}\n{OPTION}", ("twice",)),
        ("mark_iv", "sigma", ("sigma",)),
    ],
)
def test_markets(run: Run, tmp_path: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    options, futures = tmp_path / "options.csv", tmp_path / "futures.csv"
    futures.write_text(FUTURES)
    good = f"{OPTION_HEADER}\n{OPTION}\n"
    build = (
        "snapshot",
        "build",
        "--strict",
        "--options",
        options,
        "--futures",
        futures,
        "-o",
        tmp_path / "s.json",
    )
    options.write_text(good.replace(old, new))
    assert_refused(run(*build), str(options), *words)
    assert not (tmp_path / "s.json").exists()
    options.write_text(good)
    assert run(*build).code == 0


@pytest.mark.parametrize("price", ["0", "-1", "NaN", ""])
def test_prices_of_futures(run: Run, tmp_path: Path, price: str) -> None:
    options, futures = tmp_path / "options.csv", tmp_path / "futures.csv"
    options.write_text(f"{OPTION_HEADER}\n{OPTION}\n")
    futures.write_text(FUTURES.replace("70717.0", price))
    build = (
        "snapshot",
        "build",
        "--strict",
        "--options",
        options,
        "--futures",
        futures,
        "-o",
        tmp_path / "s.json",
    )
    assert_refused(run(*build), str(futures), "price")


@pytest.mark.parametrize(
    "sources",
    [
        (),
        ("--options", "x.csv"),
        ("--futures", "x.csv"),
        ("--example", "--options", "x.csv"),
        ("--example", "--deribit", "x"),
    ],
)
def test_a_snapshot_has_one_source(run: Run, tmp_path: Path, sources: tuple[str, ...]) -> None:
    assert_refused(run("snapshot", "build", *sources, "-o", tmp_path / "s.json"), "command line")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"grid": {"spot_shock": ["0.1"]}}', ("spot_shock",)),
        ('{"grid": {"spot_shocks": ["-1.5"]}}', ("spot_shocks", "-1.5")),
        ('{"grid": {"tail_damping": "NaN"}}', ("tail_damping", "NaN")),
        ('{"haircuts": {"BTC": {"initial": "0.01", "maintenance": "0.02"}}}', ("BTC",)),
        ("{", ()),
    ],
)
def test_parameters(run: Run, tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    parameters = tmp_path / "params.json"
    parameters.write_text(text)
    build = ("snapshot", "build", "--example", "--params", parameters, "-o", tmp_path / "s.json")
    assert_refused(run(*build), str(parameters), *words)


def changed(path: Path, target: Path, change: Callable[[Any], None]) -> Path:
    """A copy of a JSON document with something changed."""
    document = json.loads(path.read_text())
    change(document)
    target.write_text(json.dumps(document, sort_keys=True, separators=(",", ":")))
    return target


def test_a_snapshot_whose_id_does_not_match(run: Run, chain: Chain, tmp_path: Path) -> None:
    def raise_a_mark(document: Any) -> None:
        document["marks"][5] += 1

    broken = changed(chain.snapshot, tmp_path / "s.json", raise_a_mark)
    for command in (
        ("snapshot", "show", broken),
        ("margin", broken, chain.holdings),
        ("prove", broken, "--opening", chain.opening, *TERMS, "-o", tmp_path / "p.json"),
        ("verify", broken, chain.proof, "--commitment", chain.commitment, *TERMS),
    ):
        assert_refused(run(*command), str(broken), "id")
    assert not (tmp_path / "p.json").exists()


def test_another_universe(run: Run, chain: Chain, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    assert run("snapshot", "build", "--example", "-o", other).code == 0
    seen = run("verify", other, chain.proof, "--commitment", chain.commitment, *TERMS)
    assert_refused(seen, str(chain.commitment), "universe")
    seen = run("prove", other, "--opening", chain.opening, *TERMS, "-o", tmp_path / "p.json")
    assert_refused(seen, str(chain.opening), "universe")
    assert not (tmp_path / "p.json").exists()


def test_an_opening_that_is_not_its_commitments(run: Run, chain: Chain, tmp_path: Path) -> None:
    def add_a_coin(document: Any) -> None:
        document["lots"]["BTC"] += 10**8

    opening = changed(chain.opening, tmp_path / "o.json", add_a_coin)
    seen = run("prove", chain.snapshot, "--opening", opening, *TERMS, "-o", tmp_path / "p.json")
    assert_refused(seen, str(opening), "opening")
    assert not (tmp_path / "p.json").exists()


@pytest.mark.parametrize("field", ["blinder", "lots", "point", "version", "curve", "domain"])
def test_a_damaged_opening_shows_no_secret(run: Run, chain: Chain, tmp_path: Path, field: str) -> None:
    def spoil(document: Any) -> None:
        document[field] = {"BTC": "150000000x"} if field == "lots" else f"{document[field]}zz"

    opening = changed(chain.opening, tmp_path / "o.json", spoil)
    seen = run("prove", chain.snapshot, "--opening", opening, *TERMS, "-o", tmp_path / "p.json")
    assert_refused(seen, str(opening), field)
    assert json.loads(chain.opening.read_text())["blinder"] not in seen.err
    assert "150000000" not in seen.err


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 2),
        ("curve", "BN254"),
        ("protocol", "zkmargin/margin-argument/0"),
        ("format", "zkmargin/commitment"),
        ("proof", "ABCD"),
        ("proof", "0g"),
        ("proof", "abc"),
        ("proof", ""),
        ("extra", 1),
    ],
)
def test_a_proof_of_another_form(run: Run, chain: Chain, tmp_path: Path, field: str, value: object) -> None:
    def spoil(document: Any) -> None:
        document[field] = value

    proof = changed(chain.proof, tmp_path / "p.json", spoil)
    seen = run("verify", chain.snapshot, proof, "--commitment", chain.commitment, *TERMS)
    assert_refused(seen, str(proof), field)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda proof: proof[:-2],
        lambda proof: proof[: len(proof) // 2],
        lambda proof: proof + "00",
        lambda proof: proof[96:192] + proof[:96] + proof[192:],
        lambda proof: "00" * 48 + proof[96:],
        lambda proof: "c0" + "00" * 47 + proof[96:],
        lambda proof: proof[:-2] + f"{int(proof[-2:], 16) ^ 1:02x}",
    ],
    ids=["truncated", "halved", "padded", "reordered", "no point", "identity", "one bit"],
)
def test_a_tampered_proof_is_not_valid(
    run: Run, chain: Chain, tmp_path: Path, spoil: Callable[[str], str]
) -> None:
    def tamper(document: Any) -> None:
        document["proof"] = spoil(document["proof"])

    proof = changed(chain.proof, tmp_path / "p.json", tamper)
    seen = run("verify", chain.snapshot, proof, "--commitment", chain.commitment, *TERMS, "--json")
    assert seen.code == 1
    assert seen.document["valid"] is False
    assert seen.document["check"]


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ((*TERMS, "--threshold", "abc"), ("--threshold", "abc")),
        ((*TERMS, "--threshold", "0.0000001"), ("--threshold", "0.0000001", "0.000001")),
        ((*TERMS, "--threshold", "nan"), ("--threshold", "nan")),
        ((*TERMS, "--model", "abacus"), ("model", "abacus")),
        ((*TERMS, "--expires", "tomorrow"), ("--expires", "tomorrow")),
        ((*TERMS, "--expires", "2026-03-14T18:00:00"), ("--expires", "time zone")),
        ((*TERMS, "--expires", "1969-03-14T18:00:00Z"), ("--expires", "after 1970")),
        ((*TERMS, "--expires", "2026-03-14T18:00:00.5Z"), ("--expires", "whole seconds")),
        (("--audience", "", "--nonce", "1"), ("audience",)),
        (("--audience", "bank", "--nonce", "x" * 257), ("nonce",)),
    ],
)
def test_terms(
    run: Run, chain: Chain, tmp_path: Path, terms: tuple[str, ...], words: tuple[str, ...]
) -> None:
    output = tmp_path / "p.json"
    assert_refused(run("prove", chain.snapshot, "--opening", chain.opening, *terms, "-o", output), *words)
    seen = run("verify", chain.snapshot, chain.proof, "--commitment", chain.commitment, *terms)
    assert_refused(seen, *words)
    assert not output.exists()


def test_outputs_that_cannot_be_written(run: Run, chain: Chain, tmp_path: Path) -> None:
    nowhere = tmp_path / "missing" / "file.json"
    opening = tmp_path / "o.json"
    assert_refused(run("snapshot", "build", "--example", "-o", nowhere), str(nowhere))
    proving = ("prove", chain.snapshot, "--opening", chain.opening, *TERMS)
    assert_refused(run(*proving, "-o", nowhere), str(nowhere))
    assert_refused(run(*proving, "-o", tmp_path), str(tmp_path))
    committing = ("commit", chain.snapshot, chain.holdings)
    assert_refused(run(*committing, "-o", nowhere, "--opening", opening), str(nowhere))
    assert_refused(run(*committing, "-o", tmp_path / "c.json", "--opening", nowhere), str(nowhere))
    assert list(tmp_path.iterdir()) == []


def test_the_same_commitment_twice(run: Run, chain: Chain, tmp_path: Path) -> None:
    twice = ("--opening", chain.opening, "--opening", chain.opening)
    assert_refused(run("prove", chain.snapshot, *twice, *TERMS, "-o", tmp_path / "p.json"), "twice")


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("margin",), ("prove", "s"), ("margin", "s", "h", "--level", "high"), ("info", "--what")],
)
def test_usage(run: Run, arguments: tuple[str, ...]) -> None:
    seen = run(*arguments)
    assert seen.code == 2
    assert "Usage:" in seen.err
    assert "Error:" in seen.err


def test_a_backend_that_is_not_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZKMARGIN_BACKEND", "abacus")
    assert_refused(run("info"), "ZKMARGIN_BACKEND", "abacus")


_DRAWN = 'source = "drawn"\ncoins = ["BTC", "ETH"]\nvolatilities = ["0.5", "0.7"]\nseed = "s"\n'
_CORRELATED = 'correlation = [["1", "0.8"], ["0.8", "1"]]\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            f'[var]\nconfidence = "1.5"\n{_DRAWN}{_CORRELATED}',
            "desk.toml: var.confidence.initial: '1.5': must lie strictly between 0 and 1",
        ),
        (
            f'[es]\n{_DRAWN}correlation = [["1", "0.8"], ["0.7", "1"]]\n',
            "desk.toml: es.correlation of ETH with BTC: 0.7: the matrix is not symmetric",
        ),
        (
            f"[es]\ncells = 0\n{_DRAWN}{_CORRELATED}",
            "desk.toml: es.cells: 0: write a number that is at least 1",
        ),
        (
            '[span]\n[[span.commodities]]\nname = "BTC"\nvolatility_scan_range = "25%"\n',
            "desk.toml: span.commodities.0: inconsistent: combined commodity BTC: the price_scan_range is missing",
        ),
        (
            '[[span.commodities]]\nname = "BTC"\nprice_scan_range = "9%"\nvolatility_scan_range = "25%"\n',
            "desk.toml, span: commodities: 'ETH': no combined commodity has the underlying ETH",
        ),
        ('[es]\nsource = "history"\n', "desk.toml, es: source: 'history': the snapshot has no price history"),
        ("[grid]\nspot_shocks = []\n", "desk.toml: grid.spot_shocks: []: list at least 1"),
    ],
)
def test_a_section_of_the_parameters_is_told_by_file_field_and_value(
    run: Run, tmp_path: Path, text: str, words: str
) -> None:
    desk = tmp_path / "desk.toml"
    desk.write_text(text)
    ran = run("snapshot", "build", "--example", "--params", desk, "-o", tmp_path / "out.json")
    assert_refused(ran, f"{tmp_path}/{words}")
    assert not (tmp_path / "out.json").exists()


def test_a_history_without_an_underlying_is_told_by_its_file(run: Run, tmp_path: Path) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text("date,BTC\n2025-12-01,90000\n2025-12-02,91000\n")
    ran = run("snapshot", "build", "--example", "--history", prices, "-o", tmp_path / "out.json")
    assert_refused(ran, f"{prices}: coin: 'ETH': no column of the history has this name")
