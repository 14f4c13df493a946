"""Errors of calls to a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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
        self.code = str(document.get("code", "unknown"))
        self.detail = str(document.get("detail", f"status {status}"))
        told = self.detail.startswith(f"{self.code}:")
        super().__init__(self.detail if told else f"{self.code}: {self.detail}")


class UnreachableError(Exception):
    """The service does not answer, or not in its own words."""
