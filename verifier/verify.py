"""Checking one proof."""

from __future__ import annotations

from zkmargin.algebra.setup import Setup
from zkmargin.argument.proof import Proof, ProofFormatError, Shape
from zkmargin.circuits.statement import Statement
from zkmargin.verifier.equation import holds, pairing_equation
from zkmargin.verifier.errors import VerificationError


def verify(statement: Statement, proof: Proof, setup: Setup) -> None:
    """Return if the proof shows the statement, and raise otherwise.

    The statement must be the verifier's own: its snapshot, commitments, threshold, audience and nonce are what he
    accepts, not what came with the proof.

    Raises:
        VerificationError: names the check that failed.
    """
    if not holds(setup, pairing_equation(setup, statement, proof)):
        raise VerificationError("pairing", "the proof does not show this statement")


def verify_bytes(statement: Statement, data: bytes, setup: Setup) -> None:
    """Like `verify`, for an encoded proof; its shape comes from the statement.

    Raises:
        VerificationError: names the check that failed.
    """
    verify(statement, parse(statement, data), setup)


def parse(statement: Statement, data: bytes) -> Proof:
    """The proof in these bytes.

    Raises:
        VerificationError: the bytes do not have the statement's shape, or a scalar is out of range.
    """
    try:
        return Proof.from_bytes(data, Shape.of(statement))
    except ProofFormatError as reason:
        raise VerificationError("proof encoding", str(reason)) from None
