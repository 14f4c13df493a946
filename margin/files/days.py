"""Days as exports write them: a date, a moment of a candle, or a count of seconds or milliseconds since 1970."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from zkmargin.margin.errors import InputError

_SLASHES = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTS = re.compile(r"\d{10}|\d{13}|\d{16}", re.ASCII)
"""Unix seconds, milliseconds and microseconds from 2001 to 2286, told by how long they are."""
_COMPACT = re.compile(r"(?:19|20)\d{6}", re.ASCII)


@dataclass(frozen=True)
class Day:
    """A day in UTC.

    Attributes:
        date: the day.
        hour: the time of day that was written beside it; midnight where none was.
        written: the text itself.
    """

    date: date
    hour: time
    written: str


def unix_moment(text: str) -> datetime | None:
    """The moment of Unix seconds, milliseconds or microseconds, told apart by their 10, 13 or 16 digits; else None."""
    if not _COUNTS.fullmatch(text):
        return None
    return _EPOCH + timedelta(microseconds=int(text.ljust(16, "0")))


def read_day(text: str, where: str, field: str) -> Day:
    """The day of a text.

    Accepted: 2026-03-14, 20260314, 2026/03/14 and 2026.3.14; ISO 8601 with a time of day (UTC where no zone is
    written); Unix seconds, milliseconds and microseconds. 03/14/2026 is not: which part is the month, another file
    would say otherwise.

    Raises InputError for anything else.
    """
    if (moment := unix_moment(text)) is not None:
        return Day(moment.date(), moment.time(), text)
    if (parts := _SLASHES.fullmatch(text)) is not None:
        iso = "-".join(part.zfill(2) for part in parts.groups())
    else:
        iso = text.removesuffix(" UTC")
    try:
        if len(iso) <= 10 and (_COMPACT.fullmatch(iso) or "-" in iso):
            return Day(date.fromisoformat(iso), time(), text)
        found = datetime.fromisoformat(iso)
    except ValueError:
        raise InputError(where, field, text, "write a date such as 2026-03-14") from None
    if found.tzinfo is not None:
        found = found.astimezone(UTC)
    return Day(found.date(), found.time(), text)
