"""Changing one part of a proof or of a statement, by its name."""

from dataclasses import replace
from typing import Any, TypeVar

from zkmargin.argument import Proof
from zkmargin.circuits import Statement

Message = TypeVar("Message", Proof, Statement)


def with_part(message: Message, name: str, part: object) -> Message:
    """The message with one of its fields replaced."""
    changes: dict[str, Any] = {name: part}
    return replace(message, **changes)
