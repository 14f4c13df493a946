"""Every identity of the argument is needed: broken alone it is noticed, and only because it is there.

Each cheat is tried three times: against the argument as it is (rejected), and, with the one identity left out on both
sides, for the same false statement (accepted) and once more by the verifier as he is (rejected).
"""

from dataclasses import dataclass, replace

import pytest

from tests.argument.cheating import (
    CheatingRounds,
    Linearise,
    WithQuotientOfTheRest,
    install,
    without_equations,
    without_helper,
    without_lookup_sum,
    without_squares,
    without_table_helper,
)
from tests.argument.toys import Case, Toy, case, play, setups
from zkmargin.algebra import MODULUS, Setup, Vector
from zkmargin.algebra.field import inverse
from zkmargin.circuits import Witness
from zkmargin.verifier import VerificationError, verify

BAD_ROW = "value less requirement"


@pytest.fixture(params=setups())
def setup(request: pytest.FixtureRequest) -> Setup:
    return setups()[request.param]


class LimbOutOfRange(WithQuotientOfTheRest):
    """Writes -1 as a limb; h_G and h_T are what they should be, and do not add up to the same."""

    def broken(self) -> Vector:
        columns = [*self._helpers, self._table_helper]
        weights = [*([-1] * len(self._helpers)), 1]
        return self._backend.combine([self._spread(column.polynomial) for column in columns], weights)

    def round_3(self) -> None:
        """phi closes around H for the equations alone."""
        helpers, table_helper = self._helpers, self._table_helper
        zero = self._backend.zeros(self._n)
        self._helpers = [replace(column, values=zero) for column in helpers]
        self._table_helper = replace(table_helper, values=zero)
        super().round_3()
        self._helpers, self._table_helper = helpers, table_helper


class WrongMultiplicity(WithQuotientOfTheRest):
    """Writes -1 as a limb, and lets h_T make up for it although no multiplicity does."""

    def _bend_helpers(self) -> None:
        self._table_helper = self._moved("table helper", self._table_helper, self._lookup_gap())

    def broken(self) -> Vector:
        """delta (h_T (alpha + t) - m)."""
        backend = self._backend
        shifted = backend.shift(backend.vector(list(range(self._n))), self._alpha)
        product = backend.mul(self._spread_values(shifted), self._spread(self._table_helper.polynomial))
        return backend.scale(backend.sub(product, self._spread(self._m.polynomial)), self._delta)


class WrongHelper(WithQuotientOfTheRest):
    """Writes -1 as a limb, and lets the helper of one group make up for it."""

    group = 0

    def _bend_helpers(self) -> None:
        self._helpers[self.group] = self._moved("helper", self._helpers[self.group], -self._lookup_gap())

    def broken(self) -> Vector:
        """delta^(2+i) (h_G prod (alpha + limb_j) - sum_j prod_(k != j) (alpha + limb_k))."""
        backend = self._backend
        columns = [
            backend.shift(self._spread(self._limbs[k].polynomial), self._alpha)
            for k in self._relation.groups[self.group]
        ]
        product, total = backend.powers(1, self._size), backend.zeros(self._size)
        for column in columns:
            total = backend.add(backend.mul(total, column), product)
            product = backend.mul(product, column)
        helper = self._spread(self._helpers[self.group].polynomial)
        identity = backend.sub(backend.mul(helper, product), total)
        return backend.scale(identity, pow(self._delta, 2 + self.group, MODULUS))


class WrongSquare(WithQuotientOfTheRest):
    """Takes (q0 - q1)^2 for a little less than it is, so that the requirement falls."""

    saved = 1

    def _false_squares(self, u: Vector) -> Vector:
        values = self._backend.integers(self._backend.mul(u, u))
        return self._backend.vector([values[0] - self.saved, *values[1:]])

    def broken(self) -> Vector:
        """delta^(2+h) (V - U^2)."""
        backend = self._backend
        u, v = (self._spread(column.polynomial) for column in self._squares)
        identity = backend.sub(v, backend.mul(u, u))
        return backend.scale(identity, pow(self._delta, 2 + len(self._relation.groups), MODULUS))


