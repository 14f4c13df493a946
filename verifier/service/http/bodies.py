"""What requests and answers look like that only the service itself, protocols and administration deal with.

What clients read is in `zkmargin.attestation.exchange`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from zkmargin.argument.documents import RowsDocument, size_in_words
from zkmargin.attestation.documents import (
    ReceiptDocument,
    SnapshotSignature,
    SubmissionDocument,
)
from zkmargin.attestation.exchange import Answer, Moment, Request
from zkmargin.verifier.service.intake.api_keys import Role
from zkmargin.verifier.service.intake.snapshots import MOST_ROWS
from zkmargin.verifier.service.problems import Problem
from zkmargin.verifier.service.store.event_log import Event

MOST_IN_BATCH = 64

KeyName = Annotated[
    str, Field(pattern=r"^[._-]*[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64, examples=["desk-1"])
]
"""A letter or digit at least: clients fold a path that ends in . or .. before they send it."""
_PORT = "([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"

Url = Annotated[
    str,
    Field(
        pattern=rf"^https?://[A-Za-z0-9][A-Za-z0-9.-]{{0,252}}(:{_PORT})?(/[!-~]{{0,1700}})?$",
        examples=["https://protocol.example/zkmargin-events"],
    ),
]
"""A host by its name or IPv4 address, a port, a path; nobody's name and password."""


class BatchRequest(Request):
    """Several submissions at once; each is read by itself, and one that is none harms no other."""

    submissions: Annotated[
        list[SubmissionDocument | dict[str, Any]],
        Field(min_length=1, max_length=MOST_IN_BATCH, json_schema_extra=size_in_words),
    ]


class BatchResult(Answer):
    """Of one submission: its receipt, or the problem with it."""

    receipt: ReceiptDocument | None
    problem: Problem | None


class BatchAnswer(Answer):
    """In the order of the submissions."""

    results: list[BatchResult]


class SnapshotUpload(Request):
    """A snapshot and its oracle's signature.

    Attributes:
        snapshot: the document, as a snapshot's file holds it.
        signature: the oracle's.
        rows: commitments to the rows of its models, if the oracle publishes any.
    """

    snapshot: dict[str, Any]
    signature: SnapshotSignature
    rows: Annotated[list[RowsDocument], Field(max_length=MOST_ROWS, json_schema_extra=size_in_words)] = Field(
        default_factory=list
    )


class KeyRequest(Request):
    """A key to be made."""

    name: KeyName
    role: Role


class NewKey(Answer):
    """A key, shown this once."""

    name: str
    role: Role
    key: str


class KeyInfo(Answer):
    """A key's name and what it is for."""

    name: str
    role: Role
    created: Moment


class WebhookRequest(Request):
    """Where events are to be delivered."""

    name: KeyName
    url: Url


class NewWebhook(Answer):
    """A webhook, with the secret that its deliveries are signed with, shown this once."""

    name: str
    url: str
    secret: str


class WebhookInfo(Answer):
    """A webhook: how far it has got, and what went wrong last."""

    name: str
    url: str
    delivered: int
    attempts: int
    suspended: bool
    finding: str


class EventList(Answer):
    """A page of the log."""

    events: list[Event]


class Health(Answer):
    """It is there."""

    status: Literal["ok"]
