"""Numbers as spreadsheets of any country write them, brought to digits and a point where only one reading is possible.

Thousands may stand apart by a comma, a point, an apostrophe or a space, and the decimal mark may be a point or a comma.
`1,234` alone can be 1234 or 1.234: the other numbers of the same file decide, and where none does it is refused.
"""

import re
from collections.abc import Iterable
from typing import Literal

from zkmargin.margin.errors import InputError

Mark = Literal[".", ","]
"""The decimal mark of a file."""

_SPACES = re.compile(r"(?<=\d)[ \u00a0\u202f'\u2019](?=\d{3}(?!\d))")
_PLAIN = re.compile(r"[+-]?\d*([.,]\d*)?([eE][+-]?\d+)?", re.ASCII)
_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?P<mark>[.,])\d{3}(?:(?P=mark)\d{3})*", re.ASCII)
_MIXED = re.compile(r"[+-]?[1-9]\d{0,2}(?P<mark>[.,])\d{3}(?:(?P=mark)\d{3})*(?!(?P=mark))[.,]\d*", re.ASCII)


def decimal_mark(texts: Iterable[str]) -> Mark | None:
    """The decimal mark that the numbers of a file show beyond doubt; None if none of them does.

    Where some show a point and others a comma, the point is returned: the others are then refused one by one.
    """
    shown = {mark for text in texts if (mark := _shown_by(_spaceless(text))) is not None}
    return "." if "." in shown else "," if shown else None


def plain_number(text: str, mark: Mark | None, where: str, field: str) -> str:
    """A number with digits and a point alone; what is no number comes back as it is.

    Args:
        text: as written.
        mark: the decimal mark that the file shows, if it shows any.
        where, field: for the message.

    Raises:
        InputError: the number can be read in two ways, or its marks are not those of the file.
    """
    found = _spaceless(text)
    if "," not in found and not (mark == "," and "." in found):
        return found
    shown = _shown_by(found)
    if shown is None and not _GROUPS.fullmatch(found):
        return found
    decides = shown or mark
    if decides is None:
        grouped, decimal = found.replace(",", ""), found.replace(",", ".")
        raise InputError(where, field, text, f"can be read in two ways: write {grouped} or {decimal}")
    if mark is not None and shown not in (None, mark):
        remedy = f"the other numbers of the file have {mark!r} as their decimal mark; write them all alike"
        raise InputError(where, field, text, remedy)
    other = "," if decides == "." else "."
    return found.replace(other, "").replace(",", ".")


def _spaceless(text: str) -> str:
    """Without what can only set thousands apart, and with a plain minus; (1.50) of accountants is -1.50."""
    found = _SPACES.sub("", text.strip()).replace("\u2212", "-")
    if found.startswith("(") and found.endswith(")") and found[1:2].isdigit():
        return f"-{found[1:-1]}"
    return found


def _shown_by(text: str) -> Mark | None:
    """The decimal mark of one number, where it can have but one."""
    groups, mixed = _GROUPS.fullmatch(text), _MIXED.fullmatch(text)
    if mixed:
        return "," if mixed["mark"] == "." else "."
    if groups:
        several = text.count(groups["mark"]) > 1
        return ("," if groups["mark"] == "." else ".") if several else None
    if _PLAIN.fullmatch(text) and ("." in text or "," in text):
        return "," if "," in text else "."
    return None
