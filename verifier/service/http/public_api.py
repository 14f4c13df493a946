"""What anybody may ask: health, policy, challenges, proofs, receipts, snapshots, venues."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy import select

from zkmargin.attestation.documents import ReceiptDocument, SubmissionDocument
from zkmargin.attestation.exchange import (
    PLEDGE_PATTERN,
    Challenge,
    ChallengeRequest,
    PolicyInForce,
    RowsInfo,
    SnapshotInfo,
    VenueInfo,
)
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.canonical_json import canonical_json
from zkmargin.margin.files.documents import parse_json
from zkmargin.verifier.service import metrics
from zkmargin.verifier.service.http.access import SUBMITTED, ServiceHere, body_of, form, problems
from zkmargin.verifier.service.http.bodies import (
    MOST_IN_BATCH,
    BatchAnswer,
    BatchRequest,
    Health,
    SnapshotUpload,
)
from zkmargin.verifier.service.intake.batches import Offered, text
from zkmargin.verifier.service.intake.rows import listed
from zkmargin.verifier.service.problems import ProblemError
from zkmargin.verifier.service.store.schema import PLEDGES, SNAPSHOTS
from zkmargin.verifier.service.uploads import MOST_MEMBERS, check_members

router = APIRouter()

PUBLISHED = (
    *("document", "rows", "snapshot-age", "snapshot-future", "oracle-unknown", "oracle-signature"),
    *("chain", "contract", "revoked"),
)
"""Codes with which a snapshot is refused."""

JSON = "application/json"
SnapshotId = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
PledgeId = Annotated[str, Path(pattern=PLEDGE_PATTERN)]


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", tags=["operation"], responses=problems())
async def healthz() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", tags=["operation"], responses=problems())
async def readyz(service: ServiceHere) -> Health:
    """The ledger answers and takes writes, and its tables are of this version."""
    await asyncio.to_thread(service.database.check)
    return Health(status="ok")


@router.head("/metrics", include_in_schema=False)
@router.get("/metrics", tags=["operation"], response_class=Response, responses=problems())
async def exposition() -> Response:
    """Prometheus' text format."""
    return Response(await asyncio.to_thread(metrics.exposition), media_type="text/plain; version=0.0.4")


@router.get("/v1/policy", tags=["proofs"], responses=problems())
async def policy(service: ServiceHere) -> PolicyInForce:
    """The policy in force."""
    found = await asyncio.to_thread(service.policies.look)
    return PolicyInForce(version=found.version, policy=found.policy.model_dump(mode="json"))


@router.get("/v1/venues", tags=["proofs"], responses=problems())
async def venues(service: ServiceHere) -> list[VenueInfo]:
    """The venues that are trusted, without keys that were revoked."""
    found = service.policies.current().policy
    return [
        VenueInfo(
            name=name,
            keys=[key for key in signers.keys if key not in found.revoked],
            required=name in found.required_venues,
        )
        for name, signers in sorted(found.venues.items())
    ]


@router.post(
    "/v1/challenges",
    tags=["proofs"],
    status_code=201,
    responses=problems("document", "no-snapshot"),
    openapi_extra=body_of(ChallengeRequest),
)
async def challenge(request: Request, service: ServiceHere) -> Challenge:
    """A nonce, and the excess that these accounts must show now."""
    asked = await form(request, ChallengeRequest)
    keys = [(account.venue, account.account) for account in asked.accounts]
    now = int(service.clock.now())

    def look() -> tuple[int, str | None, list[RowsInfo]]:
        covered = service.database.read(
            lambda c: service.ledger.covered(c, keys, now, but=asked.renews or "")
        )
        newest = service.snapshots.newest()
        rows = service.database.read(lambda c: listed(c, newest)) if newest else []
        return covered, newest, rows

    covered, snapshot, rows = await asyncio.to_thread(look)
    if snapshot is None:
        raise ProblemError("no-snapshot", "no snapshot has been taken in yet")
    nonce, until = service.challenges.give(asked.subject, now)
    policy = service.policies.current().policy
    return Challenge(
        audience=policy.audience,
        nonce=nonce,
        until=until,
        snapshot=snapshot,
        quantum_decimals=service.settings.quantum_decimals,
        covered=covered,
        threshold=asked.amount + covered,
        models={name: accepted.level for name, accepted in policy.models.items()},
        each_venue=policy.each_venue,
        longest_expiry=policy.longest_expiry,
        rows=rows,
    )


@router.post(
    "/v1/proofs",
    tags=["proofs"],
    status_code=201,
    response_model=ReceiptDocument,
    responses=problems(*SUBMITTED),
    openapi_extra=body_of(SubmissionDocument),
)
async def proof(request: Request, service: ServiceHere) -> Response:
    """Verify a submission and record its pledge; the answer is the signed receipt."""
    receipt = await service.batches.submit(Offered(await request.body()))
    return Response(receipt.encode(), 201, {"location": f"/v1/pledges/{receipt.pledge}"}, JSON)


