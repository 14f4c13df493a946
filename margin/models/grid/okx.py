"""A portfolio margin like OKX's, coin by coin: max(max(MR1, MR2, MR6) + MR3 + MR4 + MR5 + MR9, MR7), and MR8 on debts.

MR1: every spot move with volatility up, unchanged and down, by a move that depends on the option's term. MR2: a day
passes. MR6: extreme moves with volatility unchanged, which count in part. MR3: what expiries hedge of each other in the
move of volatility. MR4: the net exposure of every expiry to its own forward, moved against spot by its share of a year.
MR5: all forwards moved by a move of interest rates. MR7: what closing would cost, at rates that rise with size; the
least that a coin's positions are asked for. MR8: what is borrowed. MR9: what contracts in dollars and in stablecoins
hedge of each other, at rates that rise with size. Coins offset derivatives. Sources: `parameters.venues.okx`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zkmargin.margin.arithmetic.decimals import floor_div
from zkmargin.margin.arithmetic.fixed import ONE, from_decimal, from_fraction, mul
from zkmargin.margin.arithmetic.kernels import VOL_BASE, VOL_DOWN, VOL_UP, option_values, risk_array
from zkmargin.margin.arithmetic.packed import Q64Matrix
from zkmargin.margin.market.times import format_time
from zkmargin.margin.models.grid.forwards import by_expiry, folded, forward_exposures, years_to
from zkmargin.margin.models.grid.parts import risk_units, spot_moves
from zkmargin.margin.parameters.venues.okx import Moves, Okx
from zkmargin.margin.tables.grid import Cell, GridTables
from zkmargin.margin.tables.grid_additions import ExposureCharge, HedgeCharge, Leg, MinimumCharge, Tier
from zkmargin.margin.tables.schema import fitting
from zkmargin.margin.units import LEVELS
from zkmargin.margin.valuation.basis import Basis, contract_size, slot_value
from zkmargin.margin.valuation.charges import collateral_charges, per_contract
from zkmargin.margin.valuation.grid_cells import Shocks, shock_cells
from zkmargin.margin.valuation.option_values import OptionColumns, named_instruments, option_columns

_COLUMN = {"up": VOL_UP, "none": VOL_BASE, "down": VOL_DOWN}
_DAY = 86400 * 10**6
_WHERE = "parameters, okx"
_POINT = Fraction(1, 10**4)
"""Rates of MR9 are whole multiples of this."""


def tables(basis: Basis, rules: Okx) -> GridTables:
    """The tables; InputError naming the instrument if a number is out of range."""
    units, unit_of = risk_units(basis)
    cells = [_cells(rules, rules.of(unit)) for unit in units]
    risk = np.zeros((len(_cells(rules, rules)), len(basis.universe)), dtype=np.int64)
    for unit, own in enumerate(cells):
        slots = (unit_of == unit).nonzero()[0].tolist()
        _fill(basis, rules, own, slots, risk)
    exposures = forward_exposures(basis)
    return GridTables(
        cells=cells[0] if cells else _cells(rules, rules),
        units=units,
        unit_of=unit_of,
        risk=risk,
        perpetuals=(),
        strikes=(),
        collaterals=collateral_charges(basis, debts=True),
        loss_factor={level: Fraction(rules.loss_factor.at(level)).as_integer_ratio() for level in LEVELS},
        exposures=(
            *_basis_risk(basis, rules, units, exposures),
            *_rate_risk(basis, rules, units, exposures),
        ),
        minimums=_minimums(basis, rules, units),
        hedges=(
            *_vega_spreads(basis, rules, units, cells, risk),
            *_stable_spreads(basis, rules, units, exposures),
        ),
        unit_cells=tuple(cells) if len(set(cells)) > 1 else (),
    )


def _cells(rules: Okx, moves: Moves) -> tuple[Cell, ...]:
    extremes = tuple((move, Fraction(rules.extreme_damping)) for move in moves.extreme_moves)
    found = shock_cells(Shocks(moves.spot_shocks, extremes, ("none",)))
    core = len(moves.spot_shocks) * 3
    if any(term.points for term in rules.volatility_terms):
        points = [
            replace(cell, label=cell.label.replace(", volatility", ", in points, volatility"))
            for cell in found[:core]
            if cell.volatility != "none"
        ]
        found = (*found[:core], *points, *found[core:])
    if not rules.decay_days:
        return found
    days = "a day later" if rules.decay_days == 1 else f"{rules.decay_days:f} days later"
    return (*found, Cell(f"{days}, volatility unchanged", "0", "none", "1", tail=True))


def _fill(
    basis: Basis, rules: Okx, cells: Sequence[Cell], slots: Sequence[int], risk: NDArray[np.int64]
) -> None:
    """The columns of one coin; risk is (S, N)."""
    risk[:, slots] = spot_moves(basis, cells)[:, slots]
    columns = option_columns(basis.universe, basis.valuation_time, basis.inputs, slots)
    if not columns.slots:
        return
    later = None
    if rules.decay_days:
        passed = int(rules.decay_days * _DAY)
        later = option_columns(basis.universe, basis.valuation_time + passed, basis.inputs, slots)
    with named_instruments(basis.universe, columns.slots):
        vols = _volatilities(basis, rules, columns)
        base = option_values(columns.options, vols, [(ONE, VOL_BASE)]).column(0)
        core = cells if later is None else cells[:-1]
        shocks = [(from_decimal(1 + Decimal(cell.spot)), _column(cell)) for cell in core]
        values = [list(row) for row in option_values(columns.options, vols, shocks).rows()]
        if later is not None:
            for row, value in zip(values, _aged(later, columns), strict=True):
                row.append(value)
        damping = [from_fraction(Fraction(cell.damping)) for cell in cells]
        quanta = [int(basis.quanta * contract_size(basis.universe.instruments[s])) for s in columns.slots]
        matrix = Q64Matrix.from_rows(values, len(cells))
        risk[:, list(columns.slots)] = risk_array(base, matrix, damping, columns.multipliers, quanta).T


def _aged(later: OptionColumns, now: OptionColumns) -> list[int]:
    """Values after the days; what expires by then is worth what exercise gives at today's forward."""
    flat = Q64Matrix.from_rows(([vol] for vol in now.volatilities), 1)
    return option_values(later.options, flat, [(ONE, 0)]).column(0)


