"""Names that say what a contract is: Deribit's and the OSI symbols of listed options.

Deribit writes BTC-27MAR26-64000-C, and BTC_USDC-27MAR26 for what settles in dollars.
An OSI symbol has 21 characters: the root padded to six with spaces, yymmdd, C or P, and the strike in thousandths
(Options Clearing Corporation, Options Symbology Initiative). A name here has no spaces: they are taken out.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from zkmargin.margin.instruments.instrument import Instrument

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DATED = re.compile(r"([A-Z0-9]+)(?:_USD[A-Z]?)?-(\d{1,2})([A-Z]{3})(\d{2})(?:-(\d+)-([CP]))?", re.ASCII)

_LINEAR = re.compile(r"([A-Z0-9]+)_USD[A-Z]?-", re.ASCII)

_OSI = re.compile(r"([A-Z0-9.]{1,6}) *(\d{6})([CP])(\d{8})", re.ASCII)
_OSI_LENGTH = 15
"""Characters behind the root."""


@dataclass(frozen=True)
class OptionSymbol:
    """What an OSI symbol says; the root is the underlying's symbol, or one of its own for adjusted contracts."""

    root: str
    day: date
    call: bool
    strike: Decimal


def option_symbol(name: str) -> OptionSymbol | None:
    """What a name says if it is an OSI symbol, with or without its spaces; None if it is none."""
    found = _OSI.fullmatch(name)
    if found is None:
        return None
    root, day, letter, strike = found.groups()
    try:
        expiry = datetime.strptime(day, "%y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None
    return OptionSymbol(root, expiry, letter == "C", Decimal(strike).scaleb(-3))


def without_padding(name: str) -> str:
    """An OSI symbol without its spaces; any other name as it is."""
    return name.replace(" ", "") if " " in name and option_symbol(name) is not None else name


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
