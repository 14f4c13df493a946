"""The requirement by SPAN of one account, exactly, and where it comes from.

Per combined commodity, with scan the worst loss over the sixteen scenarios:

    risk = max(scan + intra + delivery - inter, short option minimum, 0)
    requirement = ratio * risk, rounded up to a money unit, or the net option value if it is larger and the
                  commodity caps it

Option value counts in the account value, so it is not subtracted here again. Credits are a flat sum a spread, or
a rate on what the leg's deltas are at risk with: the price scan range (method scan_range); the price risk for
each of the net deltas, rounded (normal); or the lesser (scan_range_cap). Price risk is the mean of the worst
scenario and its pair, less the mean of the two scenarios without a price move: scanning risk without its
volatility and time risk; divided by the net delta it is rounded down to a money unit for each rounding step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain

from zkmargin.margin.arithmetic.decimals import ceil_div, floor_div
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.models.span.spreads import LONG, SHORT, Deltas, form
from zkmargin.margin.models.span.tables import (
    LARGEST_CREDIT,
    PAIRED,
    CommodityTable,
    Minimum,
    SpanTables,
    range_credit,
)
from zkmargin.margin.tables.assessment import Assessment, Charge, UnitLoss, assess
from zkmargin.margin.units import Level
from zkmargin.margin.valuation.charges import haircuts


@dataclass
class _State:
    """One commodity on the way."""

    table: CommodityTable
    unit: UnitLoss
    net: int
    """Net delta over all periods."""
    one: int
    """Delta units to one table entry of a contract of the finest lot."""
    pools: list[Deltas] = field(default_factory=list)
    tiers: list[Deltas] = field(default_factory=list)
    intra: Fraction = Fraction(0)
    delivery: Fraction = Fraction(0)
    flat: Fraction = Fraction(0)
    weighted: Fraction = Fraction(0)
    """Deltas within weighted inter-commodity spreads, times the credit rate."""
    by_range: Fraction = Fraction(0)
    """The same, times the scan range."""


def requirement(
    tables: SpanTables, universe: Universe, scale: Sequence[int], lots: Sequence[int], level: Level
) -> Assessment:
    """The risk of every commodity and all haircuts; lots by slot, the result in exact money units."""
    unit_of = tables.unit_of.tolist()
    held: list[dict[int, int]] = [{} for _ in tables.units]
    for slot, quantity in enumerate(lots):
        if quantity and unit_of[slot] >= 0:
            held[unit_of[slot]][slot] = quantity * scale[slot]
    one = 10 ** max(0, *(i.contract_exponent - i.lot_exponent for i in universe.instruments))
    states = [
        _state(table, _scan(tables, table.name, own), own, one)
        for table, own in zip(tables.commodities, held, strict=True)
    ]
    for state in states:
        _spread_within(state)
    _spread_across(tables, states)
    charges = chain.from_iterable(
        _charges(state, own, lots, scale, level) for state, own in zip(states, held, strict=True)
    )
    collaterals = haircuts(tables.collaterals, scale, lots, level)
    return assess(Fraction(1), tuple(state.unit for state in states), (*charges, *collaterals))


def _scan(tables: SpanTables, name: str, held: dict[int, int]) -> UnitLoss:
    profit = [0] * len(tables.cells)
    for slot, weight in held.items():
        profit = [
            total + weight * change
            for total, change in zip(profit, tables.risk[:, slot].tolist(), strict=True)
        ]
    worst = min(range(len(profit)), key=profit.__getitem__)
    return UnitLoss(name, tuple(profit), worst, max(0, -profit[worst]))


def _state(table: CommodityTable, unit: UnitLoss, held: dict[int, int], one: int) -> _State:
    nets = []
    for period in table.periods:
        pairs = zip(period.slots, period.deltas, strict=True)
        nets.append(sum(held[slot] * delta for slot, delta in pairs if slot in held))
    pools = []
    for pool in table.pools:
        long = sum(max(nets[period], 0) for period in pool.periods)
        pools.append(Deltas([long, sum(max(-nets[period], 0) for period in pool.periods)]))
    return _State(table, unit, sum(nets), one, pools)


def _spread_within(state: _State) -> None:
    """Calendar spreads, the delivery charge on them and on what is left, and the tiers that remain."""
    before = [sum(deltas.left) for deltas in state.pools]
    for spread in state.table.spreads:
        places = [[state.pools[number] for number in leg.pools] for leg in spread.legs]
        state.intra += form(spread.legs, places) * Fraction(*spread.charge)
    for pool, had, deltas in zip(state.table.pools, before, state.pools, strict=True):
        left = sum(deltas.left)
        state.delivery += (had - left) * Fraction(*pool.spread_charge) + left * Fraction(
            *pool.outright_charge
        )
    for tier in state.table.tiers:
        places_left = [state.pools[number].left for number in tier.pools]
        state.tiers.append(Deltas.of(sum(left[LONG] - left[SHORT] for left in places_left)))


def _spread_across(tables: SpanTables, states: Sequence[_State]) -> None:
    for spread in tables.spreads:
        places = [[states[leg.commodity].tiers[leg.tier]] for leg in spread.legs]
        steps = form(spread.legs, places)
        for number in {leg.commodity for leg in spread.legs}:
            states[number].flat += steps * Fraction(*spread.flat)
        for leg in spread.legs:
            state = states[leg.commodity]
            state.weighted += steps * leg.ratio * Fraction(*spread.rate)
            state.by_range += steps * range_credit(state.table, spread, leg)


def price_risk(profit: Sequence[int | Fraction], worst: int) -> int | Fraction:
    """Twice the price risk of a commodity's scenarios, not negative; zero where no scenario loses."""
    if profit[worst] > 0:
        return 0
    return max(0, profit[0] + profit[1] - profit[worst] - profit[PAIRED[worst]])


