"""What a venue says of an account, in one form for all venues."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import MAX_PREC, Context, Decimal, Inexact
from typing import Any

from zkmargin.evidence.auditor.answers import Answer
from zkmargin.margin.errors import InputError

_EXACT = Context(prec=MAX_PREC, traps=[Inexact])

Answers = Mapping[str, Answer]
"""By the name of the request."""


@dataclass(frozen=True)
class HeldContract:
    """A position as the venue states it.

    Attributes:
        contract: the venue's name.
        quantity: contracts, in the venue's count; positive is long.
        entry: what the venue calls its entry price; moves only if the position does.
        mark: the price that the venue values it at.
        profit: what it has gained since what is in the balance was settled, at that price, in the settlement currency.
    """

    contract: str
    quantity: Decimal
    entry: Decimal
    mark: Decimal
    profit: Decimal


@dataclass(frozen=True)
class VenueAccount:
    """An account at one moment.

    Attributes:
        number: the venue's own name of it.
        contracts: positions other than none.
        balances: by currency, net of what is borrowed there and owed as interest.
        orders: how many are open.
    """

    number: str
    contracts: tuple[HeldContract, ...]
    balances: Mapping[str, Decimal]
    orders: int

    @property
    def still(self) -> Any:
        """What does not move unless somebody trades, pays in or out, or is paid: all but marks and their profits."""
        held = sorted((one.contract, one.quantity, one.entry) for one in self.contracts)
        return self.number, held, dict(self.balances), self.orders


@dataclass(frozen=True)
class Request:
    """What is asked.

    Attributes:
        method: ccxt's name of the endpoint; one that reads.
        parameters: of it.
    """

    method: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class VenueForm:
    """How one venue is read.

    Attributes:
        requests: by name.
        account: what the answers say. Raises InputError.
        check_key: that the key can only read. Raises InputError; `key` is its public name.
    """

    requests: Mapping[str, Request]
    account: Callable[[Answers], VenueAccount]
    check_key: Callable[[Answers, str], None]


def less(whole: Decimal, *parts: Decimal) -> Decimal:
    """What is left of an amount, exactly."""
    for part in parts:
        whole = _EXACT.subtract(whole, part)
    return whole


def refused_key(where: str, field: str, value: object) -> InputError:
    """The key can do more than read."""
    remedy = "the key can do more than read; have one made that cannot trade, transfer or withdraw"
    return InputError(where, field, value, remedy)


def side_of(quantity: Decimal, long: bool, where: str) -> Decimal:
    """A quantity with the sign of its side. Raises InputError where the venue's own sign says otherwise."""
    if quantity < 0:
        if long:
            raise InputError(where, "side", str(quantity), "side and sign say different things")
        return quantity
    return quantity if long else -quantity
