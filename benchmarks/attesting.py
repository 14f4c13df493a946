"""Attesting to a book of 100,000 accounts of 20 positions, and what one attestation and one submission cost."""

from __future__ import annotations

import resource
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from benchmarks.market import recorded_market
from benchmarks.measure import seconds
from zkmargin.algebra import ceremony, get_backend
from zkmargin.attestation import SigningDomain, SigningKey, SubmissionTerms
from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import prove_submission
from zkmargin.venue import Account, Moment, Register, Venue, attest, attest_book
from zkmargin.verifier import Expected, Policy, prepare_submission, verify_submission

ACCOUNTS, POSITIONS = 100_000, 20


def book() -> dict[str, Any]:
    """A whole book of the recorded market's universe, n = 2048, from Parquet to parts on disk."""
    venue = _venue(Snapshot.build(recorded_market()))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.parquet"
        pa_parquet.write_table(_positions(venue.snapshot), path)
        before, started = _processor_seconds(), time.perf_counter()
        register = Register(Path(folder) / "register.db")
        made = attest_book(venue, path, Path(folder) / "out", Moment.lasting(3600), register)
        elapsed = time.perf_counter() - started
    return {
        "accounts": made.accounts,
        "seconds": elapsed,
        "processor_s": _processor_seconds() - before,
    }


def portfolio() -> dict[str, Any]:
    """Two venues on the recorded market: attesting once, proving the sum, checking all but the proof, and all."""
    snapshot = Snapshot.build(recorded_market())
    trader = SigningKey.generate()
    venues = [_venue(snapshot, name) for name in ("alpha", "beta")]
    held = Holdings.of([Position("USD", Decimal(500_000)), Position("BTC", Decimal(3))], snapshot)
    now = snapshot.valuation_time // 10**6
    moment, account = Moment.lasting(3600, now), Account("alice", trader.address)
    with tempfile.TemporaryDirectory() as folder:
        registers = [Register(Path(folder) / f"{venue.name}.db") for venue in venues]
        made = [attest(v, account, held, moment, r) for v, r in zip(venues, registers, strict=True)]
        one = seconds(lambda: attest(venues[0], account, held, moment, registers[0]), 100)
    accounts = [(each.attestation, each.opening.opening(snapshot.universe, "opening")) for each in made]
    terms = SubmissionTerms("grid", "initial", 10**11, 10**11, "lender", "n", now + 600)
    setup = venues[0].setup
    submission = prove_submission(accounts, snapshot, terms, trader, setup)
    policy = Policy.accept(
        {
            "audience": "lender",
            "chain_id": 1,
            "verifying_contract": venues[0].domain.verifying_contract,
            "venues": {venue.name: {"keys": [venue.key.address]} for venue in venues},
            "models": {"grid": {}},
        },
        "policy",
    )
    expected = Expected("n", 0, {})
    relation = prepare_submission(submission, snapshot, policy, setup, expected, now=now).items[0][0].relation
    checks = {"now": now, "relation_of": lambda *_: relation}
    arguments = (submission, snapshot, policy, setup, expected)
    return {
        "attest_ms": 1e3 * one,
        "prove_ms": 1e3 * seconds(lambda: prove_submission(accounts, snapshot, terms, trader, setup), 5),
        "policy_ms": 1e3 * seconds(lambda: prepare_submission(*arguments, **checks), 50),  # type: ignore[arg-type]
        "verify_ms": 1e3 * seconds(lambda: verify_submission(*arguments, **checks), 20),  # type: ignore[arg-type]
    }


def _venue(snapshot: Snapshot, name: str = "alpha") -> Venue:
    domain = SigningDomain(1, SigningKey(bytes(31) + b"\x01").address)
    return Venue(name, SigningKey.generate(), domain, ceremony(get_backend()), snapshot)


def _positions(snapshot: Snapshot) -> pa.Table:
    """USD and nineteen other instruments of each account, in whole lots."""
    drawn = np.random.default_rng(11)
    instruments = [instrument for instrument in snapshot.universe.instruments if instrument.name != "USD"]
    subjects = [SigningKey.generate().address for _ in range(100)]
    columns: dict[str, list[str]] = {"account": [], "subject": [], "instrument": [], "quantity": []}
    for number in range(ACCOUNTS):
        chosen = drawn.choice(len(instruments), POSITIONS - 1, replace=False).tolist()
        lots = drawn.integers(-500, 501, POSITIONS - 1).tolist()
        columns["account"] += [f"account-{number:06d}"] * POSITIONS
        columns["subject"] += [subjects[number % len(subjects)]] * POSITIONS
        columns["instrument"] += ["USD", *(instruments[slot].name for slot in chosen)]
        columns["quantity"] += [
            str(10_000 + number),
            *(canonical_decimal(n * instruments[slot].lot) for n, slot in zip(lots, chosen, strict=True)),
        ]
    return pa.table(columns)


def _processor_seconds() -> float:
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
