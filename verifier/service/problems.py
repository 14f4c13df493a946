"""What goes wrong, told as RFC 9457 problem documents with codes that never change their meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict

from zkmargin.circuits.errors import RelationError
from zkmargin.margin.encoding import canonical_json
from zkmargin.margin.errors import InputError
from zkmargin.verifier.errors import PolicyError, VerificationError
from zkmargin.verifier.service.database import UnavailableError

MEDIA_TYPE = "application/problem+json"

CODES: Mapping[str, HTTPStatus] = {
    "document": HTTPStatus.UNPROCESSABLE_ENTITY,
    "parameter": HTTPStatus.UNPROCESSABLE_ENTITY,
    "statement": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "forbidden": HTTPStatus.FORBIDDEN,
    "not-found": HTTPStatus.NOT_FOUND,
    "method": HTTPStatus.METHOD_NOT_ALLOWED,
    "body-slow": HTTPStatus.REQUEST_TIMEOUT,
    "body-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "rate": HTTPStatus.TOO_MANY_REQUESTS,
    "overloaded": HTTPStatus.SERVICE_UNAVAILABLE,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
    "no-snapshot": HTTPStatus.CONFLICT,
    "nonce-used": HTTPStatus.CONFLICT,
    "rows": HTTPStatus.UNPROCESSABLE_ENTITY,
    "sequence": HTTPStatus.CONFLICT,
    "threshold": HTTPStatus.CONFLICT,
    "pledge-status": HTTPStatus.CONFLICT,
    "renewal": HTTPStatus.CONFLICT,
    "policy-changed": HTTPStatus.CONFLICT,
    "exists": HTTPStatus.CONFLICT,
}
"""The service's own codes, and those of the policy that depend on the ledger; every other code is 422."""

COOL_DOWN = {"rate": "1", "overloaded": "1", "unavailable": "2"}
"""Seconds after which to come back."""


class Problem(BaseModel):
    """RFC 9457; `code` is for programs."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str


@dataclass
class ProblemError(Exception):
    """Something to answer instead of what was asked for.

    Attributes:
        code: one of `CODES`, a rule of a policy, or a check of a proof.
        detail: the whole story for people, without secrets.
        more: further members of the document.
    """

    code: str
    detail: str
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(CODES.get(self.code, HTTPStatus.UNPROCESSABLE_ENTITY))

    def document(self) -> dict[str, Any]:
        """The problem document."""
        return {
            "type": f"urn:zkmargin:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.more,
        }

    def body(self) -> bytes:
        """The problem document as bytes."""
        return canonical_json(self.document())

    @property
    def headers(self) -> dict[str, str]:
        """What goes with it."""
        wait = COOL_DOWN.get(self.code)
        headers = {"retry-after": wait} if wait else {}
        return headers | ({"www-authenticate": "Bearer"} if self.code == "unauthorized" else {})


def problem_of(error: Exception) -> ProblemError | None:
    """The problem that an error of the rooms below is; None if it has no name."""
    match error:
        case ProblemError():
            return error
        case PolicyError() | VerificationError():
            return ProblemError(error.code, str(error))
        case InputError():
            return ProblemError("document", str(error))
        case RelationError():
            return ProblemError("statement", str(error))
        case UnavailableError():
            return ProblemError("unavailable", "the ledger does not answer; ask again")
        case _:
            return None
