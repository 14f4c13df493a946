"""The tables of joint scenarios: against formulas in floating point, on both kernels, and in a snapshot file."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from math import erf, log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.margin.accounts import tiny_market
from tests.margin.joint import DRAWN, ONE_COIN, built, drawn_example, falling, joint, year
from zkmargin.circuits import build_relation
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.history import BILLION, PriceHistory
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.scenarios.tables import JointTables
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.schema import adapter, encode_tables

FILTERED: dict[str, Any] = {"filter_lambda": "0.94", "horizon": 2, "cells": 20}


def black76(forward: float, strike: float, vol: float, years: float, call: bool) -> float:
    """Undiscounted, in floating point."""
    s = vol * sqrt(years)
    d1 = log(forward / strike) / s + s / 2
    value = forward * (1 + erf(d1 / sqrt(2))) / 2 - strike * (1 + erf((d1 - s) / sqrt(2))) / 2
    return value if call else value - (forward - strike)


@pytest.mark.parametrize("response", [0.0, 1.5])
def test_entries_are_what_the_formula_gives(response: float) -> None:
    snapshot = built(ONE_COIN | {"volatility_response": str(response)})
    tables = joint(snapshot)
    for slot, (instrument, quote) in enumerate(
        zip(snapshot.universe.instruments, snapshot.inputs.quotes, strict=True)
    ):
        size = 10**instrument.contract_exponent * 10**6
        for entry, move in zip(tables.risk[:, slot].tolist(), tables.moves[:, 0].tolist(), strict=True):
            x = move / BILLION
            if instrument.kind != "option":
                moving = instrument.underlying != "USD" and not instrument.inverse
                change = float(quote.price) * x if moving else 0.0
            else:
                forward, strike, vol = (
                    float(n or 0) for n in (quote.forward, instrument.strike, quote.volatility)
                )
                years = ((instrument.expiry or 0) - snapshot.valuation_time) / (365 * 86400e6)
                call = bool(instrument.call)
                after = black76(forward * (1 + x), strike, vol * (1 + response * abs(x)), years, call)
                change = after - black76(forward, strike, vol, years, call)
                change *= float(snapshot.inputs.indices["BTC"]) / forward if instrument.inverse else 1.0
            assert entry == pytest.approx(change * size, rel=1e-9, abs=0.6)


def test_both_kernels_give_the_same_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = {"es": FILTERED, "var": ONE_COIN | {"volatility_response": "1", "cells": 5}}
    history = PriceHistory(year().first, {"BTC": year().prices["BTC"]})

    def made() -> str:
        parameters = parse_parameters(sections, "test")
        return Snapshot.build(tiny_market(), parameters, domain=64, history=history).id

    found = made()
    monkeypatch.setenv("ZKMARGIN_BACKEND", "reference")
    assert made() == found


def test_a_snapshot_travels_with_its_history_and_is_reproduced(tmp_path: Path) -> None:
    snapshot = built(FILTERED, history=year())
    path = tmp_path / "snapshot.json"
    snapshot.dump(path)
    loaded = Snapshot.load(path)
    assert loaded.id == snapshot.id
    assert loaded.inputs.history == PriceHistory(year().first, {"BTC": year().prices["BTC"]})
    loaded.reproduce()
    assert (joint(loaded).risk == joint(snapshot).risk).all()
    wrong = joint(loaded).risk.copy()
    wrong[3, 2] += 1
    forged = replace(loaded, models={**loaded.models, "es": replace(joint(loaded), risk=wrong)})
    with pytest.raises(InputError, match="model: 'es': does not follow from the prices and parameters"):
        forged.reproduce()


def test_only_what_is_known_at_the_valuation_is_kept() -> None:
    # The tiny market is valued on 2026-01-01; the history goes on.
    history = falling(days=800, first=date(2024, 6, 1))
    snapshot = built({}, history=history)
    assert snapshot.inputs.history is not None
    assert snapshot.inputs.history.days == 579
    assert joint(snapshot).labels[-1] == "2025-12-30 to 2025-12-31"


def test_a_history_alone_brings_both_models_with_their_defaults() -> None:
    snapshot = Snapshot.build(tiny_market(), domain=64, history=year())
    assert joint(snapshot, "es").confidence == {"initial": (39, 40), "maintenance": (19, 20)}
    assert joint(snapshot, "var").confidence == {"initial": (99, 100), "maintenance": (39, 40)}
    assert len(joint(snapshot).labels) == 419


@pytest.mark.parametrize("model", ["es", "var"])
def test_a_snapshot_without_either_says_how_to_build_one(model: str) -> None:
    snapshot = Snapshot.build(tiny_market(), domain=64)
    lots = [0] * len(snapshot.universe)
    for ask in (
        lambda: requirement(snapshot, lots, model=model),
        lambda: build_relation(snapshot, model=model),
    ):
        with pytest.raises(
            InputError, match=f"model: '{model}': the snapshot has .*--history FILE.*source = drawn"
        ):
            ask()


def test_a_section_without_its_source_is_refused() -> None:
    with pytest.raises(
        InputError, match="parameters, es: source: 'history': the snapshot has no price history"
    ):
        built({"cells": 5})
    with pytest.raises(InputError, match="coin: 'BTC': no column of the history has this name: SOL"):
        built({}, history=PriceHistory(year().first, {"SOL": ("1",) * 400}))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "eight"},
        {"cells": 39},
        {"volatilities": ["0.51"]},
        {"confidence": "0.97"},
        {"horizon": 2},
        {"volatility_response": "0.1"},
        {"perpetual": {"initial": "0.02", "maintenance": "0.01"}},
        {"naked_short": {"initial": "0.02", "maintenance": "0.01"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_parameter_changes_the_relation(change: dict[str, Any]) -> None:
    one, other = built(ONE_COIN), built(ONE_COIN | change)
    assert one.id != other.id
    digests = {build_relation(s, model="es").digest for s in (one, other)}
    assert len(digests) == 2


def test_a_day_of_the_history_and_the_filter_change_the_relation() -> None:
    prices = list(year().prices["BTC"])
    prices[405] = "51000"
    changed = PriceHistory(year().first, {"BTC": tuple(prices)})
    made = [built({}, history=h) for h in (year(), changed)]
    made += [built({"filter_lambda": decay}, history=year()) for decay in ("0.9", "0.94")]
    assert len({build_relation(s, model="es").digest for s in made}) == 4


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 5),
    st.lists(
        st.one_of(st.integers(-300, 300), st.sampled_from([(1 << 63) - 1, -(1 << 63), 127, -128, 128, -129])),
        min_size=1,
        max_size=20,
    ),
)
def test_packed_matrices_travel(columns: int, entries: list[int]) -> None:
    rows = [entries[k : k + columns] for k in range(0, len(entries) - columns + 1, columns)]
    if not rows:
        return
    tables = replace(joint(drawn_example()), risk=np.array(rows, np.int64))
    document = encode_tables(tables)
    read: JointTables = adapter(JointTables).validate_json(json.dumps(document))
    assert read.risk.tolist() == rows
    widest = max(max(entry, ~entry) for row in rows for entry in row).bit_length() + 1
    assert document["risk"]["bytes"] == -(-widest // 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": "AA=A"}, "is not base64"),
        ({"data": "ä"}, "is not base64"),
        ({"data": ""}, "does not hold rows"),
        ({"data": "AAAA"}, "does not hold rows"),
        ({"columns": 0}, "at least 1"),
        ({"bytes": 9}, "at most 8"),
        ({"rows": 3}, "unknown key"),
    ],
)
def test_a_spoilt_matrix_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    refuse(tmp_path, lambda tables: tables["risk"].update(change), message)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda tables: tables["labels"].pop(), "moves: 40 entries: must have 39"),
        (lambda tables: tables.update(labels=[]), "labels"),
        (
            lambda tables: tables.update(confidence={"initial": [1, 1], "maintenance": [1, 2]}),
            "strictly between",
        ),
        (
            lambda tables: tables.update(confidence={"initial": [0, 1], "maintenance": [1, 2]}),
            "strictly between",
        ),
        (lambda tables: tables["units"].append("SOL"), "moves: 1 entries: must have 2"),
        (lambda tables: tables["collaterals"][0].update(slots=[99, 99, 99]), "slot: 99"),
    ],
)
def test_spoilt_tables_are_refused(tmp_path: Path, spoil: Any, message: str) -> None:
    refuse(tmp_path, spoil, message)


def refuse(tmp_path: Path, spoil: Any, message: str) -> None:
    document = json.loads(built(ONE_COIN).encode())
    spoil(document["models"]["es"])
    path = tmp_path / "snapshot.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError) as refused:
        Snapshot.load(path)
    assert message in str(refused.value)
    assert "model es" in str(refused.value)


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({"first": "2025-06-01", "prices": {"SOL": ["1"]}}, "must be of the instruments' underlyings"),
        ({"first": "2026-01-01", "prices": {"BTC": ["1"]}}, "'2026-01-01': is not before the valuation"),
        ({"first": "2025-06-01", "prices": {"BTC": ["0"]}}, "must be a canonical price"),
        ({"first": "2025-06-01"}, "inputs.history.prices: missing"),
    ],
)
def test_a_spoilt_history_is_refused(tmp_path: Path, history: dict[str, Any], message: str) -> None:
    document = json.loads(built(ONE_COIN).encode())
    document["inputs"]["history"] = history
    path = tmp_path / "snapshot.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError) as refused:
        Snapshot.load(path)
    assert message in str(refused.value)


def test_a_value_too_large_for_the_tables_names_the_instrument() -> None:
    wild = ONE_COIN | {"volatilities": ["10"], "horizon": 3}
    market = tiny_market(index=Decimal("1e9"), perpetual=Decimal("1e9"), future=Decimal("1e9"))
    parameters = parse_parameters({"es": wild}, "test")
    with pytest.raises(InputError, match="instrument BTC"):
        Snapshot.build(market, parameters, domain=64, quantum_decimals=9, only=["es"])


def test_haircuts_and_contingencies_are_as_the_section_says() -> None:
    rates = {"initial": "0.02", "maintenance": "0.01"}
    tables = joint(built(ONE_COIN | {"perpetual": rates, "naked_short": rates}))
    assert [len(tables.perpetuals), len(tables.strikes), len(tables.collaterals)] == [2, 2, 1]
    assert tables.strikes[0].charge == {"initial": 1000 * 10**6, "maintenance": 500 * 10**6}
    plain = joint(built(DRAWN))
    assert [len(plain.perpetuals), len(plain.strikes), len(plain.collaterals)] == [0, 0, 1]
