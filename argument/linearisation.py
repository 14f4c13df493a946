"""The verifier's equation at zeta, as one linear combination of what was committed to.

All identities of the argument hold on H exactly if the polynomial

    r(X) = phi(w zeta) - phi(X) - sum h_G(X) + h_T(X)
           - gamma (sum a_j(zeta) q_j(X) + sum d_k(zeta) l_k + e(zeta) u + f(zeta) V(X)) + gamma v / n
           + delta ((alpha + t(zeta)) h_T(X) - m(X))
           + sum_i delta^(2+i) (prod_(k in G_i) (alpha + l_k) h_(G_i)(X) - sum_k prod_(k' != k) (alpha + l_k'))
           + delta^(2+h) (V(X) - u^2)
           - Z(zeta) sum_c zeta^((n+3) c) T_c(X)

vanishes at zeta, where l_k = limb_k(zeta), u = U(zeta) and h is the number of groups. The holdings q_j enter
linearly with public scalars: their commitments are never opened, and one commitment serves any number of proofs.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from zkmargin.algebra.backend import Backend, Vector
from zkmargin.algebra.field import MODULUS, inverse
from zkmargin.argument.coefficients import Coefficients, table
from zkmargin.circuits.relation import Relation

CHUNK_MARGIN = 3
"""The quotient is cut at X^(n+3): g chunks hold its g (n + 1) + 1 coefficients, or n + 3 with squares."""


@dataclass(frozen=True)
class Challenges:
    """The challenges on which r depends."""

    alpha: int
    gamma: int
    delta: int
    zeta: int


@dataclass(frozen=True)
class Values:
    """The values sent: l_k = limb_k(zeta), u = U(zeta) if there are squares, phi(w zeta)."""

    limbs: tuple[int, ...]
    square: tuple[int, ...]
    shifted_sum: int


@dataclass(frozen=True)
class PublicValues:
    """The public coefficients at zeta: a_j, d_k, e, f (0 without squares) and the table t."""

    holdings: tuple[int, ...]
    limbs: tuple[int, ...]
    u: int
    v: int
    table: int


@dataclass(frozen=True)
class Linearisation:
    """r(X) = constant + sum of these scalars times the polynomials that they are named after."""

    constant: int
    holdings: tuple[int, ...]
    multiplicity: int
    square: int
    helpers: tuple[int, ...]
    table_helper: int
    running_sum: int
    quotients: tuple[int, ...]


def public_values(backend: Backend, relation: Relation, weighted: Coefficients, zeta: int) -> PublicValues:
    """The public coefficients at zeta, from their values on H.

    Raises:
        ValueError: zeta lies in H.
    """
    basis = backend.lagrange(relation.domain, zeta)

    def at_zeta(vector: Vector | None) -> int:
        return 0 if vector is None else backend.dot(basis, vector)

    return PublicValues(
        holdings=tuple(at_zeta(a) for a in weighted.holdings),
        limbs=tuple(at_zeta(d) for d in weighted.limbs),
        u=at_zeta(weighted.u),
        v=at_zeta(weighted.v),
        table=at_zeta(table(backend, relation.domain)),
    )


def linearise(
    relation: Relation, total: int, public: PublicValues, challenges: Challenges, values: Values
) -> Linearisation:
    """The scalars of r, from the weighted equations' total v, public coefficients at zeta, and the values sent."""
    n = relation.domain
    alpha, gamma, delta, zeta = challenges.alpha, challenges.gamma, challenges.delta, challenges.zeta
    limbs = [alpha + value for value in values.limbs]
    products = [prod(limbs[k] for k in group) for group in relation.groups]
    sums = [
        sum(prod(limbs[other] for other in group if other != k) for k in group) for group in relation.groups
    ]
    group_weights = [pow(delta, 2 + i, MODULUS) for i in range(len(relation.groups))]
    square_weight = pow(delta, 2 + len(relation.groups), MODULUS) if relation.squares else 0
    opened = sum(d * value for d, value in zip(public.limbs, values.limbs, strict=True))
    u = values.square[0] if relation.squares else 0
    opened += public.u * u
    vanishing = pow(zeta, n, MODULUS) - 1
    constant = (
        values.shifted_sum
        - gamma * opened
        + gamma * total * inverse(n)
        - sum(weight * s for weight, s in zip(group_weights, sums, strict=True))
        - square_weight * u * u
    )
    return Linearisation(
        constant=constant % MODULUS,
        holdings=tuple(-gamma * a % MODULUS for a in public.holdings),
        multiplicity=-delta % MODULUS,
        square=(square_weight - gamma * public.v) % MODULUS,
        helpers=tuple(
            (weight * product - 1) % MODULUS for weight, product in zip(group_weights, products, strict=True)
        ),
        table_helper=(1 + delta * (alpha + public.table)) % MODULUS,
        running_sum=MODULUS - 1,
        quotients=tuple(
            -vanishing * pow(zeta, (n + CHUNK_MARGIN) * chunk, MODULUS) % MODULUS
            for chunk in range(relation.group)
        ),
    )
