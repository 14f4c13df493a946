"""A venue's answer in JSON, walked strictly: what is missing or of another kind is named, never guessed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from zkmargin.margin.arithmetic.decimals import parse_decimal
from zkmargin.margin.errors import Finding, InputError

REMEDY = "the venue's answer is not of the form that is known; nothing can be signed over it"


@dataclass(frozen=True)
class Answer:
    """A part of an answer.

    Attributes:
        value: JSON.
        where: which part it is, for messages.
    """

    value: Any
    where: str

    def __getitem__(self, name: str) -> Answer:
        """A member of an object. Raises InputError."""
        if not isinstance(self.value, dict) or name not in self.value:
            raise InputError(self.where, name, Finding("missing"), REMEDY)
        return Answer(self.value[name], f"{self.where}.{name}")

    def __iter__(self) -> Iterator[Answer]:
        """The elements of a list. Raises InputError."""
        if not isinstance(self.value, list):
            raise InputError(self.where, "list", Finding(type(self.value).__name__), REMEDY)
        return iter([Answer(one, f"{self.where}[{number}]") for number, one in enumerate(self.value)])

    def get(self, name: str) -> Answer | None:
        """A member of an object; None if it is not there, or null. Raises InputError."""
        if not isinstance(self.value, dict):
            raise InputError(self.where, name, Finding("missing"), REMEDY)
        return None if self.value.get(name) is None else self[name]

    def only(self) -> Answer:
        """The one element of a list. Raises InputError."""
        found = list(self)
        if len(found) != 1:
            raise InputError(self.where, "elements", len(found), REMEDY)
        return found[0]

    def text(self) -> str:
        """A text, or a whole number as one. Raises InputError."""
        if isinstance(self.value, bool) or not isinstance(self.value, str | int):
            raise InputError(self.where, "text", Finding(type(self.value).__name__), REMEDY)
        return str(self.value)

    def flag(self) -> bool:
        """True or false. Raises InputError."""
        if not isinstance(self.value, bool):
            raise InputError(self.where, "flag", Finding(type(self.value).__name__), REMEDY)
        return self.value

    def number(self) -> Decimal:
        """A number, in quotes or not; an empty text is none. Raises InputError."""
        if isinstance(self.value, bool) or not isinstance(self.value, str | int | Decimal):
            raise InputError(self.where, "number", Finding(type(self.value).__name__), REMEDY)
        return parse_decimal(self.value, self.where, "number")

    def number_or_zero(self) -> Decimal:
        """As `number`; an empty text is 0, as some venues write it. Raises InputError."""
        return Decimal(0) if self.value == "" else self.number()
