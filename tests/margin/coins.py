"""Markets of coins with what is listed on them, and accounts in them, invented for tests."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.margin.accounts import MONTH, NOW
from zkmargin.margin.market.quotes import Listing, Market, assemble, future, option
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot

COINS: Mapping[str, Decimal] = {
    "BTC": Decimal("88210.4"),
    "ETH": Decimal("2984.15"),
    "SOL": Decimal("126.5"),
    "XRP": Decimal("1.87"),
}


def coin_market(coins: Sequence[str], options: int = 4) -> Market:
    """Each coin with a perpetual and a future of either form, and so many options, every second of them inverse."""
    listings: list[Listing] = []
    for coin in coins:
        price = COINS[coin]
        for inverse, tag in ((True, ""), (False, "_USD")):
            perpetual = future(f"{coin}{tag}-PERPETUAL", coin, inverse=inverse, expiry=None)
            dated = future(f"{coin}{tag}-31JAN26", coin, inverse=inverse, expiry=MONTH)
            listings.append(Listing(perpetual, price * Decimal("1.0002"), "row"))
            listings.append(Listing(dated, price * Decimal("1.008"), "row"))
        listings += [_option(coin, price, number) for number in range(options)]
    return assemble("invented", NOW, {coin: COINS[coin] for coin in coins}, listings)


def _option(coin: str, price: Decimal, number: int) -> Listing:
    strike = price * (80 + 5 * (number // 2 % 9)) / 100
    listed = option(
        f"{coin}-{number}", coin, inverse=number % 2 == 0, expiry=MONTH + number // 18 * (MONTH - NOW),
        strike=strike, call=number // 2 % 2 == 0,
    )  # fmt: skip
    mark = Decimal(3 + number % 7) / 100 * (1 if listed.inverse else price)
    forward, volatility = price * Decimal("1.008"), Decimal(40 + number) / 100
    return Listing(listed, mark, "row", volatility, forward)


def coin_snapshot(coins: Sequence[str], sections: Mapping[str, Any], options: int = 4) -> Snapshot:
    """The market's snapshot under sections of the parameters, on the smallest domain that holds it."""
    market = coin_market(coins, options)
    domain = max(64, 1 << (len(market.instruments) - 1).bit_length())
    return Snapshot.build(market, parse_parameters(dict(sections), "test"), domain=domain)


@cache
def wide_market() -> Market:
    """Three coins and 75 instruments."""
    return coin_market(("BTC", "ETH", "SOL"), 20)


def coin_accounts(made: Snapshot, most: int = 60) -> st.SearchStrategy[list[int]]:
    """0 to 60 positions of any size that people hold, and cash of either sign."""
    count = len(made.universe)
    bounds = [instrument.bound for instrument in made.universe.instruments]

    def vector(held: dict[int, int]) -> list[int]:
        return [max(-bound, min(bound, held.get(slot, 0))) for slot, bound in enumerate(bounds)]

    sizes = st.integers(-(10**6), 10**6) | st.integers(-(10**14), 10**14)
    return st.dictionaries(st.integers(0, count - 1), sizes, max_size=most).map(vector)
