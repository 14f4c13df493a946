"""Moments: ISO 8601 with a zone, and unix microseconds."""

from datetime import UTC, date, datetime, timedelta

from zkmargin.margin.errors import InputError
from zkmargin.margin.files.days import unix_moment

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def parse_time(text: str, where: str, field: str) -> int:
    """Unix microseconds of an ISO 8601 moment with a zone, such as 2026-03-27T08:00:00Z, or of a count of Unix
    seconds, milliseconds or microseconds; else InputError.
    """
    if (counted := unix_moment(text)) is not None:
        return (counted - _EPOCH) // _MICROSECOND
    try:
        moment = datetime.fromisoformat(f"{text.removesuffix(' UTC')}Z" if text.endswith(" UTC") else text)
    except ValueError:
        raise InputError(where, field, text, "write a moment such as 2026-03-27T08:00:00Z") from None
    if moment.tzinfo is None:
        raise InputError(where, field, text, "the zone is missing; write Z for UTC")
    return (moment - _EPOCH) // _MICROSECOND


def format_time(microseconds: int) -> str:
    """ISO 8601 in UTC, with as many digits of the second as needed."""
    return (_EPOCH + microseconds * _MICROSECOND).isoformat().replace("+00:00", "Z")


def utc_date(microseconds: int) -> date:
    """The day in UTC."""
    return (_EPOCH + microseconds * _MICROSECOND).date()
