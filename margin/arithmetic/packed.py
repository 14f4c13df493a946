"""The columns that the pricing kernels read and write: Q64 numbers, one row an instrument."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from zkmargin.margin.arithmetic.fixed import LARGEST, ONE_BITS, SMALLEST, RangeError

ENTRY_BYTES: Final = 16
_ENTRY: Final = struct.Struct("<Qq")


class InstrumentError(RangeError):
    """A kernel met a number out of range. `index` is the row of the instrument, `reason` says what failed."""

    def __init__(self, index: int, reason: str) -> None:
        self.index = index
        self.reason = reason
        super().__init__(f"instrument {index}: {reason}")


def pack(values: Sequence[int], width: int = 1) -> bytes:
    """Q64 numbers as 16-byte little-endian two's complement; `width` numbers belong to each instrument.

    Raises InstrumentError naming the instrument of the first number that does not fit into 128 bits.
    """
    try:
        return b"".join([value.to_bytes(ENTRY_BYTES, "little", signed=True) for value in values])
    except OverflowError:
        place = next(k for k, value in enumerate(values) if not SMALLEST <= value <= LARGEST)
        raise InstrumentError(place // width, "an input is out of the range of fixed point") from None


def unpack(data: bytes) -> list[int]:
    """The inverse of `pack`."""
    return [low + (high << ONE_BITS) for low, high in _ENTRY.iter_unpack(data)]


@dataclass(frozen=True, slots=True)
class Q64Matrix:
    """A matrix of Q64 numbers, row by row as `pack` writes them: what kernels hand on without unpacking."""

    columns: int
    data: bytes

    @classmethod
    def from_rows(cls, rows: Iterable[Sequence[int]], columns: int) -> Q64Matrix:
        """From rows of integers. ValueError if a row is not `columns` long; InstrumentError as `pack`."""
        entries: list[int] = []
        for index, row in enumerate(rows):
            if len(row) != columns:
                raise ValueError(f"row {index} has {len(row)} entries, not {columns}")
            entries.extend(row)
        return cls(columns, pack(entries, max(columns, 1)))

    @classmethod
    def stack(cls, matrices: Sequence[Q64Matrix]) -> Q64Matrix:
        """The rows of all, one below the other. ValueError if their widths differ or there is none."""
        widths = {matrix.columns for matrix in matrices}
        if len(widths) != 1:
            raise ValueError(f"matrices of widths {sorted(widths)} cannot be stacked")
        return cls(widths.pop(), b"".join(matrix.data for matrix in matrices))

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.data) // (ENTRY_BYTES * self.columns) if self.columns else 0

    def row(self, index: int) -> list[int]:
        """One row as Python integers."""
        size = ENTRY_BYTES * self.columns
        return unpack(self.data[index * size : (index + 1) * size])

    def column(self, index: int) -> list[int]:
        """One column as Python integers."""
        return unpack(self.data)[index :: self.columns]

    def rows(self) -> Iterator[list[int]]:
        """All rows as Python integers."""
        entries = unpack(self.data)
        return (entries[k : k + self.columns] for k in range(0, len(entries), self.columns or 1))


@dataclass(frozen=True, slots=True)
class Options:
    """Options as columns of equal length M; all numbers are Q64, meant as in `zkmargin.margin.arithmetic.black76`.

    call: True for a call, False for a put. forward, strike: in the currency of the price. years: to
    expiry, not positive once expired. discount: the discount factor to payment, `ONE` for undiscounted.
    """

    call: Sequence[bool]
    forward: Sequence[int]
    strike: Sequence[int]
    years: Sequence[int]
    discount: Sequence[int]

    def __post_init__(self) -> None:
        columns = (self.call, self.forward, self.strike, self.years, self.discount)
        if len({len(column) for column in columns}) != 1:
            raise ValueError(
                f"columns of lengths {[len(column) for column in columns]} are no table of options"
            )

    def __len__(self) -> int:
        return len(self.call)


@dataclass(frozen=True, slots=True)
class VolatilityShock:
    """Volatility shocks scaled by the term: m = (30 d / max(t, floor))^p, p by t <= 30 d. All numbers are
    Q64.

    up, down: relative shocks at 30 days, >= 0. minimum: the shocked-up volatility is never below it.
    floor: in years, > 0. short_power: p for t <= 30 d, long_power: beyond. RangeError if one is out of
    these ranges.
    """

    up: int
    down: int
    minimum: int
    floor: int
    short_power: int
    long_power: int

    def __post_init__(self) -> None:
        if self.up < 0 or self.down < 0 or self.minimum < 0:
            raise RangeError("a volatility shock or the minimum volatility is negative")
        if self.floor <= 0:
            raise RangeError("the floor of the term is not positive")
