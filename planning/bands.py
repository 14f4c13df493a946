"""Bands of delta and vega: linear conditions on what is held, from the sensitivities of each slot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal
from weakref import WeakKeyDictionary

from zkmargin.margin.account.greeks import Greeks, slot_greeks
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import CASH
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.planning.costs import Pricing
from zkmargin.planning.linear.solver import LinearBand

_TICKS = 10**6


@dataclass(frozen=True)
class Band:
    """Net delta in coins, or vega in USD a volatility point, of one underlying between two numbers."""

    underlying: str
    measure: Literal["delta", "vega"]
    low: Fraction
    high: Fraction


_PER_LOT: WeakKeyDictionary[Snapshot, tuple[Greeks, ...]] = WeakKeyDictionary()


def per_lot(snapshot: Snapshot) -> tuple[Greeks, ...]:
    """Sensitivities of one lot of each slot, found once for a snapshot."""
    if snapshot not in _PER_LOT:
        _PER_LOT[snapshot] = slot_greeks(snapshot)
    return _PER_LOT[snapshot]


def account_greeks(snapshot: Snapshot, lots: Sequence[int]) -> dict[str, Greeks]:
    """Net sensitivities by underlying of an account given in lots by slot, whose legs are in its balances."""
    each, found = per_lot(snapshot), dict[str, Greeks]()
    for slot, held in enumerate(lots):
        coin = snapshot.basis.universe.instruments[slot].underlying
        if held and coin != CASH:
            found[coin] = found.get(coin, Greeks()) + each[slot].times(Fraction(held))
    return found


@dataclass(frozen=True)
class SlotGreeks:
    """The measure of each band for one lot of each slot."""

    snapshot: Snapshot
    per_lot: tuple[tuple[Fraction, ...], ...]

    @classmethod
    def of(cls, pricing: Pricing, bands: Sequence[Band]) -> SlotGreeks:
        """Raises InputError for a band of an underlying that the snapshot lacks, or with its ends exchanged."""
        snapshot, found = pricing.snapshot, []
        for band in bands:
            if band.underlying not in snapshot.inputs.indices:
                known = ", ".join(snapshot.inputs.indices)
                raise InputError(
                    "plan", "band", band.underlying, f"the snapshot prices {known}; name one of them"
                )
            if band.low > band.high:
                raise InputError(
                    "plan", "band", f"{float(band.low)}..{float(band.high)}", "write the lower first"
                )
            found.append(_measures(snapshot, band))
        return cls(snapshot, tuple(found))

    def value(self, number: int, lots: Sequence[int]) -> Fraction:
        """The measure of one band, of an account."""
        return sum(
            (each * held for each, held in zip(self.per_lot[number], lots, strict=True) if held), Fraction(0)
        )

    def missing(self, lots: Sequence[int], bands: Sequence[Band]) -> int:
        """How far an account is outside its bands, in millionths; 0 or less inside."""
        worst = Fraction(-1)
        for number, band in enumerate(bands):
            value = self.value(number, lots)
            worst = max(worst, band.low - value, value - band.high)
        scaled = worst * _TICKS
        return -(-scaled.numerator // scaled.denominator)

    def linear(self, lots: Sequence[int], bands: Sequence[Band]) -> list[LinearBand]:
        """The bands as conditions on what is traded."""
        found = []
        for number, band in enumerate(bands):
            now = self.value(number, lots)
            terms = {slot: float(each) for slot, each in enumerate(self.per_lot[number]) if each}
            found.append(LinearBand(terms, float(band.low - now), float(band.high - now)))
        return found


def _measures(snapshot: Snapshot, band: Band) -> tuple[Fraction, ...]:
    """What settles in a coin is left to the coin's own slot."""
    pairs = zip(snapshot.basis.universe.instruments, per_lot(snapshot), strict=True)
    return tuple(
        getattr(greeks, band.measure) if instrument.underlying == band.underlying else Fraction(0)
        for instrument, greeks in pairs
    )
