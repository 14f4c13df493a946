"""What the parameterisations of the grid share: their units, and the moves of all that is no option."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.arithmetic.decimals import nearest
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.tables.grid import Cell
from zkmargin.margin.valuation.basis import Basis, contract_size, slot_value, underlyings


def risk_units(basis: Basis) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Every underlying by itself, and (N,) for each slot the index of its own; -1 for cash."""
    units = underlyings(basis.universe)
    names = (i.underlying for i in basis.universe.instruments)
    places = [-1 if name == CASH else units.index(name) for name in names]
    return units, np.array(places, dtype=np.int64)


def spot_moves(basis: Basis, cells: Sequence[Cell]) -> NDArray[np.int64]:
    """(S, N): all that is no option moves in proportion to spot; options have zeros."""
    moves = [Fraction(Decimal(cell.spot)) * Fraction(cell.damping) * basis.quanta for cell in cells]
    risk = np.zeros((len(cells), len(basis.universe)), dtype=np.int64)
    for slot, instrument in enumerate(basis.universe.instruments):
        if value := _moving_value(basis, slot):
            risk[:, slot] = entries(instrument, [nearest(value * move) for move in moves])
    return risk


def entries(instrument: Instrument, column: Sequence[int]) -> NDArray[np.int64]:
    """One instrument's entries as int64; InputError naming it if one does not fit."""
    largest = max(column, key=abs, default=0)
    if not -(1 << 63) < largest < 1 << 63:
        remedy = "too large for 64 bits; check its price and the shocks"
        raise InputError(f"instrument {instrument.name}", "risk", largest, remedy)
    return np.array(column, dtype=np.int64)


def _moving_value(basis: Basis, slot: int) -> Fraction:
    """USD per contract that moves in proportion to spot.

    Index and forwards move by one factor, so the slot of an inverse future, -index/forward, does not
    move: its exposure is the coin leg that was booked into the balance.
    """
    instrument = basis.universe.instruments[slot]
    if instrument.underlying == CASH or instrument.inverse or instrument.kind == "option":
        return Fraction(0)
    return slot_value(instrument, basis.inputs.quotes[slot], basis.inputs) * contract_size(instrument)
