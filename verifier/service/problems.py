"""What goes wrong, told as RFC 9457 problem documents with codes that never change their meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict

from zkmargin.circuits.errors import RelationError
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.canonical_json import canonical_json
from zkmargin.verifier.errors import RULES, PolicyError, VerificationError

MEDIA_TYPE = "application/problem+json"

UNPROCESSABLE, CONFLICT = HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT

CODES: Mapping[str, tuple[HTTPStatus, str]] = {
    "document": (UNPROCESSABLE, "the body is not the document that is asked for"),
    "parameter": (UNPROCESSABLE, "a parameter of path, query or header is not as it has to be"),
    "statement": (
        UNPROCESSABLE,
        "what is submitted cannot be stated: a bound is too wide, or a member does not fit",
    ),
    "unauthorized": (HTTPStatus.UNAUTHORIZED, "no key, or one that nobody knows"),
    "forbidden": (HTTPStatus.FORBIDDEN, "the key is for something else"),
    "not-found": (HTTPStatus.NOT_FOUND, "there is none of this name"),
    "method": (HTTPStatus.METHOD_NOT_ALLOWED, "the path has other methods"),
    "body-slow": (HTTPStatus.REQUEST_TIMEOUT, "the body did not arrive in time"),
    "body-large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is larger than the service takes"),
    "content-encoding": (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "the body is compressed; it is taken only as it is",
    ),
    "length": (HTTPStatus.BAD_REQUEST, "the length of the body is no number that could be meant"),
    "rate": (HTTPStatus.TOO_MANY_REQUESTS, "too many requests from this address"),
    "overloaded": (HTTPStatus.SERVICE_UNAVAILABLE, "too much is waiting; come back"),
    "unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "the ledger does not answer; come back"),
    "internal": (HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong in the service, and was logged"),
    "no-snapshot": (CONFLICT, "no snapshot has been taken in yet"),
    "nonce-used": (CONFLICT, "the nonce has worked already; `pledge` names what it was used for"),
    "sequence": (CONFLICT, RULES["sequence"]),
    "threshold": (CONFLICT, RULES["threshold"]),
    "pledge-status": (CONFLICT, "the pledge is in no status for that"),
    "renewal": (CONFLICT, "the proof does not renew this pledge"),
    "policy-changed": (CONFLICT, "the policy has just been changed; submit again"),
    "exists": (CONFLICT, "the name is taken"),
}
"""The service's own codes, and those of the policy that depend on the ledger, by status; every other code is 422."""

CHECKS: Mapping[str, str] = {
    "pairing": "a proof does not show its statement",
    "shape": "a proof has other parts than its statement asks for",
    "encoding": "a scalar of a proof is not below the field's order",
    "proof-encoding": "the bytes of a proof are not those of its statement's shape",
    "commitment-encoding": "a commitment is no point of the group",
    "committed-rows": "committed rows are not those of the statement",
    "challenges": "a proof leads to a challenge that no honest prover meets",
}
"""What checking a proof may find, by code."""

COOL_DOWN = {"rate": "1", "overloaded": "1", "unavailable": "2"}
"""Seconds after which to come back."""


class Problem(BaseModel):
    """RFC 9457; `code` is for programs, and never changes its meaning."""

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
        return int(status_of(self.code))

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


def status_of(code: str) -> HTTPStatus:
    """The HTTP status of a code."""
    return CODES[code][0] if code in CODES else UNPROCESSABLE


def meaning(code: str) -> str:
    """What a code says, in words."""
    return CODES[code][1] if code in CODES else {**RULES, **CHECKS}[code]


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


class UnavailableError(Exception):
    """The database does not answer, or cannot write; what was asked may be asked again."""
