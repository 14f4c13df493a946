"""What usual liquidation rules would do, for comparison with a plan.

pro rata: the same share of every position is closed, the least that suffices (Derive's partial liquidation sells a
share of the whole portfolio). largest contributor: the position whose closing releases most margin is cut by slices,
and the delta that this opens is hedged by the coin's perpetual (Deribit's liquidation closes what contributes most,
and hedges delta first by futures). largest position: the position of the greatest value is cut by slices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from zkmargin.margin.arithmetic.decimals import ceil_div, nearest, scaled_decimal
from zkmargin.margin.units import Level
from zkmargin.planning.bands import Band, SlotGreeks
from zkmargin.planning.costs import Pricing, whole_usd
from zkmargin.planning.engine import Engine
from zkmargin.planning.rounding import Changes
from zkmargin.planning.trades import Trade, traded

SLICES = 20
"""A slice is a twentieth of the position as it was."""
SHARES = 1000
"""Pro rata closes whole thousandths."""


@dataclass(frozen=True)
class RuleResult:
    """What a rule traded, what it cost in USD, and the excess it left in ticks."""

    rule: str
    reached: bool
    trades: tuple[Trade, ...]
    cost: Fraction
    after: int
    worst: int
    """The least excess on the way."""
    quantum_decimals: int

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        decimals = self.quantum_decimals
        return {
            "rule": self.rule,
            "reached": self.reached,
            "cost": scaled_decimal(whole_usd(self.cost, decimals), decimals),
            "excess_after": scaled_decimal(self.after, decimals),
            "least_excess": scaled_decimal(self.worst, decimals),
            "trades": [trade.to_json() for trade in self.trades],
        }


def usual_rules(
    pricing: Pricing,
    lots: Sequence[int],
    *,
    model: str = "grid",
    level: Level = "maintenance",
    target: int = 0,
) -> tuple[RuleResult, ...]:
    """All three rules on one account."""
    run = _Run(pricing, lots, Engine(pricing.snapshot, model, level), target)
    return (run.pro_rata(), run.largest_contributor(), run.largest_position())


class _Run:
    def __init__(self, pricing: Pricing, lots: Sequence[int], engine: Engine, target: int) -> None:
        self.pricing, self.lots, self.engine, self.target = pricing, list(lots), engine, target
        pairs = enumerate(
            zip(pricing.snapshot.universe.instruments, pricing.snapshot.inputs.quotes, strict=True)
        )
        self.open = [
            slot
            for slot, (instrument, quote) in pairs
            if lots[slot] and instrument.kind != "balance" and quote.settled is None
        ]

    def pro_rata(self) -> RuleResult:
        """The least share of all positions, in thousandths."""
        trials = [self._share(share) for share in range(SHARES + 1)]
        found = self.engine.excesses([traded(self.pricing, self.lots, trial) for trial in trials])
        stop = next((n for n, excess in enumerate(found) if excess >= self.target), SHARES)
        return self._told("pro rata", trials[stop], min(found[: stop + 1]))

    def _share(self, share: int) -> Changes:
        cuts = {slot: ceil_div(Fraction(abs(self.lots[slot]) * share, SHARES)) for slot in self.open}
        return {slot: -cut if self.lots[slot] > 0 else cut for slot, cut in cuts.items() if cut}

    def largest_contributor(self) -> RuleResult:
        """Slices of what releases most, delta hedged."""
        deltas, perpetuals = self._deltas(), self._perpetuals()

        def choose(changes: Changes, left: list[int]) -> int:
            trials = [changes | {slot: -self.lots[slot]} for slot in left]
            found = self.engine.excesses([traded(self.pricing, self.lots, trial) for trial in trials])
            return left[max(range(len(left)), key=lambda n: (found[n], -left[n]))]

        def hedge(changes: Changes, slot: int, cut: int) -> Changes:
            perpetual = perpetuals.get(self.pricing.snapshot.universe.instruments[slot].underlying)
            if perpetual is None or perpetual == slot or not deltas[perpetual]:
                return changes
            lots = nearest(-cut * deltas[slot] / deltas[perpetual])
            return changes | {perpetual: changes.get(perpetual, 0) + lots}

        return self._sliced("largest contributor, delta hedged", choose, hedge)

    def largest_position(self) -> RuleResult:
        """Slices of the position of the greatest notional."""

        def choose(changes: Changes, left: list[int]) -> int:
            def size(slot: int) -> Fraction:
                return abs(self.lots[slot] + changes.get(slot, 0)) * self.pricing.notional(slot)

            return max(left, key=lambda slot: (size(slot), -slot))

        return self._sliced("largest position", choose, lambda changes, slot, cut: changes)

    def _sliced(
        self,
        rule: str,
        choose: Callable[[Changes, list[int]], int],
        hedge: Callable[[Changes, int, int], Changes],
    ) -> RuleResult:
        changes, worst = Changes(), self.engine.excess(self.lots)
        now = worst
        closed: dict[int, int] = {}
        while now < self.target:
            left = [slot for slot in self.open if closed.get(slot, 0) < abs(self.lots[slot])]
            if not left:
                break
            slot = choose(changes, left)
            whole = abs(self.lots[slot])
            cut = min(whole - closed.get(slot, 0), ceil_div(Fraction(whole, SLICES)))
            closed[slot] = closed.get(slot, 0) + cut
            signed = -cut if self.lots[slot] > 0 else cut
            changes = changes | {slot: changes.get(slot, 0) + signed}
            changes = hedge(changes, slot, signed)
            now = self.engine.excess(traded(self.pricing, self.lots, changes))
            worst = min(worst, now)
        return self._told(rule, {slot: lots for slot, lots in changes.items() if lots}, worst)

    def _told(self, rule: str, changes: Changes, worst: int) -> RuleResult:
        trades = tuple(Trade.of(self.pricing, slot, changes[slot]) for slot in sorted(changes))
        after = self.engine.excess(traded(self.pricing, self.lots, changes))
        cost = sum((trade.cost for trade in trades), Fraction(0))
        decimals = self.pricing.snapshot.quantum_decimals
        return RuleResult(rule, after >= self.target, trades, cost, after, worst, decimals)

    def _deltas(self) -> list[Fraction]:
        """Delta of one lot bought, its leg included, by slot; each in coins of its own underlying."""
        snapshot = self.pricing.snapshot
        own = [Fraction(0)] * len(snapshot.universe)
        for coin in snapshot.inputs.indices:
            band = Band(coin, "delta", Fraction(0), Fraction(0))
            for slot, each in enumerate(SlotGreeks.of(self.pricing, (band,)).per_lot[0]):
                own[slot] += each
        found = list(own)
        for slot, quote in enumerate(snapshot.inputs.quotes):
            payer = self.pricing.payer(slot)
            if snapshot.universe.instruments[slot].inverse and payer != slot and quote.settled is None:
                found[slot] += Fraction(self.pricing.leg(slot, 10**6), 10**6) * own[payer]
        return found

    def _perpetuals(self) -> dict[str, int]:
        """The perpetual of each coin that the account, or else the market, has."""
        found: dict[str, int] = {}
        for slot, instrument in enumerate(self.pricing.snapshot.universe.instruments):
            if instrument.kind == "perpetual" and instrument.underlying not in found:
                found[instrument.underlying] = slot
        return found
