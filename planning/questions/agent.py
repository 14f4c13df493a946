"""An agent that keeps an account within bands on a stream of snapshots: it advises, or trades on paper.

Each snapshot leads to one decision: hold, trade by a plan, or say that no plan reaches the band. Decisions are written
down, one JSON line each, with their reason and what they cost. A paper broker fills at bid and ask: at the mark, less
the cost that the cost model says. There is no exchange behind it, and there are no keys.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.documents import parse_json, read_text, write_atomically
from zkmargin.margin.files.validation import input_error
from zkmargin.margin.market.times import format_time
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level
from zkmargin.planning.bands import Band, SlotGreeks
from zkmargin.planning.costs import CostModel, Pricing
from zkmargin.planning.engine import Engine
from zkmargin.planning.plan import InfeasibleError, Limits, Plan, plan_hedge, plan_liquidation
from zkmargin.planning.trades import traded

Text = Annotated[str, Field(min_length=1, max_length=1000)]
Action = Literal["hold", "trade", "cannot"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AllowedTrades(_Strict):
    """What the agent may trade; as `zkmargin.planning.Limits`."""

    hedges: bool = True
    instruments: tuple[str, ...] | None = None
    coins: bool = False
    largest: Mapping[str, int] = {}
    """By instrument, in lots."""
    legs: int | None = Field(default=None, ge=1)
    time_limit: float = Field(default=1.0, ge=0, le=600)


class AgentSettings(_Strict):
    """plan.toml: what is kept where, and from which stream."""

    holdings: Text
    """A holdings file; what the account starts with."""
    snapshots: Text | None = None
    """A directory of snapshots, taken in the order of their names."""
    service: Text | None = None
    """In its place, the address of a verifier's service."""
    model: Text = "grid"
    level: Level = "maintenance"
    low: Decimal
    """USD of excess below which the agent acts."""
    target: Decimal
    """USD of excess that it then brings the account to; at least `low`."""
    delta: Mapping[str, tuple[Decimal, Decimal]] = {}
    """By underlying, coins between which the net delta is kept."""
    vega: Mapping[str, tuple[Decimal, Decimal]] = {}
    """By underlying, USD a volatility point between which the net vega is kept."""
    trades: AllowedTrades = AllowedTrades()
    costs: CostModel = CostModel()
    journal: Text = "journal.jsonl"
    paper: Text = "paper.json"
    """Where the paper account is kept."""

    @classmethod
    def parse(cls, document: object, where: str) -> AgentSettings:
        """Settings from a parsed document. Raises InputError naming the key."""
        try:
            found = cls.model_validate(document)
        except ValidationError as error:
            raise input_error(where, error) from None
        if found.target < found.low:
            raise InputError(where, "target", canonical_decimal(found.target), "must be at least low")
        if (found.snapshots is None) == (found.service is None):
            raise InputError(where, "snapshots", Finding("not one source"), "name a directory, or a service")
        return found

    @property
    def bands(self) -> tuple[Band, ...]:
        """The bands of delta and vega."""
        deltas = [
            Band(name, "delta", Fraction(low), Fraction(high)) for name, (low, high) in self.delta.items()
        ]
        vegas = [Band(name, "vega", Fraction(low), Fraction(high)) for name, (low, high) in self.vega.items()]
        return (*deltas, *vegas)


