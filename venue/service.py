"""The venue's HTTP service: the bearer of an account's token gets an attestation of it, with the opening.

A request names neither holdings nor commitment: both come from the ledger. It can ask for a hold, nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zkmargin.algebra import Setup
from zkmargin.attestation import ContractMapDocument, Hold, SigningDomain
from zkmargin.attestation.key_file import passphrase_from, read_key
from zkmargin.margin.errors import InputError
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.venue.issue import Account, Moment, Venue, attest, begin, check_ledger
from zkmargin.venue.register import Register
from zkmargin.venue.settings import AccountSettings, VenueSettings

LARGEST_BODY = 4096
"""In bytes; a request asks for a hold at most."""

TOO_LARGE = f"a request has at most {LARGEST_BODY} bytes"

CODES = {404: "path", 405: "method", 413: "body"}
"""Stable codes of what the framework itself refuses."""

LOG = logging.getLogger("zkmargin.venue")


class Problem(Exception):  # noqa: N818 - named after the document that it becomes (RFC 9457)
    """An answer that is not the one asked for."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


class AttestRequest(BaseModel):
    """Options of an attestation request."""

    model_config = ConfigDict(extra="forbid", strict=True)

    hold: Hold | None = None


@dataclass(frozen=True)
class Desk:
    """The state that request handlers share.

    Attributes:
        venue: who attests.
        register: of the venue.
        settings: of the service.
        directory: that the ledger's files are relative to.
    """

    venue: Venue
    register: Register
    settings: VenueSettings
    directory: Path

    @classmethod
    def open(cls, path: Path, setup: Setup) -> Desk:
        """The desk that a settings file describes. Raises InputError for whatever cannot be used."""
        settings, directory = VenueSettings.read(path), path.parent
        passphrase_file = directory / settings.passphrase_file if settings.passphrase_file else None
        key = read_key(directory / settings.key, passphrase_from(passphrase_file))
        domain = SigningDomain(settings.chain_id, settings.verifying_contract)
        snapshot = Snapshot.load(directory / settings.snapshot)
        contracts = None
        if settings.map is not None:
            signer, path = settings.map_signer or key.address, directory / settings.map
            contracts = ContractMapDocument.read(path).verified(snapshot.universe, signer, str(path))
        venue = Venue(settings.name, key, domain, setup, snapshot, contracts)
        for account in settings.accounts.values():
            check_ledger(account.open_orders, venue.holdings(directory / account.holdings))
        register = Register(directory / settings.register_file)
        begin(venue, Moment.lasting(settings.lifetime), register)
        return cls(venue, register, settings, directory)

    def account_of(self, token: str) -> tuple[str, AccountSettings]:
        """The account whose token this is; every account's is compared. Raises Problem."""
        digest = hashlib.sha256(token.encode()).hexdigest()
        found = [
            (name, account)
            for name, account in self.settings.accounts.items()
            if hmac.compare_digest(account.token_sha256, digest)
        ]
        if not found:
            raise Problem(401, "token", "present the account's token as a bearer token")
        return found[0]

    def attest(self, name: str, settings: AccountSettings, hold: Hold | None) -> dict[str, Any]:
        """Attestation and opening of an account out of the ledger. Raises Problem."""
        moment = Moment.lasting(self.settings.lifetime)
        if hold is not None and not moment.as_of < hold.until <= moment.as_of + self.settings.longest_hold:
            raise Problem(422, "hold", f"a hold lasts from now up to {self.settings.longest_hold} s")
        try:
            holdings = self.venue.holdings(self.directory / settings.holdings)
        except InputError:
            # What is wrong with the ledger is for the venue's eyes, and its messages show holdings.
            LOG.exception("the ledger of an account cannot be read", extra={"account": name})
            raise Problem(503, "ledger", "the venue's ledger cannot be read; ask the venue") from None
        account = Account(name, settings.subject, settings.open_orders)
        try:
            made = attest(self.venue, account, holdings, moment, self.register, hold=hold)
        except InputError as error:
            if error.field.startswith("hold"):
                raise Problem(409, "hold", str(error)) from None
            LOG.exception("an account cannot be attested to", extra={"account": name})
            raise Problem(503, "attestation", "the venue cannot attest at present; ask the venue") from None
        LOG.info("attested", extra={"account": name, "sequence": made.attestation.sequence})
        return {
            "attestation": made.attestation.model_dump(mode="json"),
            "opening": made.opening.model_dump(mode="json"),
        }


_BEARER = HTTPBearer(auto_error=False, description="The account's token.")


def _token(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> str:
    return credentials.credentials if credentials else ""


def create_app(desk: Desk) -> FastAPI:
    """The service."""
    app = FastAPI(title=f"zkmargin venue {desk.venue.name}", version="1", docs_url=None, redoc_url=None)
    app.add_middleware(BodyLimit)

    @app.head("/healthz", include_in_schema=False)
    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Answer 200 while the service runs."""
        return {"status": "ok"}

    @app.get("/v1/venue")
    def about() -> dict[str, Any]:
        """The venue's name, its key's address and its universe."""
        venue = desk.venue
        return {
            "name": venue.name,
            "signer": venue.key.address,
            "chain_id": venue.domain.chain_id,
            "verifying_contract": venue.domain.verifying_contract,
            "universe": venue.snapshot.universe.digest,
            "domain": venue.snapshot.universe.domain,
            "setup": venue.setup.digest,
            "contract_map": venue.contracts.digest if venue.contracts else None,
        }

    # Not async: commitments and signatures are made in a thread, beside the event loop.
    @app.post("/v1/attest")
    def attest_account(
        token: Annotated[str, Depends(_token)], response: Response, request: AttestRequest | None = None
    ) -> dict[str, Any]:
        """Attest to the account of the token. The answer holds the opening: it is secret."""
        begun = time.monotonic()
        name, settings = desk.account_of(token)
        answer = desk.attest(name, settings, request.hold if request else None)
        response.headers["Cache-Control"] = "no-store"
        if step := desk.settings.answer_step:
            time.sleep(step - (time.monotonic() - begun) % step)
        return answer

    _answer_problems(app)
    return app


def _answer_problems(app: FastAPI) -> None:
    """Every failure as application/problem+json with a stable code."""

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> JSONResponse:
        return _problem(error.status, error.code, error.detail)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        finding = error.errors()[0]
        field = ".".join(map(str, finding["loc"]))
        return _problem(422, "request", f"{field}: {finding['msg']}")

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        code = CODES.get(error.status_code, "http")
        return _problem(error.status_code, code, str(error.detail))

    @app.exception_handler(Exception)
    async def failure(_: Request, error: Exception) -> JSONResponse:
        LOG.error("failed", exc_info=error)
        return _problem(500, "failure", "the venue failed; ask the venue")


def _problem(status: int, code: str, detail: str) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    document = {"type": "about:blank", "status": status, "code": code, "detail": detail}
    return JSONResponse(document, status, headers, "application/problem+json")


class BodyLimit:
    """Refuses a body beyond the limit before it is read whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LARGEST_BODY:
                raise HTTPException(413, TOO_LARGE)
            return message

        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > LARGEST_BODY:
            answer = _problem(413, "body", TOO_LARGE)
            await answer(scope, receive, send)
            return
        await self._app(scope, limited, send)
