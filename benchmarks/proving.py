"""Proving and verifying: two synthetic relations of 64-bit rows, and the recorded market's grid."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.market import recorded_market
from benchmarks.measure import peak_megabytes, seconds
from zkmargin.algebra import get_backend
from zkmargin.algebra.setup import Setup, ceremony
from zkmargin.circuits import CommitmentTerm, Statement
from zkmargin.circuits.builder import RelationBuilder
from zkmargin.circuits.relation import Relation
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.market.example import example_market
from zkmargin.margin.parameters.document import Parameters, preset
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import Opening, commit, prove, random_blinder
from zkmargin.verifier import verify, verify_batch

BATCH = 64


def rows_of_64_bits(domain: int, count: int) -> Relation:
    """`count` rows that show that a holding lies within 64 bits."""
    builder = RelationBuilder(domain)
    for slot in range(count):
        builder.ranged(f"holding {slot}", slot, (1 << 63) - 1)
    return builder.build()


def small() -> dict[str, Any]:
    """(a) n = 256, 32 rows of 64 bits: one limb column."""
    return _synthetic(256, 32)


def large() -> dict[str, Any]:
    """(b) n = 2048, 341 rows of 64 bits: one limb column."""
    return _synthetic(2048, 341)


def market() -> dict[str, Any]:
    """(c) the recorded market, whole grid: all options, futures and perpetuals, every quantity's bound proven."""
    snapshot = Snapshot.build(recorded_market(), Parameters())
    lots = [0] * len(snapshot.universe)
    drawn = random.Random(7)
    for slot in drawn.sample(range(3, len(lots)), 30):
        lots[slot] = drawn.randint(-50, 50)
    lots[0] = 1_000_000 * 10**6

    return _case(snapshot.universe.domain, tuple(lots), _excess(snapshot, lots))


def pmrm2() -> dict[str, Any]:
    """(d) eighty options of the example market over eight expiries under the rules of PMRM 2, both coins hedged."""
    snapshot = Snapshot.build(example_market(), preset("pmrm2"), domain=1024)
    instruments = snapshot.universe.instruments
    drawn, lots = random.Random(7), [0] * len(instruments)
    options = [slot for slot, instrument in enumerate(instruments) if instrument.kind == "option"]
    for slot in drawn.sample(options, 80):
        lots[slot] = drawn.randint(-50, 50)
    lots[0] = 1_000_000 * 10**6

    margined = {"requirement_ms": 1000 * seconds(lambda: requirement(snapshot, lots), 25)}
    return margined | _case(snapshot.universe.domain, tuple(lots), _excess(snapshot, lots))


def _excess(snapshot: Snapshot, lots: Sequence[int]) -> Callable[[bytes], Statement]:
    """The statement that an account has just the excess that it has, about its commitment."""
    excess = requirement(snapshot, lots).excess_ticks

    def state(point: bytes) -> Statement:
        return Statement.about(
            snapshot, (CommitmentTerm(point),), audience="bench", nonce="1", threshold=excess
        )

    return state


def _synthetic(domain: int, count: int) -> dict[str, Any]:
    relation = rows_of_64_bits(domain, count)
    drawn = random.Random(7)
    lots = tuple(drawn.randrange(-(1 << 62), 1 << 62) for _ in range(count))

    def state(point: bytes) -> Statement:
        return Statement(
            relation, "00" * 32, "00" * 32, "rows", "initial", 0, (CommitmentTerm(point),), "bench", "1"
        )

    return _case(domain, lots, state)


def _case(domain: int, lots: tuple[int, ...], state: Callable[[bytes], Statement]) -> dict[str, Any]:
    setup = ceremony(get_backend())
    opening = Opening(lots, random_blinder())
    point = setup.backend.encode(commit(setup, domain, lots, opening.blinder))
    statement = state(point)
    proof = prove(statement, [opening], setup)
    return {
        "rows": len(statement.relation.rows),
        "limb_columns": statement.relation.limb_columns,
        "nonzeros": statement.relation.nonzeros,
        "prove_ms": 1000 * seconds(lambda: prove(statement, [opening], setup)),
        "verify_ms": 1000 * seconds(lambda: verify(statement, proof, setup), 15),
        "verify_in_batch_ms": 1000 * _in_batch(statement, opening, setup),
        "proof_bytes": len(proof.to_bytes()),
        "peak_mb": peak_megabytes(),
    }


def _in_batch(statement: Statement, opening: Opening, setup: Setup) -> float:
    """Seconds for each proof in a batch of different proofs for different nonces."""
    statements = [replace(statement, nonce=str(i)) for i in range(BATCH)]
    items = [(each, prove(each, [opening], setup)) for each in statements]
    return seconds(lambda: verify_batch(items, setup), 3) / BATCH