@dataclass(frozen=True)
class Decision:
    """What was decided on one snapshot, and why.

    Attributes:
        excess: ticks before anything is done.
        plan: what to trade, where that is the action.
    """

    snapshot: str
    time: int
    action: Action
    reason: str
    excess: int
    quantum_decimals: int
    plan: Plan | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, as a line of the journal."""
        excess = canonical_decimal(Decimal(self.excess).scaleb(-self.quantum_decimals))
        return {
            "snapshot": self.snapshot,
            "time": format_time(self.time),
            "action": self.action,
            "reason": self.reason,
            "excess": excess,
            "plan": None if self.plan is None else self.plan.to_json(),
        }


@dataclass
class PaperAccount:
    """What a paper broker holds: lots by instrument, trading costs so far, and the last snapshot traded on."""

    lots: dict[str, int]
    paid: Fraction = Fraction(0)
    last: str = ""

    @classmethod
    def read(cls, path: Path) -> PaperAccount | None:
        """The account in a file; None if there is none yet. Raises InputError if it is not one."""
        if not path.exists():
            return None
        document = parse_json(read_text(path), str(path))
        try:
            kept = _PaperDocument.model_validate(document)
        except ValidationError as error:
            raise input_error(str(path), error) from None
        return cls(dict(kept.lots), Fraction(parse_decimal(kept.paid, str(path), "paid")), kept.last)

    def write(self, path: Path) -> None:
        """At once or not at all."""
        paid = canonical_decimal(Decimal(-(-self.paid.numerator * 10**6 // self.paid.denominator)).scaleb(-6))
        document = {"version": 1, "lots": self.lots, "paid": paid, "last": self.last}
        write_atomically(path, (json.dumps(document, indent=1) + "\n").encode())

    def vector(self, snapshot: Snapshot) -> list[int]:
        """Lots by slot. Raises InputError where the snapshot does not list what is held."""
        lots = [0] * len(snapshot.universe)
        for name, held in self.lots.items():
            if held:
                if name not in snapshot.universe:
                    remedy = (
                        "the snapshot does not list what the account holds; build snapshots over one universe"
                    )
                    raise InputError(f"snapshot {snapshot.id}", "instrument", name, remedy)
                lots[snapshot.universe.slot(name)] = held
        return lots

    def fill(self, snapshot: Snapshot, pricing: Pricing, plan: Plan) -> None:
        """Trade a plan at bid and ask."""
        changes = {snapshot.universe.slot(trade.instrument): trade.lots for trade in plan.trades}
        held = traded(pricing, self.vector(snapshot), changes)
        names = (instrument.name for instrument in snapshot.universe.instruments)
        self.lots = {name: lots for name, lots in zip(names, held, strict=True) if lots}
        self.paid += plan.cost


class _PaperDocument(_Strict):
    version: Literal[1]
    lots: dict[str, int]
    paid: str
    last: str


@dataclass
class Agent:
    """Decides on one snapshot after the other.

    Attributes:
        settings: what is kept where.
        account: what is held; changed only where `trades_on_paper`.
    """

    settings: AgentSettings
    account: PaperAccount
    trades_on_paper: bool = False
    decisions: int = field(default=0, init=False)

    def on(self, snapshot: Snapshot) -> Decision | None:
        """Decide, and on paper trade; None for a snapshot that was traded on already. Raises InputError."""
        if snapshot.id == self.account.last:
            return None
        pricing = Pricing(snapshot, self.settings.costs)
        lots = self.account.vector(snapshot)
        decision = self._decided(pricing, lots)
        if self.trades_on_paper and decision.plan is not None:
            self.account.fill(snapshot, pricing, decision.plan)
        self.account.last = snapshot.id
        self.decisions += 1
        return decision

    def _decided(self, pricing: Pricing, lots: Sequence[int]) -> Decision:
        settings, snapshot = self.settings, pricing.snapshot
        engine = Engine(snapshot, settings.model, settings.level)
        excess = engine.excess(lots)
        low, target = (_ticks(usd, snapshot) for usd in (settings.low, settings.target))
        bands = settings.bands
        outside = SlotGreeks.of(pricing, bands).missing(lots, bands) > 0

        def told(action: Action, reason: str, plan: Plan | None = None) -> Decision:
            decimals = snapshot.quantum_decimals
            return Decision(snapshot.id, snapshot.valuation_time, action, reason, excess, decimals, plan)

        if excess >= low and not outside:
            return told("hold", f"the excess of {engine.usd(excess)} USD is within its band")
        reason = (
            f"the excess of {engine.usd(excess)} USD is below {settings.low}"
            if excess < low
            else "delta or vega left its band"
        )
        given = settings.trades
        limits = Limits(given.instruments, given.coins, given.largest, given.legs, given.time_limit)
        try:
            if given.hedges:
                plan = plan_hedge(
                    pricing, lots, model=settings.model, level=settings.level,
                    target=target if excess < low else min(excess, target), bands=bands, limits=limits,
                )  # fmt: skip
            else:
                plan = plan_liquidation(
                    pricing, lots, model=settings.model, level=settings.level, target=target, limits=limits
                )
        except InfeasibleError as found:
            return told("cannot", f"{reason}, and {found.value}: {found.remedy}")
        return told("trade", f"{reason}; the plan costs {float(plan.cost):.2f} USD", plan)


def _ticks(usd: Decimal, snapshot: Snapshot) -> int:
    return int(usd.scaleb(snapshot.quantum_decimals).to_integral_value())


def snapshots_in(directory: Path, seen: set[str]) -> Iterator[tuple[Path, Snapshot]]:
    """Snapshots of a directory that were not seen yet, by name; raises InputError for a file that is none."""
    if not directory.is_dir():
        raise InputError(str(directory), "directory", Finding("missing"), "name a directory of snapshots")
    for path in sorted(directory.glob("*.json")):
        if path.name not in seen:
            seen.add(path.name)
            yield path, Snapshot.load(path)


def write_down(path: Path, decision: Decision) -> None:
    """Append a decision to a journal, on the disk before anything else happens. Raises InputError."""
    line = json.dumps(decision.to_json(), ensure_ascii=False) + "\n"
    try:
        with path.open("a", encoding="utf-8") as journal:
            journal.write(line)
            journal.flush()
            os.fsync(journal.fileno())
    except OSError as error:
        found = Finding(error.strerror or "unwritable")
        raise InputError(str(path), "journal", found, "name a writable place") from None
