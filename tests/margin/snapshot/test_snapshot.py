"""Snapshots: the same from the same inputs, and refused if anything was changed."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.margin.accounts import example, tiny, tiny_market
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.canonical_json import canonical_json, digest
from zkmargin.margin.market import example_market
from zkmargin.margin.models import MODELS
from zkmargin.margin.parameters.document import Parameters, parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.tables.rates import RateTables

# Digests of the example's marks and grid: numbers that no machine, backend or release may change unnoticed.
EXAMPLE_MARKS = "494ddd1df6fff743706136167cf270bcd6213d1bc0eb0c3929058d917d44ae8b"
EXAMPLE_GRID = "45b314c6304ced28cdd423af7c9235d149ce4fd39a89d2a2d70cdefadc2ec5ea"


def test_the_example_has_the_same_numbers_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    body = example().body()
    assert digest(body["marks"]) == EXAMPLE_MARKS
    assert digest(body["models"]["grid"]) == EXAMPLE_GRID
    monkeypatch.setenv("ZKMARGIN_BACKEND", "reference")
    assert Snapshot.build(example_market()).id == example().id


def test_the_id_is_the_digest_of_the_rest() -> None:
    assert tiny().id == digest(tiny().body())
    assert json.loads(tiny().encode()) == {**tiny().body(), "id": tiny().id}
    assert tiny().encode() == canonical_json({**tiny().body(), "id": tiny().id})


def test_prices_parameters_and_domain_change_the_id() -> None:
    others = {
        Snapshot.build(tiny_market(mark=Decimal("0.051")), domain=64).id,
        Snapshot.build(tiny_market(), domain=128).id,
        Snapshot.build(tiny_market(), Parameters(default_haircut=Parameters().haircut("BTC")), domain=64).id,
        tiny().id,
    }
    assert len(others) == 4
    assert Snapshot.build(tiny_market(), domain=64).id == tiny().id


def test_money_is_exact_at_the_lot() -> None:
    assert tiny().money_decimals == 14
    assert tiny().tick == 10**8
    for instrument, scale in zip(tiny().universe.instruments, tiny().scale, strict=True):
        exponent = instrument.lot_exponent - instrument.contract_exponent - tiny().quantum_decimals
        assert Decimal(scale).scaleb(-tiny().money_decimals) == Decimal(1).scaleb(exponent)


def test_marks() -> None:
    marks = dict(zip((i.name for i in tiny().universe.instruments), tiny().marks.tolist(), strict=True))
    assert marks["USD"] == 10**6
    assert marks["BTC"] == 50000 * 10**6
    assert marks["BTC_USD-PERPETUAL"] == 50010 * 10**6
    assert marks["BTC-PERPETUAL"] == -round(50000 / 50010 * 1e10)
    assert marks["BTC-31JAN26-K-C"] == 2500 * 10**6 == marks["BTC_USD-31JAN26-K-C"]


def test_a_file_gives_the_snapshot_again(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    example().dump(path)
    again = Snapshot.load(path)
    assert again.body() == example().body()
    assert again.id == example().id
    assert again.scale == example().scale
    assert isinstance(again.models["grid"], GridTables)
    assert isinstance(again.models["cross"], RateTables)
    again.reproduce()
    path.write_bytes(path.read_bytes() + b"\n")
    assert Snapshot.load(path).id == again.id


def reload(tmp_path: Path, change: Callable[[dict[str, Any]], object], *, again: bool = True) -> Snapshot:
    """Load the tiny snapshot after a change to its document, its id made right again or left."""
    document = json.loads(tiny().encode())
    change(document)
    if again:
        document["id"] = digest({key: value for key, value in document.items() if key != "id"})
    path = tmp_path / "changed.json"
    path.write_bytes(canonical_json(document))
    return Snapshot.load(path)


def put(*path: str | int, value: Any) -> Callable[[dict[str, Any]], object]:
    def change(document: dict[str, Any]) -> None:
        target: Any = document
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        put("marks", 0, value=1),
        put("valuation_time", value=1),
        put("inputs", "source", value="elsewhere"),
        put("models", "grid", "risk", 3, 2, value=5),
        put("universe", "domain", value=128),
    ],
)
def test_any_change_breaks_the_id(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(InputError, match=r"changed.json: id: .*the file was changed"):
        reload(tmp_path, change, again=False)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put("version", value=2), "version"),
        (put("quantum_decimals", value=7), "quantum_decimals"),
        (put("extra", value=1), "extra: .*unknown key"),
        (lambda d: d.pop("marks"), "marks: missing"),
        (put("marks", 0, value=True), "marks.0"),
        (put("marks", 0, value="1"), "marks.0"),
        (put("marks", 0, value=1 << 63), "marks.0"),
        (put("marks", value=[1]), "marks: 1 entries"),
        (put("models", value={}), "known models"),
        (lambda d: d["models"].update(wild=d["models"]["cross"]), "known models"),
        (lambda d: d["models"].update(grid=d["models"]["cross"]), "cells: missing"),
        (put("models", "grid", "shape", value="tree"), "shape: 'tree': unknown key"),
        (put("models", "grid", "risk", value=[[1]]), "risk: 1 entries"),
        (put("models", "grid", "risk", 0, value=[1]), "different lengths"),
        (put("models", "grid", "unit_of", 1, value=7), "names a unit"),
        (put("models", "grid", "perpetuals", 0, "slot", value=99), "the universe has"),
        (put("models", "grid", "perpetuals", 0, "charge", "initial", value=-1), "charge.initial"),
        (put("models", "grid", "strikes", 0, "slots", value=[]), "slots"),
        (put("models", "grid", "collaterals", 0, "charge", "initial", value=[1]), "charge of BTC"),
        (put("models", "grid", "loss_factor", "initial", value=[1, 0]), "loss_factor.initial.1"),
        (put("models", "cross", "short", "initial", 3, value=-1), "short.initial.3"),
        (put("models", "cross", "long", "initial", value=[1]), "rates: 1 entries"),
        (put("universe", "instruments", 3, "bound", value=0), "bound"),
        (put("universe", "instruments", 9, "bound", value=(1 << 62) - 1), r"instrument BTC.*2\^115"),
        (put("universe", "instruments", 3, "lot_exponent", value=-18), "10.15 times the finest"),
        (put("universe", "domain", value=65), "domain"),
        (put("inputs", "quotes", value=[]), "inputs.quotes"),
        (put("inputs", "quotes", 3, value=["1"]), "inputs.quotes.3"),
        (put("inputs", "quotes", 2, 0, value=None), "price"),
        (put("inputs", "quotes", 2, 0, value="1.50"), r"write 1\.5"),
        (put("inputs", "quotes", 2, 0, value="-1"), "price"),
        (put("inputs", "quotes", 2, 1, value="0.5"), "only options"),
        (put("inputs", "quotes", -1, 1, value="0"), "volatility"),
        (put("inputs", "quotes", -1, 2, value="NaN"), "forward"),
        (put("inputs", "quotes", 1, 0, value="1"), "priced at its index"),
        (put("inputs", "indices", value={}), "inputs.indices"),
        (put("inputs", "indices", "ETH", value="1"), "inputs.indices"),
        (put("valuation_time", value=1 << 60), "expired"),
        (put("parameters", "grid", "tail_damping", value="2"), "grid.tail_damping"),
        (put("parameters", "grid", "tail_damping", value="0.20"), "the file was changed"),
        (put("id", value=1), "id"),
    ],
)
def test_a_wrong_document_is_refused_even_with_a_right_id(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        reload(tmp_path, change, again=reason != "id")


def test_a_universe_without_the_balance_of_a_settlement_is_refused(tmp_path: Path) -> None:
    def drop_cash(document: dict[str, Any]) -> None:
        document["universe"]["instruments"][0].update(name="CASH")

    with pytest.raises(InputError, match="the universe lacks this balance"):
        reload(tmp_path, drop_cash)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"id":"x"}', b"\xff\xfe", b"null", b'{"marks":[NaN]}', b"[" * 5000]
)
def test_bytes_that_are_no_snapshot(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(InputError, match=r"x.json"):
        Snapshot.load(tmp_path / "x.json")


def test_another_encoding_of_the_same_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pretty.json"
    path.write_text(json.dumps(json.loads(tiny().encode()), indent=1))
    with pytest.raises(InputError, match="canonical JSON"):
        Snapshot.load(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put("marks", 3, value=12345), "mark: 'BTC_USD-PERPETUAL'"),
        (put("models", "grid", "risk", 0, 1, value=0), "model: 'grid'"),
        (put("models", "cross", "short", "initial", 3, value=0), "model: 'cross'"),
        (put("parameters", "grid", "tail_damping", value="0.3"), "model: 'grid'"),
    ],
)
def test_tables_that_do_not_follow_are_found(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    changed = reload(tmp_path, change)
    with pytest.raises(InputError, match=reason):
        changed.reproduce()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    for path in (tmp_path / "absent/x.json", tmp_path):
        with pytest.raises(InputError):
            tiny().dump(path)
    assert list(tmp_path.iterdir()) == []


def test_dumping_replaces_the_old_file_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("old")
    tiny().dump(path)
    assert path.read_bytes() == tiny().encode()
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.json"]


def test_numbers_too_large_for_the_tables_name_the_instrument() -> None:
    huge = parse_parameters({"grid": {"spot_shocks": ["10"]}}, "x")
    with pytest.raises(InputError, match="instrument BTC"):
        Snapshot.build(tiny_market(perpetual=Decimal("1e-9"), index=Decimal("1e9")), huge, domain=64)


@pytest.mark.parametrize(
    ("name", "exponent", "field"),
    [
        ("BTC_USD-PERPETUAL", 9, "mark"),
        ("BTC_USD-PERPETUAL", 8, "risk"),
        ("BTC_USD-31JAN26-K-C", 8, "valuation"),
    ],
)
def test_contracts_too_large_for_the_tables_are_named(name: str, exponent: int, field: str) -> None:
    market = tiny_market()
    changed = [replace(i, contract_exponent=exponent) if i.name == name else i for i in market.instruments]
    wild = parse_parameters({"grid": {"spot_shocks": ["9"]}}, "wild")
    with pytest.raises(InputError, match=f"instrument {name}: {field}"):
        Snapshot.build(replace(market, instruments=tuple(changed)), wild, domain=64)


def test_models_are_found_by_being_there() -> None:
    assert set(MODELS) >= {"grid", "isolated", "cross"}
    assert {"grid", "isolated", "cross"} <= set(tiny().models) <= set(MODELS)


def test_tables_are_integers_of_64_bits() -> None:
    grid = tiny().models["grid"]
    assert isinstance(grid, GridTables)
    assert grid.risk.dtype == np.int64
    assert grid.risk.shape == (33, len(tiny().universe))
