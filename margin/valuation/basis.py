"""What every model derives its tables from, and the roundings they share."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.arithmetic.decimals import nearest
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.market.inputs import Inputs, Quote
from zkmargin.margin.market.settled_slots import with_balances
from zkmargin.margin.parameters.document import Parameters
from zkmargin.margin.units import QUANTUM_DECIMALS

COARSEST = 1000
"""So many quanta a contract's underlying is worth at least: rounding then moves a value by 0.05 % of that at most."""


@dataclass(frozen=True)
class Basis:
    """A market with parameters and the marks that follow from it, as models see it."""

    universe: Universe
    """With a balance in place of each slot that has settled: see `settlement.with_balances`."""
    valuation_time: int
    inputs: Inputs
    parameters: Parameters
    marks: NDArray[np.int64]
    quantum_decimals: int = QUANTUM_DECIMALS[0]
    shared: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What models have derived that others use as it is, by what it was derived from."""

    @classmethod
    def of(
        cls,
        universe: Universe,
        valuation_time: int,
        inputs: Inputs,
        parameters: Parameters,
        quantum_decimals: int,
    ) -> "Basis":
        """What models see of a universe and its quotes; InputError naming an instrument whose mark does not fit, or
        whose underlying is worth too little to be counted in quanta.
        """
        standing, quoted = with_balances(universe, inputs)
        check_fineness(standing, quoted, quantum_decimals)
        marks = mark_table(standing, quoted, quantum_decimals)
        return cls(standing, valuation_time, quoted, parameters, marks, quantum_decimals)

    def index(self, coin: str) -> Fraction:
        """Index price of a coin in USD."""
        return Fraction(Decimal(self.inputs.indices[coin]))

    @property
    def quanta(self) -> int:
        """Quanta to one dollar."""
        return int(10**self.quantum_decimals)


def check_fineness(universe: Universe, inputs: Inputs, quantum_decimals: int) -> None:
    """Raises InputError naming the first instrument of which one contract is worth too few quanta to be rounded: a
    coin at 0.6 quanta would count for one.
    """
    for instrument in universe.instruments:
        moves_with = instrument.underlying
        price = "1" if moves_with == CASH else inputs.indices[moves_with]
        counts_usd = instrument.inverse and instrument.kind != "option"
        worth = Fraction(1) if counts_usd else Fraction(price) / cash_price(inputs)
        exact = moves_with == CASH
        if not exact and worth * 10**quantum_decimals * contract_size(instrument) < COARSEST:
            remedy = (
                f"too low to be counted in 10^-{quantum_decimals} USD; leave it out, or build the snapshot with larger "
                "contracts or a finer quantum"
            )
            raise InputError(f"instrument {instrument.name}", "price", price, remedy)


def mark_table(universe: Universe, inputs: Inputs, quantum_decimals: int) -> NDArray[np.int64]:
    """(N,) value per contract in quanta, rounded to nearest; InputError if one does not fit."""
    exact = [
        slot_value(instrument, quote, inputs) * 10**quantum_decimals * contract_size(instrument)
        for instrument, quote in zip(universe.instruments, inputs.quotes, strict=True)
    ]
    return int64_table("mark", universe, [nearest(value) for value in exact])


def slot_value(instrument: Instrument, quote: Quote, inputs: Inputs) -> Fraction:
    """USD per unit of the underlying: what the slot alone is worth, legs in cash apart.

    An inverse future of one USD is -index/mark (the coins it will take to pay one USD), an inverse option
    its price in coin at the index; all else is its price. Where cash is a stablecoin, what is coin is
    counted in cash: at its index over the price of cash.
    """
    price = Fraction(quote.price)
    if instrument.kind == "balance" and instrument.underlying != CASH:
        return price / cash_price(inputs)
    if not instrument.inverse:
        return price
    index = Fraction(Decimal(inputs.indices[instrument.underlying])) / cash_price(inputs)
    return price * index if instrument.kind == "option" else -index / price


def cash_price(inputs: Inputs) -> Fraction:
    """USD for one unit of the cash balance."""
    return Fraction(1) if inputs.cash_price is None else Fraction(Decimal(inputs.cash_price))


def contract_size(instrument: Instrument) -> Fraction:
    """Units of the underlying (USD for inverse futures) that a table entry is for."""
    return Fraction(10) ** instrument.contract_exponent * instrument.multiplier


def int64_table(title: str, universe: Universe, entries: Sequence[int]) -> NDArray[np.int64]:
    """Entries by slot as int64; InputError naming the first instrument whose entry does not fit."""
    for instrument, entry in zip(universe.instruments, entries, strict=True):
        if not -(1 << 63) < entry < 1 << 63:
            raise InputError(
                f"instrument {instrument.name}", title, entry, "too large for 64 bits; check its price"
            )
    return np.array(entries, dtype=np.int64)


def coins(universe: Universe) -> tuple[str, ...]:
    """The coins with a balance, in the order of their slots."""
    balances = (i for i in universe.instruments if i.kind == "balance" and i.underlying != CASH)
    return tuple(dict.fromkeys(i.underlying for i in balances))


def underlyings(universe: Universe) -> tuple[str, ...]:
    """Everything but cash that moves an instrument, in the order of the slots: coins, shares and indices."""
    return tuple(dict.fromkeys(i.underlying for i in universe.instruments if i.underlying != CASH))
