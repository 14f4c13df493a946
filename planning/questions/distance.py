"""How far an account is from failing its margin: by price, by volatility, along its worst scenario, and by time.

Every point is valued exactly in a market that was priced again (`questions.repricing`). A distance is the first
failure on the way out: the way is walked in steps, and the step that fails is halved until it is 1/10,000 wide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from zkmargin.margin.arithmetic.decimals import nearest, scaled_decimal
from zkmargin.margin.instruments.instrument import CASH
from zkmargin.margin.market.times import format_time
from zkmargin.margin.scenarios.tables import JointTables
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.assessment import Assessment
from zkmargin.margin.units import Level
from zkmargin.planning.engine import Engine
from zkmargin.planning.questions.repricing import Move, Repricing

FINEST = Fraction(1, 10_000)
UP = tuple(Fraction(n, 100) for n in (2, 5, 10, 15, 20, 30, 40, 60, 80, 120, 200, 400))
DOWN = tuple(Fraction(-n, 100) for n in (2, 5, 10, 15, 20, 30, 40, 50, 60, 75, 90, 99))
SPOTS = tuple(Fraction(n, 100) for n in (-30, -20, -10, -5, 0, 5, 10, 20, 30))
VOLATILITIES = tuple(Fraction(n, 100) for n in (-40, -20, 0, 20, 40, 80))
DAY = 86_400_000_000
_VOLATILITY_STEP = Fraction(1, 2)


@dataclass(frozen=True)
class Failure:
    """Where margin first fails along one way.

    Attributes:
        way: such as "BTC down".
        move: the relative move at which it fails; None if it holds all the way.
        price: USD of the underlying there, where the way is a price.
        excess: ticks of excess there; at the way's end if it holds.
    """

    way: str
    move: Fraction | None
    price: Fraction | None
    excess: int


@dataclass(frozen=True)
class Distance:
    """Distances, a map and a walk in time; excesses in ticks.

    Attributes:
        excess: as the account stands.
        grid: excess by spot move (rows) and volatility move (columns).
        walk: what happens, and the excess after it.
    """

    model: str
    level: Level
    excess: int
    failures: tuple[Failure, ...]
    spots: tuple[Fraction, ...]
    volatilities: tuple[Fraction, ...]
    grid: tuple[tuple[int, ...], ...]
    walk: tuple[tuple[str, int], ...]
    quantum_decimals: int

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; moves as shares at four places, money in USD at a tick."""

        def usd(ticks: int) -> str:
            return scaled_decimal(ticks, self.quantum_decimals)

        return {
            "model": self.model,
            "level": self.level,
            "excess": usd(self.excess),
            "failures": [
                {
                    "way": failure.way,
                    "move": None if failure.move is None else shown_share(failure.move),
                    "price": None
                    if failure.price is None
                    else scaled_decimal(nearest(failure.price * 100), 2),
                    "excess": usd(failure.excess),
                }
                for failure in self.failures
            ],
            "map": {
                "spots": [shown_share(each) for each in self.spots],
                "volatilities": [shown_share(each) for each in self.volatilities],
                "excess": [[usd(each) for each in row] for row in self.grid],
            },
            "walk": [{"after": name, "excess": usd(each)} for name, each in self.walk],
        }


def shown_share(value: Fraction) -> str:
    """A share at four places."""
    return scaled_decimal(nearest(value * 10**4), 4)


