"""What an account holds: read strictly, and brought into lots by slot.

One vector of lots serves every later snapshot of the universe. What a contract that is margined daily was entered
at is therefore not part of its own slot but a leg in cash: a linear future, perpetual or futures-style option lowers
the USD balance by quantity * entry, an inverse future or perpetual raises the coin balance by quantity / entry, and
an inverse futures-style option lowers it by quantity * entry. Without an entry price the snapshot's mark is taken,
or what the contract has settled at, so that it starts with no profit. Legs are rounded down to a lot: the account
never gains by rounding.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import MAX_PREC, Context, Decimal, Inexact
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from zkmargin.margin.account.contract_map import Target
from zkmargin.margin.arithmetic.decimals import canonical_decimal, floor_div, parse_decimal, parse_positive
from zkmargin.margin.errors import InputError
from zkmargin.margin.files.csv_rows import read_rows
from zkmargin.margin.files.documents import parse_json, read_text
from zkmargin.margin.files.literals import PlainLiterals
from zkmargin.margin.files.validation import input_error
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.market.inputs import Quote
from zkmargin.margin.market.names import without_padding
from zkmargin.margin.market.settled_slots import settlement_value
from zkmargin.margin.snapshot.snapshot import Snapshot

VERSION = 1

OPEN_ORDERS = "open-orders"
"""In place of an instrument: cash that is reserved as margin of open orders, and lowers the balance. With a coin behind
it, as in open-orders:BTC, coins that are.
"""


def reserved_in(name: str) -> str | None:
    """The currency of what is reserved for open orders under this name; None if it is no reserve.

    >>> reserved_in("open-orders"), reserved_in("open-orders:BTC"), reserved_in("BTC")
    ('USD', 'BTC', None)
    """
    reserve, colon, coin = name.partition(":")
    return (coin if colon else CASH) if reserve == OPEN_ORDERS else None


_SIGN = "write short quantities as negative numbers, and remove the column"
_PRICE = "what a position was entered at is the column entry_price; rename or remove it"
_SIZE = "quantities are in the units of the instrument; give contract sizes in a map of contracts (--map)"
MISLEADING: Mapping[str, str] = {
    **dict.fromkeys(("side", "direction", "long_short", "buy_sell", "position_side"), _SIGN),
    **dict.fromkeys(("price", "avg_price", "average_price", "avg_entry_price", "cost"), _PRICE),
    **dict.fromkeys(("multiplier", "contract_size", "contract_multiplier"), _SIZE),
}
"""Columns that would change what a position is: they cannot be left out in good faith."""

_EXACT = Context(prec=MAX_PREC, traps=[Inexact])
"""Shifts the point of any quantity without rounding it."""


@dataclass(frozen=True)
class Position:
    """One row of a holdings file."""

    instrument: str
    quantity: Decimal
    """Positive is long: coins, shares or contracts, or USD for inverse futures and perpetuals."""
    entry_price: Decimal | None = None
    """USD, or coins for an inverse option; futures, perpetuals and futures-style options only."""
    where: str = "holdings"
    """The file and row it was read from."""
    contract: str = ""
    """What the venue calls it, where a map of contracts was used."""
    booked: bool = False
    """What it was entered at is in the balance already, as in the lots of an opening."""


@dataclass(frozen=True)
class Entry:
    """A position in lots: of its own slot, and of the balance that carries its entry (no lots if there is
    none).
    """

    position: Position
    slot: int
    lots: int
    leg_slot: int
    leg_lots: int


class _PositionDocument(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    instrument: str
    quantity: str | int | Decimal
    entry_price: str | int | Decimal | None = None


class _HoldingsDocument(PlainLiterals):
    model_config = ConfigDict(extra="forbid", strict=True)
    version: Literal[1] = 1
    positions: list[_PositionDocument]


@dataclass(frozen=True)
class Holdings:
    """Positions of one account, each instrument once."""

    positions: tuple[Position, ...]

    @classmethod
    def read(
        cls, path: Path, snapshot: Snapshot, contracts: Mapping[str, Target] | None = None
    ) -> "Holdings":
        """Holdings from a .json file, or from CSV with the columns instrument, quantity and entry_price
        (optional). With `contracts`, rows have the names of those and count them; see `mapped`.

        Raises InputError naming file, line, field and value for whatever the snapshot's universe does not
        allow.
        """
        rows = _read_json(path) if path.suffix.lower() == ".json" else _read_csv(path)
        positions = (_position(where, row) for where, row in rows)
        if contracts is not None:
            positions = (mapped(position, contracts, snapshot.universe) for position in positions)
        return cls.of(positions, snapshot)

    @classmethod
    def of(cls, positions: Iterable[Position], snapshot: Snapshot) -> "Holdings":
        """Holdings from positions; raises InputError as read() does."""
        holdings = cls(tuple(positions))
        _check_positions(holdings.positions, snapshot)
        holdings.held(snapshot)
        return holdings

    @classmethod
    def of_lots(cls, lots: Sequence[int], snapshot: Snapshot, where: str) -> "Holdings":
        """Holdings from lots by slot, such as an opening has: balances with the legs of all entries.

        Raises InputError if a slot's bound is passed.
        """
        pairs = zip(snapshot.universe.instruments, lots, strict=True)
        return cls.of(
            (Position(i.name, held * i.lot, None, where, booked=True) for i, held in pairs if held), snapshot
        )

    def entries(self, snapshot: Snapshot) -> tuple[Entry, ...]:
        """Every position in lots, with the leg that carries its entry; InputError if a quantity is off lot."""
        return tuple(_entry(position, snapshot) for position in self.positions)

    def held(self, snapshot: Snapshot) -> dict[int, int]:
        """Lots by slot, legs included, without the slots that no position touches; InputError if a slot's
        bound is passed.
        """
        lots: dict[int, int] = {}
        where: dict[int, str] = {}
        for entry in self.entries(snapshot):
            for slot, held in ((entry.slot, entry.lots), (entry.leg_slot, entry.leg_lots)):
                lots[slot] = lots.get(slot, 0) + held
                where.setdefault(slot, entry.position.where)
        for slot in sorted(lots):
            instrument = snapshot.universe.instruments[slot]
            if abs(lots[slot]) > instrument.bound:
                quantity = canonical_decimal(lots[slot] * instrument.lot)
                most = canonical_decimal(instrument.bound * instrument.lot)
                raise InputError(
                    where[slot], f"quantity of {instrument.name}", quantity, f"hold at most {most} either way"
                )
        return lots

    def vector(self, snapshot: Snapshot) -> list[int]:
        """Lots by slot, legs included; raises InputError if a slot's bound is passed."""
        lots = [0] * len(snapshot.universe)
        for slot, held in self.held(snapshot).items():
            lots[slot] = held
        return lots

    def document(self) -> dict[str, Any]:
        """The JSON form that read() accepts."""
        return {"version": VERSION, "positions": [_position_document(p) for p in self.positions]}


