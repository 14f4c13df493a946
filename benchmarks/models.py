"""Every margin model on one account: rows, limb columns, time to prove and to verify, bytes of the proof.

`python -m benchmarks.models` prints the figures as rows of the table in docs/models/README.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.measure import seconds
from zkmargin.algebra import get_backend
from zkmargin.algebra.setup import Setup, ceremony
from zkmargin.circuits import CommitmentTerm, Statement
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.market import example_market
from zkmargin.margin.market.quotes import Listing, Market, assemble, security_option, share
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.prover import Opening, commit, prove, random_blinder
from zkmargin.verifier import verify

ACCOUNT = Path(__file__).parent.parent / "examples" / "holdings.csv"
NOW, DAY = 1_767_254_400_000_000, 86_400_000_000
CELLS = 1000

_MATRIX: dict[str, Any] = {
    "coins": ["BTC", "ETH"],
    "volatilities": ["0.5", "0.7"],
    "correlation": [["1", "0.8"], ["0.8", "1"]],
}
_DRAWN = {**_MATRIX, "source": "drawn", "seed": "models", "cells": CELLS}
SECTIONS: dict[str, Any] = {
    "es": _DRAWN,
    "var": _DRAWN,
    "correlation": {**_MATRIX, "source": "given", "stressed_correlation": [["1", "0.3"], ["0.3", "1"]]},
    "tiered": {"threshold": "100000"},
}
VENUES = (
    ("srm", "isolated, SRM", "isolated"),
    ("pmrm1", "grid, PMRM", "grid"),
    ("pmrm2", "grid, PMRM 2", "grid"),
)
"""Rules of venues: the section, the title, and the model in which they stand."""


@dataclass(frozen=True)
class Case:
    """One model on one account."""

    title: str
    model: str
    snapshot: Snapshot
    lots: tuple[int, ...]


@dataclass(frozen=True)
class Figures:
    """What one case takes; times are medians."""

    rows: int
    columns: int
    squares: int
    requirement_ms: float
    prove_ms: float
    verify_ms: float
    proof_bytes: int


def cases() -> Iterator[Case]:
    """All models: those of coins on the example market, TIMS on options of five invented shares."""
    market = example_market()
    snapshot = Snapshot.build(market, parse_parameters(SECTIONS, "benchmark"))
    lots = tuple(Holdings.read(ACCOUNT, snapshot).vector(snapshot))
    for model in snapshot.models:
        yield Case(model, model, snapshot, lots)
    for section, title, model in VENUES:
        venue = Snapshot.build(market, parse_parameters({section: {}}, "benchmark"))
        yield Case(title, model, venue, lots)
    shares = Snapshot.build(share_market(), parse_parameters({"tims": {}}, "benchmark"))
    sizes = tuple((-1) ** slot * (5 + slot % 7) for slot in range(1, len(shares.universe)))
    yield Case("tims", "tims", shares, (10**13, *sizes))


def share_market() -> Market:
    """Five shares of 100 USD with twenty options on each."""
    listings: list[Listing] = []
    names = [f"SHARE{number}" for number in range(1, 6)]
    for name in names:
        listings.append(Listing(share(name, "equity"), Decimal(100), "benchmark"))
        for number in range(20):
            option = security_option(
                f"{name}-{number}",
                name,
                "equity",
                expiry=NOW + 30 * DAY,
                strike=Decimal(80 + 4 * (number // 2)),
                call=number % 2 == 0,
                multiplier=100,
            )
            vol, rate = Decimal("0.3"), Decimal("0.04")
            listings.append(Listing(option, Decimal(5), "benchmark", vol, Decimal(100), rate))
    return assemble("invented", NOW, dict.fromkeys(names, Decimal(100)), listings)


def measured(case: Case, setup: Setup) -> Figures:
    """Prove what the account just has, and verify it."""
    snapshot, lots = case.snapshot, list(case.lots)
    found = requirement(snapshot, lots, model=case.model)
    opening = Opening(case.lots, random_blinder())
    point = setup.backend.encode(commit(setup, snapshot.universe.domain, lots, opening.blinder))
    statement = Statement.about(
        snapshot,
        (CommitmentTerm(point),),
        audience="bench",
        nonce="1",
        model=case.model,
        threshold=found.excess_ticks,
    )
    proof = prove(statement, [opening], setup)
    verify(statement, proof, setup)
    relation = statement.relation
    return Figures(
        len(relation.rows),
        relation.limb_columns,
        relation.squares,
        1000 * seconds(lambda: requirement(snapshot, lots, model=case.model)),
        1000 * seconds(lambda: prove(statement, [opening], setup)),
        1000 * seconds(lambda: verify(statement, proof, setup), 9),
        len(proof.to_bytes()),
    )


def main() -> None:
    """Print one row for each model."""
    setup = ceremony(get_backend())
    titles = ("model", "instruments", "n", "rows", "limb columns", "squares", "requirement, ms", "proof, ms")
    print(f"| {' | '.join((*titles, 'verified, ms', 'bytes'))} |")
    print("|---|" + "---:|" * 9)
    for case in cases():
        f = measured(case, setup)
        universe = case.snapshot.universe
        print(
            f"| {case.title} | {len(universe)} | {universe.domain} | {f.rows:,} | {f.columns} | {f.squares} "
            f"| {f.requirement_ms:.1f} | {f.prove_ms:,.0f} | {f.verify_ms:.1f} | {f.proof_bytes:,} |"
        )


if __name__ == "__main__":
    main()
