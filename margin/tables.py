"""The tables a snapshot publishes: integers per contract, all that a requirement and its proof depend on.

Every entry is in quanta of USD per 10^contract_exponent of quantity. The slot index i runs over the
universe (N slots), the cell index s over the scenarios (S cells). q_i are lots; the money of q lots at
entry v is q * v * scale_i.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Level = Literal["initial", "maintenance"]
LEVELS: tuple[Level, Level] = ("initial", "maintenance")

VolatilityMove = Literal["up", "none", "down"]


@dataclass(frozen=True)
class Cell:
    """One scenario: a spot shock with a volatility move, damped in the tails."""

    label: str
    """For people, such as "spot -16 %, volatility up"."""
    spot: str
    """Canonical decimal; -0.16 is a fall of 16 %."""
    volatility: VolatilityMove
    damping: str
    """Canonical decimal or fraction "a/b"; 1 but in tails."""
    tail: bool


@dataclass(frozen=True)
class PerpetualCharge:
    """A contingency on |q| of a perpetual."""

    slot: int
    charge: Mapping[Level, int]


@dataclass(frozen=True)
class StrikeCharge:
    """A contingency on the naked short options of a strike and expiry: charge * max(0, -(sum of q over
    slots)).

    All slots share lot and contract exponents, so that their lots add up.
    """

    underlying: str
    expiry: int
    strike: str
    slots: tuple[int, ...]
    charge: Mapping[Level, int]


@dataclass(frozen=True)
class CollateralCharge:
    """A haircut on a coin's equity: max(0, sum of charge_k * q_k), where the legs of inverse contracts count
    against.
    """

    name: str
    slots: tuple[int, ...]
    charge: Mapping[Level, tuple[int, ...]]


@dataclass(frozen=True)
class GridTables:
    """Portfolio margin on a grid of scenarios.

    requirement(level) = loss_factor * sum_u W_u + sum of perpetual, strike and collateral charges, with
    W_u = max(0, max_s -PnL_u(s)) and PnL_u(s) = sum over the slots i of unit u of q_i * risk[s, i] * scale_i.
    """

    cells: tuple[Cell, ...]
    units: tuple[str, ...]
    unit_of: NDArray[np.int32]
    """(N,): index into units, -1 for slots without risk (cash)."""
    risk: NDArray[np.int64]
    """(S, N): damped change of value."""
    perpetuals: tuple[PerpetualCharge, ...]
    strikes: tuple[StrikeCharge, ...]
    collaterals: tuple[CollateralCharge, ...]
    loss_factor: Mapping[Level, tuple[int, int]]
    """Numerator and denominator."""


@dataclass(frozen=True)
class RateTables:
    """Margin by public rates per position, without netting.

    requirement(level) = sum_i long_i * max(q_i, 0) + short_i * max(-q_i, 0) + sum of collateral charges.
    """

    long: Mapping[Level, NDArray[np.int64]]
    """(N,), each >= 0."""
    short: Mapping[Level, NDArray[np.int64]]
    """(N,), each >= 0."""
    collaterals: tuple[CollateralCharge, ...]


Tables = GridTables | RateTables
