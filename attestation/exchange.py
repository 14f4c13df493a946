"""Requests and answers between a verifier's service and its clients, other than signed documents.

Requests are read by the service, which refuses members that it does not know. Answers are read by clients, which pass
such members over, since a newer service may say more. Neither converts anything: a number in quotes is no number.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from zkmargin.argument.documents import Digest
from zkmargin.attestation.documents import MOST_ATTESTATIONS, Name, Text, Ticks
from zkmargin.attestation.names import PartyName
from zkmargin.attestation.signing import Address
from zkmargin.margin.units import Level

Status = Literal["active", "stale", "called", "released", "lapsed"]
"""Of a pledge."""

PLEDGE_PATTERN = "^p-[0-9a-f]{32}$"

PledgeId = Annotated[str, Field(pattern=PLEDGE_PATTERN, examples=["p-5f2b0c9e7a1d4c3f8e6b2a9d0c1e4f7a"])]
Money = Annotated[int, Field(ge=0)]
"""Ticks, 10^-quantum_decimals USD; sums of them may be wider than a single amount."""
Moment = Annotated[int, Field(ge=0, examples=[1773502800])]
"""Unix seconds."""


class Request(BaseModel):
    """Strict and frozen; members that are not known are refused."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, defer_build=True
    )


class Answer(BaseModel):
    """Strict and frozen; members that are not known are passed over."""

    model_config = ConfigDict(
        extra="ignore", strict=True, frozen=True, hide_input_in_errors=True, defer_build=True
    )


class AccountName(Answer):
    """An account of a venue."""

    venue: Name
    account: Name


class AccountAsked(AccountName):
    """An account of a venue that is asked about."""

    model_config = ConfigDict(extra="forbid")

    venue: PartyName
    account: PartyName


class ChallengeRequest(Request):
    """A trader asks what to prove.

    Attributes:
        subject: address of the key that will sign.
        accounts: that will be in the proof.
        amount: to be pledged, in ticks.
        renews: a pledge that the proof will renew; its amount counts once.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "subject": "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf",
                    "accounts": [{"venue": "alpha", "account": "a-7d0c5b1e"}],
                    "amount": 250_000_000_000,
                    "renews": None,
                }
            ]
        }
    )

    subject: Address
    accounts: Annotated[list[AccountAsked], Field(min_length=1, max_length=MOST_ATTESTATIONS)]
    amount: Ticks
    renews: Annotated[str, Field(max_length=40)] | None = None


class RowsInfo(Answer):
    """Committed rows of a snapshot.

    Attributes:
        model, level: what they are the rows of.
        digest: of the commitments, hex SHA-256.
    """

    model: Name
    level: Level
    digest: Digest


class Challenge(Answer):
    """The challenge of a service: the terms of the statement to prove.

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
        rows: the snapshot's committed rows that the service has; a proof under their model and level may use them,
            and must where the policy says so.
    """

    audience: Text
    nonce: Text
    until: Moment
    snapshot: Digest
    quantum_decimals: int
    covered: Money
    threshold: Money
    models: dict[str, Level]
    each_venue: bool
    longest_expiry: int
    rows: list[RowsInfo] = Field(default_factory=list)


class Pledge(Answer):
    """A pledge as it stands; amounts in ticks."""

    id: PledgeId
    status: Status
    subject: Address
    amount: Money
    threshold: Money
    secured: bool
    snapshot: Digest
    model: Name
    level: Level
    accounts: list[AccountName]
    opened: Moment
    proven: Moment
    expiry: Moment


class PledgePage(Answer):
    """A page of pledges; `after` names the last, for the next page."""

    pledges: list[Pledge]
    after: PledgeId | None


class SnapshotInfo(Answer):
    """A snapshot that was taken in."""

    id: Digest
    universe: Digest
    valuation_time: int
    accepted: Moment
    oracle: Name


class VenueInfo(Answer):
    """A venue that is trusted, and the keys that sign for it."""

    name: Name
    keys: list[Address]
    required: bool


class PolicyInForce(Answer):
    """The policy in force."""

    version: int
    policy: dict[str, Any]
