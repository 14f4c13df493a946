"""What anybody may ask about committed rows: which there are, the rows themselves, and to take some in."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from zkmargin.argument.documents import RowsDocument
from zkmargin.attestation.exchange import RowsInfo
from zkmargin.margin.units import Level
from zkmargin.verifier.service.http.access import ServiceHere, body_of, form, problems
from zkmargin.verifier.service.http.public_api import JSON, SnapshotId
from zkmargin.verifier.service.intake.rows import known, listed
from zkmargin.verifier.service.problems import ProblemError
from zkmargin.verifier.service.uploads import MOST_ROWS_MEMBERS

router = APIRouter(prefix="/v1/snapshots/{identity}/rows", tags=["markets"])

ModelName = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,128}$")]


@router.get("", responses=problems("parameter"))
async def list_rows(identity: SnapshotId, service: ServiceHere) -> list[RowsInfo]:
    """Which committed rows of a snapshot there are."""
    return await asyncio.to_thread(service.database.read, lambda c: listed(c, identity))


@router.get("/{model}/{level}", response_model=RowsDocument, responses=problems("not-found", "parameter"))
async def rows(identity: SnapshotId, model: ModelName, level: Level, service: ServiceHere) -> Response:
    """Committed rows as they were taken in."""
    found = await asyncio.to_thread(service.database.read, lambda c: known(c, identity, model, level))
    if found is None:
        raise ProblemError("not-found", f"no rows of {model} at {level} for snapshot {identity}")
    return Response(bytes(found.content), media_type=JSON)


@router.put(
    "/{model}/{level}",
    status_code=201,
    responses=problems("parameter", "document", "statement", "rows", "model", "snapshot", "revoked"),
    openapi_extra=body_of(RowsDocument),
)
async def publish_rows(
    identity: SnapshotId, model: ModelName, level: Level, request: Request, service: ServiceHere
) -> RowsInfo:
    """Take committed rows in; they are recomputed, and refused if they are not those of the snapshot."""
    await asyncio.to_thread(service.snapshots.expect_rows, identity, model, level)
    document = await form(request, RowsDocument, MOST_ROWS_MEMBERS)
    if (document.snapshot, document.model, document.level) != (identity, model, level):
        raise ProblemError("rows", "rows: they are of another snapshot, model or level than the path names")
    return await service.strangers.run(
        lambda: service.snapshots.publish(identity, document, service.clock.now())
    )
