"""The recorded Deribit market: everything is read, prices agree with the model, and all of it is quick."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.margin.accounts import recorded
from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.account.report import build_report
from zkmargin.margin.arithmetic import kernels
from zkmargin.margin.arithmetic.fixed import to_fraction
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.valuation.option_values import option_columns


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return recorded()


def test_every_instrument_has_its_slot(snapshot: Snapshot) -> None:
    kinds = [i.kind for i in snapshot.universe.instruments]
    counts = {kind: kinds.count(kind) for kind in ("balance", "perpetual", "future", "option")}
    assert counts == {"balance": 3, "perpetual": 2, "future": 12, "option": 1778}
    assert snapshot.universe.domain == 2048
    assert snapshot.inputs.indices == {"BTC": "70710.77", "ETH": "2076.6"}
    assert not any(i.name.startswith("SYN.") for i in snapshot.universe.instruments)


def test_the_grid_has_all_cells_and_strikes(snapshot: Snapshot) -> None:
    grid = snapshot.models["grid"]
    assert isinstance(grid, GridTables)
    assert grid.risk.shape == (33, 1795)
    assert len(grid.strikes) == 889
    assert all(len(strike.slots) == 2 for strike in grid.strikes)


def test_marks_agree_with_the_model(snapshot: Snapshot) -> None:
    """Recomputed from the quoted volatility, marks of 0.001 coin and more are off by 3e-5 (median)."""
    columns = option_columns(snapshot.universe, snapshot.valuation_time, snapshot.inputs)
    greeks = kernels.option_greeks(columns.options, columns.volatilities)
    errors = []
    for slot, found in zip(columns.slots, greeks, strict=True):
        quote = snapshot.inputs.quotes[slot]
        mark = Fraction(Decimal(quote.price))
        if mark >= Fraction(1, 1000):
            model = to_fraction(found.value) / Fraction(Decimal(quote.forward or 0))
            errors.append(float(abs(model / mark - 1)))
    assert len(errors) > 1000
    assert np.median(errors) < 5e-5


@pytest.mark.skipif(not kernels.native(), reason="only the native kernels are quick")
def test_the_file_comes_back_the_same(snapshot: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    snapshot.dump(path)
    again = Snapshot.load(path)
    assert again.encode() == snapshot.encode()
    again.reproduce()


def test_a_hedged_book_saves_margin(snapshot: Snapshot) -> None:
    """Short a strangle, long its wings, coins hedged by the perpetual: the grid sees one position."""
    rows = [
        ("USD", "20000"),
        ("BTC", "1"),
        ("BTC-PERPETUAL", "-70000"),
        ("BTC-27MAR26-65000-P", "-1"),
        ("BTC-27MAR26-76000-C", "-1"),
        ("BTC-27MAR26-60000-P", "1"),
        ("BTC-27MAR26-80000-C", "1"),
    ]
    held = Holdings.of([Position(name, Decimal(quantity)) for name, quantity in rows], snapshot)
    report = build_report(snapshot, held)
    savings = {comparison.model: comparison.saving for comparison in report.comparisons}
    assert savings["cross"] > 0
    assert savings["isolated"] >= savings["cross"]
    assert report.excess > 0
