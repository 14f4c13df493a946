"""What an account holds: read strictly, and brought into lots by slot.

One vector of lots serves every later snapshot of the universe. What a future or perpetual was entered at
is therefore not part of its own slot but a leg in cash: a linear contract lowers the USD balance by
quantity * entry, an inverse one raises the coin balance by quantity / entry. Without an entry price the
snapshot's mark is taken, so that the contract starts with no profit. Legs are rounded down to a lot: the
account never gains by rounding.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from zkmargin.margin.csv_rows import read_rows
from zkmargin.margin.decimals import canonical_decimal, floor_div, parse_decimal, parse_positive
from zkmargin.margin.documents import input_error, parse_json, read_text
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments import CASH, Instrument
from zkmargin.margin.snapshot import Snapshot

VERSION = 1


@dataclass(frozen=True)
class Position:
    """One row of a holdings file."""

    instrument: str
    quantity: Decimal
    """Positive is long: coins, or USD for inverse futures and perpetuals."""
    entry_price: Decimal | None = None
    """USD; futures and perpetuals only."""
    where: str = "holdings"
    """The file and row it was read from."""


class _PositionDocument(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    instrument: str
    quantity: str | int | Decimal
    entry_price: str | int | Decimal | None = None


class _HoldingsDocument(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    version: Literal[1] = 1
    positions: list[_PositionDocument]


@dataclass(frozen=True)
class Holdings:
    """Positions of one account, each instrument once."""

    positions: tuple[Position, ...]

    @classmethod
    def read(cls, path: Path, snapshot: Snapshot) -> "Holdings":
        """Holdings from a .json file, or from CSV with the columns instrument, quantity and entry_price
        (optional).

        Raises InputError naming file, line, field and value for whatever the snapshot's universe does not
        allow.
        """
        rows = _read_json(path) if path.suffix.lower() == ".json" else _read_csv(path)
        return cls.of((_position(where, row) for where, row in rows), snapshot)

    @classmethod
    def of(cls, positions: Iterable[Position], snapshot: Snapshot) -> "Holdings":
        """Holdings from positions; raises InputError as read() does."""
        holdings = cls(tuple(positions))
        _check_positions(holdings.positions, snapshot)
        holdings.vector(snapshot)
        return holdings

    def vector(self, snapshot: Snapshot) -> list[int]:
        """Lots by slot, legs included; raises InputError if a slot's bound is passed."""
        lots = [0] * len(snapshot.universe)
        where: dict[int, str] = {}
        for position in self.positions:
            slot = snapshot.universe.slot(position.instrument)
            instrument = snapshot.universe.instruments[slot]
            lots[slot] += _lots(position, instrument)
            where.setdefault(slot, position.where)
            if instrument.kind in ("perpetual", "future"):
                currency, leg = _leg(position, instrument, snapshot)
                lots[currency] += leg
                where.setdefault(currency, position.where)
        for slot, (held, instrument) in enumerate(zip(lots, snapshot.universe.instruments, strict=True)):
            if abs(held) > instrument.bound:
                quantity = canonical_decimal(held * instrument.lot)
                remedy = (
                    f"beyond the bound of {canonical_decimal(instrument.bound * instrument.lot)}; hold less"
                )
                raise InputError(where[slot], f"quantity of {instrument.name}", quantity, remedy)
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
    for where, row in read_rows(path, ("instrument", "quantity"), ("entry_price",)):
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
        str(row["instrument"]),
        parse_decimal(row["quantity"], where, "quantity"),
        None if entry is None else parse_positive(entry, where, "entry_price"),
        where,
    )


def _check_positions(positions: tuple[Position, ...], snapshot: Snapshot) -> None:
    seen: set[str] = set()
    for position in positions:
        name, where = position.instrument, position.where
        if name in seen:
            raise InputError(where, "instrument", name, "held twice; add the quantities up in one row")
        seen.add(name)
        if name not in snapshot.universe:
            raise InputError(
                where, "instrument", name, "not listed by the snapshot; use a name of its universe"
            )
        instrument = snapshot.universe.instruments[snapshot.universe.slot(name)]
        if position.entry_price is not None and instrument.kind not in ("perpetual", "future"):
            remedy = f"leave it empty: what was paid for an {instrument.kind} is already in the {CASH} or coin balance"
            raise InputError(where, "entry_price", canonical_decimal(position.entry_price), remedy)


def _lots(position: Position, instrument: Instrument) -> int:
    lots = Fraction(position.quantity) / Fraction(instrument.lot)
    if lots.denominator != 1:
        remedy = f"not a multiple of the lot of {position.instrument}, {canonical_decimal(instrument.lot)}"
        raise InputError(position.where, "quantity", canonical_decimal(position.quantity), remedy)
    return lots.numerator


def _leg(position: Position, instrument: Instrument, snapshot: Snapshot) -> tuple[int, int]:
    """The balance slot that carries the entry, and the lots that it changes by."""
    slot = snapshot.universe.slot(instrument.settlement)
    balance = snapshot.universe.instruments[slot]
    entry = position.entry_price or Decimal(
        snapshot.inputs.quotes[snapshot.universe.slot(instrument.name)].price
    )
    quantity = Fraction(position.quantity)
    amount = quantity / Fraction(entry) if instrument.inverse else -quantity * Fraction(entry)
    return slot, floor_div(amount / Fraction(balance.lot))
