"""Whether the parts of a market are of one moment."""

from collections.abc import Sequence

from zkmargin.margin.errors import InputError
from zkmargin.margin.files.notes import note
from zkmargin.margin.market.times import format_time

LONGEST = 3600 * 10**6
"""Microseconds between the first and the last number of a market: prices that lie farther apart are of two markets."""
NOTED = 300 * 10**6
"""Microseconds from which the difference is worth a note."""


def check_one_moment(moments: Sequence[tuple[str, int]]) -> None:
    """Compare the moments of all parts of a market.

    Args:
        moments: the place of each, and Unix microseconds.

    Raises:
        InputError: they lie more than an hour apart.
    """
    if not moments:
        return
    early, late = min(moments, key=lambda pair: pair[1]), max(moments, key=lambda pair: pair[1])
    apart = late[1] - early[1]
    if apart > LONGEST:
        remedy = (
            f"{early[0]} is of {format_time(early[1])}, {_words(apart)} earlier; a market is of one moment: get all "
            "parts again"
        )
        raise InputError(late[0], "time", format_time(late[1]), remedy)
    if apart > NOTED:
        note(late[0], f"is of {format_time(late[1])}, {_words(apart)} after {early[0]}")


def _words(microseconds: int) -> str:
    minutes = microseconds // 60_000_000
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"
