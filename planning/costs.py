"""What trades cost: half of the spread, fees, and an impact that rises with size over depth.

A cost is counted in USD from the snapshot's mark. Half of the spread is what the market's bid and ask say where they
are known, and a rate elsewhere: a share of the notional of futures and perpetuals, of the mark of options. The fee is
a share of the notional. Where the depth of the market is known, the part of a trade beyond a multiple of it pays a
multiple of the half spread, by tiers whose multiples rise, so that the cost is convex in size.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from zkmargin.margin.arithmetic.decimals import ceil_div, floor_div, parse_positive
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.csv_rows import read_rows
from zkmargin.margin.files.documents import read_text
from zkmargin.margin.files.validation import input_error
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.parameters.types import Rate
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.valuation.basis import cash_price


@dataclass(frozen=True)
class Touch:
    """The best prices of an instrument, in its own price unit, and how much is offered at them."""

    bid: Fraction | None = None
    ask: Fraction | None = None
    depth: Fraction | None = None
    """Quantity on each side; None where unknown."""


Book = Mapping[str, Touch]
"""Best prices by instrument."""

_BOOK_COLUMNS = ("bid", "ask", "depth")
_IGNORED = (
    "type", "underlying", "expiry_utc", "strike", "mark_price", "mark_iv", "forward", "forward_name", "index",
    "delta", "vega", "open_interest", "timestamp",
)  # fmt: skip


class Impact(BaseModel):
    """Up to `multiple` times the depth, a trade pays `factor` times the half spread."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    multiple: Annotated[Decimal, Field(gt=0, le=10**6)]
    factor: Annotated[Decimal, Field(ge=1, le=1000)]


class CostModel(BaseModel):
    """Rates of half spreads and fees, each a fraction of 0 to 1; what is None has no rate, and needs a bid and ask."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    future_spread: Rate | None = Decimal("0.0003")
    """Half spread of futures and perpetuals, of their notional."""
    option_spread: Rate | None = Decimal("0.04")
    """Half spread of options, of their mark."""
    share_spread: Rate | None = Decimal("0.0005")
    coin_spread: Rate | None = Decimal("0.001")
    """Half spread of coins that are bought or sold for USD, of their value."""
    future_fee: Rate = Decimal(0)
    option_fee: Rate = Decimal("0.0002")
    """Of the notional: the underlying's index price times the quantity."""
    share_fee: Rate = Decimal(0)
    coin_fee: Rate = Decimal(0)
    impact: tuple[Impact, ...] = (
        Impact(multiple=Decimal(1), factor=Decimal(1)),
        Impact(multiple=Decimal(5), factor=Decimal(2)),
        Impact(multiple=Decimal(20), factor=Decimal(4)),
    )
    """Tiers that rise in both numbers; beyond the last one nothing is offered."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        for before, tier in zip(self.impact, self.impact[1:], strict=False):
            if tier.multiple <= before.multiple or tier.factor <= before.factor:
                raise ValueError("impact: every tier must reach further and cost more than the one before")
        return self

    def spread(self, instrument: Instrument) -> Fraction | None:
        """The rate of half the spread of an instrument's kind."""
        rate = getattr(self, f"{_family(instrument)}_spread")
        return None if rate is None else Fraction(rate)

    def fee(self, instrument: Instrument) -> Fraction:
        """The rate of the fee of an instrument's kind."""
        return Fraction(getattr(self, f"{_family(instrument)}_fee"))


USUAL_COSTS = CostModel()


def _family(instrument: Instrument) -> str:
    return {"balance": "coin", "share": "share", "option": "option"}.get(instrument.kind, "future")


@dataclass(frozen=True)
class Segment:
    """A stretch of sizes with one cost: up to `lots` lots at `cost` USD each."""

    lots: int
    cost: Fraction


@dataclass(frozen=True)
class Ladder:
    """What one side of an instrument costs, by segments from the touch outwards. Costs rise."""

    segments: tuple[Segment, ...]

    @property
    def most(self) -> int:
        """The largest size that has a cost, in lots."""
        return sum(segment.lots for segment in self.segments)

    def cost(self, lots: int) -> Fraction:
        """USD for a number of lots, not negative; more than the ladder holds goes at its last price."""
        total, left = Fraction(0), lots
        for segment in self.segments:
            part = min(left, segment.lots)
            total += part * segment.cost
            left -= part
        return total + (left * self.segments[-1].cost if left else 0)


