"""What is done with a snapshot before anything is proven or verified under it."""

from pathlib import Path

from zkmargin.cli.terminal import Step
from zkmargin.margin.snapshot import Snapshot


def reproduced_snapshot(path: Path, step: Step) -> Snapshot:
    """The snapshot in a file, with every mark and table derived again from its prices and parameters.

    A doctored table could let a verifier ask for rows that betray positions, or a prover cover too little; what
    remains to be trusted are the prices themselves. Raises InputError.
    """
    step("reading the snapshot")
    snapshot = Snapshot.load(path)
    step("deriving its tables again")
    snapshot.reproduce()
    return snapshot
