"""Additions to rates per position: caps on the charges of an expiry, and named charges on sizes.

All of it is quanta per contract, as in `zkmargin.margin.tables.grid`, and absent from rates that need none of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from zkmargin.margin.tables.schema import STRICT, Amount, Matrix, Slot
from zkmargin.margin.units import ByLevel, Level


@dataclass(frozen=True)
class ExpiryCap:
    """The options of one expiry, which are asked for no more than their marks and the most that they can come to owe.

    With I what the rates ask for them, V the sum of q_i * long_i (their marks), and D the greatest of 0 and of
    -(sum of q_i * payoffs[k, i]) over the settlement prices k up to the highest strike that is held, their part of the
    requirement is min(I, V + D + max(0, -(sum of q_i * unpaired_i))).
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    label: str
    """For people, such as "BTC, expiry 2026-03-27"."""
    slots: Annotated[tuple[Slot, ...], Field(min_length=1)]
    prices: Annotated[tuple[str, ...], Field(min_length=2)]
    """(K,): settlement prices in USD, canonical decimals: 0, then every strike, upwards."""
    payoffs: Matrix
    """(K, n): what one long contract pays at each price."""
    strikes: tuple[Annotated[int, Field(ge=1, le=2048)], ...]
    """(n,): where among the prices the strike of each slot stands."""
    unpaired: ByLevel[tuple[Amount, ...]]
    """(n,): what a short call is asked for that no long call pays for; 0 for puts."""


@dataclass(frozen=True)
class SizeCharge:
    """A named charge on sizes: the sum of long_i * max(q_i, 0) + short_i * max(-q_i, 0)."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    kind: Literal["confidence", "depeg"]
    name: str
    """For people, such as "BTC, expiry 2026-03-27"."""
    slots: Annotated[tuple[Slot, ...], Field(min_length=1)]
    long: ByLevel[tuple[Amount, ...]]
    """(n,)"""
    short: ByLevel[tuple[Amount, ...]]
    """(n,)"""

    def money(self, scale: Sequence[int], lots: Sequence[int], level: Level) -> int:
        """The charge of an account at a level, in money units; `scale` and `lots` by slot."""
        sides = zip(self.slots, self.long[level], self.short[level], strict=True)
        return sum(abs(lots[s]) * (up if lots[s] > 0 else down) * scale[s] for s, up, down in sides)
