"""The conversation: what is absorbed before which challenge is drawn (Fiat and Shamir over SHA-256).

Every message is absorbed before the challenge that follows it, and each challenge depends on all before it. Prover
and verifier walk through the same five rounds, so that neither can leave a message out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zkmargin.algebra.field import MODULUS
from zkmargin.algebra.transcript import Transcript
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

    def round_1(
        self, limbs: Sequence[bytes], multiplicity: bytes, squares: Sequence[bytes]
    ) -> tuple[int, int]:
        """The witness is committed to; draw alpha for the lookup and beta for the equations.

        Raises:
            ChallengeError: -alpha is a table value, where 1/(alpha + t) is not defined.
        """
        self._points("limb column", limbs)
        self._points("multiplicity", [multiplicity])
        self._points("square column", squares)
        alpha = self._transcript.challenge("alpha")
        if -alpha % MODULUS < self._domain:
            raise ChallengeError("alpha cancels a table value")
        return alpha, self._transcript.challenge("beta")

    def round_2(self, helpers: Sequence[bytes], table_helper: bytes) -> int:
        """The lookup helpers are committed to; draw gamma, which joins lookup and equations."""
        self._points("helper", helpers)
        self._points("table helper", [table_helper])
        return self._transcript.challenge("gamma")

    def round_3(self, running_sum: bytes) -> int:
        """The running sum is committed to; draw delta, which separates the identities."""
        self._points("running sum", [running_sum])
        return self._transcript.challenge("delta")

    def round_4(self, quotients: Sequence[bytes]) -> int:
        """The quotient is committed to; draw zeta, where all is evaluated.

        Raises:
            ChallengeError: zeta lies in H, where the quotient is not defined.
        """
        self._points("quotient chunk", quotients)
        zeta = self._transcript.challenge("zeta")
        if pow(zeta, self._domain, MODULUS) == 1:
            raise ChallengeError("zeta lies in the domain")
        return zeta

    def round_5(
        self,
        limb_values: Sequence[int],
        square_value: Sequence[int],
        shifted_sum: int,
        coefficient_values: Sequence[int] = (),
    ) -> int:
        """The values are sent; draw nu, which joins what is opened at zeta."""
        self._scalars("limb value", limb_values)
        self._scalars("square value", square_value)
        self._scalars("running sum at w zeta", [shifted_sum])
        self._scalars("coefficient value", coefficient_values)
        return self._transcript.challenge("nu")

    def close(self, opening: bytes, shifted_opening: bytes) -> int:
        """The openings are sent; draw mu, which joins the two points."""
        self._points("opening", [opening])
        self._points("opening at w zeta", [shifted_opening])
        return self._transcript.challenge("mu")

    def _points(self, label: str, points: Sequence[bytes]) -> None:
        for point in points:
            self._transcript.append_point(label, point)

    def _scalars(self, label: str, values: Sequence[int]) -> None:
        for value in values:
            self._transcript.append_scalar(label, value)
