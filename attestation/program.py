"""An oracle's signature of a snapshot's program, which a contract takes in place of the snapshot itself.

A contract cannot derive a program from prices. So the oracle, who could, signs its digest along with the snapshot's id;
anyone else can form the program again (`zkmargin contract program`) and show that a signed one is wrong.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from zkmargin.argument.documents import Digest
from zkmargin.attestation.documents import Microseconds, Name, SignedDocument
from zkmargin.attestation.typed_data import Struct
from zkmargin.margin.units import Level

PROGRAM = Struct(
    "Program",
    (
        ("bytes32", "snapshot"),
        ("bytes32", "universe"),
        ("uint64", "valuationTime"),
        ("string", "model"),
        ("string", "level"),
        ("uint8", "quantumDecimals"),
        ("bytes32", "program"),
    ),
)
"""Signed by a risk oracle: the snapshot was right at its valuation time, and this is its program."""


class ProgramSignature(SignedDocument):
    """An oracle's word for a snapshot's prices and for its program under one model and level.

    Attributes:
        snapshot: its id.
        universe: its universe's digest.
        valuation_time: Unix microseconds.
        model, level: what the program is of.
        quantum_decimals: a tick is 10^-this USD.
        program: the program's digest.
        signer: address of the oracle's key.
    """

    STRUCT: ClassVar[Struct] = PROGRAM

    format: Literal["zkmargin/program-signature"] = "zkmargin/program-signature"
    version: Literal[1] = 1
    snapshot: Digest
    universe: Digest
    valuation_time: Microseconds
    model: Name
    level: Level
    quantum_decimals: Annotated[int, Field(ge=0, le=18)]
    program: Digest

    def message(self) -> dict[str, Any]:
        return {
            "snapshot": bytes.fromhex(self.snapshot),
            "universe": bytes.fromhex(self.universe),
            "valuationTime": self.valuation_time,
            "model": self.model,
            "level": self.level,
            "quantumDecimals": self.quantum_decimals,
            "program": bytes.fromhex(self.program),
        }
