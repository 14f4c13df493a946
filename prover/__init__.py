"""How it is proven: commitments to holdings, the witness, and the five rounds of the argument."""

from zkmargin.prover.commit import Opening, commit, random_blinder
from zkmargin.prover.opening import OpeningDocument, commit_holdings
from zkmargin.prover.prove import ProverError, prove

__all__ = [
    "Opening",
    "OpeningDocument",
    "ProverError",
    "commit",
    "commit_holdings",
    "prove",
    "random_blinder",
]