def _column(cell: Cell) -> int:
    """The column of `_volatilities` that a cell takes."""
    return _COLUMN[cell.volatility] + (2 if ", in points," in cell.label else 0)


def _volatilities(basis: Basis, rules: Okx, columns: OptionColumns) -> Q64Matrix:
    """Of every option the volatility, moved up and down in its share, and up and down in points."""
    expiries = {basis.universe.instruments[slot].expiry or 0 for slot in columns.slots}
    terms = {expiry: Fraction(expiry - basis.valuation_time, _DAY) for expiry in expiries}
    moves = {
        expiry: (_move(rules, days, "move"), _move(rules, days, "points")) for expiry, days in terms.items()
    }
    rows = []
    for slot, vol in zip(columns.slots, columns.volatilities, strict=True):
        share, points = moves[basis.universe.instruments[slot].expiry or 0]
        lowered = mul(vol, max(0, ONE - share))
        rows.append([vol, mul(vol, ONE + share), lowered, vol + points, max(0, vol - points)])
    return Q64Matrix.from_rows(rows, 5)


def _move(rules: Okx, days: Fraction, kind: Literal["move", "points"]) -> int:
    """The move of a volatility at a term, on the line between two stated terms; Q64."""
    terms = [(Fraction(term.days), Fraction(getattr(term, kind))) for term in rules.volatility_terms]
    if days <= terms[0][0]:
        return from_fraction(terms[0][1])
    for (start, low), (end, high) in pairwise(terms):
        if days <= end:
            return from_fraction(low + (high - low) * (days - start) / (end - start))
    return from_fraction(terms[-1][1])


# What is added ---------------------------------------------------------------------------------------


def _basis_risk(
    basis: Basis, rules: Okx, units: Sequence[str], exposures: Mapping[int, Fraction]
) -> Iterator[ExposureCharge]:
    for underlying, expiry, slots in by_expiry(basis, tuple(exposures)):
        move = Fraction(rules.of(underlying).annual_move) * years_to(basis, expiry)
        name = f"{underlying}, expiry {format_time(expiry)[:10]}"
        entry = folded(basis, exposures, slots, move)
        if any(entry):
            yield ExposureCharge("basis risk", name, units.index(underlying), slots, entry)


