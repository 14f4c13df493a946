"""How it is proven: commitments to holdings, the witness, and the five rounds of the argument."""

from zkmargin.prover.commit import Opening, commit, random_blinder
from zkmargin.prover.prove import ProverError, prove

__all__ = ["Opening", "ProverError", "commit", "prove", "random_blinder"]
