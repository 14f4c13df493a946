"""Options of a universe as the columns that the pricing kernels take."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from zkmargin.margin.arithmetic.fixed import ONE, RangeError, exp, from_decimal, from_fraction, mul
from zkmargin.margin.arithmetic.packed import InstrumentError, Options, VolatilityShock
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.market.inputs import Inputs
from zkmargin.margin.market.times import format_time
from zkmargin.margin.parameters.grid import VolatilityShock as VolatilityParameters

_YEAR_MICROSECONDS = 365 * 86400 * 10**6
_DAYS_A_YEAR = 365


@dataclass(frozen=True)
class OptionColumns:
    """Options with the slots they belong to."""

    slots: tuple[int, ...]
    options: Options
    volatilities: tuple[int, ...]
    """Q64, marks."""
    multipliers: tuple[int, ...]
    """Q64: index over forward for inverse options, which pay in coin; 1 for linear ones."""


def option_columns(
    universe: Universe, valuation_time: int, inputs: Inputs, slots: Sequence[int] | None = None
) -> OptionColumns:
    """The options among the slots (all slots by default), each on its own forward and at its own rate."""
    chosen = range(len(universe)) if slots is None else slots
    found = [slot for slot in chosen if universe.instruments[slot].kind == "option"]
    instruments = [universe.instruments[slot] for slot in found]
    quotes = [inputs.quotes[slot] for slot in found]
    forwards = [Decimal(quote.forward or 0) for quote in quotes]
    q64_forwards = {forward: from_decimal(forward) for forward in set(forwards)}
    years = {t: _years(t, valuation_time) for t in {i.expiry for i in instruments}}
    terms = {(quote.rate, i.expiry) for i, quote in zip(instruments, quotes, strict=True)}
    discounts = {(rate, expiry): _discount(rate, expiry, years[expiry]) for rate, expiry in terms}
    strikes = {strike: from_decimal(strike or 0) for strike in {i.strike for i in instruments}}
    indices = {coin: Fraction(Decimal(price)) for coin, price in inputs.indices.items()}
    ratios = {
        (coin, forward): from_fraction(indices[coin] / Fraction(forward))
        for coin, forward in {(i.underlying, f) for i, f in zip(instruments, forwards, strict=True)}
    }
    return OptionColumns(
        tuple(found),
        Options(
            call=[bool(i.call) for i in instruments],
            forward=[q64_forwards[forward] for forward in forwards],
            strike=[strikes[i.strike] for i in instruments],
            years=[years[i.expiry] for i in instruments],
            discount=[discounts[q.rate, i.expiry] for i, q in zip(instruments, quotes, strict=True)],
        ),
        tuple(from_decimal(quote.volatility or 0) for quote in quotes),
        tuple(
            ratios[i.underlying, forward] if i.inverse else ONE
            for i, forward in zip(instruments, forwards, strict=True)
        ),
    )


def _years(expiry: int | None, valuation_time: int) -> int:
    return from_fraction(Fraction((expiry or 0) - valuation_time, _YEAR_MICROSECONDS))


def _discount(rate: str | None, expiry: int | None, years: int) -> int:
    """e^(-rate * years) in Q64; InputError where that is beyond the format."""
    try:
        return ONE if rate is None else exp(-mul(from_decimal(rate), years))
    except RangeError:
        place, remedy = (
            f"expiry {format_time(expiry or 0)}",
            "so low a rate has no discount; state a higher one",
        )
        raise InputError(place, "rate", rate, remedy) from None


def volatility_shock(parameters: VolatilityParameters) -> VolatilityShock:
    """The volatility shock's numbers in Q64, its floor in years."""
    return VolatilityShock(
        up=from_decimal(parameters.up),
        down=from_decimal(parameters.down),
        minimum=from_decimal(parameters.minimum),
        floor=from_fraction(Fraction(parameters.floor_days) / _DAYS_A_YEAR),
        short_power=from_decimal(parameters.short_power),
        long_power=from_decimal(parameters.long_power),
    )


@contextmanager
def named_instruments(universe: Universe, slots: Sequence[int]) -> Iterator[None]:
    """Kernels name the row that is out of range; this names the instrument, as an InputError."""
    try:
        yield
    except InstrumentError as error:
        name = universe.instruments[slots[error.index]].name
        remedy = "check its price, forward, strike and volatility, and the shocks"
        raise InputError(f"instrument {name}", "valuation", error.reason, remedy) from None
