"""The kernels of `zkmargin.margin.arithmetic.kernels` as plain loops: what the native ones must equal, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.arithmetic import black76
from zkmargin.margin.arithmetic.fixed import (
    ONE,
    ONE_BITS,
    RangeError,
    checked,
    div,
    exp,
    from_fraction,
    mul,
    nearest_shift,
    power,
)
from zkmargin.margin.arithmetic.packed import InstrumentError, Options, Q64Matrix, VolatilityShock

T = TypeVar("T")

THIRTY_DAYS: Final = from_fraction(Fraction(30, black76.DAYS_A_YEAR))
# The difference of values, the damping and the multiplier each carry 64 fractional bits.
_RISK_BITS: Final = 3 * ONE_BITS


def _each(count: int, compute: Callable[[int], T]) -> list[T]:
    """compute(i) for every row; a RangeError becomes an InstrumentError that names the row."""
    results = []
    for index in range(count):
        try:
            results.append(compute(index))
        except RangeError as error:
            raise InstrumentError(index, str(error)) from None
    return results


def option_values(options: Options, vols: Q64Matrix, cells: Sequence[tuple[int, int]]) -> Q64Matrix:
    """See `zkmargin.margin.arithmetic.kernels.option_values`."""
    smiles = list(vols.rows())

    def values(i: int) -> list[int]:
        return [
            black76.price(
                mul(options.forward[i], factor),
                options.strike[i],
                smiles[i][vol],
                options.years[i],
                options.discount[i],
                call=options.call[i],
            )
            for factor, vol in cells
        ]

    return Q64Matrix.from_rows(_each(len(options), values), len(cells))


def exponentials(values: Sequence[int]) -> list[int]:
    """See `zkmargin.margin.arithmetic.kernels.exponentials`."""
    return _each(len(values), lambda i: exp(values[i]))


def option_greeks(options: Options, vols: Sequence[int]) -> list[black76.Greeks]:
    """See `zkmargin.margin.arithmetic.kernels.option_greeks`."""
    return _each(
        len(options),
        lambda i: black76.greeks(
            options.forward[i],
            options.strike[i],
            vols[i],
            options.years[i],
            options.discount[i],
            call=options.call[i],
        ),
    )


def shocked_vols(vols: Sequence[int], years: Sequence[int], shock: VolatilityShock) -> Q64Matrix:
    """See `zkmargin.margin.arithmetic.kernels.shocked_vols`."""

    def shocked(i: int) -> tuple[int, int, int]:
        if vols[i] < 0:
            raise RangeError("the volatility is negative")
        exponent = shock.short_power if years[i] <= THIRTY_DAYS else shock.long_power
        scale = power(div(THIRTY_DAYS, max(years[i], shock.floor)), exponent)
        up = mul(vols[i], checked(ONE + mul(shock.up, scale), "addition"))
        down = mul(vols[i], max(0, ONE - mul(shock.down, scale)))
        return vols[i], max(up, shock.minimum), down

    return Q64Matrix.from_rows(_each(len(vols), shocked), 3)


def risk_array(
    base: Sequence[int],
    values: Q64Matrix,
    damping: Sequence[int],
    multiplier: Sequence[int],
    quanta: Sequence[int],
) -> NDArray[np.int64]:
    """See `zkmargin.margin.arithmetic.kernels.risk_array`."""
    rows = list(values.rows())

    def risk(i: int) -> list[int]:
        weight = multiplier[i] * quanta[i]
        entries = [
            nearest_shift((value - base[i]) * damp * weight, _RISK_BITS)
            for value, damp in zip(rows[i], damping, strict=True)
        ]
        if not all(-(1 << 63) <= entry < 1 << 63 for entry in entries):
            raise RangeError("an entry of the risk array does not fit into 64 bits")
        return entries

    return np.array(_each(len(rows), risk), dtype=np.int64).reshape(len(rows), values.columns)
