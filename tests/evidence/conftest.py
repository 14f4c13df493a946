"""The chain of these tests, started once and ended with them."""

from collections.abc import Iterator

import pytest

from tests.evidence.stage import CASH, COIN, OPTION, TRADER, World, started_chain


def furnish(world: World) -> None:
    """Give the trader something everywhere, and put some blocks on top."""
    world.do("Token", "mint", TRADER, 250_000_500_000)
    world.do("SubAccounts", "open", TRADER)
    world.do("SubAccounts", "adjust", 1, CASH, 0, -50_000 * 10**18 - 1)
    world.do("SubAccounts", "adjust", 1, COIN, 0, 3 * 10**18)
    world.do("SubAccounts", "adjust", 1, OPTION, 7, -2 * 10**18)
    world.do("LendingMarket", "supply", 2 * 10**8)
    world.do("LendingMarket", "borrow", 30_000 * 10**6)
    world.do("LendingMarket", "accrue", 1_010_000_000_000_000_001, 1_020_000_000_000_000_001)
    world.chain.mine(3)


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Contracts in which the trader has something."""
    with started_chain() as chain:
        made = World.deployed(chain)
        furnish(made)
        yield made
