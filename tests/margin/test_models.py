"""The models: tables against formulas in floating point, requirements against sums in fractions."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.margin.accounts import MONTH, NOW, example, lots_of, tiny
from tests.margin.formulas import black76
from zkmargin.margin.account.requirement import account_value, requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.parameters.document import DEFAULT_PARAMETERS
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import Cell, GridTables
from zkmargin.margin.tables.rates import RateTables
from zkmargin.margin.units import LEVELS, Level

levels = st.sampled_from(LEVELS)
names = st.sampled_from(("grid", "isolated", "cross"))


def grid_of(snapshot: Snapshot) -> GridTables:
    tables = snapshot.models["grid"]
    assert isinstance(tables, GridTables)
    return tables


def rates_of(snapshot: Snapshot, name: str) -> RateTables:
    tables = snapshot.models[name]
    assert isinstance(tables, RateTables)
    return tables


def moved_volatility(vol: float, days: float, move: str) -> float:
    shock = DEFAULT_PARAMETERS.grid.volatility
    power = float(shock.short_power if days <= 30 else shock.long_power)
    m = exp(power * log(30 / max(days, float(shock.floor_days))))
    up = max(vol * (1 + float(shock.up) * m), float(shock.minimum))
    return {"up": up, "none": vol, "down": vol * max(0.0, 1 - float(shock.down) * m)}[move]


def expected_change(snapshot: Snapshot, slot: int, cell: Cell) -> float:
    """Damped change of value in USD per unit of quantity, in floating point."""
    instrument, quote = snapshot.universe.instruments[slot], snapshot.inputs.quotes[slot]
    damping, spot = float(Fraction(cell.damping)), float(cell.spot)
    if instrument.kind != "option":
        moves = instrument.underlying != "USD" and not instrument.inverse
        return float(quote.price) * spot * damping if moves else 0.0
    days = ((instrument.expiry or 0) - snapshot.valuation_time) / 86400e6
    forward, strike, vol = (
        float(quote.forward or 0),
        float(instrument.strike or 0),
        float(quote.volatility or 0),
    )
    call = bool(instrument.call)
    before = black76(forward, strike, vol, days / 365, call)
    moved = moved_volatility(vol, days, cell.volatility)
    after = black76(forward * (1 + spot), strike, moved, days / 365, call)
    index = float(snapshot.inputs.indices[instrument.underlying])
    return damping * (after - before) * (index / forward if instrument.inverse else 1.0)


def test_risk_arrays_are_what_the_formula_gives() -> None:
    snapshot, grid = example(), grid_of(example())
    for slot, instrument in enumerate(snapshot.universe.instruments):
        size = 10**instrument.contract_exponent * 10**6
        for row, cell in zip(grid.risk[:, slot].tolist(), grid.cells, strict=True):
            expected = expected_change(snapshot, slot, cell) * size
            assert row == pytest.approx(expected, rel=1e-9, abs=0.6), (instrument.name, cell.label)


def test_charges_of_the_grid() -> None:
    grid, universe = grid_of(tiny()), tiny().universe
    assert grid.units == ("BTC",)
    assert grid.unit_of.tolist() == [-1, *[0] * (len(universe) - 1)]
    charges = {universe.instruments[p.slot].name: p.charge for p in grid.perpetuals}
    assert charges == {
        "BTC-PERPETUAL": {"initial": 199960008, "maintenance": 99980004},
        "BTC_USD-PERPETUAL": {"initial": 1000200000, "maintenance": 500100000},
    }
    assert [(s.strike, s.expiry, len(s.slots)) for s in grid.strikes] == [("52000", MONTH, 2)] * 2
    assert all(s.charge == {"initial": 500 * 10**6, "maintenance": 250 * 10**6} for s in grid.strikes)
    (haircut,) = grid.collaterals
    held = [universe.instruments[slot].name for slot in haircut.slots]
    assert held == ["BTC", "BTC-PERPETUAL", "BTC-31JAN26"]
    assert haircut.charge["initial"] == (2500 * 10**6, -499900019, -496031746)
    assert grid.loss_factor == {"initial": (1, 1), "maintenance": (4, 5)}


def test_rates_of_standard_margin() -> None:
    universe = tiny().universe
    cross, isolated = rates_of(tiny(), "cross"), rates_of(tiny(), "isolated")
    call, put = universe.slot("BTC-31JAN26-K-C"), universe.slot("BTC-31JAN26-K-P")
    # A call 2,000 out of the money: 0.15 * 50,000 - 2,000; a put in the money has nothing taken off.
    assert cross.short["initial"][[call, put]].tolist() == [5500 * 10**6, 7500 * 10**6]
    # At maintenance the call's 0.075 * 50,000 - 2,000 is below the minimum of 0.05 * 50,000.
    assert cross.short["maintenance"][[call, put]].tolist() == [2500 * 10**6, 3750 * 10**6]
    assert cross.long["initial"][[call, put]].tolist() == [0, 0]
    assert isolated.long["initial"][[call, put]].tolist() == tiny().marks[[call, put]].tolist()
    future = universe.slot("BTC_USD-31JAN26")
    for tables in (cross, isolated):
        assert tables.long["initial"][future] == tables.short["initial"][future] == 1008 * 10**6
        assert tables.long["initial"][:2].tolist() == [0, 0] == tables.short["initial"][:2].tolist()


def by_hand(snapshot: Snapshot, lots: list[int], name: str, level: Level) -> Fraction:
    """The requirement straight from the definition, in fractions of a USD."""
    unit = Fraction(1, 10**6)
    quantity = [
        held * Fraction(10) ** (i.lot_exponent - i.contract_exponent) * unit
        for held, i in zip(lots, snapshot.universe.instruments, strict=True)
    ]
    tables = snapshot.models[name]
    assert isinstance(tables, GridTables | RateTables)
    total = Fraction(0)
    for haircut in tables.collaterals:
        pairs = zip(haircut.slots, haircut.charge[level], strict=True)
        total += max(Fraction(0), sum((quantity[slot] * charge for slot, charge in pairs), Fraction(0)))
    if isinstance(tables, RateTables):
        for slot, held in enumerate(quantity):
            side = tables.long if held > 0 else tables.short
            total += abs(held) * int(side[level][slot])
        return total
    factor = Fraction(*tables.loss_factor[level])
    for unit_number in range(len(tables.units)):
        slots = [slot for slot, unit_of in enumerate(tables.unit_of) if unit_of == unit_number]
        worst = min(sum((quantity[s] * int(row[s]) for s in slots), Fraction(0)) for row in tables.risk)
        total += factor * max(Fraction(0), -worst)
    for perpetual in tables.perpetuals:
        total += abs(quantity[perpetual.slot]) * perpetual.charge[level]
    for strike in tables.strikes:
        net = sum((quantity[slot] for slot in strike.slots), Fraction(0))
        total += max(Fraction(0), -net) * strike.charge[level]
    return total


def required(snapshot: Snapshot, lots: list[int], name: str, level: Level = "initial") -> Fraction:
    return requirement(snapshot, lots, model=name, level=level).requirement


@given(lots=lots_of(tiny(), 1 << 21), name=names, level=levels)
@settings(max_examples=80, deadline=None)
def test_a_requirement_is_what_its_definition_gives(lots: list[int], name: str, level: Level) -> None:
    found = requirement(tiny(), lots, model=name, level=level)
    unit = 10**found.money_decimals
    assert found.requirement / unit == by_hand(tiny(), lots, name, level)
    marks = zip(lots, tiny().universe.instruments, tiny().marks.tolist(), strict=True)
    value = sum(q * Fraction(10) ** (i.lot_exponent - i.contract_exponent - 6) * mark for q, i, mark in marks)
    assert Fraction(found.account_value, unit) == value
    assert found.excess == found.account_value - found.requirement
    assert found.excess_ticks <= found.excess / tiny().tick < found.excess_ticks + 1
    assert found.account_value_ticks - found.requirement_ticks == found.excess_ticks


@given(lots=lots_of(example(), 10**5), name=names, level=levels)
@settings(max_examples=30, deadline=None)
def test_parts_add_up_to_the_requirement(lots: list[int], name: str, level: Level) -> None:
    found = requirement(example(), lots, model=name, level=level)
    parts = found.assessment
    losses, charges = (sum(u.loss for u in parts.units), sum(c.amount for c in parts.charges))
    assert parts.factor * losses + charges == found.requirement
    for unit in parts.units:
        assert unit.loss == max(0, -min(unit.profit)) == max(0, -unit.profit[unit.worst])
    assert all(charge.amount > 0 for charge in parts.charges)


@given(a=lots_of(example(), 1000), b=lots_of(example(), 1000), name=names, level=levels)
@settings(max_examples=40, deadline=None)
def test_merging_accounts_never_costs_more(a: list[int], b: list[int], name: str, level: Level) -> None:
    together = [x + y for x, y in zip(a, b, strict=True)]
    parts = required(example(), a, name, level) + required(example(), b, name, level)
    assert required(example(), together, name, level) <= parts


@given(lots=lots_of(example(), 1000), factor=st.integers(0, 1000), name=names, level=levels)
@settings(max_examples=40, deadline=None)
def test_requirements_grow_in_proportion(lots: list[int], factor: int, name: str, level: Level) -> None:
    assert required(example(), [factor * q for q in lots], name, level) == factor * required(
        example(), lots, name, level
    )


@given(lots=lots_of(example(), 1000))
@settings(max_examples=30, deadline=None)
def test_more_is_asked_at_first_than_later_and_nothing_of_nobody(lots: list[int]) -> None:
    for name in ("grid", "isolated", "cross"):
        assert required(example(), lots, name) >= required(example(), lots, name, "maintenance") >= 0
        assert required(example(), [0] * len(lots), name) == 0


@given(lots=lots_of(example(), 1000))
@settings(max_examples=30, deadline=None)
def test_isolated_asks_more_than_cross(lots: list[int]) -> None:
    assert required(example(), lots, "isolated") >= required(example(), lots, "cross")


@given(lots=lots_of(example(), 1000), share=st.integers(0, 8))
@settings(max_examples=40, deadline=None)
def test_a_hedge_never_raises_the_worst_loss(lots: list[int], share: int) -> None:
    """Taking a part of the account's own risk off, at every point of the way, loses no more than before."""
    losses = [unit.loss for unit in requirement(example(), [8 * q for q in lots]).assessment.units]
    hedged = requirement(example(), [(8 - share) * q for q in lots]).assessment.units
    assert all(unit.loss <= loss for unit, loss in zip(hedged, losses, strict=True))


