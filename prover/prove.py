"""From openings to a proof."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zkmargin.algebra.field import MODULUS
from zkmargin.algebra.setup import Setup
from zkmargin.argument.proof import Proof
from zkmargin.circuits.statement import Statement
from zkmargin.circuits.witness import assign, check
from zkmargin.prover.commit import Opening, commit
from zkmargin.prover.rounds import Rounds

Progress = Callable[[str, int, int], None]
"""Called before each step with its name, its number, and the number of steps."""


class ProverError(ValueError):
    """The openings do not belong to the statement's commitments."""


def prove(
    statement: Statement, openings: Sequence[Opening], setup: Setup, progress: Progress | None = None
) -> Proof:
    """Prove that the holdings behind the statement's commitments satisfy its relation.

    Args:
        statement: what is proven.
        openings: one for each commitment of the statement, in its order.
        setup: the ceremony's powers.
        progress: told of each step.

    Returns:
        The proof; every call draws fresh randomness from the operating system.

    Raises:
        ProverError: an opening does not match its commitment.
        WitnessError: the account does not meet the statement; names the first row that fails.
        ChallengeError: a challenge fell on an undefined value (prove again).
    """
    tell = progress or (lambda name, step, steps: None)
    steps = ["witness", "limbs", "lookup", "running sum", "quotient", "values", "openings"]

    def step(number: int) -> None:
        tell(steps[number], number, len(steps))

    step(0)
    relation = statement.relation
    _match(statement, openings, setup)
    witness = assign(relation, _added(openings, relation.columns, relation.domain))
    check(relation, witness)
    blinders = [
        sum(o.blinder for o in openings if o.column == column) % MODULUS for column in range(relation.columns)
    ]
    rounds = Rounds(setup, statement, witness, blinders)
    for number, act in enumerate(
        (rounds.round_1, rounds.round_2, rounds.round_3, rounds.round_4, rounds.round_5), start=1
    ):
        step(number)
        act()
    step(6)
    return rounds.proof()


def _match(statement: Statement, openings: Sequence[Opening], setup: Setup) -> None:
    """Every opening must be the one behind the commitment at its place."""
    if len(openings) != len(statement.commitments):
        raise ProverError(f"{len(openings)} openings for {len(statement.commitments)} commitments")
    for place, (opening, term) in enumerate(zip(openings, statement.commitments, strict=True)):
        point = commit(setup, statement.relation.domain, opening.lots, opening.blinder)
        if opening.column != term.column or setup.backend.encode(point) != term.point:
            raise ProverError(f"opening {place + 1} does not belong to commitment {place + 1}")


def _added(openings: Sequence[Opening], columns: int, domain: int) -> list[int]:
    """q over all columns: the sum of the openings, slot by slot."""
    total = [0] * (columns * domain)
    for opening in openings:
        for slot, lots in enumerate(opening.lots):
            total[opening.column * domain + slot] += lots
    return total
