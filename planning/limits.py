"""What a user allows a plan to trade, and the answer where that is too little."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import CASH
from zkmargin.planning.costs import Pricing
from zkmargin.planning.trades import tradable_slot


class InfeasibleError(InputError):
    """No allowed trade reaches the target; the message says how near they come, and what stands in the way."""


@dataclass(frozen=True)
class Limits:
    """What a user allows.

    Attributes:
        instruments: names that may be traded; None allows all but coins.
        coins: whether coins may be bought and sold for USD as well, where `instruments` names none.
        largest: by name, the largest trade in lots.
        legs: the largest number of instruments that are traded.
        time_limit: seconds for a search over whole lots; 0 rounds the linear program and repairs that.
        gap: a rounded plan within this share of the bound is not searched for further.
    """

    instruments: Collection[str] | None = None
    coins: bool = False
    largest: Mapping[str, int] = field(default_factory=dict)
    legs: int | None = None
    time_limit: float = 1.0
    gap: float = 0.005

    def slots(self, pricing: Pricing) -> set[int]:
        """The slots that may be traded. Raises InputError for names that cannot be, and for limits below 1."""
        snapshot = pricing.snapshot
        if self.legs is not None and self.legs < 1:
            raise InputError("limits", "legs", self.legs, "allow at least 1")
        if self.instruments is not None:
            return {tradable_slot(snapshot, name, "limits") for name in self.instruments}
        pairs = enumerate(zip(snapshot.universe.instruments, snapshot.inputs.quotes, strict=True))
        return {
            slot
            for slot, (instrument, quote) in pairs
            if quote.settled is None
            and (instrument.kind != "balance" or (self.coins and instrument.name != CASH))
        }

    def lots(self, pricing: Pricing) -> dict[int, int]:
        """The largest trades by slot."""
        for name, most in self.largest.items():
            if most < 0:
                raise InputError("limits", f"largest trade of {name}", most, "write lots, zero or more")
        return {tradable_slot(pricing.snapshot, name, "limits"): most for name, most in self.largest.items()}
