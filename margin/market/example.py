"""An example market: invented, deterministic, and shaped like a real one.

Two coins, each with perpetuals, futures and options in inverse and linear form; volatility smiles that
are steeper for short expiries. It serves to try things out; nobody ever traded at these prices.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from zkmargin.margin.arithmetic.black76 import price
from zkmargin.margin.arithmetic.fixed import from_decimal, to_decimal
from zkmargin.margin.market.names import dated_name
from zkmargin.margin.market.quotes import Listing, Market, assemble, future, option

SOURCE = "example market (invented prices)"

_DAY = 86_400_000_000
_EIGHT = 8 * 3_600_000_000
# Thursday, 1 January 2026, 08:00 UTC; every expiry is at 08:00 as well.
VALUATION_TIME = 1_767_254_400_000_000

_MONEYNESS = ("0.75", "0.85", "0.95", "1", "1.05", "1.15", "1.35")


@dataclass(frozen=True)
class _Coin:
    name: str
    index: Decimal
    strike_step: int
    volatility: Decimal
    """At the money, for a month."""
    strikes: Decimal = Decimal(0)
    """What strikes lie around, whatever the level of prices: instruments stay the same."""


_COINS = (
    _Coin("BTC", Decimal("88210.40"), 1000, Decimal("0.46")),
    _Coin("ETH", Decimal("2984.15"), 50, Decimal("0.68")),
)
_CARRY = Decimal("0.045")
_INVERSE_OPTION_DAYS = (8, 29, 85)
_LINEAR_OPTION_DAYS = 29
_INVERSE_FUTURE_DAYS = (29, 85)
_LINEAR_FUTURE_DAYS = 29


def example_market(valuation_time: int = VALUATION_TIME, level: str = "1") -> Market:
    """About 100 instruments on BTC and ETH, the same on every machine.

    At another time (Unix microseconds) its expiries count from that day, and at another level all prices are that
    many times as high.
    """
    day = _EIGHT + (valuation_time - _EIGHT) // _DAY * _DAY
    coins = [_at(coin, Decimal(level)) for coin in _COINS]
    indices = {coin.name: coin.index for coin in coins}
    listings = (listing for coin in coins for listing in (*_futures(coin, day), *_options(coin, day)))
    return assemble(SOURCE, valuation_time, indices, listings)


def _at(coin: _Coin, level: Decimal) -> _Coin:
    return replace(coin, index=(coin.index * level).quantize(Decimal("0.01")), strikes=coin.index)


def _futures(coin: _Coin, day: int) -> Iterator[Listing]:
    mark = (coin.index * Decimal("1.0003")).quantize(Decimal("0.01"))
    for inverse in (True, False):
        name = f"{_prefix(coin, inverse)}-PERPETUAL"
        yield Listing(future(name, coin.name, inverse=inverse, expiry=None), mark, SOURCE)
    for inverse, days in (*((True, days) for days in _INVERSE_FUTURE_DAYS), (False, _LINEAR_FUTURE_DAYS)):
        expiry = day + days * _DAY
        name = dated_name(_prefix(coin, inverse), expiry)
        yield Listing(future(name, coin.name, inverse=inverse, expiry=expiry), _forward(coin, days), SOURCE)


def _options(coin: _Coin, day: int) -> Iterator[Listing]:
    for inverse, days in (*((True, days) for days in _INVERSE_OPTION_DAYS), (False, _LINEAR_OPTION_DAYS)):
        # Linear books are thinner: every second strike.
        for moneyness in _MONEYNESS[:: 1 if inverse else 2]:
            for call in (True, False):
                yield _option(coin, day, Decimal(moneyness), days, inverse=inverse, call=call)


def _option(coin: _Coin, day: int, moneyness: Decimal, days: int, *, inverse: bool, call: bool) -> Listing:
    forward = _forward(coin, days)
    step = Decimal(coin.strike_step)
    strike = (coin.strikes * moneyness / step).to_integral_value() * step
    volatility = _smile(coin, strike / forward - 1, days)
    years = from_decimal(Decimal(days) / 365)
    value = to_decimal(
        price(from_decimal(forward), from_decimal(strike), from_decimal(volatility), years, call=call)
    )
    mark = (value / forward).quantize(Decimal("0.000001")) if inverse else value.quantize(Decimal("0.01"))
    expiry = day + days * _DAY
    name = f"{dated_name(_prefix(coin, inverse), expiry)}-{strike:f}-{'C' if call else 'P'}"
    listed = option(name, coin.name, inverse=inverse, expiry=expiry, strike=strike, call=call)
    return Listing(listed, mark, SOURCE, volatility, forward)


def _prefix(coin: _Coin, inverse: bool) -> str:
    return coin.name if inverse else f"{coin.name}_USD"


def _forward(coin: _Coin, days: int) -> Decimal:
    return (coin.index * (1 + _CARRY * days / 365)).quantize(Decimal("0.01"))


def _smile(coin: _Coin, moneyness: Decimal, days: int) -> Decimal:
    """A parabola in K/F - 1 with more weight on puts, wider the closer to expiry."""
    steepness = Decimal(60) / (days + 30)
    wings = Decimal("0.9") * moneyness * moneyness - Decimal("0.12") * moneyness
    return (coin.volatility + steepness * wings).quantize(Decimal("0.0001"))
