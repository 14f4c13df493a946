"""TIMS tables of a market, and the requirement of an account by them."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import CASH, Security
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.models.tims.grouping import grouping
from zkmargin.margin.models.tims.pricing import minimum_columns, risk_table
from zkmargin.margin.models.tims.tables import POINTS, TimsTables
from zkmargin.margin.parameters.tims import TimsParameters
from zkmargin.margin.tables.assessment import Assessment, Charge, UnitLoss, assess
from zkmargin.margin.units import LEVELS, Level
from zkmargin.margin.valuation.basis import Basis

_DEFAULTS = TimsParameters()


def tables(basis: Basis) -> TimsTables | None:
    """The tables of a market of securities; None where anything but cash is none.

    Raises InputError naming a class, a group or an instrument that does not work out.
    """
    kinds = _kinds(basis.universe)
    if not kinds:
        return None
    parameters: TimsParameters = basis.parameters.section("tims") or _DEFAULTS
    found = grouping(kinds, parameters)
    class_of = [found.class_of.get(i.underlying, -1) for i in basis.universe.instruments]
    minimum = minimum_columns(basis, parameters.minimum)
    return TimsTables(
        classes=found.classes,
        groups=found.groups,
        class_of=np.array(class_of, dtype=np.int64),
        risk=risk_table(basis, found.classes, class_of),
        minimum_long=minimum["long"],
        minimum_short=minimum["short"],
        minimum_scope=parameters.minimum_scope,
        factor={level: Fraction(parameters.factor.at(level)).as_integer_ratio() for level in LEVELS},
    )


def _kinds(universe: Universe) -> dict[str, Security]:
    """What each underlying is; nothing unless all but cash are securities."""
    kinds: dict[str, Security] = {}
    for instrument in universe.instruments:
        if instrument.underlying == CASH:
            continue
        if instrument.security is None:
            return {}
        if kinds.setdefault(instrument.underlying, instrument.security) != instrument.security:
            remedy = f"another instrument says that {instrument.underlying} is {kinds[instrument.underlying]}"
            raise InputError(f"instrument {instrument.name}", "security", instrument.security, remedy)
    return kinds


def requirement(
    tables: TimsTables, universe: Universe, scale: Sequence[int], lots: Sequence[int], level: Level
) -> Assessment:
    """The greatest losses and what is missing to the minimum; lots by slot, exact money units."""
    held = [slot for slot, amount in enumerate(lots) if amount and tables.class_of[slot] >= 0]
    weights = [lots[slot] * scale[slot] for slot in held]
    profits = _profits(tables, held, weights)
    minima = _minima(tables, held, weights)
    units = tuple(_unit_loss(tables, node, profits) for node in tables.top())
    factor = Fraction(*tables.factor[level])
    if tables.minimum_scope == "account":
        missing = [("all contracts", sum(minima) - sum(unit.loss for unit in units))]
    else:
        below = (sum(minima[found] for found in tables.classes_of(node)) for node in tables.top())
        missing = [(unit.unit, least - unit.loss) for unit, least in zip(units, below, strict=True)]
    charges = tuple(Charge("minimum", name, factor * amount) for name, amount in missing if amount > 0)
    return assess(factor, units, charges)


def _profits(tables: TimsTables, held: Sequence[int], weights: Sequence[int]) -> list[list[int]]:
    """Of every node, classes first, at every valuation point."""
    profits = [[0] * POINTS for _ in tables.classes]
    columns = tables.risk[:, held].T.tolist()
    numbers = tables.class_of[held].tolist()
    for number, weight, column in zip(numbers, weights, columns, strict=True):
        profits[number] = [
            total + weight * change for total, change in zip(profits[number], column, strict=True)
        ]
    for group in tables.groups:
        part, whole = group.offset
        members = [profits[member] for member in group.members]
        profits.append(
            [
                sum(value * part // whole if value > 0 else value for value in point)
                for point in zip(*members, strict=True)
            ]
        )
    return profits


def _minima(tables: TimsTables, held: Sequence[int], weights: Sequence[int]) -> list[int]:
    """Of every class."""
    minima = [0] * len(tables.classes)
    for slot, weight in zip(held, weights, strict=True):
        rate = tables.minimum_long[slot] if weight > 0 else tables.minimum_short[slot]
        minima[int(tables.class_of[slot])] += abs(weight) * int(rate)
    return minima


def _unit_loss(tables: TimsTables, node: int, profits: Sequence[Sequence[int]]) -> UnitLoss:
    profit = profits[node]
    worst = min(range(POINTS), key=profit.__getitem__)
    in_full = sum(profits[number][worst] for number in tables.classes_of(node))
    return UnitLoss(
        tables.name(node),
        tuple(profit),
        worst,
        max(0, -profit[worst]),
        cells=tables.cells_of[node],
        uncounted=in_full - profit[worst],
    )
