"""What a service answers, as far as a client needs it. Members that are not known here are passed over."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from zkmargin.margin.tables import Level


class Answer(BaseModel):
    """Frozen; newer services may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class AccountName(Answer):
    """An account of a venue."""

    venue: str
    account: str


class Challenge(Answer):
    """What to prove: see the service's documentation."""

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


class Pledge(Answer):
    """A pledge as it stands; amounts in ticks."""

    id: str
    status: str
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


class PledgePage(Answer):
    """Some pledges, and the last of them if there may be more."""

    pledges: list[Pledge]
    after: str | None


class SnapshotInfo(Answer):
    """A snapshot that the service took in."""

    id: str
    universe: str
    valuation_time: int
    accepted: int
    oracle: str


class PolicyInForce(Answer):
    """The service's policy."""

    version: int
    policy: dict[str, Any]