class EquationBroken(WithQuotientOfTheRest):
    """Fills in a row that does not follow from the holdings; every limb is in range."""

    def broken(self) -> Vector:
        """- gamma (sum a q + sum d limbs + e U + f V - v / n)."""
        backend, weighted = self._backend, self._weighted
        public = [*weighted.holdings, *weighted.limbs]
        public += [c for c in (weighted.u, weighted.v) if c is not None]
        secret = [*self._q_polynomials, *(column.polynomial for column in (*self._limbs, *self._squares))]
        products = [
            backend.mul(self._spread_values(c), self._spread(x)) for c, x in zip(public, secret, strict=True)
        ]
        total = backend.combine(products, [1] * len(products))
        level = -weighted.total * inverse(self._n) % MODULUS
        return backend.scale(backend.shift(total, level), -self._gamma % MODULUS)

    def round_3(self) -> None:
        """phi closes around H for the lookup alone."""
        gamma, self._gamma = self._gamma, 0
        super().round_3()
        self._gamma = gamma


@dataclass(frozen=True)
class Cheat:
    """A way to break one identity, on one shape of relation."""

    toy: Toy
    rounds: type[CheatingRounds]
    without: Linearise
    short: int = 1
    cells: int = 0


class WrongLastHelper(WrongHelper):
    group = 1


CHEATS = {
    "lookup sum": Cheat(Toy(), LimbOutOfRange, without_lookup_sum, cells=1),
    "lookup sum, grouped": Cheat(Toy(4, group=2), LimbOutOfRange, without_lookup_sum, cells=1),
    "multiplicity": Cheat(Toy(), WrongMultiplicity, without_table_helper, cells=1),
    "multiplicity, grouped": Cheat(Toy(4, group=2), WrongMultiplicity, without_table_helper, cells=1),
    "helper": Cheat(Toy(), WrongHelper, without_helper(0), cells=1),
    "helper of the first group": Cheat(Toy(4, group=2), WrongHelper, without_helper(0), cells=1),
    "helper of the last group": Cheat(Toy(4, group=2), WrongLastHelper, without_helper(1), cells=1),
    "squares": Cheat(Toy(squares=True), WrongSquare, without_squares),
    "equations": Cheat(Toy(), EquationBroken, without_equations),
    "equations with squares": Cheat(Toy(squares=True), EquationBroken, without_equations),
    "equations over two columns": Cheat(Toy(columns=2), EquationBroken, without_equations),
}

cheats = pytest.mark.parametrize("cheat", CHEATS.values(), ids=CHEATS.keys())


def false_statement(cheat: Cheat, setup: Setup) -> Case:
    """A threshold that the account misses by a little."""
    return case(cheat.toy, setup, threshold=cheat.toy.excess() + cheat.short)


def rounds(cheat: Cheat, made: Case) -> CheatingRounds:
    """The prover who makes the last row, short by one, look as if it were met."""
    honest = made.witness()
    rows = honest.rows
    last = sum(row.limbs for row in made.relation.rows[:-1])
    cheating = cheat.rounds(made.setup, made.statement, honest, made.blinders)
    if cheat.cells:
        # The least limb of the last row is -1, a number that the table lacks; its other limbs are 0.
        width = made.relation.rows[-1].limbs
        cells = [(last + j, -1 if j == 0 else 0) for j in range(width)]
        cheating.false_cells = tuple((cell // 64, cell % 64, value) for cell, value in cells)
    else:
        # The last row says 0, whatever the equation says.
        cheated = Witness(honest.holdings, (*rows[:-1], 0), honest.squares)
        cheating = cheat.rounds(made.setup, made.statement, cheated, made.blinders)
    return cheating


@cheats
def test_a_broken_identity_is_rejected(cheat: Cheat, setup: Setup) -> None:
    made = false_statement(cheat, setup)
    with pytest.raises(VerificationError, match="pairing"):
        verify(made.statement, play(rounds(cheat, made)), setup)


@cheats
def test_the_same_cheat_is_accepted_by_an_argument_without_that_identity(
    cheat: Cheat, setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = false_statement(cheat, setup)
    with monkeypatch.context() as lame:
        install(lame, cheat.without)
        proof = play(rounds(cheat, made))
        verify(made.statement, proof, setup)
    with pytest.raises(VerificationError, match="pairing"):
        verify(made.statement, proof, setup)


@pytest.mark.parametrize("wrong", [c.without for c in CHEATS.values() if not c.toy.squares][:4:2])
def test_an_argument_without_one_identity_still_notices_the_others(
    wrong: Linearise, setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    cheat = CHEATS["equations"]
    made = false_statement(cheat, setup)
    install(monkeypatch, wrong)
    with pytest.raises(VerificationError, match="pairing"):
        verify(made.statement, play(rounds(cheat, made)), setup)
