"""The identities of the argument, joined by powers of delta, written once for prover and verifier.

On H, and so at zeta once the quotient by Z is taken off,

    0 = phi(wX) - phi(X) - sum h_G + h_T
        - gamma (sum a_j q_j + sum d_k limb_k + e U + f V) + gamma v / n
        + delta ((alpha + t) h_T - m)
        + sum_i delta^(2+i) (prod_(k in G_i) (alpha + limb_k) h_(G_i) - sum_k prod_(k' != k) (alpha + limb_k'))
        + delta^(2+h) (V - U^2)

with h the number of groups. The right side is linear in the columns that are only committed to (q_j, m, V, h_G, h_T,
phi); its coefficients depend on the columns whose values are sent (limb_k, U, phi(wX)) and on public columns. `joined`
computes these coefficients in any ring: the verifier evaluates them at zeta, as integers modulo r, and the prover on
a coset of H, as vectors, to divide the whole by Z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

from zkmargin.algebra.field import MODULUS, inverse
from zkmargin.circuits.relation import Relation


class Element(Protocol):
    """An element of a ring over the field: a sum, a difference or a product with another or with an integer."""

    def __add__(self, other: Self | int, /) -> Self: ...
    def __sub__(self, other: Self | int, /) -> Self: ...
    def __mul__(self, other: Self | int, /) -> Self: ...


E = TypeVar("E", bound=Element)


@dataclass(frozen=True)
class Challenges:
    """The challenges on which the identities depend, and the point at which they are checked."""

    alpha: int
    gamma: int
    delta: int
    zeta: int


@dataclass(frozen=True)
class Values(Generic[E]):
    """The columns whose values are sent: limb_k, U if there are squares, and phi(wX)."""

    limbs: tuple[E, ...]
    square: tuple[E, ...]
    shifted_sum: E


@dataclass(frozen=True)
class PublicValues(Generic[E]):
    """The public columns: a_j, d_k, e and f if there are squares, and the table t."""

    holdings: tuple[E, ...]
    limbs: tuple[E, ...]
    u: tuple[E, ...]
    v: tuple[E, ...]
    table: E


@dataclass(frozen=True)
class Joined(Generic[E]):
    """constant + sum of these coefficients times the columns that they are named after; plain integers are scalars."""

    constant: E
    holdings: tuple[E, ...]
    multiplicity: int
    square: tuple[E, ...]
    helpers: tuple[E, ...]
    table_helper: E
    running_sum: int


def joined(
    relation: Relation, total: int, public: PublicValues[E], challenges: Challenges, values: Values[E]
) -> Joined[E]:
    """The coefficients of all identities.

    Args:
        relation: Gives the domain n and the groups of limb columns.
        total: v, the weighted equations' total, modulo r.
        public: The public columns, in the ring.
        challenges: alpha, gamma, delta.
        values: The columns whose values are sent, in the ring.
    """
    alpha, gamma, delta = challenges.alpha, challenges.gamma, challenges.delta
    constant = values.shifted_sum + gamma * total * inverse(relation.domain) % MODULUS
    for coefficient, value in zip((*public.limbs, *public.u), (*values.limbs, *values.square), strict=True):
        constant = constant - coefficient * value * gamma
    helpers = []
    for i, group in enumerate(relation.groups):
        weight = pow(delta, 2 + i, MODULUS)
        product, others = _products([values.limbs[k] + alpha for k in group])
        helpers.append(product * weight - 1)
        constant = constant - others * weight
    weight = pow(delta, 2 + len(relation.groups), MODULUS)
    for u in values.square:
        constant = constant - u * u * weight
    return Joined(
        constant=constant,
        holdings=tuple(a * (-gamma % MODULUS) for a in public.holdings),
        multiplicity=-delta % MODULUS,
        square=tuple(v * (-gamma % MODULUS) + weight for v in public.v),
        helpers=tuple(helpers),
        table_helper=public.table * delta + (1 + delta * alpha) % MODULUS,
        running_sum=MODULUS - 1,
    )


def _products(factors: Sequence[E]) -> tuple[E, E]:
    """prod_k x_k, and sum_k prod_(k' != k) x_k'."""
    product, others = factors[0], factors[0] * 0 + 1
    for factor in factors[1:]:
        others = others * factor + product
        product = product * factor
    return product, others
