"""What protocols may ask: pledges and the log of events."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection, select

from zkmargin.attestation.exchange import AccountName, Pledge, PledgePage, Status
from zkmargin.verifier.service.http.access import KEYED, REFERENCE, AsProtocol, ServiceHere, problems
from zkmargin.verifier.service.http.bodies import EventList
from zkmargin.verifier.service.http.public_api import PledgeId
from zkmargin.verifier.service.problems import ProblemError
from zkmargin.verifier.service.store.event_log import Event, events_after
from zkmargin.verifier.service.store.schema import ACCOUNTS, BACKING, PLEDGES

router = APIRouter(tags=["pledges"])

MOST = 200
LARGEST = (1 << 63) - 1

STREAMED = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]{1,19}$"},
        "event": {"type": "string"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": REFERENCE.format(model=Event.__name__)},
        },
    },
    "required": ["id", "event", "data"],
}
"""One server-sent event, for the OpenAPI document."""

_COLUMNS = [column for column in PLEDGES.c if column.name not in {"receipt", "valuation_time"}]


@router.get("/v1/pledges", responses=problems(*KEYED, "parameter"))
async def pledges(
    service: ServiceHere,
    _: AsProtocol,
    status: Status | None = None,
    subject: Annotated[str | None, Query(max_length=42)] = None,
    after: Annotated[str | None, Query(max_length=40)] = None,
    most: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> PledgePage:
    """Pledges by id, a page at a time."""

    def ask(connection: Connection) -> list[Pledge]:
        question = select(*_COLUMNS).order_by(PLEDGES.c.id).limit(most)
        for column, value in ((PLEDGES.c.status, status), (PLEDGES.c.subject, subject)):
            question = question if value is None else question.where(column == value)
        if after is not None:
            question = question.where(PLEDGES.c.id > after)
        return _pledges(connection, connection.execute(question).mappings().all())

    found = await asyncio.to_thread(service.database.read, ask)
    return PledgePage(pledges=found, after=found[-1].id if len(found) == most else None)


@router.get("/v1/pledges/{pledge}", responses=problems(*KEYED, "parameter", "not-found"))
async def pledge(pledge: PledgeId, service: ServiceHere, _: AsProtocol) -> Pledge:
    """A pledge as it stands."""
    return await asyncio.to_thread(service.database.read, lambda c: _one(c, pledge))


@router.post(
    "/v1/pledges/{pledge}/{action}", responses=problems(*KEYED, "parameter", "not-found", "pledge-status")
)
async def act(
    pledge: PledgeId, action: Literal["call", "release"], service: ServiceHere, _: AsProtocol
) -> Pledge:
    """Call a pledge, or release it. A call stands until the release; what is released counts no more."""

    def change(connection: Connection) -> Pledge:
        to: Literal["called", "released"] = "called" if action == "call" else "released"
        service.ledger.move(connection, pledge, to, int(service.clock.now()))
        return _one(connection, pledge)

    return await asyncio.to_thread(service.database.write, change)


@router.get("/v1/log", responses=problems(*KEYED, "parameter"))
async def log(
    service: ServiceHere,
    _: AsProtocol,
    after: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
    most: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> EventList:
    """The log of events, a page at a time; whoever has all pages can check the chain."""
    found = await asyncio.to_thread(service.database.read, lambda c: events_after(c, after, most))
    return EventList(events=found)


@router.get(
    "/v1/events",
    response_class=StreamingResponse,
    responses={
        **problems(*KEYED, "parameter"),
        200: {
            "description": "Server-sent events: `id` is an event's sequence, `event` its kind, `data` the event.",
            "content": {"text/event-stream": {"schema": STREAMED}},
        },
    },
)
async def events(
    service: ServiceHere,
    _: AsProtocol,
    request: Request,
    after: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
    seconds: Annotated[int, Query(ge=0, le=86400)] = 86400,
    last_event_id: Annotated[str, Header(pattern="^[0-9]{0,18}$")] = "0",
) -> StreamingResponse:
    """Every event after a sequence as it happens; a client that comes back names the last one that it saw.

    The stream ends after so many seconds, 0 for those events only that are there already, and after the time that the
    service's settings give a stream in any case.
    """
    listener = hashlib.sha256(request.headers.get("authorization", "").encode()).hexdigest()
    if service.feed.full(listener):
        raise ProblemError("overloaded", "too many are listening; come back later")
    start = max(after, int(last_event_id or 0))
    longest = min(seconds, service.settings.listen_seconds)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(
        service.feed.listen(start, longest, listener), headers=headers, media_type="text/event-stream"
    )


def _one(connection: Connection, identity: str) -> Pledge:
    row = connection.execute(select(*_COLUMNS).where(PLEDGES.c.id == identity)).mappings().first()
    if row is None:
        raise ProblemError("not-found", f"no pledge {identity}")
    return _pledges(connection, [row])[0]


def _pledges(connection: Connection, rows: Any) -> list[Pledge]:
    accounts: dict[str, list[AccountName]] = {row["id"]: [] for row in rows}
    question = (
        select(BACKING.c.pledge, ACCOUNTS.c.venue, ACCOUNTS.c.account)
        .join(ACCOUNTS, ACCOUNTS.c.id == BACKING.c.account)
        .where(BACKING.c.pledge.in_(list(accounts)))
        .order_by(ACCOUNTS.c.venue, ACCOUNTS.c.account)
    )
    for row in connection.execute(question):
        accounts[row.pledge].append(AccountName(venue=row.venue, account=row.account))
    money = ("amount", "threshold")
    return [
        Pledge(**{**row, **{name: int(row[name]) for name in money}}, accounts=accounts[row["id"]])
        for row in rows
    ]
