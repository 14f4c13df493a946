"""Snapshots with joint scenarios that several tests use."""

import os
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.margin.accounts import tiny_market
from zkmargin.margin.market import example_market
from zkmargin.margin.market.history import PriceHistory, read_history
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.scenarios.tables import JointTables
from zkmargin.margin.snapshot.snapshot import Snapshot

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/market"

DRAWN: dict[str, Any] = {
    "source": "drawn",
    "coins": ["BTC", "ETH"],
    "volatilities": ["0.5", "0.7"],
    "correlation": [["1", "0.8"], ["0.8", "1"]],
    "seed": "seven",
    "cells": 40,
}
ONE_COIN: dict[str, Any] = DRAWN | {"coins": ["BTC"], "volatilities": ["0.5"], "correlation": [["1"]]}


def built(section: dict[str, Any], model: str = "es", history: PriceHistory | None = None) -> Snapshot:
    """The tiny market under one section."""
    parameters = parse_parameters({model: section}, "test")
    return Snapshot.build(tiny_market(), parameters, domain=64, history=history)


@cache
def drawn_example() -> Snapshot:
    """The example market with 40 drawn scenarios for both models."""
    parameters = parse_parameters({"es": DRAWN, "var": DRAWN}, "test")
    return Snapshot.build(example_market(), parameters, domain=256)


def joint(snapshot: Snapshot, model: str = "es") -> JointTables:
    tables = snapshot.models[model]
    assert isinstance(tables, JointTables)
    return tables


def with_risk(
    snapshot: Snapshot, risk: NDArray[np.int64], confidence: tuple[int, int], *, charges: bool = True
) -> Snapshot:
    """The snapshot under both models with these changes of value instead of its own."""
    own = joint(snapshot)
    tables = replace(
        own,
        labels=tuple(f"cell {k}" for k in range(len(risk))),
        moves=np.zeros((len(risk), len(own.units)), np.int64),
        risk=risk,
        confidence={"initial": confidence, "maintenance": confidence},
        collaterals=own.collaterals if charges else (),
    )
    return replace(snapshot, models={"es": tables, "var": tables})


@st.composite
def universes(draw: st.DrawFn, most: int = 12) -> Snapshot:
    """A snapshot of the example market with random changes of value and a random confidence."""
    base = drawn_example()
    cells = draw(st.integers(1, most))
    seed = draw(st.integers(0, 1 << 32))
    size = draw(st.sampled_from((3, 10**6, 10**11)))
    risk = np.random.default_rng(seed).integers(-size, size + 1, (cells, len(base.universe)))
    denominator = draw(st.integers(2, 60))
    confidence = (draw(st.integers(1, denominator - 1)), denominator)
    return with_risk(base, risk, confidence, charges=draw(st.booleans()))


@st.composite
def accounts(draw: st.DrawFn, snapshot: Snapshot, most: int = 60) -> list[int]:
    """0 to 60 positions with USD beside them."""
    lots = [0] * len(snapshot.universe)
    slots = st.integers(0, len(lots) - 1)
    held = draw(st.dictionaries(slots, st.integers(-(10**6), 10**6), max_size=most))
    for slot, amount in held.items():
        bound = snapshot.universe.instruments[slot].bound
        lots[slot] = max(-bound, min(bound, amount))
    lots[0] = draw(st.integers(-(10**14), 10**15))
    return lots


def falling(days: int = 60, first: date = date(2025, 6, 1)) -> PriceHistory:
    """Two coins whose prices swing; ETH begins ten days later."""
    btc = tuple(str(50000 + (k * 7919) % 4001 - 2000) for k in range(days))
    eth = tuple(None if k < 10 else str(3000 + (k * 104729) % 301 - 150) for k in range(days))
    return PriceHistory(first, {"BTC": btc, "ETH": eth})


def year() -> PriceHistory:
    """More than a year of them, all before the example markets' valuation: enough for every model's default."""
    return falling(420, date(2024, 10, 1))


def recorded_history() -> PriceHistory:
    """The recorded closes; skips where they are absent, but never in CI."""
    path = RECORDED / "prices_daily.csv"
    if not path.is_file() and not os.environ.get("CI"):
        pytest.skip("the recorded prices are not beside the repository")
    return read_history(path)
