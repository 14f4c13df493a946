"""A market at one moment: instruments in the order of their slots, and the numbers quoted for them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import CASH, Instrument, Kind, Premium, Security
from zkmargin.margin.market.inputs import Inputs, Quote, check_quote
from zkmargin.margin.market.left_out import LeftOut

# An account holds at most these many lots, long or short; the circuit proves it. One less than a power of
# two, because the sum of a call's and a put's lots then still fits the same number of bits.
BALANCE_BOUND = (1 << 54) - 1
FUTURE_BOUND = (1 << 32) - 1
OPTION_BOUND = (1 << 21) - 1
SHARE_BOUND = (1 << 32) - 1

CASH_LOT = -6
COIN_LOT = -8

# An inverse contract counts USD and is worth about one USD each, so its tables are per 10,000 USD:
# rounding to a quantum is then as fine, relative to the notional, as it is for a coin.
INVERSE_CONTRACT = 4


@dataclass(frozen=True)
class Listing:
    """An instrument with its quote, and where both were read."""

    instrument: Instrument
    price: Decimal
    where: str
    volatility: Decimal | None = None
    forward: Decimal | None = None
    rate: Decimal | None = None


@dataclass(frozen=True)
class Market:
    """What a snapshot is built from: time, instruments by slot, and their numbers."""

    valuation_time: int
    """Unix microseconds."""
    instruments: tuple[Instrument, ...]
    inputs: Inputs


def assemble(
    source: str,
    valuation_time: int,
    indices: Mapping[str, Decimal],
    listings: Iterable[Listing],
    left_out: LeftOut | None = None,
) -> Market:
    """A market of balances (USD first, then every coin with an index) and of the listings, in canonical
    order.

    Shares and perpetuals come before futures and options; each coin's by expiry, strike, call before put.
    What securities are based on is no coin, and has no balance.
    What cannot be used is added to `left_out`; without that, or where it refuses, this raises InputError for an
    expired or doubly listed instrument and for an underlying without index. It does so, too, where nothing is left.
    """
    gone = left_out or LeftOut(source, strict=True)
    ordered = sorted(listings, key=lambda listing: _slot_order(listing.instrument))
    based_on = {listing.instrument.underlying for listing in ordered if listing.instrument.security}
    prices = {name: canonical_decimal(indices[name]) for name in sorted(indices)}
    coins = [name for name in prices if name not in based_on]
    balances = [_balance(CASH, CASH_LOT), *(_balance(coin, COIN_LOT) for coin in coins)]
    quotes = [Quote("1"), *(Quote(prices[coin]) for coin in coins)]
    for balance, quote in zip(balances, quotes, strict=True):
        check_quote(f"{source}, index of {balance.name}", balance, quote, prices, valuation_time)
    names = Counter([*(balance.name for balance in balances), *(x.instrument.name for x in ordered)])
    kept: list[Instrument] = []
    for listing in ordered:
        instrument, where = listing.instrument, listing.where
        with gone.entry(instrument.name):
            if names[instrument.name] > 1:
                raise InputError(where, "instrument", instrument.name, "listed twice; keep one row")
            quote = Quote(
                canonical_decimal(listing.price),
                _optional(listing.volatility),
                _optional(listing.forward),
                _optional(listing.rate),
            )
            check_quote(where, instrument, quote, prices, valuation_time)
            quotes.append(quote)
            kept.append(instrument)
    if gone.first is not None and not kept:
        raise gone.first
    gone.tell()
    # What nothing that is left is listed on has no price in the market either.
    moved = {instrument.underlying for instrument in (*balances, *kept)}
    prices = {name: price for name, price in prices.items() if name in moved}
    inputs = Inputs(source, prices, tuple(quotes), left_out=_named(gone, balances))
    return Market(valuation_time, (*balances, *kept), inputs)


def _named(gone: LeftOut, balances: Iterable[Instrument]) -> Mapping[str, str]:
    """The names of what is left out, but for one that is a balance's."""
    listed = {balance.name for balance in balances}
    return {name: reason for name, reason in gone.document().items() if name not in listed}


def future(
    name: str, coin: str, *, inverse: bool, expiry: int | None, lot_exponent: int | None = None
) -> Instrument:
    """A dated future, or a perpetual if it has no expiry; lots of 1 USD if inverse, of 0.001 coin if linear."""
    kind: Kind = "perpetual" if expiry is None else "future"
    lot = (0 if inverse else -3) if lot_exponent is None else lot_exponent
    settlement, contract = (coin, INVERSE_CONTRACT) if inverse else (CASH, 0)
    return Instrument(name, kind, coin, settlement, inverse, expiry, None, None, lot, contract, FUTURE_BOUND)


def option(
    name: str,
    coin: str,
    *,
    inverse: bool,
    expiry: int,
    strike: Decimal,
    call: bool,
    lot_exponent: int = -1,
) -> Instrument:
    """An option on one coin."""
    settlement = coin if inverse else CASH
    written = canonical_decimal(strike)
    return Instrument(
        name, "option", coin, settlement, inverse, expiry, written, call, lot_exponent, 0, OPTION_BOUND
    )


def share(symbol: str, security: Security) -> Instrument:
    """Shares of a company or a fund, counted one by one."""
    return Instrument(
        symbol, "share", symbol, CASH, False, None, None, None, 0, 0, SHARE_BOUND, security=security
    )


def security_future(
    name: str, underlying: str, security: Security, *, expiry: int, multiplier: int
) -> Instrument:
    """A future on a share or an index, counted in contracts."""
    return Instrument(
        name, "future", underlying, CASH, False, expiry, None, None, 0, 0, OPTION_BOUND, multiplier, security
    )


def security_option(
    name: str,
    underlying: str,
    security: Security,
    *,
    expiry: int,
    strike: Decimal,
    call: bool,
    multiplier: int,
    premium: Premium = "paid",
) -> Instrument:
    """An option on a share or an index, counted in contracts."""
    return Instrument(
        name,
        "option",
        underlying,
        CASH,
        False,
        expiry,
        canonical_decimal(strike),
        call,
        0,
        0,
        OPTION_BOUND,
        multiplier,
        security,
        premium,
    )


def _balance(currency: str, lot_exponent: int) -> Instrument:
    return Instrument(
        currency, "balance", currency, currency, False, None, None, None, lot_exponent, 0, BALANCE_BOUND
    )


def _slot_order(x: Instrument) -> tuple[int, str, bool, int, Decimal, bool, str]:
    rank = ("share", "perpetual", "future", "option").index(x.kind)
    return rank, x.underlying, not x.inverse, x.expiry or 0, Decimal(x.strike or 0), not x.call, x.name


def _optional(number: Decimal | None) -> str | None:
    return None if number is None else canonical_decimal(number)
