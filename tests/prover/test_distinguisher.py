"""A statistical distinguisher: from bytes and sizes of many proofs it cannot tell an empty account from a full one.

The setup's tau is known, so that every point shows its logarithm: an attacker with more than any real one has. For each
half of each byte of a proof the counts of both accounts are compared by a two-sample chi-squared test, and so are the
bits of differences between proofs of one account; the least p-value, times the number of tests, stays above 10^-6. A
prover whose blinders are small is told apart.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2

from tests.argument.exposed import exposed_setup
from tests.argument.toys import DOMAIN, TOYS, Toy, case, play
from zkmargin.prover import Opening
from zkmargin.prover.commit import random_blinder
from zkmargin.prover.rounds import Rounds

PROOFS = 50
MANY = 400
LEAST = 1e-6


def proofs(toy: Toy, full: bool, draw: Callable[[], int], count: int = PROOFS) -> NDArray[np.uint8]:
    """(count, length): proofs of one account, each under fresh commitments and blinders."""
    setup, made = exposed_setup(), []
    for _ in range(count):
        lots = toy.account() if full else (0,) * (toy.columns * DOMAIN)
        parts = [lots[start : start + DOMAIN] for start in range(0, len(lots), DOMAIN)]
        openings = [Opening(part, random_blinder(), column) for column, part in enumerate(parts)]
        found = case(toy, setup, openings=openings)
        rounds = Rounds(setup, found.statement, found.witness(), found.blinders, draw)
        made.append(np.frombuffer(play(rounds).to_bytes(), np.uint8))
    assert len({len(proof) for proof in made}) == 1
    return np.stack(made)


def least_p(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The least p-value over all halves of bytes, times how many there are."""
    found = []
    for left, right in ((one >> 4, other >> 4), (one & 15, other & 15)):
        for a, b in zip(left.T, right.T, strict=True):
            counts = np.array([np.bincount(values, minlength=16) for values in (a, b)], float)
            counts = counts[:, counts.sum(axis=0) > 0]
            if counts.shape[1] < 2:
                continue  # a constant of the encoding
            expected = counts.sum(axis=0) / 2
            statistic = ((counts - expected) ** 2 / expected).sum()
            found.append(float(chi2.sf(statistic, counts.shape[1] - 1)))
    return min(found) * len(found)


def differences(made: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Each proof against the next: a blinder that was used again would leave zeros."""
    return made ^ np.roll(made, 1, axis=0)


def look_alike(toy: Toy, count: int) -> None:
    empty, full = (proofs(toy, holds, random_blinder, count) for holds in (False, True))
    assert empty.shape == full.shape
    assert least_p(empty, full) > LEAST
    assert least_p(differences(empty), differences(full)) > LEAST
    uniform = np.frombuffer(secrets.token_bytes(full.size), np.uint8).reshape(full.shape)
    # The lower bytes of the last element; the upper ones follow the field's order.
    assert least_p(full[:, -20:], uniform[:, -20:]) > LEAST


def test_proofs_of_an_empty_and_of_a_full_account_look_alike() -> None:
    look_alike(TOYS["one limb column"], PROOFS)


@pytest.mark.fuzz
@pytest.mark.parametrize("name", TOYS)
def test_many_proofs_look_alike(name: str) -> None:
    look_alike(TOYS[name], MANY)


def test_a_prover_with_small_blinders_is_told_apart() -> None:
    toy = TOYS["one limb column"]
    empty, full = (proofs(toy, holds, lambda: secrets.randbelow(16), PROOFS) for holds in (False, True))
    assert least_p(empty, full) < LEAST
