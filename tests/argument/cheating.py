"""A prover who breaks one identity, and an argument that lacks that identity.

Every identity of the argument must be needed: `CheatingRounds` satisfies all of them but one. The verifier rejects
its proof; with that one term left out of the linearisation on both sides, the same cheat is accepted. So a test
that finds a rejection has found it for the right reason.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest

from tests.argument.toys import Unchecked
from zkmargin.algebra import MODULUS, Vector
from zkmargin.argument.identities import Challenges, PublicValues, Values
from zkmargin.argument.linearisation import Linearisation, linearise
from zkmargin.circuits import Relation
from zkmargin.prover.rounds import Column

Linearise = Callable[[Relation, int, PublicValues[int], Challenges, Values[int]], Linearisation]


def without_lookup_sum(
    relation: Relation, total: int, public: PublicValues[int], challenges: Challenges, values: Values[int]
) -> Linearisation:
    """r without - sum h_G + h_T in the running sum."""
    r = linearise(relation, total, public, challenges, values)
    return replace(r, helpers=tuple(h + 1 for h in r.helpers), table_helper=r.table_helper - 1)


def without_equations(
    relation: Relation, total: int, public: PublicValues[int], challenges: Challenges, values: Values[int]
) -> Linearisation:
    """r without gamma (sum a q + sum d limbs + e U + f V - v / n)."""
    return linearise(relation, total, public, replace(challenges, gamma=0), values)


def without_table_helper(
    relation: Relation, total: int, public: PublicValues[int], challenges: Challenges, values: Values[int]
) -> Linearisation:
    """r without delta (h_T (alpha + t) - m)."""
    r = linearise(relation, total, public, challenges, values)
    return replace(r, table_helper=1, multiplicity=0)


def without_helper(group: int) -> Linearise:
    """r without delta^(2+i) (h_G prod (alpha + limb_j) - sum_j prod_(k != j) (alpha + limb_k)) for one group i."""

    def changed(
        relation: Relation, total: int, public: PublicValues[int], challenges: Challenges, values: Values[int]
    ) -> Linearisation:
        r = linearise(relation, total, public, challenges, values)
        weight = pow(challenges.delta, 2 + group, MODULUS)
        limbs = [challenges.alpha + values.limbs[k] for k in relation.groups[group]]
        products = sum(_product(limbs[:k] + limbs[k + 1 :]) for k in range(len(limbs)))
        helpers = (*r.helpers[:group], MODULUS - 1, *r.helpers[group + 1 :])
        return replace(r, helpers=helpers, constant=(r.constant + weight * products) % MODULUS)

    return changed


def without_squares(
    relation: Relation, total: int, public: PublicValues[int], challenges: Challenges, values: Values[int]
) -> Linearisation:
    """r without delta^(2+h) (V - U^2)."""
    r = linearise(relation, total, public, challenges, values)
    weight = pow(challenges.delta, 2 + len(relation.groups), MODULUS)
    u = values.square[0]
    return replace(r, square=r.square - weight, constant=(r.constant + weight * u * u) % MODULUS)


def install(monkeypatch: pytest.MonkeyPatch, changed: Linearise) -> None:
    """Let prover and verifier agree on another r."""
    monkeypatch.setattr("zkmargin.prover.rounds.linearise", changed)
    monkeypatch.setattr("zkmargin.verifier.equation.linearise", changed)


class CheatingRounds(Unchecked):
    """A prover who writes any integer into the limb column, and takes care of all identities but one.

    ``false_cells`` are written over the honest limbs: by column and place.
    """

    false_cells: tuple[tuple[int, int, int], ...] = ()

    def round_1(self) -> None:
        """Commit to the limbs as they are, and to how often the table's values occur among them."""
        columns = [list(column) for column in self._cells]
        for column, place, value in self.false_cells:
            columns[column][place] = value
        every = [cell for column in columns for cell in column]
        counts = [every.count(value) for value in range(self._n)]
        self._limbs = [self._column("limbs", self._backend.vector(column)) for column in columns]
        self._m = self._column("multiplicity", self._backend.vector(counts))
        self._squares = self._square_columns()
        self._alpha, self._beta = self._conversation.round_1(self._witness_columns())

    def round_2(self) -> None:
        """Commit to the helpers, bent as the cheat requires."""
        before = deepcopy(self._conversation)
        super().round_2()
        self._bend_helpers()
        self._conversation = before
        self._gamma = self._conversation.round_2(self._lookup_helpers())

    def _bend_helpers(self) -> None:
        """What the cheat does to h_G and h_T."""

    def _square_columns(self) -> list[Column]:
        if not self._relation.squares:
            return []
        cells = [*self._witness.squares, *([0] * (self._n - self._relation.squares))]
        u = self._backend.vector(cells)
        return [self._column("u", u), self._column("v", self._false_squares(u))]

    def _false_squares(self, u: Vector) -> Vector:
        return self._backend.mul(u, u)

    def _sum(self, column: Column) -> int:
        """The sum of a column over H."""
        return sum(self._backend.integers(column.values)) % MODULUS

    def _moved(self, name: str, column: Column, amount: int) -> Column:
        """The column with its first cell moved by an amount, committed to afresh."""
        values = self._backend.integers(column.values)
        return self._column(name, self._backend.vector([values[0] + amount, *values[1:]]))

    def _lookup_gap(self) -> int:
        """sum h_G - sum h_T over H, which is 0 exactly if every limb lies in the table."""
        return sum(self._sum(column) for column in self._helpers) - self._sum(self._table_helper)


class WithQuotientOfTheRest(CheatingRounds):
    """Divides all identities but the broken one by Z."""

    def broken(self) -> Vector:
        """The values of the broken identity on the coset, with its weight."""
        raise NotImplementedError

    def _quotient(self) -> Vector:
        """T - broken / Z, on the coset where T was computed."""
        backend, whole = self._backend, super()._quotient()
        self._size = len(whole)
        vanishing = self._spread(backend.vector([-1, *([0] * (self._n - 1)), 1]))
        removed = backend.mul(self.broken(), backend.inverse(vanishing))
        return backend.coset_intt(backend.sub(self._spread(whole), removed))

    def _spread(self, polynomial: Vector) -> Vector:
        return self._backend.coset_ntt(polynomial, self._size)

    def _spread_values(self, values: Vector) -> Vector:
        return self._spread(self._backend.intt(values))


def _product(values: list[int]) -> int:
    total = 1
    for value in values:
        total = total * value % MODULUS
    return total
