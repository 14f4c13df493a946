"""SPAN as rows: scanning risk, calendar spreads, delivery charges, credits, and the short option minimum.

Per combined commodity, over a common denominator d of its rates and n/m its ratio:

    W >= 0,  W + PnL_s >= 0            for the sixteen scenarios: W is at least the scanning risk
    pools, spreads                     exact: see `zkmargin.circuits.models.span.pools`
    credits on price risk              from below: see `zkmargin.circuits.models.span.risk`
    a >= 0,  a + q >= 0                for every option: a is at least what is short of it
    M >= 0,  M - calls >= 0,  M - puts >= 0   where the larger of the two counts
    C >= 0,  d m C - d n (W + intra + delivery - credit) >= 0,  m C - n (short option minimum) >= 0
    X >= 0,  X + C - (net option value) >= 0  where option value is capped

C is rounded up to a whole money unit, as the engine does. W, a, M, C and X only ever raise the requirement, so that a
prover who takes a larger one harms himself: these rows are convex. The number of spreads is not: fewer calendar spreads
would understate their charge, and leave deltas for credits; more, or others, would overstate a credit. Deltas by
period, what every spread takes, in which order, and what is left are therefore determined by the holdings, with bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm

from zkmargin.circuits.account_rows import LOTS, AccountRows
from zkmargin.circuits.models.span.pools import Amount, Pool, PoolRows, add, total
from zkmargin.circuits.models.span.risk import Scenarios, Weighting, credit_row
from zkmargin.circuits.relation import Unit
from zkmargin.margin.models.span.spreads import directions
from zkmargin.margin.models.span.tables import CommodityTable, Minimum, SpanTables, range_credit

__all__ = ["build"]


@dataclass
class _Commodity:
    """One commodity in the making: its rows so far, and what they add to its risk, in money units."""

    table: CommodityTable
    scenarios: Scenarios
    unit: Unit
    """Of deltas."""
    risk: dict[int, Fraction]
    """By row; credits are negative."""
    pools: list[Pool] = field(default_factory=list)
    tiers: list[Pool] = field(default_factory=list)
    weighted: list[tuple[Amount, Fraction]] = field(default_factory=list)
    """Steps of weighted spreads, and the deltas of one times the credit rate."""
    by_range: list[tuple[Amount, Fraction]] = field(default_factory=list)
    """The same steps, and the credit by scan range for one."""

    def charge(self, amount: Amount, rate: Fraction) -> None:
        """Add a rate on an amount to the risk."""
        for row, factor in amount.rows.items():
            self.risk[row] = self.risk.get(row, Fraction(0)) + factor * rate


def build(account: AccountRows) -> int:
    """Add the rows of SPAN; the requirement is collected as it is (denominator 1)."""
    tables: SpanTables = account.tables
    commodities = [_commodity(account, tables, number) for number in range(len(tables.commodities))]
    rows = PoolRows(account.rows)
    for commodity in commodities:
        _periods(account, rows, commodity)
        _spread_within(rows, commodity)
    _spread_across(rows, tables, commodities)
    for commodity in commodities:
        _credits(account, commodity)
        account.require({}, dict.fromkeys(_required(account, commodity), 1))
    account.haircuts(tables.collaterals, 1)
    return 1


def _commodity(account: AccountRows, tables: SpanTables, number: int) -> _Commodity:
    """Scanning risk, and an account of what is to come."""
    table = tables.commodities[number]
    slots = (tables.unit_of == number).nonzero()[0]
    worst = account.rows.free(f"{table.name}: scanning risk", account.usd)
    profits, rows = [], []
    for cell, risk in zip(tables.cells, tables.risk, strict=True):
        profit = account.money(risk, slots)
        name = f"{table.name}, {cell.label}"
        rows.append(account.rows.row(name, account.usd, profit, {worst: 1}, closes=worst))
        profits.append(profit)
    bound = max(_reach(account, profit) for profit in profits)
    scenarios = Scenarios(table.name, account.usd, tuple(profits), tuple(rows), bound)
    unit = Unit(f"{table.name} of delta", account.usd.scale)
    return _Commodity(table, scenarios, unit, {worst: Fraction(1)})


def _reach(account: AccountRows, form: Mapping[int, int]) -> int:
    """The largest honest magnitude of a form of holdings."""
    return sum(abs(value) * account.rows.honest[slot] for slot, value in form.items())


def _deltas(account: AccountRows, commodity: _Commodity, periods: Sequence[int]) -> dict[int, int]:
    """Delta per lot of each slot over some periods."""
    scale = account.snapshot.scale
    form: dict[int, int] = {}
    for number in periods:
        period = commodity.table.periods[number]
        for slot, delta in zip(period.slots, period.deltas, strict=True):
            if delta:
                form[slot] = form.get(slot, 0) + delta * scale[slot]
    return {slot: value for slot, value in form.items() if value}


def _periods(account: AccountRows, rows: PoolRows, commodity: _Commodity) -> None:
    """The long and short deltas of every pool: of each of its periods, added up."""
    for pool in commodity.table.pools:
        parts = []
        for number in pool.periods:
            name = f"{commodity.table.name} {commodity.table.periods[number].label}"
            form = _deltas(account, commodity, [number])
            parts.append(rows.split(name, commodity.unit, form, {}, _reach(account, form)))
        commodity.pools.append(Pool(total([p.long for p in parts]), total([p.short for p in parts])))


def _spread_within(rows: PoolRows, commodity: _Commodity) -> None:
    """Calendar spreads, delivery charges, and the net deltas of tiers that remain."""
    table, before = commodity.table, tuple(commodity.pools)
    for spread in table.spreads:
        for turn, ways in enumerate(directions(spread.legs), 1):
            name = f"{table.name}, {spread.name}, way {turn}"
            legs = [
                [commodity.pools[number].side(way) for number in leg.pools]
                for leg, way in zip(spread.legs, ways, strict=True)
            ]
            if not all(legs):
                continue
            steps, left = rows.spread(name, commodity.unit, [leg.ratio for leg in spread.legs], legs)
            commodity.charge(steps, Fraction(*spread.charge))
            for leg, way, amounts in zip(spread.legs, ways, left, strict=True):
                for number, amount in zip(leg.pools, amounts, strict=True):
                    commodity.pools[number] = commodity.pools[number].with_side(way, amount)
    for pool, had, has in zip(table.pools, before, commodity.pools, strict=True):
        spread_charge, outright = Fraction(*pool.spread_charge), Fraction(*pool.outright_charge)
        for pair, rate in ((had, spread_charge), (has, outright - spread_charge)):
            commodity.charge(total([pair.long, pair.short]), rate)
    for tier in table.tiers:
        left_over = [commodity.pools[number] for number in tier.pools]
        net: dict[int, int] = {}
        for pool_left in left_over:
            add(net, pool_left.long.rows, 1)
            add(net, pool_left.short.rows, -1)
        bound = max(
            total([pool_left.long for pool_left in left_over]).bound,
            total([pool_left.short for pool_left in left_over]).bound,
        )
        commodity.tiers.append(rows.split(f"{table.name} {tier.name}", commodity.unit, {}, net, bound))


def _spread_across(rows: PoolRows, tables: SpanTables, commodities: Sequence[_Commodity]) -> None:
    for spread in tables.spreads:
        for turn, ways in enumerate(directions(spread.legs), 1):
            pools = [commodities[leg.commodity].tiers[leg.tier] for leg in spread.legs]
            legs = [[pool.side(way)] for pool, way in zip(pools, ways, strict=True)]
            ratios = [leg.ratio for leg in spread.legs]
            steps, left = rows.spread(f"{spread.name}, way {turn}", Unit("deltas"), ratios, legs)
            for number in {leg.commodity for leg in spread.legs} if spread.flat[0] else ():
                commodities[number].charge(steps, -Fraction(*spread.flat))
            for leg, way, (amount,) in zip(spread.legs, ways, left, strict=True):
                commodity = commodities[leg.commodity]
                commodity.tiers[leg.tier] = commodity.tiers[leg.tier].with_side(way, amount)
                if spread.rate[0]:
                    commodity.weighted.append((steps, leg.ratio * Fraction(*spread.rate)))
                    commodity.by_range.append((steps, range_credit(commodity.table, spread, leg)))


def _credits(account: AccountRows, commodity: _Commodity) -> None:
    """The credit on deltas in weighted spreads, by scan range or by price risk."""
    table, weighted = commodity.table, commodity.weighted
    if not weighted:
        return
    if table.price_risk == "scan_range":
        for steps, credit in commodity.by_range:
            commodity.charge(steps, -credit)
        return
    form = _deltas(account, commodity, range(len(table.periods)))
    bound = _reach(account, form)
    net = PoolRows(account.rows).split(f"{table.name}: net", commodity.unit, form, {}, bound)
    denominator = lcm(*(rate.denominator for _, rate in weighted))
    spread: dict[int, int] = {}
    for steps, rate in weighted:
        add(spread, steps.rows, int(rate * denominator))
    most = sum(steps.bound * int(rate * denominator) for steps, rate in weighted)
    step = table.delta_step * account.snapshot.tick
    numerator, divisor = table.scan_range
    cap = numerator * step // divisor if table.price_risk == "scan_range_cap" else None
    weighting = Weighting(net, Amount(spread, most), denominator, step, cap)
    commodity.risk[credit_row(account.rows, commodity.scenarios, weighting)] = Fraction(-1)


def _required(account: AccountRows, commodity: _Commodity) -> list[int]:
    """The rows of what is required: ratio times the larger of risk and minimum, and the cap on option value."""
    table, (part, whole) = commodity.table, commodity.table.ratio[account.level]
    denominator = lcm(*(rate.denominator for rate in commodity.risk.values()))
    unit = Unit("USD", whole * denominator * account.usd.scale)
    least = _short_options(account, table)
    required = account.rows.free(f"{table.name}: risk", account.usd)
    terms = {row: -part * int(rate * denominator) for row, rate in commodity.risk.items() if rate}
    covered = {required: whole * denominator, **terms}
    account.rows.row(f"{table.name}: risk covers it", unit, {}, covered, closes=required)
    if least:
        unit = Unit("USD", whole * account.usd.scale)
        minimum = {required: whole, **{row: -part * charge for row, charge in least.items()}}
        account.rows.row(f"{table.name}: short option minimum", unit, {}, minimum, closes=required)
    if table.capped_slots:
        pairs = zip(table.capped_slots, table.capped_values, strict=True)
        value = {slot: -account.charge(slot, mark) for slot, mark in pairs if mark}
        if value:
            beyond = account.rows.free(f"{table.name}: option value beyond its risk", account.usd)
            name = f"{table.name}: option value capped"
            account.rows.row(name, account.usd, value, {beyond: 1, required: 1}, closes=beyond)
            return [required, beyond]
    return [required]


def _short_options(account: AccountRows, table: CommodityTable) -> dict[int, int]:
    """The short option minimum as a form of rows, in money units."""
    form: dict[int, int] = {}
    for number, minimum in enumerate(table.minimums, 1):
        calls, puts = _shorts(account, minimum)
        if table.minimum_method == "gross" or not calls or not puts:
            form.update({**calls, **puts})
            continue
        name = f"{table.name}: short option minimum {number}"
        larger = account.rows.free(name, account.usd)
        for side, charges in (("calls", calls), ("puts", puts)):
            less = {row: -charge for row, charge in charges.items()}
            account.rows.row(f"{name}, {side}", account.usd, {}, {larger: 1, **less}, closes=larger)
        form[larger] = 1
    return form


def _shorts(account: AccountRows, minimum: Minimum) -> list[dict[int, int]]:
    """For calls and for puts: rows of what is short, with the charge on each."""
    sides = []
    for slots, charges in ((minimum.calls, minimum.call_charges), (minimum.puts, minimum.put_charges)):
        side = {}
        for slot, charge in zip(slots, charges, strict=True):
            name = f"{account.snapshot.universe.instruments[slot].name}: short options"
            short = account.rows.free(name, LOTS)
            account.rows.row(f"{name} covered", LOTS, {slot: 1}, {short: 1}, closes=short)
            side[short] = account.charge(slot, charge)
        sides.append(side)
    return sides
