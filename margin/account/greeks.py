"""Sensitivities of an account, by coin and expiry.

Spot and forwards move together, as in the grid. With V = m B(F), m = S/F for inverse options and 1 for
linear ones: delta = dV/dS = m B' F/S in coins, gamma = m B'' (F/S)^2, vega per volatility point, theta
per day, all in USD.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from zkmargin.margin.account.holdings import Entry
from zkmargin.margin.arithmetic.fixed import to_fraction
from zkmargin.margin.arithmetic.kernels import option_greeks
from zkmargin.margin.instruments.instrument import CASH
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.valuation.basis import slot_value
from zkmargin.margin.valuation.option_values import named_instruments, option_columns


@dataclass(frozen=True)
class Greeks:
    """Net sensitivities, exact sums of the positions'."""

    delta: Fraction = Fraction(0)
    """USD per USD of spot: coins."""
    gamma: Fraction = Fraction(0)
    """Change of delta per USD of spot."""
    vega: Fraction = Fraction(0)
    """USD per volatility point (0.01)."""
    theta: Fraction = Fraction(0)
    """USD per day."""

    def __add__(self, other: "Greeks") -> "Greeks":
        return Greeks(
            self.delta + other.delta,
            self.gamma + other.gamma,
            self.vega + other.vega,
            self.theta + other.theta,
        )

    def times(self, factor: Fraction) -> "Greeks":
        """Of `factor` units."""
        return Greeks(self.delta * factor, self.gamma * factor, self.vega * factor, self.theta * factor)


ExpiryBucket = tuple[str, int | None]
"""Coin, and expiry in unix microseconds: None for balances and perpetuals."""


def net_greeks(snapshot: Snapshot, entries: Iterable[Entry]) -> dict[ExpiryBucket, Greeks]:
    """Greeks by coin and expiry, in order; an inverse contract's leg counts where the contract does, and what has
    settled in a coin where the coin does.
    """
    held = tuple(entries)
    options = _option_greeks(snapshot, [entry.slot for entry in held])
    buckets: dict[ExpiryBucket, Greeks] = defaultdict(Greeks)
    for entry in held:
        instrument = snapshot.basis.universe.instruments[entry.slot]
        if instrument.underlying == CASH:
            continue
        quantity = entry.lots * Fraction(instrument.lot) * instrument.multiplier
        greeks = options.get(entry.slot, Greeks(_slot_delta(snapshot, entry.slot))).times(quantity)
        if entry.leg_lots and snapshot.universe.instruments[entry.leg_slot].underlying != CASH:
            leg = entry.leg_lots * Fraction(snapshot.universe.instruments[entry.leg_slot].lot)
            greeks += Greeks(_slot_delta(snapshot, entry.leg_slot) * leg)
        buckets[instrument.underlying, instrument.expiry] += greeks
    return dict(sorted(buckets.items(), key=lambda item: (item[0][0], item[0][1] or 0)))


def slot_greeks(snapshot: Snapshot) -> tuple[Greeks, ...]:
    """Greeks of one lot of every slot by itself; none for cash, nor for an inverse future, whose leg is in its coin."""
    options = _option_greeks(snapshot, range(len(snapshot.universe)))
    found = []
    for slot, instrument in enumerate(snapshot.basis.universe.instruments):
        lot = Fraction(instrument.lot) * instrument.multiplier
        if slot in options:
            found.append(options[slot].times(lot))
        elif instrument.underlying == CASH:
            found.append(Greeks())
        else:
            found.append(Greeks(_slot_delta(snapshot, slot) * lot))
    return tuple(found)


def totals(buckets: dict[ExpiryBucket, Greeks]) -> dict[str, Greeks]:
    """Greeks by coin."""
    sums: dict[str, Greeks] = defaultdict(Greeks)
    for (coin, _), greeks in buckets.items():
        sums[coin] += greeks
    return dict(sums)


def _slot_delta(snapshot: Snapshot, slot: int) -> Fraction:
    """Of one unit of a slot that is no option: value over spot, and nothing for the slot of an inverse future."""
    instrument = snapshot.basis.universe.instruments[slot]
    if instrument.inverse:
        return Fraction(0)
    value = slot_value(instrument, snapshot.basis.inputs.quotes[slot], snapshot.basis.inputs)
    return value / Fraction(Decimal(snapshot.inputs.indices[instrument.underlying]))


def _option_greeks(snapshot: Snapshot, slots: Sequence[int]) -> dict[int, Greeks]:
    basis = snapshot.basis
    columns = option_columns(basis.universe, basis.valuation_time, basis.inputs, slots)
    with named_instruments(snapshot.universe, columns.slots):
        found = option_greeks(columns.options, columns.volatilities)
    result: dict[int, Greeks] = {}
    for slot, raw, q64_multiplier in zip(columns.slots, found, columns.multipliers, strict=True):
        spot = Fraction(Decimal(snapshot.inputs.indices[snapshot.universe.instruments[slot].underlying]))
        forward = Fraction(Decimal(snapshot.inputs.quotes[slot].forward or 0))
        multiplier, ratio = to_fraction(q64_multiplier), forward / spot
        result[slot] = Greeks(
            multiplier * ratio * to_fraction(raw.delta),
            multiplier * ratio * ratio * to_fraction(raw.gamma),
            multiplier * to_fraction(raw.vega) / 100,
            multiplier * to_fraction(raw.theta_per_day),
        )
    return result
