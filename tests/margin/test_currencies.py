"""Stablecoins and other currencies: units of the grid with shocks of their own."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from tests.circuits.law import law
from tests.margin.accounts import MONTH, NOW
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.quotes import Listing, Market, assemble, future, option
from zkmargin.margin.parameters.document import DEFAULT_PARAMETERS, parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.tables.grid import GridTables


def market() -> Market:
    call = option("BTC-C", "BTC", inverse=True, expiry=MONTH, strike=Decimal(90000), call=True)
    listings = [
        Listing(call, Decimal("0.05"), "row", Decimal("0.5"), Decimal(88500)),
        Listing(future("EURC-PERPETUAL", "EURC", inverse=False, expiry=None), Decimal("1.08"), "row"),
    ]
    prices = {"BTC": Decimal(88000), "USDC": Decimal(1), "EURC": Decimal("1.08")}
    return assemble("currencies", NOW, prices, listings)


def made(currencies: dict[str, str]) -> Snapshot:
    grid: dict[str, Any] = {"grid": {"currencies": currencies}} if currencies else {}
    return Snapshot.build(market(), parse_parameters(grid, "test"), domain=64)


def grid_of(snapshot: Snapshot) -> GridTables:
    tables = snapshot.models["grid"]
    assert isinstance(tables, GridTables)
    return tables


def test_a_currency_moves_by_its_share_of_every_shock() -> None:
    whole, part = made({}), made({"USDC": "0.05", "EURC": "0.25"})
    names = {i.name: slot for slot, i in enumerate(whole.universe.instruments)}
    before, after = grid_of(whole).risk, grid_of(part).risk
    for name, share in (("USDC", 0.05), ("EURC", 0.25), ("EURC-PERPETUAL", 0.25), ("BTC", 1), ("BTC-C", 1)):
        slot = names[name]
        assert np.abs(after[:, slot] - share * before[:, slot]).max() <= 0.51
    assert grid_of(part).units == ("BTC", "EURC (shocks x 0.25)", "USDC (shocks x 0.05)")


def test_a_balance_of_a_stablecoin_loses_its_own_shock() -> None:
    snapshot = made({"USDC": "0.05"})
    lots = [0] * len(snapshot.universe)
    lots[snapshot.universe.slot("USDC")] = 10**6 * 10**8
    (loss,) = [u.loss for u in requirement(snapshot, lots).assessment.units if u.unit.startswith("USDC")]
    # The worst is the core's -16 %, since the damped tail of -66 % counts for 3.2 % and that of -33 % likewise.
    assert loss == 10**6 * Decimal("0.008") * 10**snapshot.money_decimals


@pytest.mark.parametrize("level", ["initial", "maintenance"])
def test_the_law(level: Any) -> None:
    snapshot = made({"USDC": "0.05", "EURC": "0.25"})
    lots = [-(10**12), 10**8, 3 * 10**13, -(10**13), 10**6, -5]
    law(snapshot, lots[: len(snapshot.universe)], "grid", level)


def test_without_currencies_nothing_changes() -> None:
    assert "currencies" not in DEFAULT_PARAMETERS.document()["grid"]
    made({"USDC": "0.05"}).reproduce()


@pytest.mark.parametrize(
    ("currencies", "words"),
    [({"BTC": "0.5"}, "has options"), ({"USDC": "1.5"}, "USDC"), ({"USDC": "-1"}, "USDC")],
)
def test_currencies_that_cannot_be_used(currencies: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        made(currencies)
