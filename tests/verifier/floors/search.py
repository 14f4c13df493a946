"""A search for accounts of which one set of parameters asks less than another."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from scipy.optimize import linprog

from tests.margin.accounts import MONTH, NOW
from tests.margin.securities import wide_market
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.quotes import Listing, Market, assemble, future, option
from zkmargin.margin.models import MODELS
from zkmargin.margin.parameters.document import Parameters, parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level

ROUNDINGS = 20
"""So many table entries of a slot may each be off by one quantum for each contract."""

_BTC, _ETH = Decimal("88210.4"), Decimal("2984.15")
_LARGE = Decimal(1_000_000)
"""USD that one step of the search moves a position by."""


@cache
def coins() -> Market:
    """Options on BTC alone, so that ETH can be given a share of the shocks."""
    listings = [
        Listing(future("BTC-PERPETUAL", "BTC", inverse=True, expiry=None), _BTC, "row"),
        Listing(future("BTC_USD-PERPETUAL", "BTC", inverse=False, expiry=None), _BTC, "row"),
        Listing(
            future("BTC_USD-31JAN26", "BTC", inverse=False, expiry=MONTH), _BTC * Decimal("1.008"), "row"
        ),
        Listing(future("ETH_USD-PERPETUAL", "ETH", inverse=False, expiry=None), _ETH, "row"),
        Listing(future("ETH_USD-31JAN26", "ETH", inverse=False, expiry=MONTH), _ETH * Decimal("1.01"), "row"),
    ]
    soon = NOW + (MONTH - NOW) // 3
    for strike, expiry, mark in (
        (70000, soon, 600),
        (88000, soon, 5000),
        (105000, soon, 900),
        (250000, MONTH, 9),
    ):
        call = strike > 80000
        made = option(
            f"BTC_USD-{strike}", "BTC", inverse=False, expiry=expiry, strike=Decimal(strike), call=call
        )
        listings.append(Listing(made, Decimal(mark), "row", Decimal("0.5"), _BTC * Decimal("1.008")))
    return assemble("searched", NOW, {"BTC": _BTC, "ETH": _ETH}, listings)


def securities() -> Market:
    """Shares, indices and what is listed on them."""
    return wide_market(3)


@dataclass(frozen=True)
class Priced:
    """A market under one set of parameters, for one model."""

    snapshot: Snapshot
    model: str

    def requirement(self, lots: Sequence[int], level: Level) -> Fraction:
        universe = self.snapshot.universe
        tables = self.snapshot.models[self.model]
        found = MODELS[self.model].requirement(tables, universe, universe.scale, lots, level)
        return Fraction(found.amount)


def priced(market: Callable[[], Market], model: str, parameters: Parameters) -> Priced | None:
    """The market under the parameters; None where they cannot price it."""
    try:
        made = Snapshot.build(market(), parameters, only=(model,), domain=64)
    except InputError:
        return None
    return Priced(made, model) if model in made.models else None


def parsed(document: dict[str, Any]) -> Parameters | None:
    """The parameters; None for what is refused."""
    try:
        return parse_parameters(document, "test")
    except InputError:
        return None


def cheaper(asked: Priced, found: Priced, level: Level, effort: int = 120) -> list[int] | None:
    """An account of which `found` asks less than `asked`, by more than roundings; None if none was met with."""
    universe = asked.snapshot.universe
    units = _units(asked.snapshot)

    def gain(lots: Sequence[int]) -> Fraction:
        rounding = ROUNDINGS * sum(
            abs(held) * scale for held, scale in zip(lots, universe.scale, strict=True)
        )
        return asked.requirement(lots, level) - found.requirement(lots, level) - rounding

    draw = random.Random(7)
    starts = [*_separating(asked, found, units), *_single(units)]
    starts += [[draw.choice((-2, -1, 0, 0, 1, 2)) * unit for unit in units] for _ in range(10)]
    ranked = sorted(starts, key=gain, reverse=True)
    best, most = ranked[0], gain(ranked[0])
    for _ in range(effort):
        if most > 0:
            return best
        slot = draw.randrange(len(units))
        step = draw.choice((-4, -1, 1, 4)) * units[slot] // draw.choice((1, 8))
        tried = list(best)
        tried[slot] = draw.choice((tried[slot] + step, -tried[slot], 0, 2 * tried[slot]))
        other = gain(tried)
        if other >= most:
            best, most = tried, other
    return best if most > 0 else None


def _units(snapshot: Snapshot) -> list[int]:
    """Lots of each slot that are worth about as much."""
    found = []
    for instrument in snapshot.universe.instruments:
        usd = instrument.underlying == "USD" or (instrument.inverse and instrument.kind == "future")
        price = Decimal(1) if usd else Decimal(snapshot.inputs.indices[instrument.underlying])
        lots = int(_LARGE / (price * instrument.lot * instrument.multiplier))
        found.append(max(1, min(lots, instrument.bound // 1000)))
    return found


def _single(units: Sequence[int]) -> Iterator[list[int]]:
    for slot, unit in enumerate(units):
        for sign in (1, -1):
            yield [sign * unit if place == slot else 0 for place in range(len(units))]


def _separating(asked: Priced, found: Priced, units: Sequence[int], most: int = 6) -> Iterator[list[int]]:
    """Accounts that lose in a scenario of `asked`, and as little as may be in all of `found`: linear programs."""
    both: tuple[Any, ...] = tuple(one.snapshot.models[one.model] for one in (asked, found))
    tables, others = both
    if not hasattr(tables, "risk"):
        return
    scale = np.array(asked.snapshot.universe.scale, dtype=object) * np.array(units, dtype=object)
    losses, fewer = (-(one.risk.astype(object) * scale).astype(float) for one in (tables, others))
    largest = max(np.abs(losses).max(), np.abs(fewer).max(), 1.0)
    losses, fewer = losses / largest, fewer / largest
    new = [row for row in losses if not any(np.array_equal(row, other) for other in fewer)]
    # Variables: positions in units, and z, at least every loss under `found` and at least 0.
    limits = np.hstack([fewer, -np.ones((len(fewer), 1))])
    bounds = [(-8, 8)] * len(units) + [(0, None)]
    for row in new[:: max(1, len(new) // most)]:
        solved = linprog([*(-row), 1.0], A_ub=limits, b_ub=np.zeros(len(fewer)), bounds=bounds)
        if solved.status == 0:
            yield [round(part * unit) for part, unit in zip(solved.x[:-1], units, strict=True)]
