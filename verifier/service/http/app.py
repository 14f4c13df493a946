"""The HTTP application: FastAPI around one worker's `Service`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match

from zkmargin.circuits.errors import RelationError
from zkmargin.margin.errors import InputError
from zkmargin.verifier.errors import VerificationError
from zkmargin.verifier.service.http.admin_api import router as admin_router
from zkmargin.verifier.service.http.description import SUMMARY, TAGS, describe
from zkmargin.verifier.service.http.limits import Buckets, Held, Limits
from zkmargin.verifier.service.http.page import router as page_router
from zkmargin.verifier.service.http.pledge_api import router as pledge_router
from zkmargin.verifier.service.http.public_api import router as public_router
from zkmargin.verifier.service.http.rows_api import router as rows_router
from zkmargin.verifier.service.logs import configure, log
from zkmargin.verifier.service.problems import MEDIA_TYPE, ProblemError, UnavailableError, problem_of
from zkmargin.verifier.service.process.memory import settle, share_arenas
from zkmargin.verifier.service.process.server import Connections, PunctualProtocol
from zkmargin.verifier.service.process.settings import Settings
from zkmargin.verifier.service.process.worker import Service

SNAPSHOT_PATH = "/v1/snapshots"
BATCH_PATH = "/v1/batches"
TITLE = "zkmargin verifier"
API_VERSION = "1"
ROUTERS = (public_router, rows_router, pledge_router, admin_router, page_router)
ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
NAMED = (VerificationError, InputError, RelationError, UnavailableError)


def create_app(settings: Settings, make: Callable[[Settings], Service] = Service) -> FastAPI:
    """The application. The service itself is made when it starts: nothing is open before."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service = make(settings)
        service.start()
        settle()
        app.state.service = service
        with _letting_listeners_go(service):
            log.info("ready", extra={"signer": service.key.address})
            yield
            await service.stop()
            log.info("stopped")

    app = FastAPI(
        title=TITLE,
        version=API_VERSION,
        description=SUMMARY,
        openapi_tags=TAGS,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        separate_input_output_schemas=False,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    for router in ROUTERS:
        app.include_router(router)
    _tell_problems(app)
    describe(app, ROUTES)
    app.add_middleware(
        Limits,
        buckets=Buckets(settings.rate, settings.burst),
        apart=Buckets(settings.rate, settings.burst),
        held=Held(settings.held_limit),
        body_limit=settings.body_limit,
        large={SNAPSHOT_PATH: settings.snapshot_limit, BATCH_PATH: 4 * settings.body_limit},
        body_seconds=settings.body_seconds,
    )
    return app


def from_environment() -> FastAPI:
    """The application of a worker process, by its environment."""
    settings = Settings.read()
    configure(settings.log_level)
    _end_with_parent()
    share_arenas()
    PunctualProtocol.head_seconds = settings.head_seconds
    PunctualProtocol.room = Connections(settings.address_connections)
    return create_app(settings)


def _end_with_parent() -> None:
    """Stop in good order when the process that has spawned this worker is gone: nobody else could stop it."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _tell_problems(app: FastAPI) -> None:
    """Every error as a problem document."""

    async def named(_: Request, error: Exception) -> Response:
        return problem_response(problem_of(error) or ProblemError("internal", "something went wrong here"))

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        finding = error.errors()[0]
        where = ".".join(str(part) for part in finding["loc"])
        return problem_response(ProblemError("parameter", f"{where}: {finding['msg']}"))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = {404: "not-found", 405: "method"}.get(error.status_code, "parameter")
        headers = dict(error.headers or {})
        if code == "method":
            headers["allow"] = ", ".join(_allowed(request))
        return problem_response(ProblemError(code, str(error.detail)), headers)

    app.add_exception_handler(ProblemError, named)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    for kind in NAMED:
        app.add_exception_handler(kind, named)


def _allowed(request: Request) -> list[str]:
    """The methods of a path: each may be a route of its own."""
    there = (route for route in ROUTES if route.matches(request.scope)[0] != Match.NONE)
    return sorted({method for route in there for method in route.methods or ()})


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
