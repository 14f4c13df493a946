"""Proofs as vectors: a statement, its program, the proof's bytes, and every value on the way to the pairing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.argument.toys import drawn, play
from zkmargin.algebra import Setup, Transcript, ceremony, get_backend
from zkmargin.argument import Proof
from zkmargin.argument.coefficients import coefficients
from zkmargin.argument.documents import RowsDocument
from zkmargin.argument.linearisation import public_values
from zkmargin.argument.statement_document import StatementDocument
from zkmargin.circuits import Statement, assign
from zkmargin.circuits.program import encode_program
from zkmargin.prover import Opening
from zkmargin.prover.rounds import Rounds
from zkmargin.verifier.equation import PairingEquation, Sum, pairing_equation

CHALLENGES = ("alpha", "beta", "gamma", "delta", "zeta", "nu", "mu")


def setup() -> Setup:
    """The ceremony under the fastest backend."""
    return ceremony(get_backend())


@dataclass
class Shared:
    """What tests refer to by digest: programs in hex, and documents of committed rows."""

    programs: dict[str, str] = field(default_factory=dict)
    rows: dict[str, Any] = field(default_factory=dict)

    def members(self) -> dict[str, Any]:
        return {"programs": self.programs, "rows": self.rows}

    def take(self, statement: Statement) -> dict[str, Any]:
        """A statement's document, with program and rows put among what is shared."""
        relation = statement.relation
        self.programs[relation.digest.hex()] = encode_program(relation).hex()
        taken: dict[str, Any] = {"statement": StatementDocument.of(statement).model_dump(mode="json")}
        if statement.rows is not None:
            frame, digest = relation.frame_digest.hex(), statement.rows.digest.hex()
            self.programs[frame] = encode_program(relation, frame=True).hex()
            document = RowsDocument.of(
                statement.rows,
                setup=setup().digest,
                snapshot=statement.snapshot,
                model=statement.model,
                level=statement.level,
            )
            self.rows[digest] = document.model_dump(mode="json")
            taken["whole"] = relation.digest.hex()
        return taken


def fixed_proof(statement: Statement, openings: Sequence[Opening], seed: str) -> Proof:
    """An honest proof whose randomness follows from a seed, so that it is the same whenever it is made."""
    return play(honest_rounds(statement, openings, seed))


def honest_rounds(statement: Statement, openings: Sequence[Opening], seed: str) -> Rounds:
    """A prover with the witness of the openings and randomness that follows from a seed."""
    relation = statement.relation
    account = [0] * (relation.columns * relation.domain)
    for opening in openings:
        for slot, lots in enumerate(opening.lots):
            account[opening.column * relation.domain + slot] += lots
    blinders = [sum(o.blinder for o in openings if o.column == j) for j in range(relation.columns)]
    return Rounds(setup(), statement, assign(relation, account), blinders, drawn(f"{seed}: proof"))


def intermediate(statement: Statement, proof: Proof) -> dict[str, Any]:
    """Challenges, public values at zeta, and each point and scalar of the two sums of the pairing equation."""
    backend, relation = setup().backend, statement.relation
    challenges, equation = traced_equation(statement, proof)
    weighted = coefficients(backend, relation, challenges["beta"])
    public = public_values(backend, relation, weighted, challenges["zeta"])
    return {
        "digest": statement.digest.hex(),
        "challenges": {name: _scalar(value) for name, value in challenges.items()},
        "values": {
            "holdings": [_scalar(a) for a in public.holdings],
            "limbs": [_scalar(d) for d in public.limbs],
            "u": _scalar(sum(public.u)),
            "v": _scalar(sum(public.v)),
            "table": _scalar(public.table),
            "total": _scalar(weighted.total),
        },
        "left": _terms(equation.left, term_names(statement)),
        "right": _terms(equation.right, ["opening", "shifted opening"]),
        "sums": sums(equation),
    }


def traced_equation(statement: Statement, proof: Proof) -> tuple[dict[str, int], PairingEquation]:
    """Every challenge by its name, as a verifier draws it, and the equation that it forms."""
    heard: dict[str, int] = {}
    draw = Transcript.challenge

    def listened(transcript: Transcript, label: str) -> int:
        heard[label] = draw(transcript, label)
        return heard[label]

    with pytest.MonkeyPatch.context() as listening:
        listening.setattr(Transcript, "challenge", listened)
        equation = pairing_equation(setup(), statement, proof)
    return {name: heard[name] for name in CHALLENGES}, equation


def sums(equation: PairingEquation) -> list[str]:
    """Both sides of the equation as compressed points."""
    backend = setup().backend
    return [
        backend.encode(backend.msm(side.points, side.scalars)).hex()
        for side in (equation.left, equation.right)
    ]


def term_names(statement: Statement) -> list[str]:
    """What the specification calls each term of the left sum, in its order."""
    return list(_term_names(statement))


def _term_names(statement: Statement) -> Iterator[str]:
    relation = statement.relation
    yield from (f"commitment {k}" for k in range(len(statement.commitments)))
    yield "multiplicity"
    if relation.squares:
        yield "V"
    yield from (f"helper {k}" for k in range(len(relation.groups)))
    yield "table helper"
    yield "running sum"
    yield from (f"quotient {k}" for k in range(relation.group))
    yield from (f"limbs {k}" for k in range(relation.limb_columns))
    if relation.squares:
        yield "U"
    if statement.rows is not None:
        yield from (f"rows {j}" for j in range(relation.columns))
        yield "table"
    yield from ("opening", "running sum at w zeta", "shifted opening", "generator")


def _terms(side: Sum, names: Sequence[str]) -> list[Mapping[str, str]]:
    backend = setup().backend
    return [
        {"name": name, "point": backend.encode(point).hex(), "scalar": _scalar(scalar)}
        for name, point, scalar in zip(names, side.points, side.scalars, strict=True)
    ]


def _scalar(value: int) -> str:
    return f"{value:064x}"