def _position_document(position: Position) -> dict[str, str]:
    document = {"instrument": position.instrument, "quantity": canonical_decimal(position.quantity)}
    if position.entry_price is not None:
        document["entry_price"] = canonical_decimal(position.entry_price)
    return document


def _read_csv(path: Path) -> Iterable[tuple[str, Mapping[str, object]]]:
    rows = read_rows(
        path,
        ("instrument", "quantity"),
        ("entry_price",),
        numbers=("quantity", "entry_price"),
        refused=MISLEADING,
    )
    for where, row in rows:
        yield where, {**row, "entry_price": row.get("entry_price") or None}


def _read_json(path: Path) -> Iterable[tuple[str, Mapping[str, object]]]:
    try:
        document = _HoldingsDocument.model_validate(parse_json(read_text(path), str(path)))
    except ValidationError as error:
        raise input_error(str(path), error) from None
    for number, position in enumerate(document.positions):
        yield f"{path}, positions[{number}]", position.model_dump()


def _position(where: str, row: Mapping[str, object]) -> Position:
    entry = row["entry_price"]
    return Position(
        without_padding(str(row["instrument"])),
        parse_decimal(row["quantity"], where, "quantity"),
        None if entry is None else parse_positive(entry, where, "entry_price"),
        where,
    )


def mapped(position: Position, contracts: Mapping[str, Target], universe: Universe) -> Position:
    """The position in the slot of its contract.

    Balances and what is reserved for open orders need no entry in the map. A contract does, even if the universe has
    an instrument of that name: the venue's may be of another size.

    Raises InputError naming the row and the contract if the map lacks it, or lists what is reserved for open orders:
    that only ever lowers an account's value. Also for the entry price of a contract that is quoted the other way round:
    it is in coins for a USD, and would be taken for USD.
    """
    name = position.instrument
    target = contracts.get(name)
    if reserved_in(name) is not None:
        if target is not None:
            remedy = (
                f"the map of contracts makes {target.instrument} of what is reserved; take this row out of it"
            )
            raise InputError(position.where, "instrument", name, remedy)
        return position
    if target is not None:
        if target.multiplier < 0 and position.entry_price is not None:
            remedy = (
                f"{name} is quoted the other way round (multiplier {canonical_decimal(target.multiplier)}); name "
                f"{target.instrument} itself in the map with multiplier 1, and give its quantity and price in USD"
            )
            raise InputError(position.where, "entry_price", canonical_decimal(position.entry_price), remedy)
        quantity = _EXACT.multiply(position.quantity, target.multiplier)
        return replace(position, instrument=target.instrument, quantity=quantity, contract=name)
    if name in universe and universe.instruments[universe.slot(name)].kind == "balance":
        return position
    close = difflib.get_close_matches(name[:100], contracts, n=1)
    guess = f"is {close[0]} meant? " if close else ""
    remedy = f"the map of contracts does not list it; {guess}give it a row there"
    raise InputError(position.where, "instrument", name, remedy)


