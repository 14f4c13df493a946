"""Coins that are too cheap to be counted in quanta: their value would be a rounding."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.margin.accounts import NOW
from zkmargin.margin.account.requirement import requirement
from zkmargin.margin.errors import InputError
from zkmargin.margin.market.quotes import Listing, Market, assemble, future
from zkmargin.margin.snapshot.snapshot import Snapshot

COINS = 10**8


def market(price: str) -> Market:
    """A coin with a perpetual in either form."""
    listings = [
        Listing(future(f"PUP{tag}-PERPETUAL", "PUP", inverse=inverse, expiry=None), Decimal(price), "row")
        for inverse, tag in ((True, ""), (False, "_USD"))
    ]
    return assemble("cheap", NOW, {"PUP": Decimal(price)}, listings)


def held(snapshot: Snapshot) -> list[int]:
    lots = [0] * len(snapshot.universe)
    lots[1] = int(COINS / snapshot.universe.instruments[1].lot)
    return lots


@pytest.mark.parametrize(
    ("price", "quantum"), [("0.00000063", 6), ("0.000999", 6), ("0.00000063", 9), ("0.000000001", 9)]
)
def test_what_would_be_a_rounding_is_refused(price: str, quantum: int) -> None:
    with pytest.raises(InputError, match=r"instrument PUP: price: '0\.0.*: too low to be counted in 10\^-"):
        Snapshot.build(market(price), domain=64, quantum_decimals=quantum)


@pytest.mark.parametrize(("price", "quantum"), [("0.001", 6), ("0.0010004", 6), ("0.0000010004", 9)])
def test_what_is_counted_is_worth_what_it_is_counted_for(price: str, quantum: int) -> None:
    made = Snapshot.build(market(price), domain=64, quantum_decimals=quantum)
    value = Decimal(requirement(made, held(made)).account_value).scaleb(-made.money_decimals)
    exact = COINS * Decimal(price)
    assert abs(value - exact) <= exact * Decimal("0.0005")


def test_larger_contracts_are_fine_enough() -> None:
    """The same cheap coin, with tables for ten thousand of it."""
    cheap = market("0.00000063")
    instruments = tuple(replace(i, contract_exponent=4) for i in cheap.instruments)
    made = Snapshot.build(replace(cheap, instruments=instruments), domain=64)
    value = Decimal(requirement(made, held(made)).account_value).scaleb(-made.money_decimals)
    assert value == COINS * Decimal("0.00000063")
