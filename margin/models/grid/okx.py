"""A portfolio margin like OKX's, coin by coin: max(max(MR1, MR6) + MR4, MR7).

MR1: every spot move with volatility up, unchanged and down. MR6: extreme moves, which count in part. MR4: the net
exposure of every expiry to its own forward, moved against spot by its share of a year. MR7: what closing would
cost, at rates that rise with size; the least that a coin's positions are asked for. Coins offset derivatives.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from zkmargin.margin.market.times import format_time
from zkmargin.margin.models.grid.crypto import cell_risk
from zkmargin.margin.models.grid.forwards import by_expiry, folded, forward_exposures, years_to
from zkmargin.margin.models.grid.parts import risk_units
from zkmargin.margin.parameters.grid import VolatilityShock
from zkmargin.margin.parameters.okx import Okx
from zkmargin.margin.tables.grid import GridTables
from zkmargin.margin.tables.grid_additions import ExposureCharge, MinimumCharge, Tier
from zkmargin.margin.tables.schema import fitting
from zkmargin.margin.units import LEVELS
from zkmargin.margin.valuation.basis import Basis, slot_value
from zkmargin.margin.valuation.charges import collateral_charges, per_contract
from zkmargin.margin.valuation.grid_cells import Shocks, shock_cells


def tables(basis: Basis, rules: Okx) -> GridTables:
    """The tables; InputError naming the instrument if a number is out of range."""
    units, unit_of = risk_units(basis)
    extremes = tuple((move, Fraction(rules.extreme_damping)) for move in rules.extreme_moves)
    cells = shock_cells(Shocks(rules.spot_shocks, extremes, ("up", "none", "down")))
    volatility = VolatilityShock(
        up=rules.volatility_up,
        down=rules.volatility_down,
        minimum=Decimal(0),
        short_power=rules.short_power,
        long_power=rules.long_power,
        floor_days=rules.floor_days,
    )
    return GridTables(
        cells=cells,
        units=units,
        unit_of=unit_of,
        risk=cell_risk(basis, cells, volatility),
        perpetuals=(),
        strikes=(),
        collaterals=collateral_charges(basis),
        loss_factor={level: Fraction(rules.loss_factor.at(level)).as_integer_ratio() for level in LEVELS},
        exposures=_basis_risk(basis, rules, units),
        minimums=_minimums(basis, rules, units),
    )


def _basis_risk(basis: Basis, rules: Okx, units: Sequence[str]) -> tuple[ExposureCharge, ...]:
    exposures = forward_exposures(basis)
    found = []
    for underlying, expiry, slots in by_expiry(basis, tuple(exposures)):
        move = Fraction(rules.annual_move) * years_to(basis, expiry)
        name, entry = (
            f"{underlying}, expiry {format_time(expiry)[:10]}",
            folded(basis, exposures, slots, move),
        )
        if any(entry):
            found.append(ExposureCharge("basis risk", name, units.index(underlying), slots, entry))
    return tuple(found)


def _minimums(basis: Basis, rules: Okx, units: Sequence[str]) -> tuple[MinimumCharge, ...]:
    found = []
    for unit, underlying in enumerate(units):
        slots = tuple(
            slot
            for slot, i in enumerate(basis.universe.instruments)
            if i.underlying == underlying and i.kind != "balance"
        )
        if slots:
            short = tuple(_cost(basis, rules, slot) for slot in slots)
            held = (basis.universe.instruments[slot] for slot in slots)
            paid = (i.kind == "option" and not i.margined_daily for i in held)
            long = tuple(0 if free else cost for free, cost in zip(paid, short, strict=True))
            found.append(MinimumCharge(underlying, unit, slots, long, short, _tiers(basis, rules)))
    return tuple(found)


def _cost(basis: Basis, rules: Okx, slot: int) -> int:
    """Of closing one contract: a rate on the index for options, on the notional for all else."""
    instrument = basis.universe.instruments[slot]
    if instrument.kind == "option":
        return per_contract(basis, slot, basis.index(instrument.underlying), rules.option_cost)
    notional = abs(slot_value(instrument, basis.inputs.quotes[slot], basis.inputs))
    return per_contract(basis, slot, notional, rules.future_cost)


def _tiers(basis: Basis, rules: Okx) -> tuple[Tier, ...]:
    """Each step's line, which lies above all others where it counts: sum of (m_k - m_k-1) start_k."""
    found: list[Tier] = []
    before, offset = 0, Fraction(0)
    for step in rules.steps:
        offset += (step.multiplier - before) * Fraction(step.start) * basis.quanta
        before = step.multiplier
        found.append((step.multiplier, int(offset)))
    fitting((part for _, part in found), "parameters, okx", "steps", "let the last one start lower")
    return tuple(found)
