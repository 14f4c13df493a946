"""How a case counts: the lot, the contract and the bound of an instrument, from what is held and what it is worth.

Lots are billionths, and coarser only where so much is held that billionths would not fit. Tables have their
quanta of money per contract: what is cheap is counted by the ten, the hundred, and so on, so that rounding an entry
does not cost more than some 10^-14 of what is held; less so where money would then take too many digits.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from zkmargin.margin.decimals import canonical_decimal
from zkmargin.margin.market.derive.part import CONTEXT

_CASH_BITS: Final = 54
_POSITION_BITS: Final = 44
"""Bounds that leave an account room to grow; a larger account gets larger ones."""
_MOST_BITS: Final = 62
_LOT: Final = -9
_PRICE_EXPONENT: Final = 5
"""A contract is worth this power of ten of dollars, or more."""
_LARGEST_CONTRACT: Final = 9
_WORTH_EXPONENT: Final = 13
"""With the exponent of the largest contract, that of all dollars' worth within bounds stays below this: entries of
tables may be a thousand times the price."""


@dataclass(frozen=True)
class Size:
    """A lot is 10^lot of quantity, tables are per 10^contract of it; nobody holds more lots than the bound."""

    lot: int
    contract: int
    bound: int


@dataclass(frozen=True)
class Held:
    """The largest quantity of a kind, and the price of its dearest; None for money itself."""

    quantity: Decimal
    price: Decimal | None

    @property
    def quote(self) -> str:
        """The price as a canonical decimal."""
        return canonical_decimal(Decimal(1) if self.price is None else self.price)

    @property
    def value(self) -> Decimal:
        """USD of the quantity, either way."""
        return CONTEXT.multiply(abs(self.quantity), Decimal(1) if self.price is None else self.price)

    @property
    def worth(self) -> Decimal:
        """USD of the bound."""
        size = self.size(0)
        return replace(self, quantity=Decimal(size.bound).scaleb(size.lot, CONTEXT)).value

    def size(self, largest: int) -> Size:
        """The size, in contracts no larger than the case allows, with room for twice the quantity."""
        lot = _LOT
        while (bits := 1 + int(abs(self.quantity).scaleb(-lot, CONTEXT)).bit_length()) > _MOST_BITS:
            lot += 1
        if self.price is None:
            return Size(lot, 0, (1 << max(_CASH_BITS, bits)) - 1)
        contract = max(0, min(largest, _PRICE_EXPONENT - self.price.adjusted()))
        return Size(lot, contract, (1 << max(_POSITION_BITS, bits)) - 1)


def largest_contract(held: Iterable[Held]) -> int:
    """The exponent of the largest contract that all of a case leaves room for."""
    worth = sum((one.worth for one in held), Decimal(0))
    return max(0, min(_LARGEST_CONTRACT, _WORTH_EXPONENT - 1 - worth.adjusted()))
