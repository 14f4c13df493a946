"""Portfolio margin proven in zero knowledge: collateral covers the requirement, and nothing else is shown.

The names that most programs need, handed on from the rooms that they live in, each loaded when it is first used:

>>> import zkmargin
>>> market = zkmargin.example_market()
>>> snapshot = zkmargin.Snapshot.build(market)
>>> len(snapshot.universe)
113
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from zkmargin.algebra import Setup, backends, ceremony, get_backend
    from zkmargin.argument import CommitmentDocument, Proof, ProofDocument
    from zkmargin.circuits import CommitmentTerm, Statement, WitnessError
    from zkmargin.margin.account.book import Accounts, excesses
    from zkmargin.margin.account.holdings import Holdings
    from zkmargin.margin.account.report import build_report
    from zkmargin.margin.account.requirement import requirement
    from zkmargin.margin.errors import InputError
    from zkmargin.margin.market import example_market, read_market
    from zkmargin.margin.parameters.document import Parameters
    from zkmargin.margin.snapshot.snapshot import Snapshot
    from zkmargin.prover.opening import OpeningDocument, commit_holdings
    from zkmargin.prover.prove import prove
    from zkmargin.verifier.batch import verify_batch
    from zkmargin.verifier.document import verify_document
    from zkmargin.verifier.errors import VerificationError
    from zkmargin.verifier.verify import verify

__all__ = [
    "Accounts",
    "CommitmentDocument",
    "CommitmentTerm",
    "Holdings",
    "InputError",
    "OpeningDocument",
    "Parameters",
    "Proof",
    "ProofDocument",
    "Setup",
    "Snapshot",
    "Statement",
    "VerificationError",
    "WitnessError",
    "__version__",
    "backends",
    "build_report",
    "ceremony",
    "commit_holdings",
    "example_market",
    "excesses",
    "get_backend",
    "prove",
    "read_market",
    "requirement",
    "verify",
    "verify_batch",
    "verify_document",
]

_HOMES = {
    "zkmargin.algebra": ("Setup", "backends", "ceremony", "get_backend"),
    "zkmargin.argument": ("CommitmentDocument", "Proof", "ProofDocument"),
    "zkmargin.circuits": ("CommitmentTerm", "Statement", "WitnessError"),
    "zkmargin.margin.account.book": ("Accounts", "excesses"),
    "zkmargin.margin.errors": ("InputError",),
    "zkmargin.margin.account.holdings": ("Holdings",),
    "zkmargin.margin.market": ("example_market", "read_market"),
    "zkmargin.margin.parameters.document": ("Parameters",),
    "zkmargin.margin.account.report": ("build_report",),
    "zkmargin.margin.account.requirement": ("requirement",),
    "zkmargin.margin.snapshot.snapshot": ("Snapshot",),
    "zkmargin.prover": ("OpeningDocument", "commit_holdings", "prove"),
    "zkmargin.verifier": ("VerificationError", "verify", "verify_batch", "verify_document"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a public name from its room: a program that only margins accounts never loads the cryptography.

    Raises AttributeError if there is no such name.
    """
    if name == "__version__":
        # Reading what is installed takes as long as half a command.
        from importlib.metadata import version  # noqa: PLC0415

        return version("zkmargin")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
