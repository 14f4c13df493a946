"""The linearisation: what the verifier knows at zeta, as one linear combination of what was committed to.

All identities of the argument hold on H exactly if the polynomial

    r(X) = joined(X) - Z(zeta) sum_c zeta^((n+3) c) T_c(X)

vanishes at zeta, where joined(X) is the right side of `identities` with the values l_k = limb_k(zeta), u = U(zeta),
phi(w zeta) and those of the public columns in place of their polynomials. The holdings q_j enter linearly with public
scalars: their commitments are never opened, and one commitment serves any number of proofs.
"""

from __future__ import annotations

from dataclasses import dataclass

from zkmargin.algebra.backend import Backend, Vector
from zkmargin.algebra.field import MODULUS
from zkmargin.argument.coefficients import Coefficients, table
from zkmargin.argument.identities import Challenges, PublicValues, Values, joined
from zkmargin.circuits.relation import Relation

CHUNK_MARGIN = 3
"""The quotient is cut at X^(n+3): g chunks hold its g (n + 1) + 1 coefficients, or n + 3 with squares."""


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


def public_values(
    backend: Backend, relation: Relation, weighted: Coefficients, zeta: int
) -> PublicValues[int]:
    """The public columns at zeta, from their values on H.

    Raises:
        ValueError: zeta lies in H.
    """
    basis = backend.lagrange(relation.domain, zeta)

    def at_zeta(*vectors: Vector | None) -> tuple[int, ...]:
        return tuple(backend.dot(basis, vector) for vector in vectors if vector is not None)

    return PublicValues(
        holdings=at_zeta(*weighted.holdings),
        limbs=at_zeta(*weighted.limbs),
        u=at_zeta(weighted.u),
        v=at_zeta(weighted.v),
        table=at_zeta(table(backend, relation.domain))[0],
    )


def linearise(
    relation: Relation, total: int, public: PublicValues[int], challenges: Challenges, values: Values[int]
) -> Linearisation:
    """The scalars of r, from the weighted equations' total v, public columns at zeta, and the values sent."""
    r = joined(relation, total, public, challenges, values)
    n, zeta = relation.domain, challenges.zeta
    vanishing = pow(zeta, n, MODULUS) - 1
    return Linearisation(
        constant=r.constant % MODULUS,
        holdings=tuple(scalar % MODULUS for scalar in r.holdings),
        multiplicity=r.multiplicity,
        square=r.square[0] % MODULUS if r.square else 0,
        helpers=tuple(scalar % MODULUS for scalar in r.helpers),
        table_helper=r.table_helper % MODULUS,
        running_sum=r.running_sum,
        quotients=tuple(
            -vanishing * pow(zeta, (n + CHUNK_MARGIN) * chunk, MODULUS) % MODULUS
            for chunk in range(relation.group)
        ),
    )
