"""Checking many proofs with one pairing equation.

Each proof's equation is multiplied by a random weight that the verifier draws after all proofs are fixed, and all are
added: e(sum w_i left_i, [1]_2) = e(sum w_i right_i, [tau]_2). If one proof is bad, the sum holds for at most one in
2^128 choices of its weight.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from zkmargin.algebra.field import MODULUS
from zkmargin.algebra.setup import Setup
from zkmargin.argument.proof import Proof
from zkmargin.circuits.statement import Statement
from zkmargin.verifier.equation import PairingEquation, Sum, holds, pairing_equation
from zkmargin.verifier.errors import VerificationError

WEIGHT_BITS = 128


class BatchError(VerificationError):
    """At least one proof of a batch is bad.

    Attributes:
        failures: the place of each bad proof in the batch, with what was found there.
    """

    def __init__(self, failures: dict[int, VerificationError]) -> None:
        places = ", ".join(str(place) for place in failures)
        first = next(iter(failures.values()))
        super().__init__(first.check, f"bad proofs at {places}; the first: {first}")
        self.failures = failures


def verify_batch(items: Sequence[tuple[Statement, Proof]], setup: Setup) -> None:
    """Return if every proof shows its statement, and raise otherwise.

    Raises:
        BatchError: names every bad proof of the batch.
        ValueError: the batch is empty.
    """
    if not items:
        raise ValueError("an empty batch shows nothing")
    equations: dict[int, PairingEquation] = {}
    failures: dict[int, VerificationError] = {}
    for place, (statement, proof) in enumerate(items):
        try:
            equations[place] = pairing_equation(setup, statement, proof)
        except VerificationError as reason:
            failures[place] = reason
    for place in _bad(setup, equations):
        failures[place] = VerificationError("pairing", "the proof does not show its statement")
    if failures:
        raise BatchError(dict(sorted(failures.items())))


def _bad(setup: Setup, equations: dict[int, PairingEquation]) -> list[int]:
    """The places whose equations do not hold, found by halving."""
    if not equations or holds(setup, _joined(list(equations.values()))):
        return []
    places = list(equations)
    if len(places) == 1:
        return places
    half = len(places) // 2
    found = [
        place
        for part in (places[:half], places[half:])
        for place in _bad(setup, {place: equations[place] for place in part})
    ]
    # Should each half pass alone after all, nothing has been shown of any of them.
    return found or places


def _joined(equations: Sequence[PairingEquation]) -> PairingEquation:
    """The random combination of several equations; a single one is left as it is."""
    if len(equations) == 1:
        return equations[0]
    weights = [1 + secrets.randbelow((1 << WEIGHT_BITS) - 1) for _ in equations]
    return PairingEquation(
        _weighted([equation.left for equation in equations], weights),
        _weighted([equation.right for equation in equations], weights),
    )


def _weighted(sums: Sequence[Sum], weights: Sequence[int]) -> Sum:
    return Sum(
        tuple(point for part in sums for point in part.points),
        tuple(
            weight * scalar % MODULUS
            for part, weight in zip(sums, weights, strict=True)
            for scalar in part.scalars
        ),
    )
