"""How a case counts: the lot, the contract and the bound of an instrument, from what is held and what it is worth.

Lots are billionths; finer where a quantity has more places, and coarser only where so much is held that billionths
would not fit. Tables have their quanta of money per contract: what is cheap is counted by the ten, the hundred, and so
on, so that rounding an entry does not cost more than some 10^-14 of what is held. Both are less fine where money would
take too many digits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from zkmargin.margin.market.derive.part import CONTEXT

_CASH_BITS: Final = 54
_POSITION_BITS: Final = 44
"""Bounds that leave an account room to grow; a larger account gets larger ones."""
_MOST_BITS: Final = 62
_LOT: Final = -9
_FINE_LOT: Final = -12
_PRICE_EXPONENT: Final = 5
"""A contract is worth this power of ten of dollars, or more."""
_LARGEST_CONTRACT: Final = 9
_WORTH_EXPONENT: Final = 13
"""That of all dollars' worth within bounds stays below this at billionths, less what finer lots and larger contracts
take: entries of tables may be a thousand times the price."""


@dataclass(frozen=True)
class Grain:
    """The finest lot of a case and its largest contract, as exponents."""

    lot: int
    contract: int


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
    fine: bool
    """Some quantity is not in whole billionths."""

    @classmethod
    def of(cls, quantities: Iterable[Decimal], price: Decimal | None) -> "Held":
        """The largest of some quantities, either way."""
        sizes = [abs(quantity) for quantity in quantities]
        fine = any(size != size.quantize(Decimal(1).scaleb(_LOT), context=CONTEXT) for size in sizes)
        return cls(max(sizes, default=Decimal(0)), price, fine)

    @property
    def value(self) -> Decimal:
        """USD of the quantity."""
        return CONTEXT.multiply(self.quantity, Decimal(1) if self.price is None else self.price)

    def worth(self, lot: int) -> Decimal:
        """USD of the bound at a finest lot."""
        size = self.size(Grain(lot, 0))
        return replace(self, quantity=Decimal(size.bound).scaleb(size.lot, CONTEXT)).value

    def size(self, grain: Grain) -> Size:
        """The size, with room for twice the quantity."""
        lot = _LOT if self.price is None else grain.lot
        while (bits := 1 + int(self.quantity.scaleb(-lot, CONTEXT)).bit_length()) > _MOST_BITS:
            lot += 1
        if self.price is None:
            return Size(lot, 0, (1 << max(_CASH_BITS, bits)) - 1)
        contract = max(0, min(grain.contract, _PRICE_EXPONENT - self.price.adjusted()))
        return Size(lot, contract, (1 << max(_POSITION_BITS, bits)) - 1)


def grain(held: Sequence[Held]) -> Grain:
    """The finest lot that the quantities of a case ask for and it leaves room for, and the largest contract then."""
    lots = (_FINE_LOT, _LOT) if any(one.fine for one in held if one.price is not None) else (_LOT,)
    for lot in lots:
        worth = sum((one.worth(lot) for one in held), Decimal(0))
        room = _WORTH_EXPONENT - 1 - worth.adjusted() + lot - _LOT
        if room >= 0:
            return Grain(lot, min(_LARGEST_CONTRACT, room))
    return Grain(_LOT, 0)
