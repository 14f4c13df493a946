"""Valid proofs under every margin model, at both levels, each at the edge of what the account has.

The markets are small and invented. A proof that is good for the excess is refused for one tick more, which the
statement alone decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.argument.toys import drawn
from tests.margin import coins, joint, securities, span_cases
from tests.margin.accounts import tiny_market
from vectors.make.files import VectorFile
from vectors.make.proofs import Shared, fixed_proof, intermediate, setup
from zkmargin.argument.rows import commit_rows
from zkmargin.circuits import CommitmentTerm, Statement, build_relation
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level
from zkmargin.prover import Opening, commit

NOTES = {
    "Model": "A statement about an account under a model, at its excess.",
    "CommittedRows": "The same in committed mode.",
    "TickMore": "The same proof, and a threshold that is a tick beyond what the account has.",
}

Made = tuple[Snapshot, str]
"""A snapshot and a model that it carries."""


def _snapshot(sections: Mapping[str, Any], domain: int) -> Snapshot:
    return Snapshot.build(tiny_market(), parse_parameters(dict(sections), "vectors"), domain=domain)


def _securities() -> Snapshot:
    ladder = securities._ladder("ACME", "equity", 100, 4, future=True)
    return securities.snapshot(securities.market(ladder))


MODELS: dict[str, Callable[[], Made]] = {
    "isolated": lambda: (_snapshot({}, 64), "isolated"),
    "cross": lambda: (_snapshot({}, 64), "cross"),
    "grid": lambda: (_snapshot({}, 256), "grid"),
    "grid, the rules of PMRM 2": lambda: (_snapshot({"pmrm2": {}}, 256), "grid"),
    "grid, the rules of Deribit": lambda: (_snapshot({"deribit": {}}, 256), "grid"),
    "grid, the rules of OKX": lambda: (_snapshot({"okx": {}}, 256), "grid"),
    "span": lambda: (span_cases.snapshot(), "span"),
    "tims": lambda: (_securities(), "tims"),
    "es": lambda: (joint.built(joint.ONE_COIN, "es"), "es"),
    "var": lambda: (joint.built(joint.ONE_COIN, "var"), "var"),
    "correlation": lambda: (coins.coin_snapshot(("BTC", "ETH"), {"correlation": _CORRELATED}), "correlation"),
    "tiered": lambda: (coins.coin_snapshot(("BTC", "ETH"), {"tiered": _TIERED}), "tiered"),
}

_CORRELATED: Mapping[str, Any] = {
    "source": "given",
    "coins": ["BTC", "ETH"],
    "volatilities": ["0.5", "0.7"],
    "correlation": [["1", "0.8"], ["0.8", "1"]],
}
_TIERED: Mapping[str, Any] = {"threshold": {"initial": "100000", "maintenance": "80000"}}


_A_TICK_MORE = {"grid", "span", "es", "correlation"}


def models() -> VectorFile:
    """The file: `statement` with its program, `proof`, and for each `intermediate`."""
    shared = Shared()
    found = VectorFile("proofs", NOTES)
    for name, make in MODELS.items():
        snapshot, model = make()
        for level in LEVELS[:1] if "rules" in name else LEVELS:
            for test in _tests(f"{name}, {level}", snapshot, model, level, shared):
                found.add(*test)
    found.shared = shared.members()
    return found


def _tests(
    comment: str, snapshot: Snapshot, model: str, level: Level, shared: Shared
) -> Iterator[tuple[str, dict[str, Any], list[str], list[str]]]:
    lots = account(snapshot)
    excess = requirement(snapshot, lots, model=model, level=level).excess_ticks
    draw = drawn(f"{comment}: holdings")
    whole = tuple(lots) + (0,) * (snapshot.universe.domain - len(lots))
    openings = [Opening(whole, draw(), 0)]
    terms = tuple(
        CommitmentTerm(
            setup().backend.encode(commit(setup(), snapshot.universe.domain, o.lots, o.blinder)), o.column
        )
        for o in openings
    )
    committed = (False, True) if model in ("es", "isolated") and level == "initial" else (False,)
    for mode in committed:
        relation = build_relation(snapshot, model=model, level=level)
        statement = Statement.about(
            snapshot,
            terms,
            audience="desk",
            nonce=comment,
            model=model,
            level=level,
            threshold=excess,
            rows=commit_rows(setup(), relation) if mode else None,
        )
        proof = fixed_proof(statement, openings, comment)
        name = f"{comment}, committed rows" if mode else comment
        taken = {**shared.take(statement), "proof": proof.to_bytes().hex()}
        found = {**taken, "intermediate": intermediate(statement, proof)}
        yield name, found, [], ["CommittedRows" if mode else "Model"]
        if (
            not mode
            and level == "initial"
            and comment.split(",", maxsplit=1)[0] in _A_TICK_MORE
            and "rules" not in comment
        ):
            more = {**taken["statement"], "threshold": excess + 1}
            yield f"{comment}, a tick more", {**taken, "statement": more}, ["pairing"], ["TickMore"]


def account(snapshot: Snapshot) -> list[int]:
    """A little of everything that a universe lists, long and short in turn, and enough cash for it."""
    lots = []
    for slot, instrument in enumerate(snapshot.universe.instruments):
        if instrument.kind == "balance":
            held = (
                10 ** max(0, 6 - instrument.lot_exponent)
                if slot == 0
                else 10 ** -min(0, instrument.lot_exponent)
            )
        else:
            held = (-1) ** slot * 10 ** max(0, instrument.contract_exponent - instrument.lot_exponent)
        lots.append(max(-instrument.bound, min(instrument.bound, held)))
    return lots
