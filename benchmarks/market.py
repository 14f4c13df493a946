"""The recorded market, kept beside the repository, and what its snapshots cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import peak_megabytes, seconds
from zkmargin.margin.batch import requirements
from zkmargin.margin.market.csv_pair import read_csv_pair
from zkmargin.margin.market.example import example_market
from zkmargin.margin.market.quotes import Market
from zkmargin.margin.parameters import Parameters
from zkmargin.margin.requirement import requirement
from zkmargin.margin.snapshot import Snapshot

RECORDED = Path(__file__).resolve().parents[2] / "shared" / "data" / "market"
ACCOUNTS, POSITIONS = 4096, 30


class MarketMissingError(FileNotFoundError):
    """The recorded market is not there."""


def recorded_market() -> Market:
    """The recorded Deribit market. Raises MarketMissingError if it is not beside the repository."""
    if not RECORDED.is_dir():
        raise MarketMissingError("the recorded market is not beside the repository")
    return read_csv_pair(RECORDED / "options_btc_eth.csv", RECORDED / "futures_btc_eth.csv")


def snapshot() -> dict[str, Any]:
    """Building, writing and reading the recorded market's snapshot of 33 cells."""
    market = recorded_market()
    built = Snapshot.build(market, Parameters())
    path = Path("build") / "bench-snapshot.json"
    path.parent.mkdir(exist_ok=True)
    built.dump(path)
    return {
        "instruments": len(built.universe),
        "cells": len(built.models["grid"].cells),  # type: ignore[attr-defined]
        "build_s": seconds(lambda: Snapshot.build(market, Parameters()), 5),
        "load_s": seconds(lambda: Snapshot.load(path), 5),
        "file_kb": path.stat().st_size / 1024,
        "peak_mb": peak_megabytes(),
    }


def accounts() -> dict[str, Any]:
    """Accounts of 30 positions margined a second on the example market's grid, one by one and many at once."""
    built = Snapshot.build(example_market(), Parameters())
    drawn = np.random.default_rng(7)
    lots = np.zeros((ACCOUNTS, len(built.universe)), dtype=np.int64)
    for account in lots:
        chosen = drawn.choice(len(built.universe), POSITIONS, replace=False)
        account[chosen] = drawn.integers(-50, 51, POSITIONS)
    some = lots[:256].tolist()
    return {
        "one_by_one_per_s": len(some) / seconds(lambda: [requirement(built, row) for row in some], 3),
        "together_per_s": ACCOUNTS / seconds(lambda: requirements(built, lots), 3),
        "peak_mb": peak_megabytes(),
    }
