"""Deribit's names: BTC-27MAR26 and BTC-27MAR26-64000-C, and BTC_USDC-27MAR26 for what settles in dollars."""

import re
from datetime import UTC, datetime
from decimal import Decimal

from zkmargin.margin.instruments.instrument import Instrument

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DATED = re.compile(r"([A-Z0-9]+)(?:_USD[A-Z]?)?-(\d{1,2})([A-Z]{3})(\d{2})(?:-(\d+)-([CP]))?", re.ASCII)

_LINEAR = re.compile(r"([A-Z0-9]+)_USD[A-Z]?-", re.ASCII)


def fits_name(instrument: Instrument) -> bool:
    """Whether the name says the same coin, day, strike and type as the fields do."""
    match = _DATED.fullmatch(instrument.name)
    if match is None or instrument.expiry is None:
        return False
    coin, day, month, year, strike, letter = match.groups()
    expiry = datetime.fromtimestamp(instrument.expiry // 1_000_000, tz=UTC)
    same_day = (int(day), month, int(year)) == (expiry.day, _MONTHS[expiry.month - 1], expiry.year % 100)
    if instrument.kind == "future":
        return coin == instrument.underlying and same_day and strike is None
    same_option = strike is not None and Decimal(strike) == Decimal(instrument.strike or 0)
    return coin == instrument.underlying and same_day and same_option and (letter == "C") == instrument.call


def linear_coin(name: str) -> str | None:
    """The coin of a contract that is named as one that settles in dollars, such as BTC_USDC-PERPETUAL."""
    match = _LINEAR.match(name)
    return None if match is None else match[1]


def dated_name(prefix: str, expiry: int) -> str:
    """The name of a future: prefix and day, as in BTC-27MAR26; expiry in unix microseconds."""
    day = datetime.fromtimestamp(expiry // 1_000_000, tz=UTC)
    return f"{prefix}-{day.day}{_MONTHS[day.month - 1]}{day.year % 100:02d}"
