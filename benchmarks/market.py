"""The recorded market, kept beside the repository, and what its snapshots cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import peak_megabytes, seconds
from zkmargin.margin.account.book import Accounts, excesses
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.market.csv_pair import read_csv_pair
from zkmargin.margin.market.example import example_market
from zkmargin.margin.market.quotes import Market
from zkmargin.margin.parameters.document import Parameters, parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import GridTables

RECORDED = Path(__file__).resolve().parents[2] / "shared" / "data" / "market"


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
    """Accounts margined a second: 30 positions on 51 cells of the example, 1,000 on the recorded market's 33.

    Beside it the worst loss alone, dense, in numpy's int64 (which wraps without a word) and float64 (which rounds).
    """
    fine = parse_parameters({"grid": {"spot_shocks": [str(k / 100) for k in range(-14, 15, 2)]}}, "bench")
    built = Snapshot.build(example_market(), fine)
    book = _book(built, 50_000, 30)
    some = [book.dense(account, len(built.universe)) for account in range(256)]
    dense = np.array([book.dense(account, len(built.universe)) for account in range(2048)], dtype=np.int64)
    tables = built.models["grid"]
    assert isinstance(tables, GridTables)
    risk = np.ascontiguousarray(tables.risk.T)
    real = risk.astype(np.float64)
    single = Accounts(book.offsets[:2], book.slots[:30], book.lots[:30])
    figures = {
        "cells": len(tables.cells),
        "book_of_30_per_s": len(book) / seconds(lambda: excesses(built, book), 5),
        "one_by_one_per_s": len(some) / seconds(lambda: [requirement(built, row) for row in some], 3),
        "numpy_int64_per_s": len(dense) / seconds(lambda: (dense @ risk).min(axis=1), 3),
        "numpy_float64_per_s": len(dense) / seconds(lambda: (dense.astype(np.float64) @ real).min(axis=1), 5),
        "what_if_us": 1e6 * seconds(lambda: excesses(built, single), 200),
    }
    market = Snapshot.build(recorded_market())
    large = _book(market, 3000, 1000)
    figures["book_of_1000_per_s"] = len(large) / seconds(lambda: excesses(market, large), 5)
    return {**figures, "peak_mb": peak_megabytes()}


def _book(built: Snapshot, count: int, positions: int) -> Accounts:
    drawn = np.random.default_rng(7)
    size = len(built.universe)
    slots = np.concatenate([drawn.choice(size, positions, replace=False) for _ in range(count)])
    offsets = np.arange(0, count * positions + 1, positions, dtype=np.int64)
    return Accounts(offsets, slots.astype(np.int32), drawn.integers(-500, 501, count * positions))
