"""Slots after their expiry: each holds cash, or coin, at the official settlement.

This is the one place that says so. Models, marks and sensitivities see a settled slot as a balance that it came to:
of cash if the instrument was linear, which has no risk, and of the coin if it was inverse, which moves and is
haircut as the coin is. A balance has no expiry, no volatility, and none of the charges on contracts.
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.market.inputs import Inputs, Quote


def settlement_value(instrument: Instrument, price: Fraction) -> Fraction:
    """What one unit of quantity came to at a settlement price in USD: USD if linear, coins if inverse.

    An option came to its payoff. A future came to the price, as what it was entered at is a leg in cash; one USD of an
    inverse future to the coins that pay it, which its holder owes.
    """
    if instrument.kind == "option":
        strike = Fraction(Decimal(instrument.strike or 0))
        payoff = max(Fraction(0), price - strike if instrument.call else strike - price)
    else:
        payoff = Fraction(-1) if instrument.inverse else price
    return payoff / price if instrument.inverse else payoff * instrument.multiplier


def moving(universe: Universe, inputs: Inputs) -> tuple[str, ...]:
    """Everything but cash that moves a slot, in the order of the slots: what is settled in cash is moved by nothing."""
    pairs = zip(universe.instruments, inputs.quotes, strict=True)
    found = (i.underlying for i, quote in pairs if quote.settled is None or i.inverse)
    return tuple(name for name in dict.fromkeys(found) if name != CASH)


def with_balances(universe: Universe, inputs: Inputs) -> tuple[Universe, Inputs]:
    """The same slots, with a balance in place of each that has settled.

    Its price, a fraction, is what one unit of quantity is worth at the index of today.
    """
    if all(quote.settled is None for quote in inputs.quotes):
        return universe, inputs
    pairs = tuple(zip(universe.instruments, inputs.quotes, strict=True))
    instruments = tuple(i if quote.settled is None else _balance(i) for i, quote in pairs)
    quotes = tuple(q if q.settled is None else Quote(_price(i, q.settled, inputs)) for i, q in pairs)
    return Universe(instruments, universe.domain), replace(inputs, quotes=quotes)


def _balance(instrument: Instrument) -> Instrument:
    return Instrument(
        name=instrument.name,
        kind="balance",
        underlying=instrument.settlement,
        settlement=instrument.settlement,
        inverse=False,
        expiry=None,
        strike=None,
        call=None,
        lot_exponent=instrument.lot_exponent,
        contract_exponent=instrument.contract_exponent,
        bound=instrument.bound,
    )


def _price(instrument: Instrument, settled: str, inputs: Inputs) -> str:
    value = settlement_value(instrument, Fraction(settled))
    index = Fraction(inputs.indices[instrument.underlying]) if instrument.inverse else 1
    return str(value * index)