@dataclass(frozen=True)
class Pricing:
    """The ladders of a snapshot's instruments under one cost model and book."""

    snapshot: Snapshot
    costs: CostModel = USUAL_COSTS
    book: Book = field(default_factory=dict)
    _ladders: dict[tuple[int, bool], Ladder] = field(default_factory=dict, init=False, repr=False)
    _legs: dict[tuple[int, bool], tuple[int, list[tuple[int, int]]]] = field(
        default_factory=dict, init=False, repr=False
    )

    _stretches: dict[tuple[int, bool], tuple[tuple[int, Fraction, Fraction], ...]] = field(
        default_factory=dict, init=False, repr=False
    )
    _notionals: dict[int, Fraction] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Raises InputError for a book of instruments that the snapshot does not list."""
        for name in self.book:
            if name not in self.snapshot.universe:
                raise InputError(
                    "book", "instrument", name, "the snapshot does not list it; take its row out"
                )

    def ladder(self, slot: int, *, buy: bool) -> Ladder:
        """What buying, or selling, an instrument costs. Raises InputError where nothing says what it costs."""
        key = slot, buy
        if key not in self._ladders:
            self._ladders[key] = self._ladder(slot, buy=buy)
        return self._ladders[key]

    def leg(self, slot: int, lots: int) -> int:
        """What a trade, signed, moves in the balance that pays for it, in lots of that, rounded down; cost included."""
        key = slot, lots > 0
        if key not in self._legs:
            self._legs[key] = self._leg_segments(*key)
        divisor, segments = self._legs[key]
        total, left = 0, abs(lots)
        for most, each in segments[:-1]:
            part = min(left, most)
            total += part * each
            left -= part
        return (total + left * segments[-1][1]) // divisor

    def payer(self, slot: int) -> int:
        """The slot of the balance that pays for a trade: what the instrument settles in, USD for coins."""
        instrument = self.snapshot.universe.instruments[slot]
        return self.snapshot.universe.slot(CASH if instrument.kind == "balance" else instrument.settlement)

    def stretches(self, slot: int, *, buy: bool) -> tuple[tuple[int, Fraction, Fraction], ...]:
        """Of each segment the lots, the USD for a lot, and what a lot moves in the balance that pays, cost included."""
        key = slot, buy
        if key not in self._stretches:
            instrument = self.snapshot.universe.instruments[slot]
            lot = Fraction(self.snapshot.universe.instruments[self.payer(slot)].lot)
            value = Fraction(instrument.lot) * entry_value(self.snapshot, slot) * (-1 if buy else 1)
            usd = self.settlement_price(slot) * lot
            self._stretches[key] = tuple(
                (segment.lots, segment.cost, value / lot - segment.cost / usd)
                for segment in self.ladder(slot, buy=buy).segments
            )
        return self._stretches[key]

    def _leg_segments(self, slot: int, buy: bool) -> tuple[int, list[tuple[int, int]]]:
        """A common divisor, and for each segment its lots and what one lot moves times the divisor."""
        moved = [(lots, each) for lots, _, each in self.stretches(slot, buy=buy)]
        divisor = lcm(*(each.denominator for _, each in moved))
        return divisor, [(lots, int(each * divisor)) for lots, each in moved]

    def _ladder(self, slot: int, *, buy: bool) -> Ladder:
        instrument = self.snapshot.universe.instruments[slot]
        touch = self.book.get(instrument.name, Touch())
        fee = self.costs.fee(instrument) * self.notional(slot)
        half = self._half_spread(slot, instrument, touch, buy=buy)
        if touch.depth is None or not self.costs.impact:
            return Ladder((Segment(instrument.bound, half + fee),))
        segments, reached = [], 0
        for tier in self.costs.impact:
            upto = min(
                instrument.bound, floor_div(Fraction(tier.multiple) * touch.depth / Fraction(instrument.lot))
            )
            segments.append(Segment(upto - reached, half * Fraction(tier.factor) + fee))
            reached = upto
        return Ladder(tuple(segments))

    def cost(self, slot: int, lots: int) -> Fraction:
        """USD that a trade costs; lots are signed, positive is bought."""
        return self.ladder(slot, buy=lots > 0).cost(abs(lots)) if lots else Fraction(0)

    def notional(self, slot: int) -> Fraction:
        """USD of the underlying of one lot, not negative."""
        if slot not in self._notionals:
            self._notionals[slot] = self._notional(slot)
        return self._notionals[slot]

    def _notional(self, slot: int) -> Fraction:
        instrument = self.snapshot.universe.instruments[slot]
        lot = Fraction(instrument.lot)
        if instrument.inverse and instrument.kind != "option":
            return lot
        if instrument.kind == "option":
            return lot * instrument.multiplier * self._index(instrument.underlying)
        return abs(lot * entry_value(self.snapshot, slot)) * self.settlement_price(slot)

    def mark(self, slot: int) -> Fraction:
        """USD of one lot's mark, not negative: what is paid for an option, the notional of a future."""
        value = self.snapshot.universe.instruments[slot].lot
        return abs(Fraction(value) * entry_value(self.snapshot, slot)) * self.settlement_price(slot)

    def settlement_price(self, slot: int) -> Fraction:
        """USD for one unit of what the instrument settles in; USD for coins, which are paid in USD."""
        instrument = self.snapshot.universe.instruments[slot]
        if instrument.kind == "balance" or instrument.settlement == CASH:
            return Fraction(1)
        return self._index(instrument.settlement) / cash_price(self.snapshot.inputs)

    def _index(self, underlying: str) -> Fraction:
        return Fraction(self.snapshot.inputs.indices[underlying])

    def _half_spread(self, slot: int, instrument: Instrument, touch: Touch, *, buy: bool) -> Fraction:
        """USD for one lot."""
        price = Fraction(self.snapshot.inputs.quotes[slot].price)
        quoted = touch.ask if buy else touch.bid
        if quoted is not None:
            apart = max(Fraction(0), quoted - price if buy else price - quoted)
            if instrument.inverse and instrument.kind != "option":
                return self.mark(slot) * apart / price
            return Fraction(instrument.lot) * instrument.multiplier * apart * self.settlement_price(slot)
        rate = self.costs.spread(instrument)
        if rate is None:
            remedy = f"state its bid and ask in a book, or {_family(instrument)}_spread in the costs"
            raise InputError("costs", instrument.name, Finding("nothing says what it costs"), remedy)
        return rate * self.mark(slot)


