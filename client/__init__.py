"""Talking to a verifier's service: ask what to prove, prove it, submit it, and keep it proven."""

from zkmargin.attestation.exchange import Challenge, Pledge, SnapshotInfo
from zkmargin.client import calls, venues
from zkmargin.client.connection import AsyncClient, Client
from zkmargin.client.errors import ServiceError, UnreachableError
from zkmargin.client.pledging import Signer, UncoveredError, pledge, renew
from zkmargin.client.receipts import check_receipt
from zkmargin.client.watch import Watch, Watched

__all__ = [
    "AsyncClient",
    "Challenge",
    "Client",
    "Pledge",
    "ServiceError",
    "Signer",
    "SnapshotInfo",
    "UncoveredError",
    "UnreachableError",
    "Watch",
    "Watched",
    "calls",
    "check_receipt",
    "pledge",
    "renew",
    "venues",
]
