"""Published results of Derive's standard manager (SRM), with what the accounts held.

Two sets: accounts on ETH at 1,500 USD with a smile, and accounts on ETH at 2,000 USD and BTC at 28,000 USD with a flat
volatility of 50 %, whose results are printed in whole dollars, cut towards zero. Numbers of derivexyz/v2-core,
test/risk-managers/unit-tests/StandardManager.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

UNIT = 10**18

Option = tuple[str, int, str, str, str, str]
"""Coin, seconds to expiry, strike, "c" or "p", amount, volatility."""

VOLATILITIES = {
    (500400, 1000): "1.262012129931914496",
    (500400, 1100): "1.198874027186882048",
    (500400, 1200): "1.138939398828297472",
    (500400, 1300): "1.083189415509876480",
    (500400, 1500): "1.047884494084986240",
    (500400, 1600): "1.081482216317601280",
    (500400, 1700): "1.116354471205355648",
    (500400, 1800): "1.149296483209361792",
    (500400, 1900): "1.179993832279113216",
    (500400, 2500): "1.326538658030860032",
    (500400, 4500): "1.597344442228649472",
    (900, 1000): "1.261652886173746688",
    (900, 1200): "1.138552060953866880",
    (900, 1500): "1.048124566815733120",
    (900, 2500): "1.326819474341134848",
}
"""By seconds to expiry and strike."""

FORWARDS = {
    ("ETH", 900): "1500.001498288419766272",
    ("ETH", 500400): "1500.833279310993817600",
}


@dataclass(frozen=True)
class Published:
    """One account."""

    name: str
    options: Sequence[Option]
    initial: str
    maintenance: str
    amounts: Mapping[str, str] = field(default_factory=dict)
    """What is held beside options, and prices, that are not those of the others."""
    sure: Mapping[str, str] = field(default_factory=dict)
    """Confidences below 1: of "vol", "forward" and "rate"; of "spot ETH" and "perpetual ETH", and of BTC."""


def eth(*held: tuple[int, str, str], expiry: int = 500400) -> list[Option]:
    return [("ETH", expiry, str(k), side, n, VOLATILITIES[expiry, k]) for k, side, n in held]


LONG = eth((1500, "c", "1"))
SHORT = eth((1500, "c", "-1"))
BOX = eth((1500, "c", "-1"), (1500, "p", "1"), (2500, "c", "1"), (2500, "p", "-1"))
SETTLING = {"SettlementPriceETH": "1450.168707905438089216"}
ASKED = ("-304.371585189059952640", "-191.871585189059952640")
NOTHING = ("0", "0")

WITH_A_SMILE = (
    Published("1", SHORT, *ASKED),
    Published("2", LONG, *NOTHING),
    Published("3", eth((1900, "c", "-1")), "-156.008261835426660352", "-118.508261835426660352"),
    Published("4", eth((1300, "p", "-1")), "-164.322794294374039552", "-126.822794294374039552"),
    Published("5", eth((1100, "c", "-1"), (1300, "c", "1")), "-200", "-200"),
    Published(
        "6", eth((1900, "c", "1"), (1700, "c", "-1")), "-173.104014466582446080", "-135.604014466582446080"
    ),
    Published(
        "7",
        eth((1200, "c", "1"), (1000, "c", "-1"), (2500, "c", "-0.1")),
        "-380.099993517319258112",
        "-365.091660724209385472",
    ),
    Published("8", LONG, *NOTHING, sure={"spot ETH": "0.3"}),
    Published("9", LONG, *NOTHING, sure={"spot ETH": "0.1"}),
    Published("10", SHORT, *ASKED, sure={"spot ETH": "0.8"}),
    Published("11", LONG, *NOTHING, sure={"spot ETH": "0.8", "perpetual ETH": "0.3"}),
    Published("12", LONG, *NOTHING, sure={"vol": "0.4", "forward": "0.4", "rate": "0.4"}),
    Published("13", LONG, *NOTHING, sure={"vol": "0.1", "forward": "0.4", "rate": "0.4"}),
    Published("14", LONG, *NOTHING, sure={"forward": "0.1"}),
    Published("15", LONG, *NOTHING, sure={"rate": "0.3"}),
    Published("16", SHORT, "-1528.371585189059756032", "-191.871585189059952640", {"USDCValue": "0.3"}),
    Published(
        "17",
        [],
        "-117.825",
        "-95.25",
        {"Perps_ETH": "1", "LastEntryETH": "1535", "AccountETHFundingIndex": "10"},
    ),
    Published("18", [], "149.999999999999967232", "149.999999999999967232", {"wETH": "1"}),
    Published(
        "19", eth((1800, "c", "-1")), "-11.877712074679975936", "25.622287925320024064", {"wETH": "1"}
    ),
    Published("20", [], "-360", "149.999999999999967232", {"wETH": "1"}, {"spot ETH": "0.15"}),
    Published("21", eth((4500, "p", "-1")), "-3385.309438429764255744", "-3224.104227075965583360"),
    Published("22", BOX, "-1000", "-1000"),
    Published(
        "23", eth((1500, "c", "1"), (1500, "p", "-1"), (1600, "c", "-1"), (1600, "p", "1")), *NOTHING
    ),
    Published(
        "24",
        eth((1500, "c", "-1"), expiry=900),
        "-225.000000001042219008",
        "-112.500000001042202624",
        SETTLING,
    ),
    Published(
        "25",
        eth((1200, "c", "1"), (1000, "c", "-1"), (2500, "c", "-0.1"), expiry=900),
        "-374.020244948652589056",
        "-359.518557869598244864",
        SETTLING,
    ),
)

DAYS = {"0104": 288000, "0111": 892800, "0118": 1497600, "0227": 4953600}
"""Of 2023, as seconds to 8:00 UTC from the first of January."""
FLAT = {
    ("ETH", 288000): "2000.91345",
    ("ETH", 892800): "2002.83305",
    ("ETH", 1497600): "2004.7545",
    ("ETH", 4953600): "2015.7696",
    ("BTC", 288000): "28012.7883",
    ("BTC", 892800): "28039.66276",
    ("BTC", 1497600): "28066.56301",
    ("BTC", 4953600): "28220.77451",
}


def flat(text: str) -> list[Option]:
    """Options such as "ETH 0118 2000 c -1", with commas between."""
    found = []
    for option in text.split(","):
        coin, day, strike, side, amount = option.split()
        found.append((coin, DAYS[day], strike, side, amount, "0.5"))
    return found


def entered(price: str, amount: str = "1") -> dict[str, str]:
    return {"Perps_ETH": amount, "LastEntryETH": price}


GENERAL = (
    "ETH 0104 7400 p -1, ETH 0118 7400 p -1, ETH 0118 2000 c -4, ETH 0118 2000 p 2.1, ETH 0118 2500 c 14,"
    "ETH 0118 2500 p 32.1, ETH 0227 1000 c 100, BTC 0111 24450 c -1.2, BTC 0111 24800 c 1.2, BTC 0227 10000 p -11"
)

IN_DOLLARS = (
    Published("long ATM call", flat("ETH 0111 2000 c 1"), *NOTHING),
    Published("long ATM put", flat("ETH 0111 2000 p 1"), *NOTHING),
    Published("short ITM call", flat("ETH 0111 1500 c -1"), "-802", "-652"),
    Published("short ITM put", flat("ETH 0111 3000 p -2"), "-2594", "-2294"),
    Published("short OTM call", flat("ETH 0118 2500 c -1"), "-201", "-151"),
    Published("short OTM put", flat("ETH 0111 1100 p -1"), "-200", "-150"),
    Published("short call spread at its loss", flat("ETH 0111 1800 c -1, ETH 0111 2000 c 1"), "-200", "-200"),
    Published("short put spread at its loss", flat("ETH 0111 2500 p 1, ETH 0111 3000 p -1"), "-500", "-500"),
    Published("short call spread, isolated", flat("ETH 0111 2300 c -1, ETH 0111 4000 c 1"), "-203", "-153"),
    Published("short put spread, isolated", flat("ETH 0111 1200 p 1, ETH 0111 2000 p -1"), "-365", "-215"),
    Published(
        "two expiries at their losses",
        flat("ETH 0111 1800 c -1, ETH 0111 2000 c 1, ETH 0118 1800 c -1, ETH 0118 2000 c 1"),
        "-400",
        "-400",
    ),
    Published(
        "two expiries, isolated",
        flat("ETH 0111 1200 p 1, ETH 0111 1500 p -1, ETH 0227 2500 c -1, ETH 0227 2700 c 1"),
        "-400",
        "-331",
    ),
    Published(
        "two coins, one at its loss",
        flat("ETH 0111 3200 c -1, ETH 0111 3500 c 1, BTC 0227 33000 c -1, BTC 0227 35000 c 1"),
        "-2200",
        "-2150",
    ),
    Published(
        "two coins with two expiries each",
        flat(
            "ETH 0118 2900 p 1, ETH 0118 3500 p -1, ETH 0227 3000 c -1, ETH 0227 3200 c 1,"
            "BTC 0118 35000 p 1, BTC 0118 38000 p -1, BTC 0111 36000 c -1, BTC 0111 40000 c 1"
        ),
        "-6601",
        "-5855",
    ),
    Published("long call spread", flat("ETH 0111 2900 c 1, ETH 0111 3500 c -1"), *NOTHING),
    Published("long put spread", flat("ETH 0111 2900 p -1, ETH 0111 3500 p 1"), *NOTHING),
    Published(
        "long box",
        flat("ETH 0111 1000 c 1, ETH 0111 1000 p -1, ETH 0111 2000 c -1, ETH 0111 2000 p 1"),
        *NOTHING,
    ),
    Published(
        "short box",
        flat("ETH 0111 1000 c -1, ETH 0111 1000 p 1, ETH 0111 2000 c 1, ETH 0111 2000 p -1"),
        "-1000",
        "-1000",
    ),
    Published("short put at the loss at zero", flat("ETH 0118 100 p -1"), "-100", "-100"),
    Published("short put, cash at 0.1", flat("ETH 0118 2000 p -1"), "-2496", "-234", {"USDCValue": "0.1"}),
    Published("more short calls than long", flat("ETH 0111 1100 c -1.01, ETH 0111 1200 c 1"), "-125", "-123"),
    Published("short call, bitcoin held", flat("ETH 0118 2000 c -1"), "22010", "22160", {"wBTC": "1"}),
    Published(
        "short bitcoin spread, ether held",
        flat("BTC 0111 20000 c -1, BTC 0111 22000 c 1"),
        "-400",
        "-400",
        {"wETH": "1"},
    ),
    Published("ether held", [], "1600", "1600", {"wETH": "1"}),
    Published(
        "short call, cash and bitcoin held",
        flat("ETH 0118 2000 c -1"),
        "32010",
        "32160",
        {"wBTC": "1", "Cash": "10000"},
    ),
    Published("long perpetual", [], "-134", "-104", entered("2005")),
    Published("long perpetual, entered above", [], "-329", "-299", entered("2200")),
    Published("long perpetual, entered below", [], "470", "500", entered("1400")),
    Published("short perpetual", [], "-131", "-101", entered("2000", "-1")),
    Published("short perpetual, entered below", [], "-631", "-601", entered("1500", "-1")),
    Published("short perpetual, entered above", [], "68", "98", entered("2200", "-1")),
    Published("long perpetual, bitcoin held", [], "22265", "22295", {"wBTC": "1"} | entered("2005")),
    Published("short call, unsure volatility", flat("ETH 0118 2000 c -1"), "-1109", "-239", {}, {"vol": "0.1"}),
    Published(
        "short call, unsure forward",
        flat("ETH 0118 2000 c -1"),
        "-869",
        "-239",
        {},
        {"vol": "0.5", "forward": "0.399999999999999999"},
    ),
    Published(
        "short call, unsure spot",
        flat("ETH 0118 2000 c -1"),
        "-1029",
        "-239",
        {},
        {"vol": "0.5", "forward": "0.4", "spot ETH": "0.2"},
    ),
    Published(
        "long call, unsure spot",
        flat("ETH 0118 2000 c 1"),
        *NOTHING,
        {},
        {"vol": "0.5", "forward": "0.4", "spot ETH": "0.2"},
    ),
    Published(
        "two expiries, one unsure",
        flat("ETH 0118 2000 c -1, ETH 0227 2300 p -2"),
        "-2246",
        "-1236",
        {},
        {"vol 0118": "0.3", "forward 0118": "0.4", "spot ETH": "0.9"},
    ),
    Published("long perpetual, unsure", [], "-854", "-104", entered("2005"), {"perpetual ETH": "0.1"}),
    Published("ether held, unsure spot", [], "880", "1600", {"wETH": "1"}, {"spot ETH": "0.1"}),
    Published("deep ITM put, initial by scale", flat("ETH 0104 7400 p -1"), "-6094", "-5804"),
    Published("long perpetual, cash at 0.1", [], "-2246", "-104", {"USDCValue": "0.1"} | entered("2005")),
    Published(
        "a bit of everything",
        flat(GENERAL),
        "371310",
        "394499",
        {"wETH": "4", "wBTC": "19", "Cash": "-3522.42", "USDCValue": "0.97"}
        | {"Perps_ETH": "2", "LastEntryETH": "2007", "Perps_BTC": "-4", "LastEntryBTC": "30000"},
        {"vol 0118": "0.5", "forward 0118": "0.399999999999999999", "spot ETH": "0.2"},
    ),
)


def integer(number: str) -> int:
    """An integer of 10^-18."""
    return int(Decimal(number).scaleb(18))


def document(case: Published, *, dollars: bool = False) -> dict[str, Any]:
    """The case in lists, as the venue writes it, with parameters where they are not those of the lists' tests."""
    forwards = FLAT if dollars else FORWARDS
    spots, perpetuals = (("2000", "28000"), ("2001", "28020")) if dollars else (("1500", "28000"), ("1505", "27990"))
    amounts = {"Cash": "0", "Perps_ETH": "0", "Perps_BTC": "0", "wETH": "0", "wBTC": "0", "USDCValue": "1"}
    amounts |= {"ETHSpotPrice": spots[0], "BTCSpotPrice": spots[1], "ETHGlobalFundingIndex": "0"} | dict(case.amounts)
    expiries = [option[1] for option in case.options]

    def sure(what: str) -> list[int]:
        days = {seconds: day for day, seconds in DAYS.items()}
        stated = (case.sure.get(f"{what} {days.get(expiry)}", case.sure.get(what, "1")) for expiry in expiries)
        return [integer(confidence) for confidence in stated]

    scenario: dict[str, Any] = {key: integer(value) for key, value in amounts.items()}
    scenario |= {
        "OptionUnderlying": [option[0] for option in case.options],
        "OptionExpiries": expiries,
        "OptionStrikes": [integer(option[2]) for option in case.options],
        "OptionIsCall": [int(option[3] == "c") for option in case.options],
        "OptionAmounts": [integer(option[4]) for option in case.options],
        "OptionVols": [integer(option[5]) for option in case.options],
        "OptionVolConfidences": sure("vol"),
        "FeedExpiries": expiries,
        "Forwards": [integer(forwards[option[0], option[1]]) for option in case.options],
        "ForwardConfidences": sure("forward"),
        "DiscountConfidences": sure("rate"),
        "PerpPrice": [integer(price) for price in perpetuals],
        "SpotPerpConfidences": [
            [integer(case.sure.get(f"{feed} {coin}", "1")) for feed in ("spot", "perpetual")]
            for coin in ("ETH", "BTC")
        ],
    }
    results = {"realIM": integer(case.initial), "realMM": integer(case.maintenance)}
    parameters: dict[str, Any] = {"Parameters": {"srm": {}}} if dollars else {}
    return {"Scenario": scenario, **parameters, "Result": results}
