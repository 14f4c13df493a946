"""The source "custodian": somebody who keeps the account's assets, and locks them where that is asked.

It is the venue's role under another name: its own ledger says what is held, and its register keeps the holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zkmargin.attestation import VerifiedMap
from zkmargin.attestation.documents import OpenOrders, Source
from zkmargin.evidence.reading import Reading
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot


@dataclass(frozen=True)
class Custodian:
    """Reads one account of a custodian's own ledger.

    Attributes:
        account: the pseudonym that the custodian gives it.
        owner: address of its owner's key, as the custodian knows it.
        holdings: the ledger's file, CSV or JSON.
        as_of: the ledger's moment, Unix seconds.
        open_orders: none, or reserved in the balances.
        contracts: the signed map that the ledger is read by; None if it has the universe's names.
    """

    account: str
    owner: str
    holdings: Path
    as_of: int
    open_orders: OpenOrders = "none"
    contracts: VerifiedMap | None = None
    source: Source = "custodian"

    def read(self, snapshot: Snapshot, subject: str) -> Reading:
        """See `Reader`."""
        if subject != self.owner:
            remedy = f"the account is that of {self.owner}"
            raise InputError(f"account {self.account!r}", "subject", subject, remedy)
        targets = None if self.contracts is None else self.contracts.targets
        held = Holdings.read(self.holdings, snapshot, targets)
        return Reading(
            (self.account,),
            held.positions,
            complete=True,
            as_of=self.as_of,
            open_orders=self.open_orders,
            record=None,
            pseudonym=self.account,
        )

    def archive(self) -> bytes:
        """See `Reader`: the ledger is the custodian's own, and kept there."""
        return b""