def entry_value(snapshot: Snapshot, slot: int) -> Fraction:
    """What one unit of quantity takes out of the settlement balance when it is bought at the mark.

    USD for linear instruments and coins, coins for inverse ones; a USD of an inverse future gives -1/price coins.
    """
    instrument, price = snapshot.universe.instruments[slot], Fraction(snapshot.inputs.quotes[slot].price)
    if instrument.kind == "balance":
        return price / cash_price(snapshot.inputs)
    if not instrument.inverse:
        return price * instrument.multiplier
    return price if instrument.kind == "option" else -1 / price


def load_costs(path: Path) -> CostModel:
    """A cost model from a TOML file; what it leaves out keeps its default. Raises InputError."""
    try:
        document = tomllib.loads(read_text(path), parse_float=Decimal)
    except ValueError as error:
        raise InputError(str(path), "document", Finding(error), "write valid TOML") from None
    try:
        return CostModel.model_validate(document)
    except ValidationError as error:
        raise input_error(str(path), error) from None


def read_book(path: Path, snapshot: Snapshot) -> dict[str, Touch]:
    """Best prices from a CSV file with the columns instrument, bid, ask and depth, of which the last may be left out.

    Other columns of a venue's export are passed over, and so are instruments that the snapshot does not list. Empty
    fields are unknown. Raises InputError naming file, line and field.
    """
    book: dict[str, Touch] = {}
    for where, row in read_rows(path, ("instrument", "bid", "ask"), ("depth", *_IGNORED)):
        if row["instrument"] in book:
            raise InputError(where, "instrument", row["instrument"], "listed twice; keep one row")
        if row["instrument"] not in snapshot.universe:
            continue
        numbers = {name: _number(where, name, row.get(name, "")) for name in _BOOK_COLUMNS}
        touch = Touch(**numbers)
        if touch.bid is not None and touch.ask is not None and touch.bid > touch.ask:
            raise InputError(where, "bid", row["bid"], f"is above the ask of {row['ask']}; correct the row")
        book[row["instrument"]] = touch
    return book


def _number(where: str, name: str, text: str) -> Fraction | None:
    return Fraction(parse_positive(text, where, name)) if text.strip() else None


def whole_usd(cost: Fraction, decimals: int) -> int:
    """A cost in ticks, rounded up."""
    return ceil_div(cost * 10**decimals)
