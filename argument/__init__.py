"""Shared by prover and verifier: the proof's shape and encoding, the challenges, the public coefficients.

Nothing here is secret, and nothing here decides: the prover answers the challenges, the verifier checks the answers.
"""

from zkmargin.argument.challenges import ChallengeError, Conversation
from zkmargin.argument.coefficients import Coefficients, coefficients
from zkmargin.argument.documents import Claims, CommitmentDocument, ProofDocument
from zkmargin.argument.linearisation import Linearisation, linearise
from zkmargin.argument.proof import Proof, ProofFormatError, Shape

__all__ = [
    "ChallengeError",
    "Claims",
    "Coefficients",
    "CommitmentDocument",
    "Conversation",
    "Linearisation",
    "Proof",
    "ProofDocument",
    "ProofFormatError",
    "Shape",
    "coefficients",
    "linearise",
]
