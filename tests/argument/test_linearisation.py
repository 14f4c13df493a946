"""The weighted equations and the linearised polynomial, against their definitions written out in full."""

from math import prod

import pytest

from tests.argument.exposed import exposed_setup
from tests.argument.toys import DOMAIN, TOYS, Case, Toy, case, drawn, play
from zkmargin.algebra import MODULUS, Vector
from zkmargin.algebra.field import inverse, root_of_unity
from zkmargin.argument import coefficients, linearise
from zkmargin.argument.identities import Challenges, Values
from zkmargin.argument.linearisation import public_values
from zkmargin.circuits.witness import limbs
from zkmargin.prover.rounds import Rounds

SHAPES = {**TOYS, "groups of two with squares": Toy(5, squares=True, columns=2, group=2)}

shapes = pytest.mark.parametrize("toy", SHAPES.values(), ids=SHAPES.keys())


@shapes
def test_the_weighted_equations_are_the_equations(toy: Toy) -> None:
    """The inner product less its total is sum beta^i (equation i), for any integers whatever."""
    made = case(toy, exposed_setup())
    relation, backend = made.relation, made.setup.backend
    draw, beta = drawn("any integers"), drawn("beta")()
    q = [draw() % 2001 - 1000 for _ in range(relation.columns * DOMAIN)]
    rows = [
        draw() >> (255 - relation.bits * row.limbs) & ~(-1 << relation.bits * row.limbs)
        for row in relation.rows
    ]
    u = [draw() % 5000 - 2500 for _ in range(relation.squares)] + [0] * (DOMAIN - relation.squares)
    v = [draw() % 5000 for _ in range(DOMAIN)]
    sums = zip(
        relation.holdings.times(q),
        relation.row_terms.times(rows),
        relation.u_terms.times(u),
        relation.v_terms.times(v),
        relation.constants,
        strict=True,
    )
    wanted = sum(pow(beta, i, MODULUS) * sum(terms) for i, terms in enumerate(sums)) % MODULUS
    weighted = coefficients(backend, relation, beta)
    pairs = list(zip(weighted.holdings, (q[s : s + DOMAIN] for s in range(0, len(q), DOMAIN)), strict=True))
    pairs += zip(weighted.limbs, limbs(relation, rows), strict=True)
    if weighted.u is not None and weighted.v is not None:
        pairs += [(weighted.u, u), (weighted.v, v)]
    found = sum(backend.dot(c, backend.vector(x)) for c, x in pairs) - weighted.total
    assert found % MODULUS == wanted


def test_without_squares_there_is_nothing_to_weigh() -> None:
    made = case(Toy(), exposed_setup())
    weighted = coefficients(made.setup.backend, made.relation, 3)
    assert weighted.u is None
    assert weighted.v is None
    assert coefficients(made.setup.backend, made.relation, 3, holdings=False).holdings == ()


class Watched(Rounds):
    """A prover whose polynomials can be looked at."""

    def at(self, polynomial: Vector, x: int) -> int:
        return self._backend.evaluate(polynomial, x)

    def written_out(self, x: int, values: Values[int]) -> int:
        """r(x) term by term, from the text of the argument."""
        backend, relation, n = self._backend, self._relation, self._n
        alpha, gamma, delta, zeta = self._alpha, self._gamma, self._delta, self._zeta
        weighted = self._weighted
        on_h = backend.lagrange(n, zeta)
        holdings = sum(
            backend.dot(on_h, a) * self.at(q, x)
            for a, q in zip(weighted.holdings, self._q_polynomials, strict=True)
        )
        linear = holdings + sum(
            backend.dot(on_h, d) * value for d, value in zip(weighted.limbs, values.limbs, strict=True)
        )
        h = [self.at(column.polynomial, x) for column in self._helpers]
        h_t = self.at(self._table_helper.polynomial, x)
        t = backend.dot(on_h, backend.vector(list(range(n))))
        r = values.shifted_sum - self.at(self._phi.polynomial, x) - sum(h) + h_t
        r += delta * ((alpha + t) * h_t - self.at(self._m.polynomial, x))
        for i, group in enumerate(relation.groups):
            terms = [alpha + values.limbs[k] for k in group]
            others = sum(prod(terms[:k] + terms[k + 1 :]) for k in range(len(terms)))
            r += pow(delta, 2 + i, MODULUS) * (prod(terms) * h[i] - others)
        if weighted.u is not None and weighted.v is not None:
            v = self.at(self._squares[1].polynomial, x)
            linear += backend.dot(on_h, weighted.u) * values.square[0] + backend.dot(on_h, weighted.v) * v
            r += pow(delta, 2 + len(relation.groups), MODULUS) * (v - values.square[0] ** 2)
        r += gamma * weighted.total * inverse(n) - gamma * linear
        chunks = enumerate(self._quotients)
        quotient = sum(pow(zeta, (n + 3) * c, MODULUS) * self.at(chunk, x) for c, chunk in chunks)
        return (r - (pow(zeta, n, MODULUS) - 1) * quotient) % MODULUS

    def check(self) -> None:
        """r is as written out at any x and for any values, and vanishes at zeta for those of the columns."""
        challenges = Challenges(self._alpha, self._gamma, self._delta, self._zeta)
        public = public_values(self._backend, self._relation, self._weighted, self._zeta)
        draw = drawn("points and values")
        other = Values(
            tuple(draw() for _ in self._values.limbs), tuple(draw() for _ in self._values.square), draw()
        )
        for values in (self._values, other):
            r = linearise(self._relation, self._weighted.total, public, challenges, values)
            for x in (self._zeta, draw()):
                found = r.constant + sum(
                    scalar * self.at(polynomial, x)
                    for scalar, polynomial in (
                        *zip(r.holdings, self._q_polynomials, strict=True),
                        (r.multiplicity, self._m.polynomial),
                        *((r.square, column.polynomial) for column in self._squares[1:]),
                        *zip(r.helpers, (c.polynomial for c in self._helpers), strict=True),
                        (r.table_helper, self._table_helper.polynomial),
                        (r.running_sum, self._phi.polynomial),
                        *zip(r.quotients, self._quotients, strict=True),
                    )
                )
                assert found % MODULUS == self.written_out(x, values)
        assert self.written_out(self._zeta, self._values) == 0
        assert self.written_out(self._zeta, other) != 0

    def sums(self) -> None:
        """phi starts at 0 and closes around H; its value at w zeta is what is sent."""
        shifted = root_of_unity(self._n) * self._zeta % MODULUS
        assert self.at(self._phi.polynomial, 1) == 0
        assert self.at(self._phi.polynomial, shifted) == self._values.shifted_sum


def watched(made: Case) -> Watched:
    rounds = Watched(made.setup, made.statement, made.witness(), made.blinders)
    play(rounds)
    return rounds


@shapes
def test_the_linearised_polynomial_is_what_the_argument_says(toy: Toy) -> None:
    rounds = watched(case(toy, exposed_setup()))
    rounds.check()
    rounds.sums()
