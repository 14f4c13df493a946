"""The five rounds of the argument, from the prover's side.

Columns are kept as values on H for the sums and as blinded coefficients for everything else. The names are those of
the argument's description: limbs, m, U, V, h_G, h_T, phi, T, W.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from zkmargin.algebra.backend import Backend, Point, Vector
from zkmargin.algebra.field import MODULUS, inverse, root_of_unity
from zkmargin.algebra.setup import Setup
from zkmargin.argument.blinding import blinders
from zkmargin.argument.challenges import Conversation
from zkmargin.argument.coefficients import Coefficients, coefficients, table
from zkmargin.argument.linearisation import CHUNK_MARGIN, Challenges, Values, linearise, public_values
from zkmargin.argument.proof import Proof
from zkmargin.circuits.relation import Relation
from zkmargin.circuits.statement import Statement
from zkmargin.circuits.witness import Witness, limbs

Randomness = Callable[[], int]
"""Draws a uniform field element."""


def system_randomness() -> int:
    """A uniform field element from the operating system."""
    return secrets.randbelow(MODULUS)


@dataclass(frozen=True)
class Column:
    """One committed column: its values on H, its blinded coefficients, and its commitment."""

    values: Vector
    polynomial: Vector
    commitment: bytes


class Rounds:
    """One run of the prover. The rounds are called in order, once each, and then `proof`.

    Secret throughout; nothing of it is ever printed.
    """

    def __init__(
        self,
        setup: Setup,
        statement: Statement,
        witness: Witness,
        holding_blinders: Sequence[int],
        randomness: Randomness = system_randomness,
    ) -> None:
        """Take the witness and, for each holdings column, the sum of its commitments' blinders."""
        self._setup, self._backend = setup, setup.backend
        self._relation = statement.relation
        self._n = statement.relation.domain
        self._draw = randomness
        self._committed = statement.rows is not None
        self._conversation = Conversation(setup.digest, statement)
        self._cells = limbs(self._relation, witness.rows)
        self._witness = witness
        columns = range(0, len(witness.holdings), self._n)
        self._q = [self._backend.vector(witness.holdings[start : start + self._n]) for start in columns]
        self._q_polynomials = [
            _blinded(self._backend, self._backend.intt(q), [rho], self._n)
            for q, rho in zip(self._q, holding_blinders, strict=True)
        ]

    def round_1(self) -> None:
        """Commit to the limb columns, their multiplicities, and the square columns; receive alpha and beta."""
        n, relation = self._n, self._relation
        counts = np.bincount(np.array(self._cells, np.int64).ravel(), minlength=n)
        self._limbs = [self._small("limbs", np.array(column, np.int64)) for column in self._cells]
        self._m = self._small("multiplicity", counts.astype(np.int64))
        self._squares: list[Column] = []
        if relation.squares:
            cells = [*self._witness.squares, *([0] * (n - relation.squares))]
            u = self._backend.vector(cells)
            self._squares = [self._column("u", u), self._column("v", self._backend.mul(u, u))]
        self._alpha, self._beta = self._conversation.round_1(
            [column.commitment for column in self._limbs],
            self._m.commitment,
            [column.commitment for column in self._squares],
        )

    def round_2(self) -> None:
        """Commit to h_G = sum over the group of 1/(alpha + limb) and h_T = m/(alpha + t); receive gamma."""
        backend, n, k = self._backend, self._n, len(self._limbs)
        every = backend.concat([*(column.values for column in self._limbs), table(backend, n)])
        inverses = backend.inverse(backend.shift(every, self._alpha))
        parts = [backend.slice(inverses, start * n, (start + 1) * n) for start in range(k + 1)]
        self._helpers = [
            self._column("helper", backend.combine([parts[j] for j in group], [1] * len(group)))
            for group in self._relation.groups
        ]
        self._table_helper = self._column("table helper", backend.mul(self._m.values, parts[k]))
        self._gamma = self._conversation.round_2(
            [column.commitment for column in self._helpers], self._table_helper.commitment
        )

    def round_3(self) -> None:
        """Commit to phi, the running sum of lookup and equations together; receive delta.

        phi(w^(i+1)) - phi(w^i) = sum h_G - h_T + gamma (sum a_j q_j + sum d_k limbs_k + e U + f V) - gamma v / n
        """
        backend, gamma = self._backend, self._gamma
        self._weighted = coefficients(backend, self._relation, self._beta)
        products = [backend.mul(c, x) for c, x in self._inner_product(self._weighted)]
        terms = [*(column.values for column in self._helpers), self._table_helper.values, *products]
        signs = [*([1] * len(self._helpers)), -1, *([gamma] * len(products))]
        level = -gamma * self._weighted.total * inverse(self._n)
        steps = backend.shift(backend.combine(terms, signs), level % MODULUS)
        self._phi = self._column("running sum", backend.prefix_sum(steps))
        self._delta = self._conversation.round_3(self._phi.commitment)

    def round_4(self) -> None:
        """Divide all identities by Z and commit to the quotient in g chunks; receive zeta."""
        chunks = self._split(self._quotient())
        self._quotients = chunks
        self._quotient_commitments = [self._commit(chunk) for chunk in chunks]
        self._zeta = self._conversation.round_4(self._quotient_commitments)

    def round_5(self) -> None:
        """Send the limb columns and U at zeta, phi at w zeta, and in committed mode a_j and t at zeta; receive nu."""
        backend, zeta = self._backend, self._zeta
        self._values = Values(
            limbs=tuple(backend.evaluate(column.polynomial, zeta) for column in self._limbs),
            square=tuple(backend.evaluate(column.polynomial, zeta) for column in self._squares[:1]),
            shifted_sum=backend.evaluate(self._phi.polynomial, self._shifted_zeta()),
        )
        self._public = public_values(backend, self._relation, self._weighted, zeta)
        self._sent = (*self._public.holdings, self._public.table) if self._committed else ()
        self._nu = self._conversation.round_5(
            self._values.limbs, self._values.square, self._values.shifted_sum, self._sent
        )

    def proof(self) -> Proof:
        """Open everything at zeta and phi at w zeta, and put the proof together."""
        backend, zeta = self._backend, self._zeta
        opened = [column.polynomial for column in (*self._limbs, *self._squares[:1])]
        if self._committed:
            public = (*self._weighted.holdings, table(backend, self._n))
            opened += [backend.intt(values) for values in public]
        powers = [pow(self._nu, i + 1, MODULUS) for i in range(len(opened))]
        joined = backend.combine([self._linearised(), *opened], [1, *powers])
        opening = self._commit(backend.divide(joined, zeta))
        shifted = self._commit(backend.divide(self._phi.polynomial, self._shifted_zeta()))
        return Proof(
            limbs=tuple(column.commitment for column in self._limbs),
            multiplicity=self._m.commitment,
            squares=tuple(column.commitment for column in self._squares),
            helpers=tuple(column.commitment for column in self._helpers),
            table_helper=self._table_helper.commitment,
            running_sum=self._phi.commitment,
            quotients=tuple(self._quotient_commitments),
            limb_values=self._values.limbs,
            square_value=self._values.square,
            shifted_sum=self._values.shifted_sum,
            opening=opening,
            shifted_opening=shifted,
            coefficient_values=self._sent,
        )

    def _inner_product(self, weighted: Coefficients) -> list[tuple[Vector, Vector]]:
        """Each public coefficient vector beside the secret column that it multiplies, as values on H."""
        pairs = list(zip(weighted.holdings, self._q, strict=True))
        pairs += zip(weighted.limbs, (column.values for column in self._limbs), strict=True)
        public = [c for c in (weighted.u, weighted.v) if c is not None]
        return pairs + list(zip(public, (column.values for column in self._squares), strict=True))

    def _quotient(self) -> Vector:
        """T = (all identities, weighted by powers of delta) / Z, computed on a coset of H.

        phi(wX) - phi(X) - sum h_G + h_T - gamma (sum a q + sum d limbs + e U + f V) + gamma v / n
        + delta (h_T (alpha + t) - m)
        + delta^(2+i) (h_G prod (alpha + limb_j) - sum_j prod_(k != j) (alpha + limb_k))
        + delta^(2+h) (V - U^2)
        """
        backend, relation, gamma, delta = self._backend, self._relation, self._gamma, self._delta
        size = _coset_size(relation)

        def spread(polynomial: Vector) -> Vector:
            return backend.coset_ntt(polynomial, size)

        phi = spread(self._phi.polynomial)
        helpers = [spread(column.polynomial) for column in self._helpers]
        table_helper = spread(self._table_helper.polynomial)
        limb_columns = [spread(column.polynomial) for column in self._limbs]
        squares = [spread(column.polynomial) for column in self._squares]
        secret = [spread(q) for q in self._q_polynomials] + limb_columns + squares
        weighted = self._weighted
        public = [*weighted.holdings, *weighted.limbs]
        public += [c for c in (weighted.u, weighted.v) if c is not None]
        products = [backend.mul(spread(backend.intt(c)), x) for c, x in zip(public, secret, strict=True)]
        shifted_table = backend.shift(_table_on_coset(backend, self._n, size), self._alpha)
        terms = [backend.rotate(phi, size // self._n), phi, *helpers, table_helper, *products]
        signs = [1, -1, *([-1] * len(helpers)), 1, *([-gamma % MODULUS] * len(products))]
        terms += [backend.mul(table_helper, shifted_table), spread(self._m.polynomial)]
        signs += [delta, -delta % MODULUS]
        for i, group in enumerate(relation.groups):
            columns = [backend.shift(limb_columns[j], self._alpha) for j in group]
            terms += _lookup_identity(backend, helpers[i], columns)
            weight = pow(delta, 2 + i, MODULUS)
            signs += [weight, -weight % MODULUS]
        if squares:
            weight = pow(delta, 2 + len(relation.groups), MODULUS)
            terms += [squares[1], backend.mul(squares[0], squares[0])]
            signs += [weight, -weight % MODULUS]
        level = gamma * weighted.total * inverse(self._n) % MODULUS
        identities = backend.shift(backend.combine(terms, signs), level)
        return backend.coset_intt(backend.mul(identities, _inverse_vanishing(backend, self._n, size)))

    def _split(self, quotient: Vector) -> list[Vector]:
        """Cut T at multiples of X^(n+3) into g chunks, joined by fresh blinders: + b X^(n+3) here, - b there."""
        backend, g, step = self._backend, self._relation.group, self._n + CHUNK_MARGIN
        room = backend.concat([quotient, backend.zeros(g * step)])
        chunks, carried = [], 0
        for chunk in range(g):
            blinder = self._draw() if chunk < g - 1 else 0
            part = backend.slice(room, chunk * step, (chunk + 1) * step)
            edges = backend.vector([-carried, *([0] * (step - 1)), blinder])
            chunks.append(backend.combine([part, edges], [1, 1]))
            carried = blinder
        return chunks

    def _linearised(self) -> Vector:
        """r(X), which vanishes at zeta."""
        scalars = linearise(
            self._relation,
            self._weighted.total,
            self._public,
            Challenges(self._alpha, self._gamma, self._delta, self._zeta),
            self._values,
        )
        polynomials = [
            self._backend.vector([scalars.constant]),
            *self._q_polynomials,
            self._m.polynomial,
            *(column.polynomial for column in self._squares[1:]),
            *(column.polynomial for column in self._helpers),
            self._table_helper.polynomial,
            self._phi.polynomial,
            *self._quotients,
        ]
        weights = [
            1,
            *scalars.holdings,
            scalars.multiplicity,
            *([scalars.square] if self._squares else []),
            *scalars.helpers,
            scalars.table_helper,
            scalars.running_sum,
            *scalars.quotients,
        ]
        return self._backend.combine(polynomials, weights)

    def _shifted_zeta(self) -> int:
        return root_of_unity(self._n) * self._zeta % MODULUS

    def _small(self, name: str, values: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Column:
        """Commit to small integers in the Lagrange basis, where small scalars are cheap."""
        backend, setup, n = self._backend, self._setup, self._n
        column = backend.vector(values)
        secrets_ = [self._draw() for _ in range(blinders(name))]
        points = [setup.blinding_point(n, k) for k in range(len(secrets_))]
        point = backend.msm([setup.commit_evaluations(n, column), *points], [1, *secrets_])
        return Column(column, _blinded(backend, backend.intt(column), secrets_, n), backend.encode(point))

    def _column(self, name: str, values: Vector) -> Column:
        """Commit to values on H under as many blinders as the column needs."""
        secrets_ = [self._draw() for _ in range(blinders(name))]
        polynomial = _blinded(self._backend, self._backend.intt(values), secrets_, self._n)
        return Column(values, polynomial, self._commit(polynomial))

    def _commit(self, polynomial: Vector) -> bytes:
        point: Point = self._setup.commit_coefficients(polynomial)
        return self._backend.encode(point)


def _blinded(backend: Backend, polynomial: Vector, secrets_: Sequence[int], n: int) -> Vector:
    """p(X) + (b_0 + b_1 X + ..) Z(X)."""
    low = backend.vector([-b for b in secrets_])
    high = backend.concat([backend.zeros(n), backend.vector(list(secrets_))])
    return backend.combine([polynomial, low, high], [1, 1, 1])


def _lookup_identity(backend: Backend, helper: Vector, columns: Sequence[Vector]) -> list[Vector]:
    """h_G prod x_j and sum_j prod_(k != j) x_k, for x_j = alpha + limb_j: equal on H if h_G = sum 1/x_j."""
    product, total = columns[0], backend.powers(1, len(columns[0]))
    for column in columns[1:]:
        total = backend.add(backend.mul(total, column), product)
        product = backend.mul(product, column)
    return [backend.mul(helper, product), total]


def _coset_size(relation: Relation) -> int:
    """A power of two that holds T: g (n + 1) + 1 coefficients, and n + 3 at least."""
    n, g = relation.domain, relation.group
    return 1 << (max(g * (n + 1) + 1, n + CHUNK_MARGIN) - 1).bit_length()


@lru_cache(maxsize=16)
def _table_on_coset(backend: Backend, n: int, size: int) -> Vector:
    """t(X) on the coset."""
    return backend.coset_ntt(backend.intt(table(backend, n)), size)


@lru_cache(maxsize=16)
def _inverse_vanishing(backend: Backend, n: int, size: int) -> Vector:
    """1/Z(X) on the coset, where Z has no zero."""
    vanishing = backend.vector([-1, *([0] * (n - 1)), 1])
    return backend.inverse(backend.coset_ntt(vanishing, size))
