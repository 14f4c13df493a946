"""The tables as documents: what a snapshot file holds, validated strictly when it is read."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from zkmargin.margin.errors import InputError
from zkmargin.margin.tables import (
    LEVELS,
    Cell,
    CollateralCharge,
    GridTables,
    Level,
    PerpetualCharge,
    RateTables,
    StrikeCharge,
    Tables,
)

LARGEST = (1 << 63) - 1
Entry = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]
Amount = Annotated[int, Field(ge=0, le=LARGEST)]
Slot = Annotated[int, Field(ge=0, le=2047)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Levels(_Strict):
    initial: Amount
    maintenance: Amount


class _EntryLevels(_Strict):
    initial: list[Entry]
    maintenance: list[Entry]


class _AmountLevels(_Strict):
    initial: list[Amount]
    maintenance: list[Amount]


class _Ratio(_Strict):
    numerator: Amount
    denominator: Annotated[int, Field(ge=1, le=LARGEST)]


class _Ratios(_Strict):
    initial: _Ratio
    maintenance: _Ratio


class _Cell(_Strict):
    label: str
    spot: str
    volatility: Literal["up", "none", "down"]
    damping: str
    tail: bool


class _Perpetual(_Strict):
    slot: Slot
    charge: _Levels


class _Strike(_Strict):
    underlying: str
    expiry: int
    strike: str
    slots: Annotated[list[Slot], Field(min_length=1)]
    charge: _Levels


class _Collateral(_Strict):
    name: str
    slots: list[Slot]
    charge: _EntryLevels


class GridDocument(_Strict):
    """GridTables."""

    form: Literal["grid"] = "grid"
    cells: Annotated[list[_Cell], Field(min_length=1)]
    units: list[str]
    unit_of: list[Annotated[int, Field(ge=-1, le=2047)]]
    risk: list[list[Entry]]
    perpetuals: list[_Perpetual]
    strikes: list[_Strike]
    collaterals: list[_Collateral]
    loss_factor: _Ratios


class RateDocument(_Strict):
    """RateTables."""

    form: Literal["rates"] = "rates"
    long: _AmountLevels
    short: _AmountLevels
    collaterals: list[_Collateral]


TableDocument = Annotated[GridDocument | RateDocument, Field(discriminator="form")]


def encode_tables(tables: Tables) -> dict[str, Any]:
    """The document of tables, ready for the canonical encoding."""
    if isinstance(tables, GridTables):
        return {
            "form": "grid",
            "cells": [vars(cell) for cell in tables.cells],
            "units": list(tables.units),
            "unit_of": tables.unit_of.tolist(),
            "risk": tables.risk.tolist(),
            "perpetuals": [vars(charge) for charge in tables.perpetuals],
            "strikes": [vars(charge) for charge in tables.strikes],
            "collaterals": [vars(charge) for charge in tables.collaterals],
            "loss_factor": {
                level: {"numerator": numerator, "denominator": denominator}
                for level, (numerator, denominator) in tables.loss_factor.items()
            },
        }
    return {
        "form": "rates",
        "long": {level: column.tolist() for level, column in tables.long.items()},
        "short": {level: column.tolist() for level, column in tables.short.items()},
        "collaterals": [vars(charge) for charge in tables.collaterals],
    }


def decode_tables(document: TableDocument, slots: int, where: str) -> Tables:
    """The tables of a validated document; InputError if shapes do not fit a universe of `slots` instruments."""
    shapes = _Shapes(slots, where)
    collaterals = tuple(_collateral(c, shapes) for c in document.collaterals)
    if isinstance(document, RateDocument):
        sides = [
            {level: shapes.row(getattr(side, level), "rates") for level in LEVELS}
            for side in (document.long, document.short)
        ]
        return RateTables(sides[0], sides[1], collaterals)
    shapes.length(document.risk, len(document.cells), "risk")
    shapes.length(document.unit_of, slots, "unit_of")
    if max(document.unit_of, default=-1) >= len(document.units):
        raise InputError(where, "unit_of", max(document.unit_of), "names a unit that is not listed")
    return GridTables(
        cells=tuple(Cell(**cell.model_dump()) for cell in document.cells),
        units=tuple(document.units),
        unit_of=np.array(document.unit_of, dtype=np.int32),
        risk=np.array([shapes.row(row, "risk") for row in document.risk], dtype=np.int64),
        perpetuals=tuple(
            PerpetualCharge(shapes.slot(p.slot), _levels(p.charge)) for p in document.perpetuals
        ),
        strikes=tuple(
            StrikeCharge(
                s.underlying, s.expiry, s.strike, tuple(map(shapes.slot, s.slots)), _levels(s.charge)
            )
            for s in document.strikes
        ),
        collaterals=collaterals,
        loss_factor={level: _ratio(getattr(document.loss_factor, level)) for level in LEVELS},
    )


class _Shapes:
    """Checks of sizes against the universe."""

    def __init__(self, slots: int, where: str) -> None:
        self.slots = slots
        self.where = where

    def length(self, values: list[Any], expected: int, field: str) -> None:
        if len(values) != expected:
            raise InputError(
                self.where, field, f"{len(values)} entries", f"must have {expected}; build it again"
            )

    def row(self, values: list[int], field: str) -> NDArray[np.int64]:
        self.length(values, self.slots, field)
        return np.array(values, dtype=np.int64)

    def slot(self, slot: int) -> int:
        if slot >= self.slots:
            raise InputError(self.where, "slot", slot, f"the universe has {self.slots} slots; build it again")
        return slot


def _collateral(document: _Collateral, shapes: _Shapes) -> CollateralCharge:
    charge: Mapping[Level, tuple[int, ...]] = {
        "initial": tuple(document.charge.initial),
        "maintenance": tuple(document.charge.maintenance),
    }
    for level in LEVELS:
        shapes.length(list(charge[level]), len(document.slots), f"charge of {document.name}")
    return CollateralCharge(document.name, tuple(map(shapes.slot, document.slots)), charge)


def _levels(charge: _Levels) -> Mapping[Level, int]:
    return {"initial": charge.initial, "maintenance": charge.maintenance}


def _ratio(ratio: _Ratio) -> tuple[int, int]:
    return ratio.numerator, ratio.denominator
