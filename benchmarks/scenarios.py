"""Expected shortfall over many joint scenarios, and portfolios of 100 positions."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from typing import Any

from benchmarks.market import recorded_market
from benchmarks.measure import peak_megabytes, seconds
from zkmargin.algebra import get_backend
from zkmargin.algebra.setup import ceremony
from zkmargin.argument.rows import check_rows, commit_rows
from zkmargin.circuits import CommitmentTerm, Statement
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.market.example import example_market
from zkmargin.margin.market.quotes import Market
from zkmargin.margin.parameters.document import Parameters, parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import Opening, commit, prove, random_blinder
from zkmargin.verifier import verify

INSTRUMENTS, CELLS = 200, 10_000
DRAWN = {
    "source": "drawn",
    "coins": ["BTC", "ETH"],
    "volatilities": ["0.5", "0.7"],
    "correlation": [["1", "0.8"], ["0.8", "1"]],
    "seed": "7",
    "cells": CELLS,
}


def shortfall() -> dict[str, Any]:
    """10,000 joint cells over 200 instruments of the recorded market, directly and over committed rows."""
    market = _thinned(recorded_market(), INSTRUMENTS)
    snapshot = Snapshot.build(market, parse_parameters({"es": DRAWN}, "bench"), domain=2048, only=["es"])
    lots = _account(snapshot, INSTRUMENTS)
    setup = ceremony(get_backend())
    opening = Opening(lots, random_blinder())
    term = CommitmentTerm(setup.backend.encode(commit(setup, 2048, lots, opening.blinder)))
    excess = requirement(snapshot, lots, model="es").excess_ticks
    direct = Statement.about(snapshot, (term,), audience="bench", nonce="1", model="es", threshold=excess)
    rows = commit_rows(setup, direct.relation)
    committed = replace(direct, rows=rows)
    proofs = [prove(statement, [opening], setup) for statement in (direct, committed)]
    return {
        "rows": len(direct.relation.rows),
        "limb_columns": direct.relation.limb_columns,
        "nonzeros": direct.relation.nonzeros,
        "requirement_ms": 1000 * seconds(lambda: requirement(snapshot, lots, model="es")),
        "prove_ms": 1000 * seconds(lambda: prove(direct, [opening], setup), 3),
        "verify_ms": 1000 * seconds(lambda: verify(direct, proofs[0], setup)),
        "prove_over_rows_ms": 1000 * seconds(lambda: prove(committed, [opening], setup), 3),
        "verify_over_rows_ms": 1000 * seconds(lambda: verify(committed, proofs[1], setup)),
        "check_rows_ms": 1000 * seconds(lambda: check_rows(setup, direct.relation, rows), 3),
        "proof_bytes": len(proofs[0].to_bytes()),
        "peak_mb": peak_megabytes(),
    }


def hundred_positions() -> dict[str, Any]:
    """The requirement of 100 positions of the example market, by model."""
    snapshot = Snapshot.build(example_market(), Parameters())
    lots = _account(snapshot, 100)
    return {
        f"{model}_ms": 1000 * seconds(partial(requirement, snapshot, lots, model=model), 25)
        for model in snapshot.models
    }


def _thinned(market: Market, count: int) -> Market:
    """Balances and contracts without strikes, and options spread over the whole chain."""
    slots = range(len(market.instruments))
    kept = [slot for slot in slots if market.instruments[slot].kind != "option"]
    options = [slot for slot in slots if market.instruments[slot].kind == "option"]
    wanted = count - len(kept)
    kept = sorted(kept + [options[k * len(options) // wanted] for k in range(wanted)])
    quotes = tuple(market.inputs.quotes[slot] for slot in kept)
    instruments = tuple(market.instruments[slot] for slot in kept)
    return replace(market, instruments=instruments, inputs=replace(market.inputs, quotes=quotes))


def _account(snapshot: Snapshot, positions: int) -> tuple[int, ...]:
    drawn, lots = random.Random(7), [0] * len(snapshot.universe)
    for slot in drawn.sample(range(1, len(lots)), positions - 1):
        lots[slot] = drawn.randint(-300, 300)
    lots[0] = 100_000_000 * 10**6
    return tuple(lots)
