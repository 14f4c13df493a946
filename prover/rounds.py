"""The five rounds of the argument, from the prover's side.

Columns are kept as values on H for the sums and as blinded coefficients for everything else. The names are those of
the argument's description: limbs, m, U, V, h_G, h_T, phi, T, W.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from zkmargin.algebra.backend import Backend, Point, Vector
from zkmargin.algebra.field import MODULUS, inverse, root_of_unity
from zkmargin.algebra.setup import Setup
from zkmargin.argument.blinding import blinders
from zkmargin.argument.challenges import Conversation
from zkmargin.argument.coefficients import Coefficients, coefficients, table
from zkmargin.argument.identities import Challenges, PublicValues, Values, joined
from zkmargin.argument.linearisation import CHUNK_MARGIN, linearise, public_values
from zkmargin.argument.messages import (
    Evaluations,
    LookupHelpers,
    Openings,
    QuotientChunks,
    RunningSum,
    WitnessColumns,
)
from zkmargin.argument.proof import Proof
from zkmargin.circuits.relation import Relation
from zkmargin.circuits.statement import Statement
from zkmargin.circuits.witness import Witness, limbs
from zkmargin.prover.coset import OnCoset, inverse_vanishing, table_on_coset, total

Randomness = Callable[[], int]
"""Draws a uniform field element."""


def system_randomness() -> int:
    """A uniform field element from the operating system."""
    return secrets.randbelow(MODULUS)


class QuotientError(RuntimeError):
    """The prover's own identities do not hold: the witness does not meet the relation, or the prover has a fault."""


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
        self._alpha, self._beta = self._conversation.round_1(self._witness_columns())

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
        self._gamma = self._conversation.round_2(self._lookup_helpers())

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
        self._delta = self._conversation.round_3(self._running_sum())

    def round_4(self) -> None:
        """Divide all identities by Z and commit to the quotient in g chunks; receive zeta."""
        chunks = self._split(self._quotient())
        self._quotients = chunks
        self._quotient_commitments = [self._commit(chunk) for chunk in chunks]
        self._zeta = self._conversation.round_4(self._quotient_chunks())

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
        self._nu = self._conversation.round_5(self._evaluations())

    def proof(self) -> Proof:
        """Open everything at zeta and phi at w zeta, and put the proof together."""
        backend, zeta = self._backend, self._zeta
        opened = [column.polynomial for column in (*self._limbs, *self._squares[:1])]
        if self._committed:
            public = (*self._weighted.holdings, table(backend, self._n))
            opened += [backend.intt(values) for values in public]
        powers = [pow(self._nu, i + 1, MODULUS) for i in range(len(opened))]
        everything = backend.combine([self._linearised(), *opened], [1, *powers])
        opening = self._commit(backend.divide(everything, zeta))
        shifted = self._commit(backend.divide(self._phi.polynomial, self._shifted_zeta()))
        openings = Openings(opening=opening, shifted_opening=shifted)
        rounds = (
            self._witness_columns(),
            self._lookup_helpers(),
            self._running_sum(),
            self._quotient_chunks(),
            self._evaluations(),
            openings,
        )
        return Proof(**{name: value for message in rounds for name, value in vars(message).items()})

    def _witness_columns(self) -> WitnessColumns[bytes]:
        return WitnessColumns(
            limbs=tuple(column.commitment for column in self._limbs),
            multiplicity=self._m.commitment,
            squares=tuple(column.commitment for column in self._squares),
        )

    def _lookup_helpers(self) -> LookupHelpers[bytes]:
        return LookupHelpers(
            helpers=tuple(column.commitment for column in self._helpers),
            table_helper=self._table_helper.commitment,
        )

    def _running_sum(self) -> RunningSum[bytes]:
        return RunningSum(running_sum=self._phi.commitment)

    def _quotient_chunks(self) -> QuotientChunks[bytes]:
        return QuotientChunks(quotients=tuple(self._quotient_commitments))

    def _evaluations(self) -> Evaluations:
        return Evaluations(
            limb_values=self._values.limbs,
            square_value=self._values.square,
            shifted_sum=self._values.shifted_sum,
            coefficient_values=self._sent,
        )

    def _inner_product(self, weighted: Coefficients) -> list[tuple[Vector, Vector]]:
        """Each public coefficient vector beside the secret column that it multiplies, as values on H."""
        pairs = list(zip(weighted.holdings, self._q, strict=True))
        pairs += zip(weighted.limbs, (column.values for column in self._limbs), strict=True)
        public = [c for c in (weighted.u, weighted.v) if c is not None]
        return pairs + list(zip(public, (column.values for column in self._squares), strict=True))

    def _quotient(self) -> Vector:
        """T = (all identities, joined by powers of delta) / Z, computed on a coset of H."""
        backend, relation, weighted = self._backend, self._relation, self._weighted
        size = _coset_size(relation)

        def spread(polynomial: Vector) -> OnCoset:
            return OnCoset.of(backend, backend.coset_ntt(polynomial, size))

        def spread_values(*columns: Vector | None) -> tuple[OnCoset, ...]:
            return tuple(spread(backend.intt(column)) for column in columns if column is not None)

        phi = spread(self._phi.polynomial)
        shifted = OnCoset.of(backend, backend.rotate(phi.vector(), size // self._n))
        squares = [spread(column.polynomial) for column in self._squares]
        limb_columns = tuple(spread(column.polynomial) for column in self._limbs)
        public = PublicValues(
            holdings=spread_values(*weighted.holdings),
            limbs=spread_values(*weighted.limbs),
            u=spread_values(weighted.u),
            v=spread_values(weighted.v),
            table=OnCoset.of(backend, table_on_coset(backend, self._n, size)),
        )
        challenges = Challenges(self._alpha, self._gamma, self._delta, 0)
        values = Values(limb_columns, tuple(squares[:1]), shifted)
        r = joined(relation, weighted.total, public, challenges, values)
        terms = [r.constant, phi * r.running_sum, spread(self._m.polynomial) * r.multiplicity]
        terms += [a * spread(q) for a, q in zip(r.holdings, self._q_polynomials, strict=True)]
        terms += [v * column for v, column in zip(r.square, squares[1:], strict=True)]
        terms += [h * spread(column.polynomial) for h, column in zip(r.helpers, self._helpers, strict=True)]
        terms.append(r.table_helper * spread(self._table_helper.polynomial))
        identities = total(terms).vector()
        return backend.coset_intt(backend.mul(identities, inverse_vanishing(backend, self._n, size)))

    def _split(self, quotient: Vector) -> list[Vector]:
        """Cut T at multiples of X^(n+3) into g chunks, joined by fresh blinders: + b X^(n+3) here, - b there."""
        backend, g, step = self._backend, self._relation.group, self._n + CHUNK_MARGIN
        self._check_degree(quotient)
        room = backend.concat([quotient, backend.zeros(g * step)])
        chunks, carried = [], 0
        for chunk in range(g):
            blinder = self._draw() if chunk < g - 1 else 0
            part = backend.slice(room, chunk * step, (chunk + 1) * step)
            edges = backend.vector([-carried, *([0] * (step - 1)), blinder])
            chunks.append(backend.combine([part, edges], [1, 1]))
            carried = blinder
        return chunks

    def _check_degree(self, quotient: Vector) -> None:
        """T fits its chunks, which it does exactly if every identity holds on H.

        Raises:
            QuotientError: an identity does not hold; no verifier would accept the proof.
        """
        room = self._relation.group * (self._n + CHUNK_MARGIN)
        surplus = self._backend.slice(quotient, min(room, len(quotient)), len(quotient))
        if any(self._backend.integers(surplus)):
            raise QuotientError(
                "an identity of the argument does not hold: the quotient has too many coefficients"
            )

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


def _coset_size(relation: Relation) -> int:
    """A power of two that holds T: g (n + 1) + 1 coefficients, and n + 3 at least."""
    n, g = relation.domain, relation.group
    return 1 << (max(g * (n + 1) + 1, n + CHUNK_MARGIN) - 1).bit_length()