def test_coins_against_a_short_call_lower_its_worst_loss() -> None:
    lots = [0] * len(tiny().universe)
    lots[tiny().universe.slot("BTC-31JAN26-K-C")] = -10
    naked = requirement(tiny(), lots).assessment.units[0].loss
    lots[tiny().universe.slot("BTC")] = 10**8 // 3
    assert requirement(tiny(), lots).assessment.units[0].loss < naked


def test_a_put_and_call_against_the_forward_is_riskless() -> None:
    """Call minus put minus linear future: no cell moves it by more than rounding."""
    lots, universe = [0] * len(tiny().universe), tiny().universe
    lots[universe.slot("BTC_USD-31JAN26-K-C")], lots[universe.slot("BTC_USD-31JAN26-K-P")] = 10, -10
    lots[universe.slot("BTC_USD-31JAN26")] = -1000
    (unit,) = requirement(tiny(), lots).assessment.units
    assert all(-2 * tiny().tick <= profit <= 2 * tiny().tick for profit in unit.profit)


def test_without_netting_between_coins() -> None:
    universe = example().universe
    long = [0] * len(universe)
    long[universe.slot("BTC")] = 10**8
    short = [0] * len(universe)
    short[universe.slot("ETH")] = -(10**8)
    both = [x + y for x, y in zip(long, short, strict=True)]
    assert required(example(), both, "grid") == required(example(), long, "grid") + required(
        example(), short, "grid"
    )


