"""What goes wrong if a message is not absorbed before the challenge that must not know it.

`forgetful` is the conversation with one message left out. Each forger here uses exactly that: he waits for the
challenge, and then chooses the message, so that a false statement verifies. He tries nothing else: his witness is
that of an account that misses the threshold.
"""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from tests.argument.toys import Unchecked
from zkmargin.algebra import MODULUS, Point, Transcript, Vector
from zkmargin.algebra.field import inverse
from zkmargin.argument import Conversation, Proof
from zkmargin.argument.challenges import PROTOCOL
from zkmargin.argument.messages import Part, WitnessColumns
from zkmargin.circuits import Statement
from zkmargin.prover.rounds import Column, Rounds


def forgetful(*labels: str) -> type[Conversation]:
    """A conversation that does not absorb these messages."""

    class Forgetful(Conversation):
        def _append(self, part: Part, value: Any) -> None:
            if part.label not in labels:
                super()._append(part, value)

    return Forgetful


class WithoutStatement(Conversation):
    """A conversation that starts from nothing: any statement gives the same challenges."""

    def __init__(self, setup_digest: str, statement: Statement) -> None:
        super().__init__(setup_digest, statement)
        self._transcript = Transcript(PROTOCOL)


def install(monkeypatch: pytest.MonkeyPatch, conversation: type[Conversation]) -> None:
    """Let prover and verifier agree on another conversation."""
    monkeypatch.setattr("zkmargin.prover.rounds.Conversation", conversation)
    monkeypatch.setattr("zkmargin.verifier.equation.Conversation", conversation)


class Forger(Unchecked):
    """What all forgers share: the value of r at zeta, which must be 0, and how far a message moves it."""

    def _gap(self) -> int:
        """r(zeta) with the values as they stand."""
        return self._backend.evaluate(self._linearised(), self._zeta)

    def _opened_gap(self) -> int:
        """r(zeta) + sum nu^k (limb_k(zeta) - l_k) + .. with the values as they stand."""
        backend, gap = self._backend, self._gap()
        columns = [column.polynomial for column in (*self._limbs, *self._squares[:1])]
        sent = [*self._values.limbs, *self._values.square]
        if self._committed:
            columns += [backend.intt(a) for a in self._weighted.holdings]
            columns.append(backend.intt(backend.vector(list(range(self._n)))))
            sent += self._sent
        for power, (column, value) in enumerate(zip(columns, sent, strict=True), start=1):
            gap += pow(self._nu, power, MODULUS) * (backend.evaluate(column, self._zeta) - value)
        return gap % MODULUS

    def _plus(self, column: Column, polynomial: Vector) -> Column:
        """The column moved by a polynomial."""
        moved = self._backend.combine([column.polynomial, polynomial], [1, 1])
        return replace(column, polynomial=moved, commitment=self._commit(moved))


class LateLimbs(Forger):
    """Knows alpha before his limbs: writes -1, and a padding cell that makes the sum of 1/(alpha + limb) right."""

    def round_1(self) -> None:
        super().round_1()
        backend, alpha = self._backend, self._alpha
        cells = [cell for column in self._cells for cell in column]
        assert self._relation.cells < len(cells), "a padding cell is needed"
        last = sum(row.limbs for row in self._relation.rows[:-1])
        cells[last : self._relation.cells] = [-1] + [0] * (self._relation.rows[-1].limbs - 1)
        counts = backend.integers(self._m.values)
        wanted = sum(count * inverse(alpha + value) for value, count in enumerate(counts))
        others = sum(inverse(alpha + cell) for cell in cells[:-1])
        cells[-1] = inverse(wanted - others) - alpha
        starts = range(0, len(cells), self._n)
        self._limbs = [self._column("limbs", backend.vector(cells[s : s + self._n])) for s in starts]


class LateMultiplicity(Forger):
    """Knows alpha before m: writes -1, and a multiplicity that makes up for it."""

    def round_1(self) -> None:
        last = sum(row.limbs for row in self._relation.rows[:-1])
        flat = [cell for column in self._cells for cell in column]
        flat[last : self._relation.cells] = [-1] + [0] * (self._relation.rows[-1].limbs - 1)
        starts = range(0, len(flat), self._n)
        self._limbs = [self._column("limbs", self._backend.vector(flat[s : s + self._n])) for s in starts]
        self._squares = []
        nothing = self._column("multiplicity", self._backend.zeros(self._n))
        commitments = tuple(column.commitment for column in self._limbs)
        message = WitnessColumns(limbs=commitments, multiplicity=nothing.commitment, squares=())
        self._alpha, self._beta = self._conversation.round_1(message)
        first = sum(inverse(self._alpha + cell) for cell in flat) * self._alpha
        self._m = self._column("multiplicity", self._backend.vector([first, *([0] * (self._n - 1))]))


