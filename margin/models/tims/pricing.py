"""Theoretical gains and losses: every contract at the valuation points of its class, volatility at its mark.

Options by Black's formula on their forward, discounted; shares and futures in proportion. All underlyings
of a class move by the same fraction, and forwards with them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.arithmetic.decimals import ceil_div, nearest
from zkmargin.margin.arithmetic.fixed import ONE, from_decimal
from zkmargin.margin.arithmetic.kernels import VOL_BASE, option_values, risk_array
from zkmargin.margin.arithmetic.packed import Q64Matrix
from zkmargin.margin.instruments.instrument import CASH
from zkmargin.margin.models.tims.tables import POINTS, TimsClass
from zkmargin.margin.valuation.basis import Basis, contract_size, int64_table, slot_value
from zkmargin.margin.valuation.option_values import named_instruments, option_columns


def risk_table(basis: Basis, classes: Sequence[TimsClass], class_of: Sequence[int]) -> NDArray[np.int64]:
    """(10, N) changes of value in quanta per contract, rounded to nearest.

    Raises InputError naming the instrument whose numbers do not fit.
    """
    options: dict[tuple[str, ...], list[int]] = defaultdict(list)
    columns = [[0] * len(basis.universe) for _ in range(POINTS)]
    for slot, instrument in enumerate(basis.universe.instruments):
        if instrument.underlying == CASH:
            continue
        moves = classes[class_of[slot]].moves
        if instrument.kind == "option":
            options[moves].append(slot)
        else:
            value = slot_value(instrument, basis.inputs.quotes[slot], basis.inputs)
            value *= contract_size(instrument) * basis.quanta
            for column, move in zip(columns, moves, strict=True):
                column[slot] = nearest(value * Fraction(move))
    risk = np.stack([int64_table("risk", basis.universe, column) for column in columns])
    for moves, slots in options.items():
        risk[:, slots] = _option_risk(basis, moves, slots)
    return risk


def _option_risk(basis: Basis, moves: Sequence[str], slots: Sequence[int]) -> NDArray[np.int64]:
    """(10, M) for options that are moved alike."""
    columns = option_columns(basis.universe, basis.valuation_time, basis.inputs, slots)
    vols = Q64Matrix.from_rows([[volatility] for volatility in columns.volatilities], 1)
    cells = [(from_decimal(1 + Decimal(move)), VOL_BASE) for move in moves]
    with named_instruments(basis.universe, columns.slots):
        base = option_values(columns.options, vols, [(ONE, VOL_BASE)]).column(0)
        values = option_values(columns.options, vols, cells)
        quanta = [int(basis.quanta * contract_size(basis.universe.instruments[slot])) for slot in slots]
        return risk_array(base, values, [ONE] * POINTS, columns.multipliers, quanta).T


def minimum_columns(basis: Basis, minimum: Decimal) -> Mapping[str, NDArray[np.int64]]:
    """(N,) the minimum of a contract held, at most what it is worth, and of a contract owed: "long", "short"."""
    short = [0] * len(basis.universe)
    for slot, instrument in enumerate(basis.universe.instruments):
        if instrument.kind in ("option", "future"):
            short[slot] = ceil_div(Fraction(minimum) * basis.quanta * contract_size(instrument))
    long = [min(*pair) for pair in zip(short, basis.marks.tolist(), strict=True)]
    return {
        "long": int64_table("minimum", basis.universe, long),
        "short": int64_table("minimum", basis.universe, short),
    }
