"""What a snapshot publishes for SPAN: risk arrays, deltas by period, pools, spreads and rates, all integers.

Deltas are counted in quanta of the underlying per contract, as money is counted in quanta of USD. The delta of
an account is a sum of lots * delta * scale and comes in units of 10^-money_decimals of the underlying: a rate of
USD per delta is the same number of money units per delta unit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import ConfigDict, Field

from zkmargin.margin.arithmetic.decimals import ceil_div, floor_div
from zkmargin.margin.errors import InputError
from zkmargin.margin.parameters.span import SCENARIOS, PriceRisk, Side
from zkmargin.margin.tables.charges import (
    CollateralCharge,
    add_haircuts,
    check_collaterals,
    check_length,
    check_slots,
)
from zkmargin.margin.tables.grid import (
    Cell,
)
from zkmargin.margin.tables.schema import STRICT, Amount, Column, Denominator, Entry, Matrix, Ratio, Slot
from zkmargin.margin.units import (
    LEVELS,
    ByLevel,
)

PAIRED = (1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 14, 15)
"""For each scenario the one with the same price and the opposite volatility; an extreme is its own."""

LARGEST_CREDIT = (1 << 100) - 1
"""A credit on price risk stops here, in money units: far beyond all money, and within a row."""

FINEST_RATE = 10**6
"""USD per delta have at most six decimals: charges are rounded up to them, credits down."""

Index = Annotated[int, Field(ge=0, le=2047)]


@dataclass(frozen=True)
class Period:
    """The deltas of one contract month."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    label: str
    slots: tuple[Slot, ...]
    deltas: tuple[Entry, ...]


@dataclass(frozen=True)
class Pool:
    """Neighbouring periods that nothing tells apart; their deltas are spread as one.

    The two rates charge each delta of a delivery month, within calendar spreads and left over.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    label: str
    periods: tuple[Index, ...]
    spread_charge: Ratio
    outright_charge: Ratio


@dataclass(frozen=True)
class LegTable:
    """Where a leg takes its deltas: from its pools in order, `ratio` for each step of a spread."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    side: Side
    ratio: Denominator
    pools: tuple[Index, ...]


@dataclass(frozen=True)
class IntraTable:
    """A calendar spread; the charge is in USD a step."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    charge: Ratio
    legs: tuple[LegTable, ...]


@dataclass(frozen=True)
class TierTable:
    """What inter-commodity spreads take deltas from: the net remainder of some pools."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    pools: tuple[Index, ...]


@dataclass(frozen=True)
class Minimum:
    """The short option minimum of one rate: a charge for each short contract, by slot."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    calls: tuple[Slot, ...]
    puts: tuple[Slot, ...]
    call_charges: tuple[Amount, ...]
    put_charges: tuple[Amount, ...]


@dataclass(frozen=True)
class CommodityTable:
    """One combined commodity."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    periods: tuple[Period, ...]
    pools: tuple[Pool, ...]
    spreads: tuple[IntraTable, ...]
    """In order of priority."""
    tiers: tuple[TierTable, ...]
    price_risk: PriceRisk
    scan_range: Ratio
    """USD per delta."""
    delta_step: Denominator
    """The rounding of the net delta, in table entries."""
    minimums: tuple[Minimum, ...]
    minimum_method: Literal["gross", "max"]
    capped_slots: tuple[Slot, ...]
    capped_values: tuple[Entry, ...]
    """The options whose value only serves this commodity, and their marks; none where it is not capped."""
    ratio: ByLevel[Ratio]


@dataclass(frozen=True)
class InterLegTable:
    """A leg of an inter-commodity spread."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    commodity: Index
    tier: Index
    side: Side
    ratio: Denominator


@dataclass(frozen=True)
class InterTable:
    """An inter-commodity spread: for each step USD to each of its commodities, and a share of each leg's risk."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: str
    flat: Ratio
    rate: Ratio
    legs: tuple[InterLegTable, ...]


