"""A small market, an account, and a way to run the command."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli.harness import TERMS, Chain, Ran, Run, finished
from zkmargin.cli.command import command
from zkmargin.margin.market import Market, example_market
from zkmargin.margin.snapshot.snapshot import Snapshot

HOLDINGS = """instrument,quantity,entry_price
USD,250000,
BTC,1.5,
BTC-PERPETUAL,-50000,88000
BTC-9JAN26-84000-P,2,
BTC-9JAN26-93000-C,-3,
"""


@pytest.fixture(scope="session")
def run() -> Run:
    """Run the command in this process."""

    def invoke(*arguments: object) -> Ran:
        return finished(CliRunner().invoke(command, [str(argument) for argument in arguments]))

    return invoke


@pytest.fixture(scope="session")
def market() -> Market:
    """The part of the example market that fits 64 slots."""
    whole = example_market()
    kept = [
        (instrument, quote)
        for instrument, quote in zip(whole.instruments, whole.inputs.quotes, strict=True)
        if instrument.kind != "option" or "-9JAN26-" in instrument.name
    ]
    inputs = replace(whole.inputs, quotes=tuple(quote for _, quote in kept))
    return replace(whole, instruments=tuple(instrument for instrument, _ in kept), inputs=inputs)


@pytest.fixture(scope="session")
def snapshot_file(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot over 64 slots."""
    path = tmp_path_factory.mktemp("snapshot") / "market.json"
    Snapshot.build(market, domain=64).dump(path)
    return path


@pytest.fixture(scope="session")
def holdings_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hedged account."""
    path = tmp_path_factory.mktemp("holdings") / "holdings.csv"
    path.write_text(HOLDINGS)
    return path


@pytest.fixture(scope="session")
def chain(
    run: Run, snapshot_file: Path, holdings_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Chain:
    """An account that was committed to and proven."""
    folder = tmp_path_factory.mktemp("chain")
    made = Chain(
        snapshot_file,
        holdings_file,
        folder / "commitment.json",
        folder / "opening.json",
        folder / "proof.json",
    )
    committed = run("commit", made.snapshot, made.holdings, "-o", made.commitment, "--opening", made.opening)
    assert committed.code == 0, committed.err
    proven = run("prove", made.snapshot, "--opening", made.opening, *TERMS, "-o", made.proof)
    assert proven.code == 0, proven.err
    return made
