"""Every call to a service as data: what is sent, and how the answer is read. Sync and async clients share them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter

from zkmargin.argument.documents import RowsDocument
from zkmargin.attestation.documents import ReceiptDocument, SnapshotSignature, SubmissionDocument
from zkmargin.attestation.exchange import Challenge, Pledge, PledgePage, PolicyInForce, RowsInfo, SnapshotInfo
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.canonical_json import canonical_json
from zkmargin.margin.files.documents import parse_json
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level

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


def publish(
    taken: Snapshot, signature: SnapshotSignature, rows: Sequence[RowsDocument] = ()
) -> Call[SnapshotInfo]:
    """Hand a signed snapshot in, with committed rows if there are any."""
    content = published(taken, signature, rows)
    return Call("POST", "/v1/snapshots", SnapshotInfo.model_validate_json, content)


def published(taken: Snapshot, signature: SnapshotSignature, rows: Sequence[RowsDocument] = ()) -> bytes:
    """A signed snapshot, with committed rows if there are any, as an oracle publishes it for services to pull."""
    members = {"signature": signature.encode(), "snapshot": taken.encode()}
    if rows:
        members["rows"] = b"[%s]" % b",".join(document.encode().strip() for document in rows)
    return b"{%s}" % b",".join(b'"%s":%s' % (name.encode(), text.strip()) for name, text in members.items())


def publish_rows(document: RowsDocument) -> Call[RowsInfo]:
    """Hand in committed rows of a snapshot that the service has."""
    path = _rows_path(document.snapshot, document.model, document.level)
    return Call("PUT", path, RowsInfo.model_validate_json, document.encode())


def rows(snapshot: str, model: str, level: Level) -> Call[RowsDocument]:
    """Committed rows; whether they are those of the snapshot is still to be checked."""
    return Call("GET", _rows_path(snapshot, model, level), lambda text: RowsDocument.parse(text, WHERE))


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
    return Call(
        "GET", "/v1/log", lambda text: list(parse_json(text, WHERE)["events"]), query={"after": str(after)}
    )


def _rows_path(snapshot: str, model: str, level: Level) -> str:
    return f"/v1/snapshots/{snapshot}/rows/{quote(model, safe='')}/{level}"


def _receipt(text: str) -> ReceiptDocument:
    return ReceiptDocument.parse(text, WHERE)
