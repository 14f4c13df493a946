"""The prover: commitments to holdings, the witness, and the five rounds of the argument."""

from zkmargin.prover.commit import Opening, commit, random_blinder
from zkmargin.prover.opening import OpeningDocument, commit_holdings
from zkmargin.prover.prove import ProverError, prove
from zkmargin.prover.submission import prove_submission

__all__ = [
    "Opening",
    "OpeningDocument",
    "ProverError",
    "commit",
    "commit_holdings",
    "prove",
    "prove_submission",
    "random_blinder",
]
