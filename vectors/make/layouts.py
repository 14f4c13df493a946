"""Valid proofs of every layout, on small relations: with each value on the way to the pairing equation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.argument.toys import DOMAIN, Toy, case, drawn
from vectors.make.files import VectorFile
from vectors.make.proofs import Shared, fixed_proof, intermediate, setup
from zkmargin.circuits import CommitmentTerm, Statement
from zkmargin.prover import Opening, commit

NOTES = {
    "LimbColumns": "From 1 to 8 limb columns, in groups of every size that the builder chooses or that is forced.",
    "Squares": "The relation has square cells, and the proof the columns U and V and the value U(zeta).",
    "HoldingsColumns": "The relation speaks of several holdings columns, each with commitments of its own.",
    "CommittedRows": "Commitments stand for the coefficients on the holdings, whose values at zeta are sent.",
    "Attestations": "Several commitments are added into one column, each vouched for by an attestation.",
    "Threshold": "The threshold enters beside the program: negative, zero, at the reach, at the excess.",
    "Terms": "Fields of the statement at the edges of what they can be.",
    "Identity": "A commitment is the identity of the group: nothing is held, and nothing hides that.",
}

TOYS: dict[str, tuple[Toy, list[str]]] = {
    **{f"{k} limb columns": (Toy(limb_columns=k), ["LimbColumns"]) for k in range(1, 9)},
    "4 limb columns, one to a group": (Toy(4, group=1), ["LimbColumns"]),
    "4 limb columns in one group": (Toy(4, group=4), ["LimbColumns"]),
    "5 limb columns, the last group smaller": (Toy(5, group=2), ["LimbColumns"]),
    "squares": (Toy(squares=True), ["Squares"]),
    "squares, 3 limb columns in groups of 2": (Toy(3, squares=True, group=2), ["Squares", "LimbColumns"]),
    "2 holdings columns": (Toy(columns=2), ["HoldingsColumns"]),
    "3 holdings columns with squares": (Toy(columns=3, squares=True), ["HoldingsColumns", "Squares"]),
    "committed rows": (Toy(committed=True), ["CommittedRows"]),
    "committed rows with squares": (Toy(2, squares=True, committed=True), ["CommittedRows", "Squares"]),
    "committed rows, 2 holdings columns": (
        Toy(columns=2, committed=True),
        ["CommittedRows", "HoldingsColumns"],
    ),
}

ADDRESS = bytes(range(1, 21))


def opened(name: str, toy: Toy, parts: Sequence[Sequence[int]] | None = None) -> list[Opening]:
    """Openings with blinders that follow from a name: by default one for each holdings column."""
    account = toy.account()
    columns = [(j, account[j * DOMAIN : (j + 1) * DOMAIN]) for j in range(toy.columns)]
    chosen = columns if parts is None else [(0, tuple(part)) for part in parts]
    draw = drawn(f"{name}: holdings")
    return [Opening(lots, draw(), column) for column, lots in chosen]


def made(toy: Toy, openings: Sequence[Opening], *, threshold: int | None = None, **terms: Any) -> Statement:
    """A statement about a toy's account, by default at its excess."""
    whole = toy.excess() if threshold is None else threshold
    statement = case(toy, setup(), threshold=whole, openings=openings).statement
    return replace(statement, **terms)


def layouts() -> VectorFile:
    """The file: `statement` with its program, `proof`, and for each `intermediate`."""
    shared = Shared()
    found = VectorFile("proofs", NOTES)

    def add(comment: str, statement: Statement, openings: Sequence[Opening], flags: Sequence[str]) -> None:
        proof = fixed_proof(statement, openings, comment)
        content = {
            **shared.take(statement),
            "proof": proof.to_bytes().hex(),
            "intermediate": intermediate(statement, proof),
        }
        found.add(comment, content, flags=flags)

    for comment, (toy, flags) in TOYS.items():
        openings = opened(comment, toy)
        add(comment, made(toy, openings), openings, flags)
    toy = Toy()
    for comment, threshold in _thresholds(toy).items():
        openings = opened(comment, toy)
        add(comment, made(toy, openings, threshold=threshold), openings, ["Threshold"])
    for comment, count in (("2 attestations", 2), ("5 attestations", 5)):
        openings = opened(comment, toy, _split(toy.account(), count))
        statement = made(toy, openings)
        add(comment, _attested(statement), openings, ["Attestations"])
    zero = Opening((0,) * DOMAIN, 0, 0)
    openings = [*opened("identity", toy), zero]
    add("a commitment that is the identity", made(toy, openings), openings, ["Identity"])
    for comment, terms in _terms().items():
        openings = opened(comment, toy)
        add(comment, made(toy, openings, **terms), openings, ["Terms"])
    found.shared = shared.members()
    return found


def _thresholds(toy: Toy) -> dict[str, int]:
    return {
        "threshold 0": 0,
        "threshold below the excess": toy.excess() - 1,
        "a negative threshold": -1,
        "the least threshold": -toy.relation().reach,
    }


def _terms() -> dict[str, dict[str, Any]]:
    return {
        "subject, chain and contract": {
            "subject": ADDRESS,
            "chain": 1,
            "contract": ADDRESS[::-1],
            "expiry": 1_800_000_000,
        },
        "the greatest expiry and chain": {"expiry": (1 << 63) - 1, "chain": (1 << 63) - 1},
        "texts of 256 characters": {"audience": "a" * 256, "nonce": "\U0001f4a1" * 256},
        "texts beyond ASCII": {"audience": "Zürich, 銀行", "nonce": "e\u0301 \u00e9"},
        "maintenance": {"level": "maintenance", "model": "another name"},
    }


def _split(account: Sequence[int], count: int) -> list[tuple[int, ...]]:
    """Parts that add up to the account."""
    rest = [tuple((k + 1) * (1 if slot < 2 else 0) for slot in range(DOMAIN)) for k in range(count - 1)]
    first = tuple(q - sum(part[slot] for part in rest) for slot, q in enumerate(account))
    return [first, *rest]


def _attested(statement: Statement) -> Statement:
    terms = tuple(
        CommitmentTerm(term.point, term.column, bytes([k + 1]) * 32)
        for k, term in enumerate(statement.commitments)
    )
    return replace(statement, commitments=terms, subject=ADDRESS)


def commitment(opening: Opening) -> bytes:
    """The compressed commitment of an opening."""
    backend = setup().backend
    return backend.encode(commit(setup(), DOMAIN, opening.lots, opening.blinder))
