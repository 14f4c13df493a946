"""Checking a proof file against the verifier's own statement."""

from __future__ import annotations

import time
from typing import Any

from zkmargin.algebra.setup import Setup
from zkmargin.argument.documents import Claims, CommitmentDocument, ProofDocument
from zkmargin.circuits.statement import CommitmentTerm, Statement
from zkmargin.margin.arithmetic.decimals import scaled_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.universe import Universe
from zkmargin.verifier.errors import VerificationError
from zkmargin.verifier.verify import verify_bytes


def verify_document(
    statement: Statement,
    document: ProofDocument,
    setup: Setup,
    now: float | None = None,
    quantum_decimals: int | None = None,
) -> None:
    """Return if the file proves the statement at this time, and raise otherwise.

    Args:
        statement: the verifier's own.
        document: the proof file.
        setup: the ceremony's powers.
        now: Unix seconds; the system's clock if left out.
        quantum_decimals: of the snapshot, to tell of thresholds in USD; in ticks if left out.

    Raises:
        VerificationError: the file speaks of something else, has expired, or its proof is false.
    """
    if document.setup != setup.digest:
        raise VerificationError("setup", f"the proof was made under {document.setup}, not {setup.digest}")
    wanted = Claims.of(statement)
    for name in Claims.model_fields:
        found, own = getattr(document.claims, name), getattr(wanted, name)
        if found != own:
            theirs, ours = (_shown(name, value, quantum_decimals) for value in (found, own))
            message = f"{name}: the proof is about {theirs}, the statement about {ours}"
            raise VerificationError("statement", message)
    if statement.expiry and (time.time() if now is None else now) > statement.expiry:
        raise VerificationError("expiry", f"the proof counted until Unix second {statement.expiry}")
    verify_bytes(statement, bytes.fromhex(document.proof), setup)


def commitment_term(
    document: CommitmentDocument, universe: Universe, setup: Setup, where: str
) -> CommitmentTerm:
    """A commitment file as a term of a statement.

    Raises:
        InputError: it was made for another universe, domain or setup.
    """
    if (document.universe, document.domain) != (universe.digest, universe.domain):
        remedy = f"it commits to another universe than the snapshot's, {universe.digest}"
        raise InputError(where, "universe", document.universe, remedy)
    if document.setup != setup.digest:
        raise InputError(
            where, "setup", document.setup, f"it was made under another setup than {setup.digest}"
        )
    return CommitmentTerm(bytes.fromhex(document.point))


def _shown(name: str, value: Any, quantum_decimals: int | None) -> str:
    match name:
        case "threshold" if quantum_decimals is not None:
            return f"{scaled_decimal(value, quantum_decimals)} USD"
        case "threshold":
            return f"{value} ticks"
        case "expiry":
            return f"{value} (Unix seconds, 0 for none)"
        case "commitments":
            return ", ".join(str(commitment) for commitment in value) or "none"
        case _:
            return repr(value)