def _rate_risk(
    basis: Basis, rules: Okx, units: Sequence[str], exposures: Mapping[int, Fraction]
) -> Iterator[ExposureCharge]:
    """MR5: forwards answer to a move r of rates by e^(r T) - 1, to first order r T, all in one direction."""
    moved: dict[str, dict[int, Fraction]] = defaultdict(dict)
    for underlying, expiry, slots in by_expiry(basis, tuple(exposures)):
        for slot in slots:
            moved[underlying][slot] = exposures[slot] * years_to(basis, expiry)
    for underlying, parts in moved.items():
        entry = folded(basis, parts, tuple(parts), Fraction(rules.rate_move))
        if any(entry):
            yield ExposureCharge("rate risk", underlying, units.index(underlying), tuple(parts), entry)


def _vega_spreads(
    basis: Basis,
    rules: Okx,
    units: Sequence[str],
    cells: Sequence[Sequence[Cell]],
    risk: NDArray[np.int64],
) -> Iterator[HedgeCharge]:
    """MR3: each expiry's gain in the upward move of volatility with the price unmoved."""
    legs: dict[str, list[Leg]] = defaultdict(list)
    options = tuple(slot for slot, i in enumerate(basis.universe.instruments) if i.kind == "option")
    for underlying, expiry, slots in by_expiry(basis, options):
        own = cells[units.index(underlying)]
        still = next((k for k, cell in enumerate(own) if (cell.spot, cell.volatility) == ("0", "up")), None)
        if still is not None:
            part = [
                floor_div(Fraction(entry) * Fraction(rules.term_share) + Fraction(1, 2))
                for entry in risk[still, list(slots)].tolist()
            ]
            if any(part):
                legs[underlying].append(Leg(f"expiry {format_time(expiry)[:10]}", slots, tuple(part)))
    for underlying, found in legs.items():
        if len(found) > 1:
            yield HedgeCharge("vega spread", underlying, units.index(underlying), tuple(found))


def _stable_spreads(
    basis: Basis, rules: Okx, units: Sequence[str], exposures: Mapping[int, Fraction]
) -> Iterator[HedgeCharge]:
    """MR9: what settles in coin is priced in dollars, what settles in cash in a stablecoin."""
    if not rules.spread_steps:
        return
    tiers = _spread_tiers(basis, rules)
    for unit, underlying in enumerate(units):
        legs = []
        for name, inverse in (("in dollars", True), ("in stablecoins", False)):
            slots = tuple(
                slot
                for slot in exposures
                if basis.universe.instruments[slot].underlying == underlying
                and basis.universe.instruments[slot].inverse == inverse
            )
            entry = folded(basis, exposures, slots, _POINT)
            if any(entry):
                legs.append(Leg(name, slots, entry))
        if len(legs) > 1:
            yield HedgeCharge("stablecoin spread", underlying, unit, tuple(legs), tiers)


def _spread_tiers(basis: Basis, rules: Okx) -> tuple[Tier, ...]:
    found: list[Tier] = []
    before, offset = 0, Fraction(0)
    for step in rules.spread_steps:
        slope = int(Fraction(step.rate) / _POINT)
        offset += (slope - before) * _POINT * Fraction(step.start) * basis.quanta
        before = slope
        found.append((max(1, slope), int(offset)))
    fitting((part for _, part in found), _WHERE, "spread_steps", "let the last one start lower")
    return tuple(found)


# The least ------------------------------------------------------------------------------------------


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
            long = tuple(_long_cost(basis, slot, cost) for slot, cost in zip(slots, short, strict=True))
            found.append(MinimumCharge(underlying, unit, slots, long, short, _tiers(basis, rules)))
    return tuple(found)


def _long_cost(basis: Basis, slot: int, cost: int) -> int:
    """A long option that is paid for is given up for no more than it is worth."""
    instrument = basis.universe.instruments[slot]
    if instrument.kind == "option" and not instrument.margined_daily:
        return min(cost, int(basis.marks[slot]))
    return cost


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
    fitting((part for _, part in found), _WHERE, "steps", "let the last one start lower")
    return tuple(found)
