"""The HTTP application: FastAPI around one worker's `Service`."""

from __future__ import annotations

import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from zkmargin.circuits.errors import RelationError
from zkmargin.margin.errors import InputError
from zkmargin.verifier.errors import VerificationError
from zkmargin.verifier.service.access import SCHEMAS
from zkmargin.verifier.service.admin_api import router as admin_router
from zkmargin.verifier.service.api import router as public_router
from zkmargin.verifier.service.database import UnavailableError
from zkmargin.verifier.service.limits import Buckets, Limits
from zkmargin.verifier.service.logs import configure, log
from zkmargin.verifier.service.pledge_api import router as pledge_router
from zkmargin.verifier.service.problems import MEDIA_TYPE, ProblemError, problem_of
from zkmargin.verifier.service.server import PunctualProtocol
from zkmargin.verifier.service.service import Service
from zkmargin.verifier.service.settings import Settings

SNAPSHOT_PATH = "/v1/snapshots"
BATCH_PATH = "/v1/batches"
TITLE = "zkmargin verifier"
API_VERSION = "1"
NAMED = (VerificationError, InputError, RelationError, UnavailableError)


def create_app(settings: Settings, make: Callable[[Settings], Service] = Service) -> FastAPI:
    """The application. The service itself is made when it starts: nothing is open before."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service = make(settings)
        service.start()
        app.state.service = service
        with _letting_listeners_go(service):
            log.info("ready", extra={"signer": service.key.address})
            yield
            await service.stop()
            log.info("stopped")

    app = FastAPI(
        title=TITLE,
        version=API_VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        separate_input_output_schemas=False,
        redirect_slashes=False,
    )
    for router in (public_router, pledge_router, admin_router):
        app.include_router(router)
    _tell_problems(app)
    _describe(app)
    app.add_middleware(
        Limits,
        buckets=Buckets(settings.rate, settings.burst),
        body_limit=settings.body_limit,
        large={SNAPSHOT_PATH: settings.snapshot_limit, BATCH_PATH: 4 * settings.body_limit},
        body_seconds=settings.body_seconds,
    )
    return app


def from_environment() -> FastAPI:
    """The application of a worker process, by its environment."""
    settings = Settings.read()
    configure(settings.log_level)
    PunctualProtocol.head_seconds = settings.head_seconds
    return create_app(settings)


def _describe(app: FastAPI) -> None:
    """Add to the OpenAPI document the schemas of bodies that the endpoints read by themselves."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for name, schema in SCHEMAS.items():
            schemas.setdefault(name, schema)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _tell_problems(app: FastAPI) -> None:
    """Every error as a problem document."""

    async def named(_: Request, error: Exception) -> Response:
        return problem_response(problem_of(error) or ProblemError("internal", "something went wrong here"))

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        finding = error.errors()[0]
        where = ".".join(str(part) for part in finding["loc"])
        return problem_response(ProblemError("parameter", f"{where}: {finding['msg']}"))

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = {404: "not-found", 405: "method"}.get(error.status_code, "parameter")
        return problem_response(ProblemError(code, str(error.detail)), dict(error.headers or {}))

    app.add_exception_handler(ProblemError, named)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    for kind in NAMED:
        app.add_exception_handler(kind, named)


def problem_response(problem: ProblemError, headers: dict[str, str] | None = None) -> Response:
    """A problem document as an answer."""
    return Response(problem.body(), problem.status, {**(headers or {}), **problem.headers}, MEDIA_TYPE)


@contextmanager
def _letting_listeners_go(service: Service) -> Iterator[None]:
    """While it lasts, a signal to stop ends all streams of events first: the server waits for answers to end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def handle(number: int, frame: FrameType | None) -> None:
        service.feed.stop()
        before = handlers[signal.Signals(number)]
        if callable(before):
            before(number, frame)

    for number in handlers:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, before in handlers.items():
            signal.signal(number, before)
