"""Committing to holdings: C = sum_i q_i [L_i(tau)]_1 + rho [Z(tau)]_1.

Commitments add: the sum of two is a commitment to the sum of the holdings, under the sum of the blinders.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from zkmargin.algebra.backend import Point
from zkmargin.algebra.field import MODULUS
from zkmargin.algebra.setup import Setup

FEW = 128
"""Up to so many holdings are committed to one by one; more are quicker as a whole column."""

LARGE = 1 << 63
"""A quantity from here on is committed to as a field element of any size."""


@dataclass(frozen=True)
class Opening:
    """The opening of a commitment. Secret: never printed.

    Attributes:
        lots: q, one integer for each slot from slot 0; missing slots at the end hold 0.
        blinder: rho, a field element from the operating system's randomness, fresh for each commitment.
        column: the holdings column that the commitment is added into.
    """

    lots: tuple[int, ...] = field(repr=False)
    blinder: int = field(repr=False)
    column: int = 0


def random_blinder() -> int:
    """A uniform field element from the operating system's randomness."""
    return secrets.randbelow(MODULUS)


def commit(setup: Setup, domain: int, lots: Sequence[int], blinder: int) -> Point:
    """Commit to holdings over a domain of n slots.

    Args:
        setup: the ceremony's powers.
        domain: n; it is part of what the commitment means.
        lots: at most n integers.
        blinder: rho.

    Raises:
        ValueError: more lots than slots.
    """
    if len(lots) > domain:
        raise ValueError(f"{len(lots)} holdings do not fit a domain of {domain} slots")
    return commit_sparse(setup, domain, {slot: q for slot, q in enumerate(lots) if q}, blinder)


def commit_sparse(setup: Setup, domain: int, held: Mapping[int, int], blinder: int) -> Point:
    """Like `commit`, from the lots of the slots that hold any.

    Raises:
        ValueError: a slot outside the domain.
    """
    if len(held) <= FEW and all(abs(lots) < LARGE for lots in held.values()):
        return setup.commit_sparse(domain, list(held), list(held.values()), blinder)
    backend = setup.backend
    column = [0] * domain
    for slot, lots in held.items():
        column[slot] = lots
    holdings = setup.commit_evaluations(domain, backend.vector(column))
    return backend.msm([holdings, setup.blinding_point(domain, 0)], [1, blinder])


def commit_masked(setup: Setup, domain: int, held: Mapping[int, int], blinder: int) -> Point:
    """Like `commit_sparse`, in a time that tells neither how many holdings there are nor how large they are.

    Every slot takes part, with a quantity under a fresh random mask; the masks are committed to by themselves and taken
    off. Both sums are over uniform field elements, whatever is held: some milliseconds, where `commit_sparse` takes a
    fraction of one for few and small holdings.

    Raises:
        ValueError: a slot outside the domain.
    """
    if held and not 0 <= min(held) <= max(held) < domain:
        raise ValueError(f"slot {max(held)} lies outside a domain of {domain} slots")
    backend = setup.backend
    masks = [secrets.randbelow(MODULUS) for _ in range(domain)]
    column = [(mask + held.get(slot, 0)) % MODULUS for slot, mask in enumerate(masks)]
    both, mask = (setup.commit_evaluations(domain, backend.vector(values)) for values in (column, masks))
    return backend.msm([both, mask, setup.blinding_point(domain, 0)], [1, MODULUS - 1, blinder])
