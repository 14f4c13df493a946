"""From accounts to a pledge: ask the service what to prove, prove it, submit it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from zkmargin.algebra.setup import Setup
from zkmargin.argument.rows import RowsError, check_rows
from zkmargin.attestation.documents import AttestationDocument, ReceiptDocument
from zkmargin.attestation.exchange import Challenge
from zkmargin.attestation.keys import SigningKey
from zkmargin.attestation.statements import SubmissionTerms
from zkmargin.circuits import CommittedRows, WitnessError, build_relation
from zkmargin.client import calls
from zkmargin.client.connection import Client
from zkmargin.client.errors import ServiceError, UnreachableError
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level
from zkmargin.prover.commit import Opening
from zkmargin.prover.submission import prove_submission

ATTEMPTS = 3
UNCHANGED = "what is asked was not covered before, and has not changed"
AGAIN = {"threshold", "nonce", "policy-changed", "snapshot-age"}
"""Codes after which the same may succeed with a new challenge: somebody was quicker."""


@dataclass(frozen=True)
class Signer:
    """The signer and its accounts.

    Attributes:
        key: the subject's.
        setup: the ceremony's powers.
        accounts: the attestation of each account, with its opening.
        model, level: to prove under.
    """

    key: SigningKey
    setup: Setup
    accounts: Sequence[tuple[AttestationDocument, Opening]]
    model: str = "grid"
    level: Level = "initial"


@dataclass(frozen=True)
class Question:
    """The inputs that determine whether a proof exists; equal inputs are not retried.

    Attributes:
        snapshot: id of the snapshot.
        model, level: of the requirement.
        threshold: the excess to show, in ticks.
        each_venue: whether each venue alone must be proven, too.
        attestations: digests; holdings that change are attested to again.
    """

    snapshot: str
    model: str
    level: Level
    threshold: int
    each_venue: bool
    attestations: tuple[bytes, ...]

    @classmethod
    def of(cls, signer: Signer, asked: Challenge) -> Question:
        """The statement that a challenge asks a signer to prove."""
        digests = tuple(attestation.digest for attestation, _ in signer.accounts)
        return cls(asked.snapshot, signer.model, signer.level, asked.threshold, asked.each_venue, digests)


class UncoveredError(WitnessError):
    """The accounts do not cover what the service asks for.

    Attributes:
        question: what was asked.
    """

    def __init__(self, error: WitnessError, question: Question) -> None:
        super().__init__(str(error), error.row, error.shortage)
        self.question = question


def pledge(client: Client, signer: Signer, amount: int, seconds: int) -> ReceiptDocument:
    """Pledge an amount in ticks for so many seconds.

    Raises:
        ServiceError: the service refuses.
        UnreachableError: it does not answer.
        UncoveredError: the accounts do not cover the amount and what is pledged already.
    """
    return _proven(client, signer, amount, int(time.time()) + seconds)


def renew(
    client: Client, signer: Signer, receipt: ReceiptDocument, uncovered: Question | None = None
) -> ReceiptDocument:
    """Prove a pledge again, against the newest snapshot. Raises as `pledge` does.

    `uncovered` is what the accounts did not cover before: nothing is tried while the service asks just that.
    """
    return _proven(client, signer, receipt.amount, receipt.expiry, renews=receipt.pledge, uncovered=uncovered)


def _proven(
    client: Client,
    signer: Signer,
    amount: int,
    expiry: int,
    *,
    renews: str | None = None,
    uncovered: Question | None = None,
) -> ReceiptDocument:
    keys = [attestation.key for attestation, _ in signer.accounts]
    for attempt in range(ATTEMPTS):
        asked = client.send(calls.challenge(signer.key.address, keys, amount, renews))
        question = Question.of(signer, asked)
        if question == uncovered:
            raise UncoveredError(WitnessError(UNCHANGED, "threshold"), question)
        snapshot = checked(client.send(calls.snapshot(asked.snapshot)), asked)
        terms = SubmissionTerms(
            signer.model,
            signer.level,
            asked.threshold,
            amount,
            asked.audience,
            asked.nonce,
            min(expiry, int(time.time()) + asked.longest_expiry),
        )
        rows = _rows(client, signer, snapshot, asked)
        try:
            document = prove_submission(
                signer.accounts,
                snapshot,
                terms,
                signer.key,
                signer.setup,
                each_venue=asked.each_venue,
                rows=rows,
            )
        except WitnessError as error:
            raise UncoveredError(error, question) from None
        try:
            return _submitted(client, calls.submission(document, renews))
        except ServiceError as error:
            if error.code not in AGAIN or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def _rows(client: Client, signer: Signer, snapshot: Snapshot, asked: Challenge) -> CommittedRows | None:
    """The committed rows to prove with, checked; None if the service has none. Raises InputError for false ones."""
    model, level = signer.model, signer.level
    if not any((found.model, found.level) == (model, level) for found in asked.rows):
        return None
    document = client.send(calls.rows(snapshot.id, model, level))
    found = document.rows(
        calls.WHERE, setup=signer.setup.digest, snapshot=snapshot.id, model=model, level=level
    )
    try:
        check_rows(signer.setup, build_relation(snapshot, model=model, level=level), found)
    except RowsError as error:
        raise InputError(calls.WHERE, "rows", Finding(error), "they are not those of the snapshot") from None
    return found


def _submitted(client: Client, call: calls.Call[ReceiptDocument]) -> ReceiptDocument:
    """Submit; if the answer was lost on its way, find the receipt of what was recorded then."""
    try:
        return client.send(call)
    except UnreachableError:
        try:
            return client.send(call)
        except ServiceError as error:
            if error.code != "nonce-used":
                raise
            return client.send(calls.receipt(str(error.document.get("pledge"))))


def checked(snapshot: Snapshot, asked: Challenge) -> Snapshot:
    """The snapshot, reproduced: a doctored table could ask for rows that betray positions. Raises InputError."""
    if snapshot.quantum_decimals != asked.quantum_decimals:
        remedy = f"the service counts in ticks of 10^-{asked.quantum_decimals} USD"
        raise InputError("snapshot", "quantum_decimals", snapshot.quantum_decimals, remedy)
    snapshot.reproduce()
    return snapshot