@dataclass(frozen=True)
class SpanTables:
    """SPAN: requirement = sum over commodities of ratio * max(scan + intra + delivery - inter, short option
    minimum), and the haircuts.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    cells: Annotated[tuple[Cell, ...], Field(min_length=SCENARIOS, max_length=SCENARIOS)]
    units: tuple[str, ...]
    unit_of: Column
    """(N,): index into units and commodities, -1 for slots without risk (cash)."""
    risk: Matrix
    """(16, N): change of value of one long contract."""
    commodities: tuple[CommodityTable, ...]
    spreads: tuple[InterTable, ...]
    """In order of priority."""
    collaterals: tuple[CollateralCharge, ...]

    def check(self, slots: int, where: str) -> None:
        """Raises InputError unless all shapes fit a universe of `slots` instruments."""
        check_length(self.risk, SCENARIOS, where, "risk")
        check_length(self.risk[0], slots, where, "risk")
        check_length(self.unit_of, slots, where, "unit_of")
        check_length(self.commodities, len(self.units), where, "commodities")
        if not -1 <= min(self.unit_of) <= max(self.unit_of) < len(self.units):
            raise InputError(where, "unit_of", int(max(self.unit_of)), "names a unit that is not listed")
        for commodity in self.commodities:
            _check_commodity(commodity, slots, f"{where}, {commodity.name}")
        for spread in self.spreads:
            for leg in spread.legs:
                check_index(leg.commodity, self.commodities, where, "commodity")
                check_index(leg.tier, self.commodities[leg.commodity].tiers, where, "tier")
        check_collaterals(self.collaterals, slots, where)

    def weights(self) -> list[int]:
        """Per slot, at least what one lot can add to a requirement, in table entries."""
        weights = [Fraction(int(weight)) for weight in np.abs(self.risk).max(axis=0)]
        for commodity in self.commodities:
            rate = _largest_rate(commodity)
            for period in commodity.periods:
                for slot, delta in zip(period.slots, period.deltas, strict=True):
                    # Deltas are rows by themselves, and must fit as money does.
                    weights[slot] += abs(delta) * max(rate, Fraction(1))
            for minimum in commodity.minimums:
                for slot, charge in (*zip(minimum.calls, minimum.call_charges, strict=True),
                                     *zip(minimum.puts, minimum.put_charges, strict=True)):  # fmt: skip
                    weights[slot] += charge
            for slot, value in zip(commodity.capped_slots, commodity.capped_values, strict=True):
                weights[slot] += abs(value)
        factor = max(
            [Fraction(1), *(Fraction(*c.ratio[level]) for c in self.commodities for level in LEVELS)]
        )
        return add_haircuts([ceil_div(factor * weight) for weight in weights], self.collaterals)


def range_credit(commodity: CommodityTable, spread: InterTable, leg: InterLegTable) -> Fraction:
    """What a step credits a leg by the scan range, in USD."""
    credit = Fraction(*commodity.scan_range) * Fraction(*spread.rate) * leg.ratio
    return Fraction(floor_div(credit * FINEST_RATE), FINEST_RATE)


def _largest_rate(commodity: CommodityTable) -> Fraction:
    """USD per delta that spreads and delivery can charge at most."""
    charges = [Fraction(*spread.charge) for spread in commodity.spreads]
    for pool in commodity.pools:
        charges += [Fraction(*pool.spread_charge), Fraction(*pool.outright_charge)]
    return sum(charges, Fraction(0))


def check_index(index: int, places: tuple[object, ...], where: str, field: str) -> None:
    """Raises InputError if the index names nothing."""
    if index >= len(places):
        raise InputError(where, field, index, f"there are {len(places)}; build it again")


def _check_commodity(commodity: CommodityTable, slots: int, where: str) -> None:
    for period in commodity.periods:
        check_slots(period.slots, slots, where)
        check_length(period.deltas, len(period.slots), where, "deltas")
    for pool in commodity.pools:
        _check_all(pool.periods, commodity.periods, where, "period")
    for spread in commodity.spreads:
        for leg in spread.legs:
            _check_all(leg.pools, commodity.pools, where, "pool")
    for tier in commodity.tiers:
        _check_all(tier.pools, commodity.pools, where, "pool")
    for minimum in commodity.minimums:
        check_slots((*minimum.calls, *minimum.puts), slots, where)
        check_length(minimum.call_charges, len(minimum.calls), where, "call_charges")
        check_length(minimum.put_charges, len(minimum.puts), where, "put_charges")
    check_slots(commodity.capped_slots, slots, where)
    check_length(commodity.capped_values, len(commodity.capped_slots), where, "capped_values")


def _check_all(indices: Iterable[int], places: tuple[object, ...], where: str, field: str) -> None:
    for index in indices:
        check_index(index, places, where, field)
