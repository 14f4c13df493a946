"""Markets, snapshots and accounts that several tests use."""

import os
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import strategies as st

from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.market import Market, example_market, read_csv_pair
from zkmargin.margin.market.quotes import Listing, assemble, future, option
from zkmargin.margin.snapshot.snapshot import Snapshot

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/market"
DERIBIT = Path(__file__).parent / "fixtures/deribit"

NOW = 1_767_254_400_000_000
MONTH = NOW + 30 * 86_400_000_000


@cache
def example() -> Snapshot:
    return Snapshot.build(example_market())


def tiny_market(**changes: Decimal) -> Market:
    """One coin: inverse and linear perpetual and future, a call and a put of either form."""
    numbers = {
        "index": Decimal(50000),
        "perpetual": Decimal(50010),
        "future": Decimal(50400),
        "forward": Decimal(50400),
        "volatility": Decimal("0.6"),
        "mark": Decimal("0.05"),
        "strike": Decimal(52000),
    } | changes
    listings: list[Listing] = []
    for inverse, tag in ((True, ""), (False, "_USD")):
        perpetual = future(f"BTC{tag}-PERPETUAL", "BTC", inverse=inverse, expiry=None)
        dated = future(f"BTC{tag}-31JAN26", "BTC", inverse=inverse, expiry=MONTH)
        listings.append(Listing(perpetual, numbers["perpetual"], "row"))
        listings.append(Listing(dated, numbers["future"], "row"))
        for call in (True, False):
            name = f"BTC{tag}-31JAN26-K-{'C' if call else 'P'}"
            listed = option(name, "BTC", inverse=inverse, expiry=MONTH, strike=numbers["strike"], call=call)
            mark = numbers["mark"] if inverse else numbers["mark"] * numbers["index"]
            listings.append(Listing(listed, mark, "row", numbers["volatility"], numbers["forward"]))
    return assemble("tiny", NOW, {"BTC": numbers["index"]}, listings)


@cache
def tiny() -> Snapshot:
    return Snapshot.build(tiny_market(), domain=64)


@cache
def recorded() -> Snapshot:
    """The recorded market's snapshot; skips where the recording is absent, but never in CI."""
    return Snapshot.build(recorded_market())


def recorded_market() -> Market:
    if not RECORDED.is_dir() and not os.environ.get("CI"):
        pytest.skip("the recorded market is not beside the repository")
    return read_csv_pair(RECORDED / "options_btc_eth.csv", RECORDED / "futures_btc_eth.csv")


def lots_of(snapshot: Snapshot, largest: int = 10**6) -> st.SearchStrategy[list[int]]:
    """Accounts with a few positions of any size up to `largest` lots, within the bounds."""
    count = len(snapshot.universe)

    def vector(held: dict[int, int]) -> list[int]:
        bounds = (instrument.bound for instrument in snapshot.universe.instruments)
        return [max(-bound, min(bound, held.get(slot, 0))) for slot, bound in enumerate(bounds)]

    slots = st.dictionaries(st.integers(0, count - 1), st.integers(-largest, largest), max_size=12)
    return slots.map(vector)


def holdings(snapshot: Snapshot, *rows: tuple[str, str] | tuple[str, str, str]) -> Holdings:
    """Holdings from (instrument, quantity[, entry price])."""
    positions = [
        Position(row[0], Decimal(row[1]), Decimal(row[2]) if len(row) == 3 else None) for row in rows
    ]
    return Holdings.of(positions, snapshot)
