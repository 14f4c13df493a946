"""Prices and risk arrays of whole markets: the native kernels where built, the reference loops otherwise.

Both give the same integers, bit for bit, and the same errors. Columns hold Python integers in Q64
(`zkmargin.margin.arithmetic.fixed`); results that feed another kernel stay packed (`Q64Matrix`). For a grid:

    vols = shocked_vols(mark_vols, options.years, shock)                    # [M][3]
    base = option_values(options, vols, [(ONE, VOL_BASE)]).column(0)        # V_0
    values = option_values(options, vols, [(factor_s, VOL_UP), ...])        # [M][S]
    risk = risk_array(base, values, damping, multiplier, 10**6)             # int64 [M][S]
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.arithmetic import reference_kernels
from zkmargin.margin.arithmetic.black76 import Greeks
from zkmargin.margin.arithmetic.packed import (
    InstrumentError,
    Options,
    Q64Matrix,
    VolatilityShock,
    pack,
    unpack,
)

try:
    from zkmargin import _native
except ImportError:
    _native = None  # type: ignore[assignment]

# Columns of the matrix of shocked volatilities.
VOL_BASE: Final = 0
VOL_UP: Final = 1
VOL_DOWN: Final = 2

__all__ = [
    "VOL_BASE",
    "VOL_DOWN",
    "VOL_UP",
    "InstrumentError",
    "Options",
    "Q64Matrix",
    "VolatilityShock",
    "exponentials",
    "option_greeks",
    "option_values",
    "risk_array",
    "shocked_vols",
]


def option_values(options: Options, vols: Q64Matrix, cells: Sequence[tuple[int, int]]) -> Q64Matrix:
    """Black-76 values of M options in S cells: a matrix [M][S] in Q64.

    vols: [M][D], the volatilities among which a cell chooses. cells: (factor, column): the cell's forward
    is mul(forward, factor) with the factor in Q64 (`ONE` for no move), its volatility is column `column`
    of `vols`. Each value is exactly `black76.price` of the cell.

    Raises InstrumentError naming the first option with a negative or overflowing number, ValueError if
    lengths do not fit or a cell names a column that is not there.
    """
    _same_length(len(options), len(vols))
    if any(not 0 <= column < vols.columns for _, column in cells):
        raise ValueError(f"a cell names a volatility column outside 0..{vols.columns - 1}")
    if not native():
        return reference_kernels.option_values(options, vols, cells)
    factors, columns = pack([factor for factor, _ in cells]), [column for _, column in cells]
    with _named():
        data = _native.option_values(*_packed(options), vols.data, factors, columns)
    return Q64Matrix(len(cells), data)


def option_greeks(options: Options, vols: Sequence[int]) -> list[Greeks]:
    """Value, delta, gamma, vega and theta of M options, at one volatility each, as `black76.greeks`.

    Raises InstrumentError as `option_values` does, ValueError if lengths differ.
    """
    _same_length(len(options), len(vols))
    if not native():
        return reference_kernels.option_greeks(options, vols)
    with _named():
        data = _native.option_greeks(*_packed(options), pack(vols))
    return [Greeks(*row) for row in Q64Matrix(5, data).rows()]


def shocked_vols(vols: Sequence[int], years: Sequence[int], shock: VolatilityShock) -> Q64Matrix:
    """Volatilities of M options and their shocks: a matrix [M][3] of base, up and down (`VOL_BASE`, ...).

    up = max(vol (1 + up m), minimum), down = vol max(0, 1 - down m), m = (30 d / max(t, floor))^p, every
    product, quotient and power rounded to nearest in Q64.

    Raises InstrumentError naming the first option with a negative or overflowing number, ValueError if
    lengths differ.
    """
    _same_length(len(vols), len(years))
    if not native():
        return reference_kernels.shocked_vols(vols, years, shock)
    numbers = (shock.up, shock.down, shock.minimum, shock.floor, shock.short_power, shock.long_power)
    with _named():
        return Q64Matrix(3, _native.shocked_vols(pack(vols), pack(years), pack(numbers)))


def risk_array(
    base: Sequence[int],
    values: Q64Matrix,
    damping: Sequence[int],
    multiplier: Sequence[int],
    quanta: Sequence[int] | int,
) -> NDArray[np.int64]:
    """Gains and losses of M instruments in S cells, in quanta: int64 [M][S].

    R = floor((V_s - V_0) damping_s multiplier_i quanta_i + 1/2), one exact product and one rounding.
    base: V_0, Q64 [M]. values: V_s, [M][S]. damping: Q64 [S]. multiplier: Q64 [M] (spot over forward for
    an inverse option, else `ONE`). quanta: how many quanta make one unit of value per table contract, 1
    <= quanta < 2^63: 10^6 at a quantum of 1e-6; one integer, or one per instrument.

    With base zero and one undamped cell it rounds plain values to quanta (marks).

    Raises InstrumentError naming the first instrument with an input out of range or with an entry that
    does not fit into 64 bits, ValueError if lengths do not fit.
    """
    count = len(values)
    per_unit = [quanta] * count if isinstance(quanta, int) else quanta
    for column in (base, multiplier, per_unit):
        _same_length(count, len(column))
    if len(damping) != values.columns:
        raise ValueError(f"{len(damping)} dampings do not fit {values.columns} cells")
    for index, number in enumerate(per_unit):
        if not 1 <= number < 1 << 63:
            raise InstrumentError(index, "the number of quanta is not between 1 and 2^63 - 1")
    if not native():
        return reference_kernels.risk_array(base, values, damping, multiplier, per_unit)
    with _named():
        data = _native.risk_array(pack(base), values.data, pack(damping), pack(multiplier), list(per_unit))
    return np.frombuffer(data, dtype="<i8").astype(np.int64).reshape(count, len(damping))


def exponentials(values: Sequence[int]) -> list[int]:
    """e^x of Q64 numbers, each exactly `fixed.exp`.

    Raises InstrumentError naming the first row that overflows.
    """
    if not native():
        return reference_kernels.exponentials(values)
    packed = pack(values)
    with _named():
        return unpack(_native.q64_map("exp", packed, packed))


def native() -> bool:
    """Whether the native kernels serve: they are built, and ZKMARGIN_BACKEND does not say "reference"."""
    return _native is not None and os.environ.get("ZKMARGIN_BACKEND") != "reference"


@contextmanager
def _named() -> Iterator[None]:
    """Gives the native kernels' error its Python name."""
    try:
        yield
    except _native.PricingError as error:
        index, reason = error.args
        raise InstrumentError(index, reason) from None


def _packed(options: Options) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    return (
        bytes(map(bool, options.call)),
        pack(options.forward),
        pack(options.strike),
        pack(options.years),
        pack(options.discount),
    )


def _same_length(expected: int, found: int) -> None:
    if expected != found:
        raise ValueError(f"columns of {expected} and {found} instruments do not fit")
