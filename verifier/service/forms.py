"""What requests and answers look like, beside the documents that travel on their own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from zkmargin.attestation.documents import (
    MOST_ATTESTATIONS,
    Name,
    ReceiptDocument,
    SnapshotSignature,
    SubmissionDocument,
    Ticks,
)
from zkmargin.attestation.signing import Address
from zkmargin.margin.tables import Level
from zkmargin.verifier.service.chain import Event
from zkmargin.verifier.service.keys import Role
from zkmargin.verifier.service.statuses import Status

MOST_IN_BATCH = 64

KeyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Url = Annotated[str, Field(pattern=r"^https?://[!-~]{1,2000}$")]


class Form(BaseModel):
    """Strict: unknown members are refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class AccountName(Form):
    """An account of a venue."""

    venue: Name
    account: Name


class ChallengeRequest(Form):
    """A trader asks what to prove.

    Attributes:
        subject: address of the key that will sign.
        accounts: that will be in the proof.
        amount: to be pledged, in ticks.
        renews: a pledge that the proof will renew; its amount counts once.
    """

    subject: Address
    accounts: Annotated[list[AccountName], Field(min_length=1, max_length=MOST_ATTESTATIONS)]
    amount: Ticks
    renews: Annotated[str | None, Field(max_length=40)] = None


class Challenge(Form):
    """What to prove.

    Attributes:
        audience, nonce: go into the statement.
        until: Unix second until which the nonce works.
        snapshot: id of the newest snapshot.
        quantum_decimals: a tick is 10^-quantum_decimals USD.
        covered: ticks of live pledges on these accounts.
        threshold: the excess to show: the amount and what is covered.
        models: model to the least level.
        each_venue: whether each venue alone must be proven, too.
        longest_expiry: seconds that the pledge may reach ahead.
    """

    audience: str
    nonce: str
    until: int
    snapshot: str
    quantum_decimals: int
    covered: int
    threshold: int
    models: dict[str, Level]
    each_venue: bool
    longest_expiry: int


class Pledge(Form):
    """A pledge as it stands; amounts in ticks."""

    id: str
    status: Status
    subject: str
    amount: int
    threshold: int
    secured: bool
    snapshot: str
    model: str
    level: Level
    accounts: list[AccountName]
    opened: int
    proven: int
    expiry: int


class PledgeList(Form):
    """A page of pledges; `after` names the last, for the next page."""

    pledges: list[Pledge]
    after: str | None


class BatchRequest(Form):
    """Several submissions at once."""

    submissions: Annotated[list[SubmissionDocument], Field(min_length=1, max_length=MOST_IN_BATCH)]


class BatchResult(Form):
    """Of one submission: its receipt, or the problem with it."""

    receipt: ReceiptDocument | None
    problem: dict[str, Any] | None


class BatchAnswer(Form):
    """In the order of the submissions."""

    results: list[BatchResult]


class SnapshotUpload(Form):
    """A snapshot and its oracle's signature.

    Attributes:
        snapshot: the document, as a snapshot's file holds it.
        signature: the oracle's.
    """

    snapshot: dict[str, Any]
    signature: SnapshotSignature


class SnapshotInfo(Form):
    """A snapshot that was taken in."""

    id: str
    universe: str
    valuation_time: int
    accepted: int
    oracle: str


class VenueInfo(Form):
    """A venue that is trusted, and the keys that sign for it."""

    name: str
    keys: list[str]
    required: bool


class PolicyAnswer(Form):
    """The policy in force."""

    version: int
    policy: dict[str, Any]


class KeyRequest(Form):
    """A key to be made."""

    name: KeyName
    role: Role


class NewKey(Form):
    """A key, shown this once."""

    name: str
    role: Role
    key: str


class KeyInfo(Form):
    """A key's name and what it is for."""

    name: str
    role: Role
    created: int


class WebhookRequest(Form):
    """Where events are to be delivered."""

    name: KeyName
    url: Url


class NewWebhook(Form):
    """A webhook, with the secret that its deliveries are signed with, shown this once."""

    name: str
    url: str
    secret: str


class WebhookInfo(Form):
    """A webhook: how far it has got, and what went wrong last."""

    name: str
    url: str
    delivered: int
    attempts: int
    suspended: bool
    finding: str


class EventList(Form):
    """A page of the log."""

    events: list[Event]


class Health(Form):
    """It is there."""

    status: Literal["ok"]
