"""Errors of calls to a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zkmargin.margin.errors import printable

LONGEST_DETAIL, LONGEST_CODE = 2000, 64
"""Characters that are shown of what a service says."""


class ServiceError(Exception):
    """The service refuses.

    Attributes:
        status: of HTTP.
        code: stable, for programs.
        detail: for people.
        document: the whole problem document.
    """

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status, self.document = status, dict(document)
        self.code = printable(str(document.get("code", "unknown"))[:LONGEST_CODE])
        told = str(document.get("detail", f"status {status}"))
        self.detail = printable(told if len(told) <= LONGEST_DETAIL else told[:LONGEST_DETAIL] + "...")
        named = self.detail.startswith(f"{self.code}:")
        super().__init__(self.detail if named else f"{self.code}: {self.detail}")


class UnreachableError(Exception):
    """The service does not answer, or not in its own words."""
