"""The market elsewhere: every instrument priced again after a move of prices, volatilities and time.

Balances, shares, futures and perpetuals move with their underlying, and so do the forwards of options. An option's mark
changes by as much as its Black-76 value does (`zkmargin.margin.arithmetic.black76`), so that what the market pays above
or below the formula stays, and never falls below zero. Tables are derived again from the new market, by the snapshot's
own parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.arithmetic.fixed import to_fraction
from zkmargin.margin.arithmetic.kernels import option_greeks
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.instruments.universe import SMALLEST_DOMAIN, Universe
from zkmargin.margin.market import Market
from zkmargin.margin.market.inputs import LARGEST_VOLATILITY, SMALLEST_VOLATILITY, Inputs, Quote
from zkmargin.margin.market.settled_slots import moving
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level
from zkmargin.margin.valuation.option_values import named_instruments, option_columns
from zkmargin.planning.engine import Engine

_ROUND = Context(prec=18, rounding=ROUND_HALF_EVEN)
_PLACES = Decimal("1e-14")


@dataclass(frozen=True)
class Move:
    """A move of the whole market.

    Attributes:
        prices: relative move by underlying, -1/10 being a fall of 10 %; what is not named stays.
        volatility: relative move of all implied volatilities.
        time: microseconds that pass.
    """

    prices: Mapping[str, Fraction] = field(default_factory=dict)
    volatility: Fraction = Fraction(0)
    time: int = 0


class Repricing:
    """One account's market, of what it holds alone, and its excess after any move."""

    def __init__(self, snapshot: Snapshot, lots: Sequence[int], model: str, level: Level) -> None:
        """Take what the account holds; where tables depend on the rest of the market, take all of it."""
        self.model, self.level, self.whole = model, level, snapshot
        held = [
            slot
            for slot, instrument in enumerate(snapshot.universe.instruments)
            if lots[slot] or instrument.kind == "balance"
        ]
        self.start = Engine(snapshot, model, level).excess(lots)
        for slots in (held, list(range(len(snapshot.universe)))):
            self.slots = slots
            self.lots = [lots[slot] for slot in slots]
            try:
                if self.excess(Move()) == self.start:
                    return
            except InputError:
                # A part of the market may lack what the model needs; the whole has it.
                continue
        raise InputError(
            f"snapshot {snapshot.id}", "model", model, "its tables do not follow from its market again"
        )

    def excess(self, move: Move) -> int:
        """The excess in ticks after a move. Raises InputError where a price leaves its range."""
        return Engine(self.snapshot(move), self.model, self.level).excess(self.lots)

    def snapshot(self, move: Move) -> Snapshot:
        """The snapshot after a move, with one model."""
        whole = self.whole
        time = whole.valuation_time + move.time
        instruments = tuple(whole.universe.instruments[slot] for slot in self.slots)
        quotes = tuple(whole.inputs.quotes[slot] for slot in self.slots)
        indices = {
            name: _decimal(Fraction(price) * (1 + move.prices.get(name, 0)))
            for name, price in whole.inputs.indices.items()
        }
        settlements = dict(whole.settlements)
        for instrument, quote in zip(instruments, quotes, strict=True):
            if instrument.expiry is not None and instrument.expiry <= time and quote.settled is None:
                key = instrument.underlying, instrument.expiry, instrument.settlement
                settlements[key] = Decimal(indices[instrument.underlying])
        running = [
            (i, q)
            for i, q in zip(instruments, quotes, strict=True)
            if q.settled is None and (i.expiry is None or i.expiry > time)
        ]
        listed = tuple(i for i, _ in running)
        inputs = replace(whole.inputs, quotes=tuple(q for _, q in running))
        inputs = _restricted(_moved(listed, inputs, indices, whole.valuation_time, time, move), listed)
        market = Market(time, listed, inputs)
        universe = Universe(instruments, _domain(len(instruments)))
        return Snapshot.build(
            market, whole.parameters, quantum_decimals=whole.quantum_decimals, only=[self.model],
            universe=universe, settlements=settlements,
        )  # fmt: skip


def _domain(count: int) -> int:
    return max(SMALLEST_DOMAIN, 1 << (count - 1).bit_length())


def _moved(  # noqa: PLR0917 - a market before and after
    listed: tuple[Instrument, ...],
    inputs: Inputs,
    indices: dict[str, str],
    before: int,
    time: int,
    move: Move,
) -> Inputs:
    """The quotes after the move."""
    first = [_shifted(i, q, move, indices) for i, q in zip(listed, inputs.quotes, strict=True)]
    after = replace(inputs, quotes=tuple(first), indices=indices)
    if any(instrument.kind == "option" for instrument in listed):
        universe = Universe(listed, _domain(len(listed)))
        changes = {
            slot: new - old
            for (slot, old), (_, new) in zip(
                _values(universe, before, inputs).items(), _values(universe, time, after).items(), strict=True
            )
        }
        for slot, change in changes.items():
            price = max(Fraction(0), Fraction(inputs.quotes[slot].price) + change)
            first[slot] = replace(first[slot], price=_decimal(price))
    return replace(after, quotes=tuple(first))


def _shifted(instrument: Instrument, quote: Quote, move: Move, indices: Mapping[str, str]) -> Quote:
    """A quote with everything moved but an option's price."""
    if instrument.underlying == CASH:
        return quote
    if instrument.kind in ("balance", "share"):
        return replace(quote, price=indices[instrument.underlying])
    factor = 1 + move.prices.get(instrument.underlying, Fraction(0))
    if instrument.kind != "option":
        return replace(quote, price=_decimal(Fraction(quote.price) * factor))
    volatility = Fraction(quote.volatility or 0) * (1 + move.volatility)
    volatility = min(max(volatility, Fraction(SMALLEST_VOLATILITY)), Fraction(LARGEST_VOLATILITY))
    return replace(
        quote, forward=_decimal(Fraction(quote.forward or 0) * factor), volatility=_decimal(volatility)
    )


def _values(universe: Universe, time: int, inputs: Inputs) -> dict[int, Fraction]:
    """Black-76 values by slot, in the unit of the quote: coins for inverse options."""
    columns = option_columns(universe, time, inputs)
    with named_instruments(universe, columns.slots):
        found = option_greeks(columns.options, columns.volatilities)
    values = {}
    for slot, greeks in zip(columns.slots, found, strict=True):
        value = to_fraction(greeks.value)
        if universe.instruments[slot].inverse:
            value /= Fraction(inputs.quotes[slot].forward or 1)
        values[slot] = value
    return values


def _restricted(inputs: Inputs, listed: tuple[Instrument, ...]) -> Inputs:
    """Without what belongs to instruments that are not there."""
    universe = Universe(listed, _domain(len(listed)))
    expiries = {(i.underlying, i.expiry) for i in listed}
    moved = moving(universe, inputs)
    history = inputs.history
    if history is not None:
        history = replace(history, prices={name: p for name, p in history.prices.items() if name in moved})
    return replace(
        inputs,
        indices={name: price for name, price in inputs.indices.items() if name in moved},
        terms=tuple(terms for terms in inputs.terms if (terms.underlying, terms.expiry) in expiries),
        confidences={name: sure for name, sure in inputs.confidences.items() if name in universe},
        history=history,
    )


def _decimal(value: Fraction) -> str:
    number = _ROUND.divide(Decimal(value.numerator), Decimal(value.denominator))
    return canonical_decimal(number.quantize(_PLACES, rounding=ROUND_HALF_EVEN, context=Context(prec=40)))