@router.post(
    "/v1/pledges/{pledge}/proofs",
    tags=["proofs"],
    status_code=201,
    response_model=ReceiptDocument,
    responses=problems("parameter", "renewal", *SUBMITTED),
    openapi_extra=body_of(SubmissionDocument),
)
async def renewal(pledge: PledgeId, request: Request, service: ServiceHere) -> Response:
    """Renew a pledge with a proof against a newer snapshot."""
    receipt = await service.batches.submit(Offered(await request.body(), pledge))
    return Response(receipt.encode(), 201, {"location": f"/v1/pledges/{receipt.pledge}"}, JSON)


@router.post(
    "/v1/batches",
    tags=["proofs"],
    response_model=BatchAnswer,
    responses=problems("document"),
    openapi_extra=body_of(BatchRequest),
)
async def batch(request: Request, service: ServiceHere) -> Response:
    """Several submissions at once; each gets its receipt or its problem."""
    content = await request.body()
    documents = await asyncio.to_thread(_submissions, content)

    async def one(document: Any) -> dict[str, Any]:
        try:
            receipt = await service.batches.submit(Offered(_written(document)))
        except ProblemError as problem:
            return {"receipt": None, "problem": problem.document()}
        return {"receipt": receipt.model_dump(mode="json"), "problem": None}

    results = await asyncio.gather(*map(one, documents))
    return Response(canonical_json({"results": results}), media_type=JSON)


@router.get(
    "/v1/receipts/{pledge}",
    tags=["proofs"],
    response_model=ReceiptDocument,
    responses=problems("not-found", "parameter"),
)
async def receipt(pledge: PledgeId, service: ServiceHere) -> Response:
    """The newest receipt of a pledge."""
    question = select(PLEDGES.c.receipt).where(PLEDGES.c.id == pledge)
    found = await asyncio.to_thread(service.database.read, lambda c: c.execute(question).scalar())
    if found is None:
        raise ProblemError("not-found", f"no pledge {pledge}")
    return Response(found, media_type=JSON)


@router.post(
    "/v1/snapshots",
    tags=["markets"],
    status_code=201,
    responses=problems(*PUBLISHED),
    openapi_extra=body_of(SnapshotUpload),
)
async def take_snapshot(request: Request, service: ServiceHere) -> SnapshotInfo:
    """Take in a snapshot that a trusted oracle signed; whatever does not follow from its prices is refused."""
    content = await request.body()

    def take() -> str:
        offered = service.snapshots.read(content, "body")
        return service.snapshots.accept(offered, service.clock.now()).id

    return await _info(service, await service.strangers.run(take))


@router.get("/v1/snapshots", tags=["markets"], responses=problems("parameter"))
async def list_snapshots(
    service: ServiceHere, most: Annotated[int, Query(ge=1, le=100)] = 20
) -> list[SnapshotInfo]:
    """The newest snapshots, newest first."""
    question = select(*_INFO).order_by(SNAPSHOTS.c.valuation_time.desc()).limit(most)
    rows = await asyncio.to_thread(service.database.read, lambda c: c.execute(question).mappings().all())
    return [SnapshotInfo(**row) for row in rows]


@router.get(
    "/v1/snapshots/{identity}",
    tags=["markets"],
    response_model=SnapshotUpload,
    responses=problems("not-found", "parameter"),
)
async def snapshot(identity: SnapshotId, service: ServiceHere) -> Response:
    """A snapshot with its oracle's signature, as it was taken in."""
    question = select(SNAPSHOTS.c.content, SNAPSHOTS.c.signature).where(SNAPSHOTS.c.id == identity)
    row = await asyncio.to_thread(service.database.read, lambda c: c.execute(question).first())
    if row is None:
        raise ProblemError("not-found", f"no snapshot {identity}")
    body = b'{"signature":%s,"snapshot":%s}' % (row.signature.strip().encode(), bytes(row.content))
    return Response(body, media_type=JSON)


_INFO = [SNAPSHOTS.c[name] for name in ("id", "universe", "valuation_time", "accepted", "oracle")]


async def _info(service: ServiceHere, identity: str) -> SnapshotInfo:
    question = select(*_INFO).where(SNAPSHOTS.c.id == identity)
    row = await asyncio.to_thread(service.database.read, lambda c: c.execute(question).mappings().one())
    return SnapshotInfo(**row)


def _written(document: Any) -> bytes:
    """A part of a batch as a body of its own. Raises ProblemError."""
    try:
        return canonical_json(document)
    except TypeError as error:
        raise ProblemError("document", f"submission: {str(error)[:200]}") from None


def _submissions(content: bytes) -> list[Any]:
    """The parts of a batch, each still to be read by itself. Raises InputError."""
    check_members(content, MOST_MEMBERS, "body")
    document = parse_json(text(content), "body")
    found = document.get("submissions") if isinstance(document, dict) and len(document) == 1 else None
    parts = found if isinstance(found, list) and all(isinstance(part, dict) for part in found) else []
    if not 1 <= len(parts) <= MOST_IN_BATCH:
        remedy = f"give an object with 1 to {MOST_IN_BATCH} submissions"
        raise InputError("body", "submissions", "something else", remedy)
    return parts
