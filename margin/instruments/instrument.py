"""What can be held: balances, shares, perpetuals, futures and options, each counted in lots of its own."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import InputError

Kind = Literal["balance", "share", "perpetual", "future", "option"]
Security = Literal["equity", "etf", "narrow-index", "broad-index", "large-broad-index"]
"""What an instrument of a securities market is or is based on; a large broad index is of high capitalisation."""
Premium = Literal["paid", "futures-style"]
"""When an option's price is paid: at once, or day by day, as what a future gains and loses is."""

CASH = "USD"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,63}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z0-9][A-Z0-9.]{0,11}", re.ASCII)
_SYMBOL = re.compile(r"[A-Z0-9^][A-Z0-9./^-]{0,11}", re.ASCII)
"""What a share or an index is called: BRK.B, BRK/B, BF-B, ^SPX."""
_LARGEST_MULTIPLIER = 10**6


@dataclass(frozen=True)
class Instrument:
    """One instrument of a universe.

    A lot is 10^lot_exponent of quantity, and tables are per 10^contract_exponent of quantity. A quantity
    is coins for balances, options and linear contracts, and USD for inverse perpetuals and futures; in a
    securities market it is shares, or contracts of `multiplier` shares or index points each.
    """

    name: str
    kind: Kind
    underlying: str
    """The coin, share or index that moves it; USD for the cash balance."""
    settlement: str
    """USD for linear instruments, the coin for inverse ones; for a balance the currency itself."""
    inverse: bool
    expiry: int | None
    """Unix microseconds; None for balances and perpetuals."""
    strike: str | None
    """Canonical decimal, USD; options only."""
    call: bool | None
    """True for a call, False for a put; options only."""
    lot_exponent: int
    contract_exponent: int
    bound: int
    """No account holds more than this many lots, long or short."""
    multiplier: int = 1
    """Units of the underlying to one unit of quantity: 100 for an option on 100 shares."""
    security: Security | None = None
    """None outside securities markets."""
    premium: Premium = "paid"
    """Of an option; all else is paid."""

    def __post_init__(self) -> None:
        """Raises InputError if the fields do not describe an instrument."""
        for broken, field, remedy in self._faults():
            if broken:
                raise InputError(f"instrument {self.name!r}", field, getattr(self, field), remedy)

    def _faults(self) -> list[tuple[bool, str, str]]:
        option, dated = self.kind == "option", self.kind in ("option", "future")
        balance, share = self.kind == "balance", self.kind == "share"
        listed = self.kind in ("share", "future", "option") and not self.inverse
        return [
            (not _NAME.fullmatch(self.name), "name", "use letters, digits and . _ / : - only, at most 64"),
            (self.kind not in get_args(Kind), "kind", f"use one of {', '.join(get_args(Kind))}"),
            (
                self.security is None and not _CURRENCY.fullmatch(self.underlying),
                "underlying",
                "write a currency such as BTC",
            ),
            (
                self.security is not None and not _SYMBOL.fullmatch(self.underlying),
                "underlying",
                "write a symbol of at most 12 capitals, digits and . / - ^ such as BRK.B, BRK/B or ^SPX",
            ),
            (not _CURRENCY.fullmatch(self.settlement), "settlement", "write a currency such as USD"),
            (not balance and self.underlying == CASH, "underlying", "only a balance can be of USD"),
            (
                balance and (self.settlement != self.underlying or self.inverse),
                "settlement",
                "must be its currency",
            ),
            (
                not balance and self.settlement != (self.underlying if self.inverse else CASH),
                "settlement",
                "must be the coin if the instrument is inverse, USD if it is linear",
            ),
            ((self.expiry is not None) != dated, "expiry", "futures and options expire, nothing else does"),
            ((self.strike is not None) != option, "strike", "options have a strike, nothing else has"),
            (
                option and not _is_canonical_positive(self.strike),
                "strike",
                "write a positive canonical decimal",
            ),
            ((self.call is not None) != option, "call", "options are calls or puts, nothing else is"),
            (not -18 <= self.lot_exponent <= 6, "lot_exponent", "must lie between -18 and 6"),
            (not -6 <= self.contract_exponent <= 9, "contract_exponent", "must lie between -6 and 9"),
            (not 0 < self.bound < 1 << 62, "bound", "must be positive and below 2^62 lots"),
            (
                not 1 <= self.multiplier <= _LARGEST_MULTIPLIER,
                "multiplier",
                f"must lie between 1 and {_LARGEST_MULTIPLIER}",
            ),
            (
                self.multiplier != 1 and not (dated and listed),
                "multiplier",
                "must be 1 but for linear futures and options",
            ),
            (
                self.security not in (None, *get_args(Security)),
                "security",
                f"use one of {', '.join(get_args(Security))}",
            ),
            (
                self.security is not None and not listed,
                "security",
                "only shares, linear futures and linear options are securities",
            ),
            (
                share and self.security not in ("equity", "etf"),
                "security",
                "a share is of an equity or an etf",
            ),
            (
                self.premium not in get_args(Premium),
                "premium",
                f"use one of {', '.join(get_args(Premium))}",
            ),
            (
                self.premium != "paid" and not option,
                "premium",
                "only an option can be futures-style; leave it out",
            ),
        ]

    @property
    def lot(self) -> Decimal:
        """The smallest quantity."""
        return Decimal(1).scaleb(self.lot_exponent)

    @property
    def margined_daily(self) -> bool:
        """Whether gains and losses are settled in cash or coin each day: what it was entered at is then a leg there."""
        return self.kind in ("perpetual", "future") or self.premium == "futures-style"

    def document(self) -> dict[str, Any]:
        """The fields for the canonical encoding; a premium that is paid goes without saying."""
        return {name: value for name, value in vars(self).items() if (name, value) != ("premium", "paid")}


def _is_canonical_positive(text: str | None) -> bool:
    try:
        number = Decimal(text or "")
    except InvalidOperation:
        return False
    return number.is_finite() and number > 0 and canonical_decimal(number) == text
