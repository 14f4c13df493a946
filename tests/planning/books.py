"""Accounts that are short of margin, for plans to mend."""

from collections.abc import Mapping
from functools import cache

from hypothesis import strategies as st

from tests.margin.joint import DRAWN
from tests.margin.models.test_correlation import GIVEN
from zkmargin.cli.demo.account import example_positions
from zkmargin.margin.account.holdings import Holdings
from zkmargin.margin.market import example_market
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level
from zkmargin.planning.costs import Pricing
from zkmargin.planning.engine import Engine

SECTIONS = {
    "grid": {},
    "cross": {},
    "isolated": {},
    "span": {},
    "es": {"es": DRAWN},
    "var": {"var": DRAWN},
    "tiered": {"tiered": {"threshold": "100000"}},
    "correlation": {"correlation": dict(GIVEN)},
    "pmrm2": {"pmrm2": {}},
    "deribit": {"deribit": {"collateral": "cross"}},
    "okx": {"okx": {}},
}
"""Parameters by name; the last three are rules of venues for the grid."""

CONVEX = ("grid", "cross", "isolated", "es", "correlation", "deribit", "okx")
"""Models whose rows have no bits."""


@cache
def pricing(name: str = "grid") -> Pricing:
    """The example market under one set of parameters, at the usual costs."""
    return Pricing(Snapshot.build(example_market(), parse_parameters(SECTIONS[name], "test")))


def model_of(name: str) -> str:
    return "grid" if name in ("pmrm2", "deribit", "okx") else name


def book(snapshot: Snapshot, held: Mapping[str, int]) -> list[int]:
    """Lots by slot from lots by name."""
    lots = [0] * len(snapshot.universe)
    for name, amount in held.items():
        lots[snapshot.universe.slot(name)] = amount
    return lots


def example(snapshot: Snapshot) -> list[int]:
    """The account of the demonstration."""
    return Holdings.of(example_positions(), snapshot).vector(snapshot)


def short_by(
    snapshot: Snapshot, lots: list[int], usd: float, model: str = "grid", level: Level = "maintenance"
) -> list[int]:
    """The account with so much cash that it lacks so many USD."""
    missing = list(lots)
    cash = snapshot.universe.slot("USD")
    tick = snapshot.universe.instruments[cash].lot_exponent + snapshot.quantum_decimals
    assert tick == 0
    missing[cash] -= Engine(snapshot, model, level).excess(lots) + int(usd * 10**snapshot.quantum_decimals)
    return missing


def short_books(snapshot: Snapshot, model: str, largest: int = 200) -> st.SearchStrategy[list[int]]:
    """Two to six positions, and less cash than maintenance takes, by up to a half of the requirement."""
    instruments = snapshot.universe.instruments
    slots = [slot for slot, i in enumerate(instruments) if i.kind in ("option", "future", "perpetual")]
    sizes = st.integers(1, largest).flatmap(lambda n: st.sampled_from((n, -n)))
    held = st.dictionaries(st.sampled_from(slots), sizes, min_size=2, max_size=6)

    def made(drawn: tuple[dict[int, int], int]) -> list[int]:
        positions, percent = drawn
        lots = [0] * len(instruments)
        for slot, amount in positions.items():
            # A lot of an inverse future is one USD; the others are tenths of coins or so.
            coarse = 1000 if instruments[slot].inverse and instruments[slot].kind != "option" else 1
            lots[slot] = amount * coarse
        lots[snapshot.universe.slot("USD")] = 10**12
        required = Engine(snapshot, model, "maintenance").requirement(lots).requirement_ticks
        return short_by(snapshot, lots, required * percent / 100 / 10**snapshot.quantum_decimals, model)

    return st.tuples(held, st.integers(1, 50)).map(made)
