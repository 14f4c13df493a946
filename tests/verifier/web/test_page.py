"""The page in a browser: from a file, and as the service serves it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.vectors.typescript import built, node
from tests.verifier.web.conftest import SENT
from zkmargin.verifier.service.http.app import ROUTES
from zkmargin.verifier.service.http.page import PAGE, verify_page

LARGEST = 120_000


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("the browser tests need Chromium: install the package chromium")
        pytest.skip("Chromium is not here")
    return found


def opened(url: str, *steps: list[Path]) -> list[dict[str, Any]]:
    """What the page shows for each list of files."""
    given = json.dumps([[str(path) for path in files] for files in steps])
    results: list[dict[str, Any]] = json.loads(node("test/page.mjs", url, chromium(), given=given))
    return results


@contextmanager
def served() -> Iterator[tuple[str, list[str]]]:
    """The service's own answer at /verify, and the paths that were asked for."""
    answer = asyncio.run(verify_page())
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200 if self.path == "/verify" else 404)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(bytes(answer.body))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/verify", asked
    finally:
        server.shutdown()
        server.server_close()


def test_the_page_is_one_file_that_asks_for_nothing() -> None:
    text = PAGE.read_text()
    assert len(text.encode()) <= LARGEST
    assert "default-src 'none'" in text
    assert "src=" not in text.split("<script")[0]
    assert built()


def test_the_service_answers_at_verify() -> None:
    assert "/verify" in {route.path for route in ROUTES}


def test_the_page_from_a_file(sent: Path) -> None:
    files = [sent / name for name in (*SENT, "commitment.json", "market.json")]
    others = [sent / "receipt.json", sent / "attestation.json"]
    good, mixed, partial, signed = opened(
        PAGE.as_uri(), files, [*files[1:3], sent / "committed-statement.json"], files[:2], others
    )
    assert good["verdict"] == "valid"
    assert good["given"] == len(files)
    for part in (
        "What is shown",
        "To whom",
        "Under which prices",
        "Who vouches for what",
        "What is not shown",
    ):
        assert part in good["text"]
    assert "BTC at 50000 USD" in good["text"]
    assert mixed["verdict"] in {"invalid", "unusable"}
    assert partial["verdict"] == "incomplete"
    assert signed["verdict"] == "valid"
    for result in (good, mixed, partial, signed):
        assert result["problems"] == []
        assert result["requests"] == [PAGE.as_uri()]


def test_the_page_as_the_service_has_it(sent: Path) -> None:
    with served() as (url, asked):
        good, false = opened(
            url, [sent / name for name in SENT], [sent / "submission.json", sent / "program.bin"]
        )
    assert good["verdict"] == "valid"
    assert false["verdict"] == "invalid"
    assert "counted until" in false["headline"]
    assert good["problems"] == false["problems"] == []
    assert set(asked) <= {"/verify", "/favicon.ico"}
