"""A snapshot: one universe at one moment, with the tables that every requirement and proof is computed from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from zkmargin.margin.inputs import Inputs
from zkmargin.margin.parameters import Parameters
from zkmargin.margin.tables import Tables
from zkmargin.margin.universe import Universe

VERSION = 1
QUANTUM_DECIMALS = 6


@dataclass(frozen=True)
class Snapshot:
    """Content-addressed: `id` is the SHA-256 of all the rest in canonical encoding.

    Money is counted in units of 10^-money_decimals USD, small enough that lots times table entries are exact:
    q lots at entry v are q * v * scale[i] units.
    """

    version: int
    id: str
    universe: Universe
    valuation_time: int
    """Unix microseconds."""
    quantum_decimals: int
    """Table entries are multiples of 10^-quantum_decimals USD, the quantum or tick."""
    inputs: Inputs
    parameters: Parameters
    marks: NDArray[np.int64]
    """(N,): value in quanta per contract."""
    models: Mapping[str, Tables]
    """Tables by the name of the model."""

    @cached_property
    def _finest(self) -> int:
        """Decimal places that a lot adds to a table entry, at most over the universe."""
        return max(i.contract_exponent - i.lot_exponent for i in self.universe.instruments)

    @property
    def money_decimals(self) -> int:
        """Decimal places of the money unit."""
        return self.quantum_decimals + self._finest

    @cached_property
    def scale(self) -> tuple[int, ...]:
        """Per slot, the money units of one lot at a table entry of one quantum."""
        shift = self._finest
        exponents = (shift + i.lot_exponent - i.contract_exponent for i in self.universe.instruments)
        return tuple(int(10**exponent) for exponent in exponents)

    @property
    def tick(self) -> int:
        """Money units of one quantum."""
        return int(10**self._finest)
