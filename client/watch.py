"""Keeping pledges proven: on each new snapshot every pledge is proven again before it can go stale."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from zkmargin.attestation.documents import ReceiptDocument
from zkmargin.client import calls
from zkmargin.client.connection import Client
from zkmargin.client.errors import ServiceError, UnreachableError
from zkmargin.client.pledging import Question, Signer, UncoveredError, renew

OVER = {"renewal", "pledge-status", "not-found"}
"""Codes after which a pledge need not be proven any more."""

LONGEST_PAUSE = 60.0


@dataclass
class Watched:
    """A pledge that is kept proven.

    Attributes:
        signer: proves it.
        receipt: its newest.
        over: why it is watched no more; empty while it is.
        uncovered: what the accounts did not cover when it was tried last, or None. It is tried again when snapshot,
            holdings or the excess that is asked for have changed.
    """

    signer: Signer
    receipt: ReceiptDocument
    over: str = ""
    uncovered: Question | None = None


class Watch:
    """Proves pledges again whenever the service has a new snapshot."""

    def __init__(
        self,
        client: Client,
        pledges: list[Watched],
        *,
        seconds: float = 1.0,
        told: Callable[[str, Watched], None] = lambda what, pledge: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`seconds` lie between two looks; `told` hears of every renewal and attempt that failed."""
        self._client, self._pledges, self._seconds = client, pledges, seconds
        self._told, self._sleep = told, sleep

    @property
    def alive(self) -> list[Watched]:
        """The pledges that are still watched."""
        return [pledge for pledge in self._pledges if not pledge.over]

    def look(self) -> int:
        """Prove again what is not proven against the newest snapshot; returns how many were.

        Raises UnreachableError if the service does not answer.
        """
        newest = self._client.send(calls.snapshots())
        return sum(
            self._renew(pledge) for pledge in self.alive if newest and newest[0].id != pledge.receipt.snapshot
        )

    def run(self, until: float | None = None) -> None:
        """Look again and again, until the moment (Unix seconds) or until no pledge is left.

        While the service does not answer the pauses grow.
        """
        pause = self._seconds
        while self.alive and (until is None or time.time() < until):
            try:
                self.look()
                pause = self._seconds
            except UnreachableError as error:
                pause = min(LONGEST_PAUSE, 2 * pause)
                for pledge in self.alive:
                    self._told(f"the service does not answer: {error}", pledge)
            self._sleep(pause)

    def _renew(self, pledge: Watched) -> bool:
        if time.time() > pledge.receipt.expiry:
            pledge.over = "its time has run out"
        else:
            try:
                pledge.receipt = renew(self._client, pledge.signer, pledge.receipt, pledge.uncovered)
                pledge.uncovered = None
            except UncoveredError as error:
                # Prices may come back; until then the pledge goes stale, as it should.
                if error.question != pledge.uncovered:
                    self._told(f"the accounts do not cover it: {error}", pledge)
                pledge.uncovered = error.question
                return False
            except ServiceError as error:
                if error.code in OVER:
                    pledge.over = str(error)
                self._told(str(error), pledge)
                return False
        self._told(pledge.over or "proven again", pledge)
        return not pledge.over
