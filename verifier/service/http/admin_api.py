"""What administration may do: change the policy, make and delete keys and webhooks."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from sqlalchemy import select

from zkmargin.attestation.exchange import PolicyInForce
from zkmargin.verifier.policy import Policy
from zkmargin.verifier.service.http.access import KEYED, AsAdmin, ServiceHere, body_of, form, problems
from zkmargin.verifier.service.http.bodies import (
    KeyInfo,
    KeyRequest,
    NewKey,
    NewWebhook,
    WebhookInfo,
    WebhookRequest,
)
from zkmargin.verifier.service.intake.api_keys import add_key, delete_key
from zkmargin.verifier.service.process.webhooks import add_webhook, delete_webhook
from zkmargin.verifier.service.store.schema import API_KEYS, WEBHOOKS

router = APIRouter(tags=["administration"])

KeyName = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$")]

_INFO = [WEBHOOKS.c[name] for name in ("name", "url", "delivered", "attempts", "suspended", "finding")]


@router.put("/v1/policy", responses=problems(*KEYED, "document", "parameter"), openapi_extra=body_of(Policy))
async def change_policy(request: Request, service: ServiceHere, _: AsAdmin) -> PolicyInForce:
    """Put a policy in force on all replicas. A key that it revokes signs for nobody any more."""
    wanted = await form(request, Policy)
    found = await asyncio.to_thread(service.policies.change, wanted, int(service.clock.now()))
    return PolicyInForce(version=found.version, policy=found.policy.model_dump(mode="json"))


@router.get("/v1/keys", responses=problems(*KEYED))
async def keys(service: ServiceHere, _: AsAdmin) -> list[KeyInfo]:
    """Every key's name; none can be shown again."""
    question = select(API_KEYS.c.name, API_KEYS.c.role, API_KEYS.c.created).order_by(API_KEYS.c.name)
    rows: Any = await asyncio.to_thread(service.database.read, lambda c: c.execute(question).mappings().all())
    return [KeyInfo(**row) for row in rows]


@router.post(
    "/v1/keys",
    status_code=201,
    responses=problems(*KEYED, "document", "exists"),
    openapi_extra=body_of(KeyRequest),
)
async def make_key(request: Request, service: ServiceHere, _: AsAdmin) -> NewKey:
    """Make a key; it is shown this once."""
    asked = await form(request, KeyRequest)
    now = int(service.clock.now())
    key = await asyncio.to_thread(service.database.write, lambda c: add_key(c, asked.name, asked.role, now))
    service.keys.forget()
    return NewKey(name=asked.name, role=asked.role, key=key)


@router.delete(
    "/v1/keys/{name}",
    status_code=204,
    response_class=Response,
    responses=problems(*KEYED, "parameter", "not-found"),
)
async def drop_key(name: KeyName, service: ServiceHere, _: AsAdmin) -> Response:
    """Let a key work no more."""
    await asyncio.to_thread(service.database.write, lambda c: delete_key(c, name))
    service.keys.forget()
    return Response(status_code=204)


@router.get("/v1/webhooks", responses=problems(*KEYED))
async def webhooks(service: ServiceHere, _: AsAdmin) -> list[WebhookInfo]:
    """Every webhook, and how far it has got."""
    question = select(*_INFO).order_by(WEBHOOKS.c.name)
    rows: Any = await asyncio.to_thread(service.database.read, lambda c: c.execute(question).mappings().all())
    return [WebhookInfo(**row) for row in rows]


@router.post(
    "/v1/webhooks",
    status_code=201,
    responses=problems(*KEYED, "document", "exists"),
    openapi_extra=body_of(WebhookRequest),
)
async def make_webhook(request: Request, service: ServiceHere, _: AsAdmin) -> NewWebhook:
    """Deliver all events from now on to an address."""
    asked = await form(request, WebhookRequest)
    secret = await asyncio.to_thread(
        service.database.write, lambda c: add_webhook(c, service.key, asked.name, asked.url)
    )
    return NewWebhook(name=asked.name, url=asked.url, secret=secret)


@router.delete(
    "/v1/webhooks/{name}",
    status_code=204,
    response_class=Response,
    responses=problems(*KEYED, "parameter", "not-found"),
)
async def drop_webhook(name: KeyName, service: ServiceHere, _: AsAdmin) -> Response:
    """Deliver no more."""
    await asyncio.to_thread(service.database.write, lambda c: delete_webhook(c, name))
    return Response(status_code=204)
