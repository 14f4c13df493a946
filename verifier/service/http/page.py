"""The page at /verify: one file that checks proofs in the browser, and asks nothing of this service."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

PAGE = Path(__file__).resolve().parent.parent / "page" / "verify.html"
HEADERS = {
    "cache-control": "public, max-age=300",
    "content-security-policy": "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""Beside the policy in the page itself, which admits its own script and style, and no request."""

router = APIRouter()


@router.get("/verify", include_in_schema=False)
async def verify_page() -> Response:
    """The page."""
    return Response(_page(), media_type="text/html; charset=utf-8", headers=HEADERS)


@cache
def _page() -> bytes:
    return PAGE.read_bytes()
