"""Cases in lists: one list for each number of the options, and integers of 10^-18.

The published cases of Derive's first portfolio margin risk manager (PMRM) and of its standard manager (SRM) are
written so. Parameters are in no such case: they are those of its tests, or a section `Parameters` says otherwise.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.market.derive.books import Account, Book, Coin
from zkmargin.margin.market.derive.options import UNDERLYING, OptionBook
from zkmargin.margin.market.derive.part import CONTEXT, Part

UNIT: Final = 18
"""Decimal places of the integers."""
_HOUR: Final = 3600
_OPTIONS: Final = frozenset(
    {"OptionExpiries", "OptionStrikes", "OptionIsCall", "OptionAmounts", "OptionVols", "OptionVolConfidences"}
    | {"FeedExpiries", "Forwards", "ForwardConfidences"}
)
PMRM_KEYS: Final = (
    _OPTIONS
    | {"Cash", "Perps", "Base", "SpotPrice", "SpotConfidence", "PerpPrice", "PerpConfidence"}
    | {"PeroConfidence", "Rates", "RateConfidences", "ForwardsFixed", "ForwardsVariable"}
    | {"StablePrice", "StableConfidence", "UnrealizedPerpPNL", "UnrealisedPerpPNL", "UnrealizedFunding"}
    | {"UnrealisedFunding", "SVIparams", "VolShockUp", "VolShockDown", "SettlementPrice", "PercentFixed"}
)
SRM_COINS: Final = ("ETH", "BTC")
SRM_KEYS: Final = (
    _OPTIONS
    | {"OptionUnderlying", "Cash", "SpotPerpConfidences", "PerpPrice", "USDCValue"}
    | {"Discounts", "DiscountConfidences", "SVIParams", "SpotPrice"}
    | {
        key.format(coin)
        for coin in SRM_COINS
        for key in (
            *("Perps_{}", "w{}", "LastEntry{}", "{}GlobalFundingIndex", "Account{}FundingIndex"),
            *("{}SpotPrice", "SettlementPrice{}", "PercentFixed{}", "TWAP_{}"),
        )
    }
)


def pmrm_account(scenario: Part) -> Account:
    """The account of a case of PMRM; InputError naming the key and the value that cannot be used."""
    count = len(_list(scenario, "OptionExpiries"))
    held = _scaled(scenario, "Perps", "0")
    gains = [
        _scaled(scenario, key, "0")
        for key in ("UnrealizedPerpPNL", "UnrealisedPerpPNL", "UnrealizedFunding", "UnrealisedFunding")
        if held
    ]
    options = _options(scenario, range(count))
    feeds = _feeds(scenario, range(count), rates=True)
    sure = "PerpConfidence" if "PerpConfidence" in scenario.values else "PeroConfidence"
    spot = Coin(_held(scenario, "Base"), _scaled(scenario, "SpotPrice"), _sure(scenario, "SpotConfidence"))
    swaps = Coin(held, _scaled(scenario, "PerpPrice", "0"), _sure(scenario, sure))
    return Account(
        books=[Book(UNDERLYING, spot, swaps, _book(scenario, UNDERLYING, options, feeds))],
        cash=sum(gains, _scaled(scenario, "Cash", "0")),
        cash_price=canonical_decimal(_scaled(scenario, "StablePrice", "1000000000000000000")),
        collaterals={},
        source="Derive PMRM case",
        place=scenario.place,
    )


def srm_account(scenario: Part, cash_of_results: Decimal | None = None) -> Account:
    """The account of a case of the standard manager, which may hold ETH and BTC; InputError as `pmrm_account`.

    Within an hour of expiry the forward is the settlement price, as in the venue's own tests. Cash that is written in
    whole dollars, as the results show, counts as such.
    """
    named = _list(scenario, "OptionUnderlying")
    cash, books = _scaled(scenario, "Cash", "0"), []
    if cash_of_results == cash.scaleb(UNIT, CONTEXT):
        cash = cash_of_results
    for place, coin in enumerate(SRM_COINS):
        chosen = [row for row, name in enumerate(named) if name == coin]
        held = _scaled(scenario, f"Perps_{coin}", "0")
        if not chosen and not held and not _scaled(scenario, f"w{coin}", "0"):
            continue
        sure = [_fraction(scenario, "SpotPerpConfidences", x) for x in _pair(scenario, place)]
        price = _number(scenario, "PerpPrice", _list(scenario, "PerpPrice")[place])
        if held:
            cash += _gains(scenario, coin, held, price)
        spot = Coin(_held(scenario, f"w{coin}"), _scaled(scenario, f"{coin}SpotPrice"), sure[0])
        feeds = _feeds(scenario, chosen, settlement=f"SettlementPrice{coin}")
        swaps = Coin(held, price, sure[1])
        books.append(Book(coin, spot, swaps, _book(scenario, coin, _options(scenario, chosen), feeds)))
    for row, name in enumerate(named):
        if name not in SRM_COINS:
            where = f"{scenario.place}, OptionUnderlying[{row}]"
            raise InputError(where, "coin", name, f"write one of {', '.join(SRM_COINS)}")
    if not books:
        spot = Coin(Decimal(0), _scaled(scenario, "ETHSpotPrice"), Decimal(1))
        books = [Book("ETH", spot, Coin(Decimal(0), Decimal(0), Decimal(1)), _book(scenario, "ETH", [], []))]
    return Account(
        books=books,
        cash=cash,
        cash_price=canonical_decimal(_scaled(scenario, "USDCValue", "1000000000000000000")),
        collaterals={},
        source="Derive standard manager case",
        place=scenario.place,
    )


def _book(
    scenario: Part, coin: str, options: Sequence[Mapping[str, Any]], feeds: Sequence[Mapping[str, Any]]
) -> OptionBook:
    part = Part({"Options": options, "OptionFeeds": feeds}, "Scenario", scenario.place, scenario.unknown)
    return OptionBook.read(part, coin, discounted=False)


def _gains(scenario: Part, coin: str, held: Decimal, price: Decimal) -> Decimal:
    """The unrealised profit of perpetuals in USD, and the funding since it was last settled."""
    entry = _scaled(scenario, f"LastEntry{coin}", str(int(price.scaleb(UNIT, CONTEXT))))
    settled = _scaled(scenario, f"Account{coin}FundingIndex", "0")
    funding = settled - _scaled(scenario, f"{coin}GlobalFundingIndex", "0")
    return CONTEXT.multiply(held, price - entry + funding)


def _options(scenario: Part, chosen: Sequence[int]) -> list[dict[str, Any]]:
    lists = {
        "Expiry": _plain(scenario, "OptionExpiries"),
        "Strike": _decimals(scenario, "OptionStrikes"),
        "IsCall": _list(scenario, "OptionIsCall"),
        "MarkVol": _decimals(scenario, "OptionVols"),
        "Amount": _decimals(scenario, "OptionAmounts"),
    }
    _same_length(scenario, lists)
    return [{key: values[row] for key, values in lists.items()} for row in chosen]


def _feeds(
    scenario: Part, chosen: Sequence[int], *, settlement: str | None = None, rates: bool = False
) -> list[dict[str, Any]]:
    """One feed for each of the chosen options; those of one expiry say the same."""
    lists = {
        "FeedExpiry": _plain(scenario, "FeedExpiries"),
        "Forward": _decimals(scenario, "Forwards"),
        "ForwardConfidence": _decimals(scenario, "ForwardConfidences"),
        "vol": _decimals(scenario, "OptionVolConfidences"),
    }
    if rates:
        lists |= {
            "Rate": _decimals(scenario, "Rates"),
            "RateConfidence": _decimals(scenario, "RateConfidences"),
        }
        if scenario.values.get("ForwardsFixed") is not None:
            lists["ForwardFixed"] = _decimals(scenario, "ForwardsFixed")
            lists["ForwardVariable"] = _decimals(scenario, "ForwardsVariable")
    _same_length(scenario, lists)
    sure: dict[Any, list[Any]] = defaultdict(list)
    for row in chosen:
        sure[lists["FeedExpiry"][row]].append(lists["vol"][row])
    found = []
    for row in chosen:
        feed = {key: values[row] for key, values in lists.items() if key != "vol"}
        feed["OptionVolConfidences"] = sure[feed["FeedExpiry"]]
        if settlement is not None and int(feed["FeedExpiry"]) < _HOUR:
            feed["Forward"] = canonical_decimal(_scaled(scenario, settlement))
        found.append(feed)
    return found


def _held(scenario: Part, key: str) -> Decimal:
    amount = _scaled(scenario, key, "0")
    if amount < 0:
        remedy = "a base asset is never owed; write an amount that is not negative"
        raise InputError(scenario.place, key, canonical_decimal(amount), remedy)
    return amount


def _pair(scenario: Part, place: int) -> list[Any]:
    pairs = _list(scenario, "SpotPerpConfidences")
    if len(pairs) != len(SRM_COINS) or any(not isinstance(p, list) or len(p) != 2 for p in pairs):
        remedy = f"write a pair of confidences, spot and perpetual, for {' and '.join(SRM_COINS)}"
        raise InputError(scenario.place, "SpotPerpConfidences", Finding(f"{len(pairs)} entries"), remedy)
    pair: list[Any] = pairs[place]
    return pair


def _same_length(scenario: Part, lists: Mapping[str, Sequence[Any]]) -> None:
    lengths = {key: len(values) for key, values in lists.items()}
    if len(set(lengths.values())) > 1:
        stated = ", ".join(f"{key} {length}" for key, length in lengths.items())
        raise InputError(scenario.place, "lists", Finding(stated), "give every option one entry in each")


def _list(scenario: Part, key: str) -> list[Any]:
    found = scenario.needed(key)
    if not isinstance(found, list):
        raise InputError(scenario.place, key, Finding(type(found).__name__), "write a list")
    return found


def _plain(scenario: Part, key: str) -> list[Any]:
    """Seconds, which are whole."""
    found = _list(scenario, key)
    for value in found:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InputError(scenario.place, key, value, "write whole seconds")
    return found


def _decimals(scenario: Part, key: str) -> list[str]:
    return [canonical_decimal(_number(scenario, key, value)) for value in _list(scenario, key)]


def _scaled(scenario: Part, key: str, missing: str | None = None) -> Decimal:
    """An integer of 10^-18; `missing` stands in where there is none."""
    value = scenario.values.get(key)
    if value is None:
        value = scenario.needed(key) if missing is None else missing
    return _number(scenario, key, value)


def _number(scenario: Part, key: str, value: Any) -> Decimal:
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    except ArithmeticError:
        number = Decimal("NaN")
    if not number.is_finite() or number != number.to_integral_value() or number.adjusted() > 2 * UNIT:
        raise InputError(scenario.place, key, value, f"write an integer of 10^-{UNIT}")
    return number.scaleb(-UNIT, CONTEXT)


def _fraction(scenario: Part, key: str, value: Any) -> Decimal:
    """A confidence; what is above 1 counts as 1."""
    return min(Decimal(1), _number(scenario, key, value))


def _sure(scenario: Part, key: str) -> Decimal:
    """A confidence, 1 where there is none."""
    value = scenario.values.get(key)
    return Decimal(1) if value is None else _fraction(scenario, key, value)
