"""The conversation: what is absorbed before which challenge is drawn (Fiat and Shamir over SHA-256).

Every message is absorbed before the challenge that follows it, and each challenge depends on all before it. Prover
and verifier walk through the same five rounds, so that neither can leave a message out.
"""

from __future__ import annotations

from typing import Any, Final

from zkmargin.algebra.field import MODULUS
from zkmargin.algebra.transcript import Transcript
from zkmargin.argument.messages import (
    Evaluations,
    LookupHelpers,
    Openings,
    Part,
    QuotientChunks,
    RunningSum,
    WitnessColumns,
    parts,
)
from zkmargin.circuits.statement import Statement

PROTOCOL: Final = "zkmargin/margin-argument/2"


class ChallengeError(ValueError):
    """A challenge fell on a value for which the argument is not defined (with probability below 2^-240)."""


class Conversation:
    """The transcript of one proof. The rounds are called in order, once each."""

    def __init__(self, setup_digest: str, statement: Statement) -> None:
        self._transcript = Transcript(PROTOCOL)
        self._transcript.append("setup", bytes.fromhex(setup_digest))
        self._transcript.append("statement", statement.digest)
        self._domain = statement.relation.domain

    def round_1(self, message: WitnessColumns[bytes]) -> tuple[int, int]:
        """The witness is committed to; draw alpha for the lookup and beta for the equations.

        Raises:
            ChallengeError: -alpha is a table value, where 1/(alpha + t) is not defined.
        """
        self._absorb(WitnessColumns, message)
        alpha = self._transcript.challenge("alpha")
        if -alpha % MODULUS < self._domain:
            raise ChallengeError("alpha cancels a table value")
        return alpha, self._transcript.challenge("beta")

    def round_2(self, message: LookupHelpers[bytes]) -> int:
        """The lookup helpers are committed to; draw gamma, which joins lookup and equations."""
        self._absorb(LookupHelpers, message)
        return self._transcript.challenge("gamma")

    def round_3(self, message: RunningSum[bytes]) -> int:
        """The running sum is committed to; draw delta, which separates the identities."""
        self._absorb(RunningSum, message)
        return self._transcript.challenge("delta")

    def round_4(self, message: QuotientChunks[bytes]) -> int:
        """The quotient is committed to; draw zeta, where all is evaluated.

        Raises:
            ChallengeError: zeta lies in H, where the quotient is not defined.
        """
        self._absorb(QuotientChunks, message)
        zeta = self._transcript.challenge("zeta")
        if pow(zeta, self._domain, MODULUS) == 1:
            raise ChallengeError("zeta lies in the domain")
        return zeta

    def round_5(self, message: Evaluations) -> int:
        """The values are sent; draw nu, which joins what is opened at zeta."""
        self._absorb(Evaluations, message)
        return self._transcript.challenge("nu")

    def close(self, message: Openings[bytes]) -> int:
        """The openings are sent; draw mu, which joins the two points."""
        self._absorb(Openings, message)
        return self._transcript.challenge("mu")

    def _absorb(self, round_: type[Any], message: object) -> None:
        """Absorb the parts of one round, in order; a whole proof counts as a message of every round."""
        for part in parts(round_):
            for value in part.of(message):
                self._append(part, value)

    def _append(self, part: Part, value: Any) -> None:
        if part.kind == "point":
            self._transcript.append_point(part.label, value)
        else:
            self._transcript.append_scalar(part.label, value)