def distance(
    snapshot: Snapshot,
    lots: Sequence[int],
    *,
    model: str = "grid",
    level: Level = "maintenance",
    spots: Sequence[Fraction] = SPOTS,
    volatilities: Sequence[Fraction] = VOLATILITIES,
) -> Distance:
    """How far the account is from failing. Raises InputError for a model or level that is not there."""
    market = Repricing(snapshot, lots, model, level)
    moved = [
        name
        for name in snapshot.inputs.indices
        if any(lots[slot] and i.underlying == name for slot, i in enumerate(snapshot.universe.instruments))
    ]
    failures = []
    for name in moved:
        for word, steps in (("up", UP), ("down", DOWN)):
            found = _first(lambda size, name=name: market.excess(Move({name: size})), market.start, steps)  # type: ignore[misc]
            failures.append(_priced(f"{name} {word}", found, Fraction(snapshot.inputs.indices[name])))
    if any(lots[slot] and i.kind == "option" for slot, i in enumerate(snapshot.universe.instruments)):
        for word, steps in (("up", UP), ("down", DOWN)):
            found = _first(lambda size: market.excess(Move(volatility=size)), market.start, steps)
            failures.append(Failure(f"volatility {word}", found[0], None, found[1]))
    worst = worst_direction(snapshot, lots, model, level)
    if worst is not None:
        label, prices, volatility = worst
        found = _first(
            lambda size: market.excess(
                Move(
                    {name: max(each * size, Fraction(-99, 100)) for name, each in prices.items()},
                    volatility * size,
                )
            ),
            market.start,
            tuple(Fraction(n, 4) for n in (1, 2, 3, 4, 5, 6, 8, 10, 12)),
        )
        failures.append(Failure(f"times the worst scenario ({label})", found[0], None, found[1]))
    grid = tuple(
        tuple(market.excess(Move(dict.fromkeys(moved, spot), volatility)) for volatility in volatilities)
        for spot in spots
    )
    return Distance(
        model, level, market.start, tuple(failures), tuple(spots), tuple(volatilities), grid,
        _walk(snapshot, lots, market), snapshot.quantum_decimals,
    )  # fmt: skip


def _first(
    excess: Callable[[Fraction], int], start: int, steps: Sequence[Fraction]
) -> tuple[Fraction | None, int]:
    """The first size at which the excess is negative, to 1/10,000, and the excess there."""
    if start < 0:
        return Fraction(0), start
    good, last = Fraction(0), start
    for step in steps:
        last = excess(step)
        if last < 0:
            bad, at = step, last
            while abs(bad - good) > FINEST:
                middle = (good + bad) / 2
                found = excess(middle)
                if found < 0:
                    bad, at = middle, found
                else:
                    good = middle
            return bad, at
        good = step
    return None, last


def _priced(way: str, found: tuple[Fraction | None, int], index: Fraction) -> Failure:
    move, excess = found
    return Failure(way, move, None if move is None else index * (1 + move), excess)


def worst_direction(
    snapshot: Snapshot, lots: Sequence[int], model: str, level: Level
) -> tuple[str, Mapping[str, Fraction], Fraction] | None:
    """The moves of the scenario that a model finds worst: a label, prices by underlying, and volatility.

    None for models without scenarios. A scenario that moves volatility up or down moves it by half here.
    """
    assessment: Assessment = Engine(snapshot, model, level).requirement(lots).assessment
    tables = snapshot.models[model]
    if assessment.tail is not None and assessment.tail.worst and isinstance(tables, JointTables):
        cell = assessment.tail.worst[0][0]
        moves = tables.moves[cell].tolist()
        prices = {name: Fraction(move, 10**9) for name, move in zip(tables.units, moves, strict=True)}
        return tables.labels[cell], prices, Fraction(0)
    found: dict[str, Fraction] = {}
    labels: list[str] = []
    volatility = Fraction(0)
    largest = 0
    for unit in assessment.units:
        cells = unit.cells or getattr(tables, "cells", ())
        if not cells or not unit.loss:
            continue
        cell_ = cells[unit.worst]
        found[unit.unit] = Fraction(cell_.spot)
        labels.append(f"{unit.unit}: {cell_.label}")
        if unit.loss > largest:
            largest = unit.loss
            volatility = {"up": _VOLATILITY_STEP, "down": -_VOLATILITY_STEP / 2}.get(
                cell_.volatility, Fraction(0)
            )
    known = {name: move for name, move in found.items() if name in snapshot.inputs.indices and name != CASH}
    if not any(known.values()) and not volatility:
        return None
    return "; ".join(labels), known, volatility


def _walk(snapshot: Snapshot, lots: Sequence[int], market: Repricing) -> tuple[tuple[str, int], ...]:
    """Tomorrow, and after the next expiry, with all prices where they are; expiries settle at the index."""
    found = [("one day", market.excess(Move(time=DAY)))]
    expiries = sorted(
        instrument.expiry
        for slot, instrument in enumerate(snapshot.universe.instruments)
        if lots[slot] and instrument.expiry is not None and instrument.expiry > snapshot.valuation_time
    )
    if expiries:
        left = expiries[0] - snapshot.valuation_time
        found.append((f"the expiry of {format_time(expiries[0])}", market.excess(Move(time=left))))
    return tuple(found)
