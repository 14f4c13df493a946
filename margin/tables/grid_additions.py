"""What a grid may have beside its cells: positions that are valued together, and charges that compete or gate.

All of it is quanta per contract, as in `zkmargin.margin.tables.grid`, and absent from a grid that needs none of it.
"""

import operator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from zkmargin.margin.tables.schema import STRICT, Amount, Column, Entry, Matrix, Slot
from zkmargin.margin.units import ByLevel

Unit = Annotated[int, Field(ge=0, le=2047)]
"""Index of a risk unit."""


@dataclass(frozen=True)
class ExpiryBucket:
    """Slots of one unit that a cell values together, on two columns: such as the options of one expiry.

    With L+ = sum of q_i * risk[s, i] and L- = sum of q_i * short[s, i] over its slots, the bucket's part of
    PnL_u(s) is v = min(L+, L-), or max(L+, L-) if `greater`; in a skew cell it is -|v|. Beside the cells it
    has a basis contingency of max(0, -(sum of q_i * basis[0, i]), -(sum of q_i * basis[1, i])).
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    label: str
    """For people, such as "BTC, expiry 2026-03-27"."""
    unit: Unit
    slots: Annotated[tuple[Slot, ...], Field(min_length=1)]
    short: Matrix
    """(S, n): the change of value where the bucket as a whole is sold."""
    greater: bool
    basis: Matrix
    """(2, n): the change of value in the upper and lower basis move, times the contingency's factor."""


@dataclass(frozen=True)
class ConfidenceCharge:
    """A charge on the sum of |q| over slots, for feeds that are not sure of themselves.

    It is `charge`, and `gated` instead while any of the gates is held.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    slots: Annotated[tuple[Slot, ...], Field(min_length=1)]
    charge: ByLevel[Amount]
    gates: tuple[Slot, ...]
    gated: ByLevel[Amount]
    """Never below `charge`."""


Tier = tuple[Annotated[int, Field(ge=1, le=10**6)], Amount]
"""slope and offset, in quanta of USD: the tier asks for slope * x - offset of an amount x."""
Tiers = Annotated[tuple[Tier, ...], Field(min_length=1)]
"""What is asked for is the greatest over the tiers, and 0: rates that rise with size."""

PLAIN: Tiers = ((1, 0),)
"""The amount itself."""


@dataclass(frozen=True)
class ExposureCharge:
    """A charge on what slots of one unit lose if one price moves, whichever way: tiers of
    |sum of q_i * exposure_i|. It is added to the unit's worst loss.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    kind: Literal["delta shock", "roll shock", "basis risk", "rate risk", "bracket"]
    name: str
    """For people, such as "BTC, expiry 2026-03-27"."""
    unit: Unit
    slots: Annotated[tuple[Slot, ...], Field(min_length=1)]
    exposure: tuple[Entry, ...]
    """(n,): the change of value in the move."""
    tiers: Tiers = PLAIN
    cap: Annotated[int, Field(ge=0, le=10**6, exclude_if=operator.not_)] = 0
    """Never more than cap * |sum of q_i * exposure_i|; 0: there is no such limit."""


@dataclass(frozen=True)
class Leg:
    """Slots that move together, on one side of a hedge or the other."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    slots: Annotated[tuple[Slot, ...], Field(min_length=1)]
    exposure: tuple[Entry, ...]
    """(n,): the change of value in a move of what the legs hedge."""


@dataclass(frozen=True)
class HedgeCharge:
    """A charge on what legs of one unit hedge of each other, since they may move apart.

    With y_g = sum of q_i * exposure_i over the slots of leg g, it is tiers of
    min(sum of max(0, y_g), sum of max(0, -y_g)). It is added to the unit's worst loss.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    kind: Literal["vega spread", "delta spread", "stablecoin spread"]
    name: str
    unit: Unit
    legs: Annotated[tuple[Leg, ...], Field(min_length=2)]
    tiers: Tiers = PLAIN


@dataclass(frozen=True)
class MinimumCharge:
    """The least that a unit is asked for: tiers of the sum of long_i * max(q_i, 0) + short_i * max(-q_i, 0)."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    unit: Unit
    slots: Annotated[tuple[Slot, ...], Field(min_length=1)]
    long: tuple[Amount, ...]
    """(n,)"""
    short: tuple[Amount, ...]
    """(n,)"""
    tiers: Tiers = PLAIN


@dataclass(frozen=True)
class Currency:
    """A settlement currency that covers what its own contracts are asked for."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    units: Annotated[tuple[Unit, ...], Field(min_length=1)]
    """The units whose losses are paid in it."""
    slots: Annotated[tuple[Slot, ...], Field(min_length=1)]
    """All that settles in it: their value is its equity."""


@dataclass(frozen=True)
class Coverage:
    """Settlement currencies that do not pay for one another.

    With E_c the equity of a currency c and R_c what its units are asked for, an account in which some E_c is below
    its R_c has an excess of min(account value - requirement, min_c (E_c - R_c)), and otherwise what it has anyway.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    currencies: Annotated[tuple[Currency, ...], Field(min_length=1)]
    marks: Column
    """(N,): those of the snapshot, in quanta per contract."""