class LateColumn(Forger):
    """Knows zeta before one of the columns that enter r with a scalar, and moves it until r(zeta) = 0."""

    late = ""

    def round_5(self) -> None:
        before = deepcopy(self._conversation)
        super().round_5()
        one = self._backend.vector([1])
        gap = self._gap()
        self._move(one)
        slope = (self._gap() - gap) % MODULUS
        self._move(self._backend.vector([-gap * inverse(slope) - 1]))
        self._conversation = before
        super().round_5()
        assert self._gap() == 0

    def _move(self, polynomial: Vector) -> None:
        """Add a constant to the late column; phi, of which only differences count, moves by a multiple of X."""
        match self.late:
            case "multiplicity":
                self._m = self._plus(self._m, polynomial)
            case "helper":
                self._helpers[0] = self._plus(self._helpers[0], polynomial)
            case "table helper":
                self._table_helper = self._plus(self._table_helper, polynomial)
            case "square column":
                self._squares[1] = self._plus(self._squares[1], polynomial)
            case "quotient chunk":
                self._quotients[0] = self._backend.combine([self._quotients[0], polynomial], [1, 1])
                self._quotient_commitments[0] = self._commit(self._quotients[0])
            case "running sum":
                steep = self._backend.concat([self._backend.zeros(1), polynomial])
                self._phi = self._plus(self._phi, steep)
                shifted = self._backend.evaluate(self._phi.polynomial, self._shifted_zeta())
                self._values = replace(self._values, shifted_sum=shifted)
            case "statement":
                self._q_polynomials[0] = self._backend.combine([self._q_polynomials[0], polynomial], [1, 1])

    def false_commitment(self) -> Point:
        """For a late statement: the commitment that the proof ended up being about."""
        return self._setup.commit_coefficients(self._q_polynomials[0])


def late(label: str) -> type[LateColumn]:
    """The forger who chooses this column last."""
    return type("Late", (LateColumn,), {"late": label})


class LateValues(Forger):
    """Knows nu before the value of a limb column, and sends the one that closes the joined opening."""

    def round_5(self) -> None:
        super().round_5()
        self._set(0)
        gap = self._opened_gap()
        self._set(1)
        slope = (self._opened_gap() - gap) % MODULUS
        self._set(-gap * inverse(slope) % MODULUS)
        assert self._opened_gap() == 0

    def _set(self, value: int) -> None:
        self._values = replace(self._values, limbs=(value, *self._values.limbs[1:]))


class LateCoefficients(LateValues):
    """Knows nu before the value of a public coefficient that he sends in committed mode."""

    def _set(self, value: int) -> None:
        self._public = replace(self._public, holdings=(value, *self._public.holdings[1:]))
        self._sent = (*self._public.holdings, self._public.table)


class LateShiftedSum(Forger):
    """Knows mu before phi(w zeta): one wrong value balances both openings, r(zeta) + mu (phi(w zeta) - v) = 0."""

    def proof(self) -> Proof:
        honest = super().proof()
        mu = deepcopy(self._conversation).close(honest)
        value = self._values.shifted_sum
        # r holds the value with weight 1: r(zeta) + x + mu (0 - x) = 0 for a value that is off by x.
        return replace(honest, shifted_sum=(value - self._gap() * inverse(1 - mu)) % MODULUS)


class LateOpenings(Forger):
    """Knows mu before both openings: F + mu (phi - v) = (X - zeta) W + mu (X - w zeta) W' for a constant W'."""

    def proof(self) -> Proof:
        honest = super().proof()
        backend, zeta, shifted = self._backend, self._zeta, self._shifted_zeta()
        mu = deepcopy(self._conversation).close(honest)
        joined = self._joined(mu)
        constant = backend.evaluate(joined, zeta) * inverse(mu * (zeta - shifted)) % MODULUS
        rest = backend.combine([joined, backend.vector([shifted, -1])], [1, mu * constant])
        return replace(
            honest,
            opening=self._commit(backend.divide(rest, zeta)),
            shifted_opening=self._commit(backend.vector([constant])),
        )

    def _joined(self, mu: int) -> Vector:
        """F + mu (phi - v)."""
        backend = self._backend
        columns = [column.polynomial for column in (*self._limbs, *self._squares[:1])]
        powers = [pow(self._nu, i + 1, MODULUS) for i in range(len(columns))]
        values = [*self._values.limbs, *self._values.square]
        sent = sum(power * value for power, value in zip(powers, values, strict=True))
        constant = backend.vector([-sent - mu * self._values.shifted_sum])
        return backend.combine(
            [self._linearised(), *columns, self._phi.polynomial, constant], [1, *powers, mu, 1]
        )


class LateShiftedOpening(LateOpenings):
    """Knows mu before W' alone: W is right at w zeta instead of at zeta, and W' takes the rest."""

    def proof(self) -> Proof:
        honest = Rounds.proof(self)
        backend, zeta, shifted = self._backend, self._zeta, self._shifted_zeta()
        first = backend.evaluate(self._joined(0), shifted) * inverse(shifted - zeta)
        opening = self._commit(backend.vector([first]))
        mu = deepcopy(self._conversation).close(replace(honest, opening=opening))
        rest = backend.combine([self._joined(mu), backend.vector([zeta, -1])], [1, first])
        quotient = backend.scale(backend.divide(rest, shifted), inverse(mu))
        return replace(honest, opening=opening, shifted_opening=self._commit(quotient))