@pytest.mark.parametrize(("name", "level"), [("wild", "initial"), ("grid", "sometimes")])
def test_unknown_models_and_levels(name: str, level: Level) -> None:
    with pytest.raises(InputError, match=f"'{name}'|'{level}'"):
        requirement(tiny(), [0] * len(tiny().universe), model=name, level=level)


def test_lots_are_one_bounded_integer_a_slot() -> None:
    lots = [0] * len(tiny().universe)
    with pytest.raises(InputError, match="give one number of lots"):
        requirement(tiny(), lots[1:])
    for wrong in (1.0, True, "1"):
        with pytest.raises(InputError, match="write an integer"):
            account_value(tiny(), [wrong, *lots[1:]])  # type: ignore[list-item]
    bound = tiny().universe.instruments[1].bound
    with pytest.raises(InputError, match="lots of BTC: "):
        requirement(tiny(), [0, bound + 1, *lots[2:]])


def test_accounts_at_their_bounds_stay_inside_128_bits() -> None:
    for sign in (1, -1):
        lots = [sign * i.bound for i in example().universe.instruments]
        for name in example().models:
            found = requirement(example(), lots, model=name)
            assert abs(found.account_value) + abs(found.requirement) < 1 << 127


def test_shown_amounts_add_up() -> None:
    lots = [5, 3, 1, *[0] * (len(tiny().universe) - 3)]
    found = requirement(tiny(), lots)
    shown = [
        Decimal(found.show(t))
        for t in (found.account_value_ticks, found.requirement_ticks, found.excess_ticks)
    ]
    assert shown[0] - shown[1] == shown[2]


def test_a_rounded_table_is_never_in_favour_of_the_account() -> None:
    """Charges are rounded up: folding in a rate never takes off what the exact rate would ask."""
    for perpetual in grid_of(tiny()).perpetuals:
        exact = abs(int(tiny().marks[perpetual.slot])) * Fraction(DEFAULT_PARAMETERS.grid.perpetual.initial)
        assert 0 <= perpetual.charge["initial"] - exact <= 1


def test_time_moves_the_tables_and_nothing_else_does() -> None:
    assert tiny().valuation_time == NOW
    again = replace(tiny(), valuation_time=NOW + 86_400_000_000)
    with pytest.raises(InputError, match="model"):
        again.reproduce()
    assert np.array_equal(grid_of(tiny()).risk, grid_of(tiny()).risk)
