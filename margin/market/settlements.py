"""Official settlements, and a later market in the slots of an earlier universe."""

from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.csv_rows import read_rows
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.market.inputs import (
    LARGEST_PRICE,
    SMALLEST_PRICE,
    Inputs,
    Quote,
    check_feeds,
    check_quote,
)
from zkmargin.margin.market.quotes import Market
from zkmargin.margin.market.settled_slots import moving
from zkmargin.margin.market.times import format_time, parse_time

Expiry = tuple[str, int] | tuple[str, int, str]
"""Underlying and unix microseconds; with a currency, of those contracts only that settle in it."""
Settlements = Mapping[Expiry, Decimal]
"""What each expiry settled at, in USD of the underlying; one of a currency goes before one of all."""

COLUMNS = ("underlying", "expiry_utc", "price")
OPTIONAL_COLUMNS = ("settlement",)

# How a universe counts an instrument; what it quotes does not depend on it.
_COUNTED_IN = ("lot_exponent", "contract_exponent", "bound")


def read_settlements(path: Path) -> Settlements:
    """The prices of a CSV file with one row for each underlying and expiry, or for each of its settlement currencies.

    Raises InputError naming line, column and value for a missing underlying, a moment without zone, a currency that
    nothing on the underlying settles in, a price that is out of range, and an expiry that occurs twice.
    """
    found: dict[Expiry, Decimal] = {}
    for where, row in read_rows(path, COLUMNS, OPTIONAL_COLUMNS, numbers=("price",)):
        underlying, currency = row["underlying"], row.get("settlement", "")
        if not underlying:
            raise InputError(where, "underlying", "", "write what the contracts are on, such as BTC")
        if currency not in ("", CASH, underlying):
            remedy = f"write {CASH} for linear contracts, {underlying} for inverse ones, or nothing for both"
            raise InputError(where, "settlement", currency, remedy)
        moment = parse_time(row["expiry_utc"], where, "expiry_utc")
        key = (underlying, moment, currency) if currency else (underlying, moment)
        if key in found:
            remedy = f"{underlying} has a row of this expiry already; keep one"
            raise InputError(where, "expiry_utc", row["expiry_utc"], remedy)
        price = parse_decimal(row["price"], where, "price")
        if not SMALLEST_PRICE <= price <= LARGEST_PRICE:
            remedy = f"write a number from {SMALLEST_PRICE:f} to {LARGEST_PRICE:f}"
            raise InputError(where, "price", row["price"], remedy)
        found[key] = price
    return found


def joined(earlier: Settlements, later: Settlements, where: str) -> Settlements:
    """Both; InputError if the later ones, of the file `where`, say otherwise of an expiry."""
    for key, price in earlier.items():
        stated = later.get(key, later.get(key[:2], price))
        if stated != price:
            remedy = (
                f"the earlier snapshot has settled {key[0]} of {format_time(key[1])} at "
                f"{canonical_decimal(price)}; an expiry settles once"
            )
            raise InputError(where, "price", canonical_decimal(stated), remedy)
    return {**earlier, **later}


def kept(market: Market, universe: Universe, settlements: Settlements) -> Inputs:
    """The numbers of a later market for the slots of an earlier universe.

    What the market lists newly is left out, and so are settlements of expiries that the universe lacks or that lie
    ahead.

    Raises InputError naming every expiry that has passed and has no settlement, or an instrument that has not expired
    if the market does not quote it, or quotes another contract under its name.
    """
    _check_settled(market, universe, settlements)
    pairs = zip(market.instruments, market.inputs.quotes, strict=True)
    quoted = {instrument.name: (instrument, quote) for instrument, quote in pairs}
    quotes = []
    for instrument in universe.instruments:
        if instrument.expiry is not None and instrument.expiry <= market.valuation_time:
            quotes.append(_settled(instrument, settlements))
        else:
            quotes.append(_quoted(instrument, quoted, market.inputs.source, market.inputs.left_out))
    inputs = _restricted(replace(market.inputs, quotes=tuple(quotes)), universe)
    check_feeds(inputs.source, inputs, universe.instruments)
    for instrument, quote in zip(universe.instruments, inputs.quotes, strict=True):
        where = f"{inputs.source}, instrument {instrument.name}"
        terms = inputs.terms_of(instrument)
        check_quote(where, instrument, quote, inputs.indices, market.valuation_time, terms=terms)
    return inputs


def _restricted(inputs: Inputs, universe: Universe) -> Inputs:
    """Without what belongs to instruments that the universe does not have, or that have settled."""
    moved = moving(universe, inputs)
    settled = {i for i, _ in inputs.settlements(universe.instruments)}
    expiries = {(i.underlying, i.expiry) for i in universe.instruments if i not in settled}
    return replace(
        inputs,
        indices={name: price for name, price in inputs.indices.items() if name in moved},
        terms=tuple(terms for terms in inputs.terms if (terms.underlying, terms.expiry) in expiries),
        confidences={name: sure for name, sure in inputs.confidences.items() if name in universe},
        left_out={name: reason for name, reason in inputs.left_out.items() if name not in universe},
    )


def _check_settled(market: Market, universe: Universe, settlements: Settlements) -> None:
    """Raises InputError with a row for every expiry that lacks its price, all at once."""
    missing: dict[tuple[str, int], str] = {}
    for instrument in universe.instruments:
        expiry = instrument.expiry
        if expiry is not None and expiry <= market.valuation_time and _price(instrument, settlements) is None:
            missing.setdefault((instrument.underlying, expiry), instrument.name)
    if missing:
        rows = [f"{underlying},{format_time(expiry)},PRICE" for underlying, expiry in sorted(missing)]
        several = len(rows) > 1
        found = "what they settled at; add the rows " if several else "what it settled at; add the row "
        remedy = f"expired, and nothing says {found}{'; '.join(rows)} to the file of --settlements"
        raise InputError("settlements", "instrument", ", ".join(missing.values()), remedy)


def _price(instrument: Instrument, settlements: Settlements) -> Decimal | None:
    key = instrument.underlying, instrument.expiry or 0
    return settlements.get((*key, instrument.settlement), settlements.get(key))


def _settled(instrument: Instrument, settlements: Settlements) -> Quote:
    price = _price(instrument, settlements)
    return Quote(settled=None if price is None else canonical_decimal(price))


def _quoted(
    instrument: Instrument,
    quoted: Mapping[str, tuple[Instrument, Quote]],
    source: str,
    gone: Mapping[str, str],
) -> Quote:
    if instrument.name in gone:
        remedy = f"the earlier universe lists it, and it had to be left out: {gone[instrument.name]}"
        raise InputError(source, "instrument", instrument.name, remedy)
    if instrument.name not in quoted:
        remedy = (
            "the earlier universe lists it and it has not expired, but the market does not quote it; add its price, or "
            "start a new universe (without --universe), under which everybody commits anew"
        )
        raise InputError(source, "instrument", instrument.name, remedy)
    listed, quote = quoted[instrument.name]
    for field in fields(Instrument):
        now, then = getattr(listed, field.name), getattr(instrument, field.name)
        if field.name not in _COUNTED_IN and now != then:
            remedy = f"the slot of the earlier universe has {then}: another contract needs another slot"
            raise InputError(f"{source}, instrument {instrument.name}", field.name, Finding(now), remedy)
    return quote
