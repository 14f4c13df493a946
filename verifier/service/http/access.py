"""What every endpoint leans on: the service, whoever asks, and what the OpenAPI document says of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ValidationError

from zkmargin.margin.files.documents import parse_json
from zkmargin.margin.files.validation import input_error
from zkmargin.verifier.errors import RULES
from zkmargin.verifier.service.intake.api_keys import Role
from zkmargin.verifier.service.intake.batches import text
from zkmargin.verifier.service.problems import CHECKS, MEDIA_TYPE, Problem, ProblemError, meaning, status_of
from zkmargin.verifier.service.process.worker import Service
from zkmargin.verifier.service.uploads import MOST_MEMBERS, check_members

REFERENCE = "#/components/schemas/{model}"

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)

_BEARER = HTTPBearer(
    scheme_name="key",
    auto_error=False,
    description="A key that `POST /v1/keys` made, or the settings' first one.",
)


def service_of(request: Request) -> Service:
    """The worker's service."""
    found = request.app.state.service
    assert isinstance(found, Service)
    return found


ServiceHere = Annotated[Service, Depends(service_of)]


def _needs(*roles: Role) -> Callable[..., Any]:
    async def check(
        service: ServiceHere,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)] = None,
    ) -> Role:
        if credentials is None:
            raise ProblemError("unauthorized", "give a key: Authorization: Bearer <key>")
        role = await asyncio.to_thread(service.keys.role, credentials.credentials)
        if role is None:
            raise ProblemError("unauthorized", "nobody knows this key")
        if role not in roles:
            raise ProblemError("forbidden", f"a key for {role} cannot do this")
        return role

    return check


AsAdmin = Annotated[Role, Depends(_needs("admin"))]
AsProtocol = Annotated[Role, Depends(_needs("admin", "protocol"))]


async def form(request: Request, model: type[Model], most: int = MOST_MEMBERS) -> Model:
    """The body as a form of at most so many members, read strictly: a repeated key is refused.

    Raises ProblemError or InputError.
    """
    content = await request.body()
    return await asyncio.to_thread(_read, content, model, most)


def _read(content: bytes, model: type[Model], most: int) -> Model:
    check_members(content, most, "body")
    document = parse_json(text(content), "body")
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise input_error("body", error) from None


ALWAYS = (
    "length",
    "body-slow",
    "body-large",
    "content-encoding",
    "rate",
    "internal",
    "overloaded",
    "unavailable",
)
"""Codes that any endpoint may answer with."""

KEYED = ("unauthorized", "forbidden")
"""Codes of endpoints that ask for a key."""

SUBMITTED = (
    *("document", "statement", "rows", "nonce-used", "sequence", "threshold", "policy-changed"),
    *RULES,
    *CHECKS,
)
"""Codes with which a submission is refused."""


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Which problems an endpoint may answer with: for each status its codes."""
    found: dict[int, list[str]] = {}
    for code in dict.fromkeys((*codes, *ALWAYS)):
        found.setdefault(int(status_of(code)), []).append(code)
    return {status: _told(codes) for status, codes in sorted(found.items())}


def _told(codes: Sequence[str]) -> dict[str, Any]:
    own = {"properties": {"code": {"enum": list(codes)}}}
    schema = {"allOf": [{"$ref": REFERENCE.format(model=Problem.__name__)}, own]}
    description = "; ".join(f"`{code}`: {meaning(code)}" for code in codes)
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """The body's schema, for the OpenAPI document: bodies are read by `form`, more strictly than FastAPI would."""
    schema = model.model_json_schema(ref_template=REFERENCE)
    SCHEMAS.update(schema.pop("$defs", {}))
    SCHEMAS[model.__name__] = schema
    reference = {"$ref": REFERENCE.format(model=model.__name__)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": reference}}}}


SCHEMAS: dict[str, Any] = {"Problem": Problem.model_json_schema()}
"""Schemas that the OpenAPI document holds beside FastAPI's own."""