def weighted_credit(state: _State) -> Fraction:
    """The credit for the deltas in weighted spreads; each division rounds down to a money unit."""
    table = state.table
    if table.price_risk == "scan_range":
        return state.by_range
    step = table.delta_step * state.one
    rounded = (abs(state.net) + step // 2) // step
    if not rounded:
        return Fraction(0)
    risk = price_risk(state.unit.profit, state.unit.worst) // (2 * rounded)
    if table.price_risk == "scan_range_cap":
        risk = min(risk, floor_div(Fraction(*table.scan_range) * step))
    return Fraction(min(LARGEST_CREDIT, floor_div(risk * state.weighted / step)))


def _charges(
    state: _State, held: dict[int, int], lots: Sequence[int], scale: Sequence[int], level: Level
) -> tuple[Charge, ...]:
    """Everything beside the scanning risk; all charges and credits add up to the commodity's requirement."""
    table, name = state.table, state.table.name
    credit = state.flat + weighted_credit(state)
    risk = state.unit.loss + state.intra + state.delivery - credit
    least = short_option_minimum(table.minimums, table.minimum_method, lots, scale)
    larger = max(risk, Fraction(least))
    exact = Fraction(*table.ratio[level]) * larger
    required = ceil_div(exact)
    # Fractions of a money unit come from rates on deltas, or from the ratio.
    rounding = required - exact
    within, by_ratio = (rounding, 0) if state.intra else (0, rounding)
    pairs = zip(table.capped_slots, table.capped_values, strict=True)
    value = sum(held[slot] * mark for slot, mark in pairs if slot in held)
    return (
        Charge("intra-commodity spread", name, state.intra + within),
        Charge("delivery", name, state.delivery),
        Charge("inter-commodity credit", name, -credit),
        Charge("short option minimum", name, larger - risk),
        Charge("initial ratio", name, exact - larger + by_ratio),
        Charge("option value cap", name, max(0, value - required)),
    )


def short_option_minimum(
    minimums: Sequence[Minimum], method: str, lots: Sequence[int], scale: Sequence[int]
) -> int:
    """The charge on short calls and short puts: their sum (gross), or the larger of the two (max)."""
    total = 0
    for minimum in minimums:
        sides = [
            sum(
                max(0, -lots[slot]) * charge * scale[slot]
                for slot, charge in zip(slots, charges, strict=True)
            )
            for slots, charges in (
                (minimum.calls, minimum.call_charges),
                (minimum.puts, minimum.put_charges),
            )
        ]
        total += sum(sides) if method == "gross" else max(sides)
    return total
