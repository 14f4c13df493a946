"""Every call to a service as data: what is sent, and how the answer is read. Sync and async clients share them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from pydantic import TypeAdapter

from zkmargin.attestation.documents import ReceiptDocument, SnapshotSignature, SubmissionDocument
from zkmargin.attestation.exchange import Challenge, Pledge, PledgePage, PolicyInForce, SnapshotInfo
from zkmargin.margin.documents import parse_json
from zkmargin.margin.encoding import canonical_json
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot import Snapshot

T = TypeVar("T")

WHERE = "the service's answer"


@dataclass(frozen=True)
class Call(Generic[T]):
    """One call.

    Attributes:
        method, path: of HTTP.
        read: makes the answer out of the text that came.
        content: the body.
        query: parameters.
    """

    method: str
    path: str
    read: Callable[[str], T]
    content: bytes | None = None
    query: dict[str, str] = field(default_factory=dict)


def challenge(
    subject: str, accounts: Sequence[tuple[str, str]], amount: int, renews: str | None = None
) -> Call[Challenge]:
    """Ask for a nonce, and for what these accounts, each as (venue, account), must show now."""
    asked: dict[str, Any] = {
        "subject": subject,
        "accounts": [{"venue": venue, "account": account} for venue, account in accounts],
        "amount": amount,
        "renews": renews,
    }
    return Call("POST", "/v1/challenges", Challenge.model_validate_json, canonical_json(asked))


def submission(document: SubmissionDocument, renews: str | None = None) -> Call[ReceiptDocument]:
    """Submit a proof: a new pledge, or the renewal of one."""
    path = "/v1/proofs" if renews is None else f"/v1/pledges/{renews}/proofs"
    return Call("POST", path, _receipt, document.encode())


def receipt(pledge: str) -> Call[ReceiptDocument]:
    """The newest receipt of a pledge."""
    return Call("GET", f"/v1/receipts/{pledge}", _receipt)


def policy() -> Call[PolicyInForce]:
    """The policy in force."""
    return Call("GET", "/v1/policy", PolicyInForce.model_validate_json)


def snapshots(most: int = 1) -> Call[list[SnapshotInfo]]:
    """The newest snapshots, newest first."""
    read = TypeAdapter(list[SnapshotInfo]).validate_json
    return Call("GET", "/v1/snapshots", read, query={"most": str(most)})


def snapshot(identity: str) -> Call[Snapshot]:
    """A snapshot; its id is checked, its tables are not derived again."""

    def read(text: str) -> Snapshot:
        document = parse_json(text, WHERE)
        found = Snapshot.parse(canonical_json(document["snapshot"]), WHERE)
        if found.id != identity:
            raise InputError(WHERE, "snapshot", found.id, f"it is not {identity}, which was asked for")
        return found

    return Call("GET", f"/v1/snapshots/{identity}", read)


def publish(taken: Snapshot, signature: SnapshotSignature) -> Call[SnapshotInfo]:
    """Hand a signed snapshot in."""
    return Call("POST", "/v1/snapshots", SnapshotInfo.model_validate_json, published(taken, signature))


def published(taken: Snapshot, signature: SnapshotSignature) -> bytes:
    """A signed snapshot as an oracle publishes it, for services to pull."""
    return b'{"signature":%s,"snapshot":%s}' % (signature.encode().strip(), taken.encode().strip())


def pledges(
    status: str | None = None, subject: str | None = None, after: str | None = None
) -> Call[PledgePage]:
    """A page of pledges; needs a protocol's key."""
    asked = {"status": status, "subject": subject, "after": after}
    query = {name: value for name, value in asked.items() if value is not None}
    return Call("GET", "/v1/pledges", PledgePage.model_validate_json, query=query)


def act(pledge: str, action: Literal["call", "release"]) -> Call[Pledge]:
    """Call or release a pledge; needs a protocol's key."""
    return Call("POST", f"/v1/pledges/{pledge}/{action}", Pledge.model_validate_json)


def events(after: int = 0) -> Call[list[dict[str, Any]]]:
    """A page of the log; needs a protocol's key."""
    return Call("GET", "/v1/log", lambda text: list(json.loads(text)["events"]), query={"after": str(after)})


def _receipt(text: str) -> ReceiptDocument:
    return ReceiptDocument.parse(text, WHERE)