def _check_reserve(position: Position, currency: str, snapshot: Snapshot) -> None:
    """What is reserved for open orders only ever lowers an account's value."""
    if (
        currency not in snapshot.universe
        or snapshot.universe.instruments[snapshot.universe.slot(currency)].kind != "balance"
    ):
        remedy = f"{OPEN_ORDERS}:COIN names a balance of the snapshot, and {OPEN_ORDERS} alone is {CASH}"
        raise InputError(position.where, "instrument", position.instrument, remedy)
    if position.quantity < 0:
        quantity = canonical_decimal(position.quantity)
        raise InputError(position.where, "quantity", quantity, f"write the {currency} reserved, zero or more")
    if position.entry_price is not None:
        price = canonical_decimal(position.entry_price)
        raise InputError(position.where, "entry_price", price, "leave it empty: a reserve is no position")


def _check_positions(positions: tuple[Position, ...], snapshot: Snapshot) -> None:
    seen: set[str] = set()
    for position in positions:
        name, where = position.instrument, position.where
        held = position.contract or name
        if held in seen:
            raise InputError(where, "instrument", held, "held twice; add the quantities up in one row")
        seen.add(held)
        if (currency := reserved_in(name)) is not None:
            _check_reserve(position, currency, snapshot)
            continue
        if name not in snapshot.universe:
            raise InputError(where, "instrument", name, _listed_instead(name, snapshot))
        instrument = snapshot.universe.instruments[snapshot.universe.slot(name)]
        if position.entry_price is not None and not instrument.margined_daily:
            remedy = f"leave it empty: what was paid for it is already in the {CASH} or coin balance"
            raise InputError(where, "entry_price", canonical_decimal(position.entry_price), remedy)


def _listed_instead(name: str, snapshot: Snapshot) -> str:
    """What to write for a name that the snapshot does not list."""
    reason = snapshot.inputs.left_out.get(name)
    if reason is not None:
        return f"left out of the snapshot: {reason}"
    listed = [instrument.name for instrument in snapshot.universe.instruments]
    close = difflib.get_close_matches(name[:100].upper(), listed, n=1)
    guess = f"is {close[0]} meant? " if close else ""
    return f"not listed by the snapshot; {guess}snapshot show --instruments lists all names"


def _lots(position: Position, instrument: Instrument) -> int:
    scaled = position.quantity.scaleb(-instrument.lot_exponent, _EXACT)
    lots = int(scaled)
    if lots != scaled:
        remedy = f"not a multiple of the lot of {position.instrument}, {canonical_decimal(instrument.lot)}"
        raise InputError(position.where, "quantity", canonical_decimal(position.quantity), remedy)
    return lots


def _entry(position: Position, snapshot: Snapshot) -> Entry:
    if (currency := reserved_in(position.instrument)) is not None:
        balance = snapshot.universe.slot(currency)
        return Entry(position, balance, -_lots(position, snapshot.universe.instruments[balance]), balance, 0)
    slot = snapshot.universe.slot(position.instrument)
    instrument = snapshot.universe.instruments[slot]
    lots = _lots(position, instrument)
    balance = snapshot.universe.slot(instrument.settlement)
    if position.booked or not instrument.margined_daily:
        return Entry(position, slot, lots, balance, 0)
    amount = -Fraction(position.quantity) * _entered_at(position, instrument, snapshot.inputs.quotes[slot])
    leg = floor_div(amount / Fraction(snapshot.universe.instruments[balance].lot))
    return Entry(position, slot, lots, balance, leg)


def _entered_at(position: Position, instrument: Instrument, quote: Quote) -> Fraction:
    """What one unit of quantity was worth at its entry, in USD or the coin: one USD of an inverse future less than
    nothing, as its slot is.
    """
    if position.entry_price is None and quote.settled is not None:
        return settlement_value(instrument, Fraction(quote.settled))
    price = Fraction(quote.price if position.entry_price is None else position.entry_price)
    if not instrument.inverse:
        return price * instrument.multiplier
    return price if instrument.kind == "option" else -1 / price
