"""Every model beside an independent reading of its documentation, in plain floating point.

SPAN, TIMS and PMRM 2 have theirs beside their own tests: models/test_span.py, models/test_tims.py, pmrm2_formulas.py.
"""

import random
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.margin import reading, reading_venues
from tests.margin.joint import DRAWN, joint
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.market import example_market
from zkmargin.margin.models import MODELS
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import LEVELS, Level

GIVEN: dict[str, Any] = {
    "source": "given",
    "coins": ["BTC", "ETH"],
    "volatilities": ["0.5", "0.7"],
    "correlation": [["1", "0.8"], ["0.8", "1"]],
}
COVARIANCE = [[0.25 / 365, 0.28 / 365], [0.28 / 365, 0.49 / 365]]
THRESHOLD = 1_000_000


@cache
def made(venue: str) -> Snapshot:
    sections: dict[str, Any] = {
        "": {"es": DRAWN, "var": DRAWN, "correlation": GIVEN, "tiered": {"threshold": str(THRESHOLD)}},
        "cross": {"deribit": {"collateral": "cross", "gain_offset": "0.4"}},
    }.get(venue, {venue: {}})
    return Snapshot.build(example_market(), parse_parameters(sections, "x"), domain=256)


def accounts(snapshot: Snapshot, count: int) -> list[list[int]]:
    """Books of a dozen positions and balances, of both signs; a few are large."""
    draw = random.Random(17)
    found = []
    for number in range(count):
        lots = [0] * len(snapshot.universe)
        for slot in draw.sample(range(len(lots)), 12):
            i = snapshot.universe.instruments[slot]
            size = 10 ** draw.uniform(0, 2.5 if number % 4 else 3.5)
            quantity = size * (1000 if i.inverse and i.kind != "option" else 0.1)
            lots[slot] = round(draw.choice((-1, 1)) * quantity * 10.0**-i.lot_exponent)
        for slot, i in enumerate(snapshot.universe.instruments):
            if i.kind == "balance":
                whole = draw.choice((300_000, 3_000_000)) if i.name == "USD" else draw.choice((-3, 0, 40))
                lots[slot] = round(whole * 10.0**-i.lot_exponent)
        found.append(lots)
    return found


def agree(found: float, read: float, scale: float, tolerance: float) -> None:
    assert abs(found - read) <= tolerance * max(1.0, abs(read), scale), (found, read)


Reader = Callable[[reading.Account, str, list[dict[str, float]]], float]
READ: dict[str, dict[str, Reader]] = {
    "": {
        "cross": lambda a, level, _: reading.by_rates(a, level, isolated=False),
        "isolated": lambda a, level, _: reading.by_rates(a, level, isolated=True),
        "grid": lambda a, level, _: reading.grid(a, level),
        "tiered": lambda a, level, _: reading.tiered(a, level, THRESHOLD),
        "es": reading.shortfall,
        "var": reading.at_risk,
        "correlation": lambda a, level, _: reading.correlation(a, level, COVARIANCE, ["BTC", "ETH"]),
    },
    "deribit": {"grid": lambda a, level, _: reading_venues.deribit(a, level)},
    "cross": {"grid": lambda a, level, _: reading_venues.deribit(a, level, cross=True, offset=0.4)},
    "okx": {"grid": lambda a, level, _: reading_venues.okx(a, level)},
    "bybit": {"grid": lambda a, level, _: reading_venues.bybit(a, level)},
    "binance": {"grid": lambda a, level, _: reading_venues.binance(a, level)},
}
CASES = [(venue, model) for venue, each in READ.items() for model in each]


def moves(snapshot: Snapshot) -> list[dict[str, float]]:
    if "es" not in snapshot.models:
        return []
    tables = joint(snapshot)
    return [dict(zip(tables.units, [x / 1e9 for x in row], strict=True)) for row in tables.moves.tolist()]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("venue", "model"), CASES, ids=[f"{v or 'default'} {m}" for v, m in CASES])
def test_a_reader_of_the_documentation_finds_the_same(venue: str, model: str, level: Level) -> None:
    """To a hundred-thousandth; the delta shock's chords, which lie above their parabola, to a hundredth of it."""
    snapshot = made(venue)
    scenarios = moves(snapshot)
    tolerance = 1e-3 if venue in ("deribit", "cross") else 1e-5
    for lots in accounts(snapshot, 16):
        found = requirement(snapshot, lots, model=model, level=level)
        account = reading.Account(snapshot, lots)
        unit = 10.0**snapshot.money_decimals
        agree(found.account_value / unit, account.value(), 0, 1e-6)
        read = READ[venue][model](account, level, scenarios)
        agree(float(found.requirement) / unit, read, 0, tolerance)


def test_every_model_has_its_reader() -> None:
    beside = {"span", "tims"}
    assert {model for each in READ.values() for model in each} | beside == set(MODELS)
