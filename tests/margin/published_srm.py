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


FORWARDS |= {
    ("ETH", 1191600): "1501.985045187195830272",
    ("ETH", 2487600): "1504.146989085687808",
    ("ETH", 7758000): "1512.971000787409567744",
    ("BTC", 900): "28000.027968050502303744",
    ("BTC", 500400): "28015.554547138552659968",
    ("BTC", 1191600): "28037.054176827652702208",
    ("BTC", 2487600): "28077.410462932844675072",
    ("BTC", 7758000): "28242.125348031648759808",
}

LARGE = """
BTC 900 17000 p 1 1.320984566305318912
BTC 900 19000 c -1 1.250134338233608192
BTC 900 46000 c 10 1.3195122668174336
BTC 900 51000 p -3 1.371083224000902144
BTC 900 60000 p -1 1.44868708014071296
BTC 500400 11000 c -1 1.569122007346926848
BTC 500400 40000 p -3 1.246138408883320576
BTC 500400 43000 p 10 1.284446443694539264
BTC 500400 46000 p 10 1.319229961189179904
BTC 500400 54000 p 5 1.398590103152026624
BTC 500400 60000 c 1 1.448429298934227456
BTC 1191600 14000 p 5 1.437456071716581376
BTC 1191600 22000 p -3 1.15203365447103168
BTC 1191600 31000 c 5 1.102386854995003136
BTC 1191600 37000 c 5 1.20319234583649536
BTC 1191600 43000 p 10 1.284045673969260544
BTC 1191600 48000 c 1 1.34035245649102592
BTC 2487600 17000 c 5 1.322697505636562944
BTC 2487600 22000 p 10 1.153033397544527104
BTC 2487600 34000 p -20 1.154802691702705408
BTC 2487600 34000 c -3 1.154802691702705408
BTC 2487600 37000 c -3 1.202395474507852544
BTC 2487600 43000 p 1 1.283293914337916672
BTC 2487600 43000 c 10 1.283293914337916672
BTC 2487600 54000 p 1 1.397528234185979648
BTC 2487600 57000 c -3 1.423336444018317312
BTC 7758000 8000 p 5 1.732141112410899968
BTC 7758000 11000 p -3 1.573345230862685952
BTC 7758000 22000 p 5 1.157094331524444416
ETH 900 2100 c 5 1.235543454343518976
ETH 900 3300 c -3 1.460873148425928192
ETH 900 4400 c 1 1.588065190066730752
ETH 900 4600 p -1 1.60682848851747072
ETH 900 5000 c 5 1.6414495400304064
ETH 500400 1000 c 10 1.262012129931914496
ETH 500400 2900 p -3 1.399776516896734976
ETH 1191600 1000 p 5 1.262509093212846848
ETH 1191600 1200 c 10 1.139475314615725312
ETH 1191600 1600 c -3 1.081048412239005184
ETH 1191600 2100 c 1 1.234827945896114944
ETH 1191600 2700 p 5 1.364612791185947904
ETH 1191600 2900 c -1 1.399407566479993088
ETH 1191600 3100 p 10 1.431135087174785536
ETH 1191600 4800 c -3 1.624042740993799936
ETH 1191600 5000 p 1 1.64090650461134464
ETH 2487600 1000 p -3 1.26344042273997952
ETH 2487600 1400 c 5 1.041659241854383488
ETH 2487600 2300 p 10 1.282482509289968384
ETH 2487600 2500 p 10 1.325420899566138112
ETH 2487600 3300 c 10 1.459599920953603072
ETH 2487600 3900 c -3 1.534790541517724416
ETH 2487600 4200 c 5 1.56700329006556288
ETH 7758000 1800 c -20 1.144678813846552192
ETH 7758000 2700 p 5 1.361015678626756608
ETH 7758000 2900 c -1 1.3958977851633472
ETH 7758000 3100 p -3 1.42770171902884864
ETH 7758000 3900 p -1 1.532219430053102336
ETH 7758000 4400 p 1 1.584405720806435328
ETH 7758000 4400 c -3 1.584405720806435328
ETH 7758000 5000 c 1 1.637908590061051392
"""


@dataclass(frozen=True)
class Published:
    """One account."""

    name: str
    options: Sequence[Option]
    initial: str
    maintenance: str
    amounts: Mapping[str, str] = field(default_factory=dict)
    """Amounts held beside options, and prices, that are not those of the others."""
    sure: Mapping[str, str] = field(default_factory=dict)
    """Confidences below 1: of "vol", "forward" and "rate", of a coin's expiry or of all; of "spot ETH" and the like."""


def eth(*held: tuple[int, str, str], expiry: int = 500400) -> list[Option]:
    return [("ETH", expiry, str(k), side, n, VOLATILITIES[expiry, k]) for k, side, n in held]


def _large() -> list[Option]:
    rows = (line.split() for line in LARGE.split("\n") if line)
    return [(coin, int(expiry), strike, side, held, vol) for coin, expiry, strike, side, held, vol in rows]


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
    Published("19", eth((1800, "c", "-1")), "-11.877712074679975936", "25.622287925320024064", {"wETH": "1"}),
    Published("20", [], "-360", "149.999999999999967232", {"wETH": "1"}, {"spot ETH": "0.15"}),
    Published("21", eth((4500, "p", "-1")), "-3385.309438429764255744", "-3224.104227075965583360"),
    Published("22", BOX, "-1000", "-1000"),
    Published("23", eth((1500, "c", "1"), (1500, "p", "-1"), (1600, "c", "-1"), (1600, "p", "1")), *NOTHING),
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
    Published(
        "26",
        [
            ("ETH", 1191600, "1200", "c", "3", "1.139475314615725312"),
            ("ETH", 1191600, "1000", "c", "-1", "1.262509093212846848"),
            ("BTC", 2487600, "29000", "p", "-2.1", "1.064018976887010944"),
            ("BTC", 2487600, "34000", "p", "2.1", "1.154802691702705408"),
        ],
        "-200",
        "-200",
    ),
    Published(
        "27",
        _large(),
        "-1210018.087250663",
        "-226807.766095858646384640",
        {"Cash": "10000", "USDCValue": "0.69", "wETH": "11", "wBTC": "14"}
        | {"Perps_ETH": "23", "LastEntryETH": "1599", "Perps_BTC": "-42", "LastEntryBTC": "28578"}
        | {"ETHGlobalFundingIndex": "42", "BTCGlobalFundingIndex": "4244"}
        | {"AccountETHFundingIndex": "29", "AccountBTCFundingIndex": "9.42"}
        | {"SettlementPriceETH": "1450.168707905438089216", "SettlementPriceBTC": "28000.00699201262452736"},
        {"vol BTC 1191600": "0.12", "forward BTC 1191600": "0.32", "rate BTC 1191600": "0.4"},
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
    Published(
        "short call, unsure volatility", flat("ETH 0118 2000 c -1"), "-1109", "-239", {}, {"vol": "0.1"}
    ),
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
        {"vol ETH 1497600": "0.3", "forward ETH 1497600": "0.4", "spot ETH": "0.9"},
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
        {"vol ETH 1497600": "0.5", "forward ETH 1497600": "0.399999999999999999", "spot ETH": "0.2"},
    ),
)


def integer(number: str) -> int:
    """An integer of 10^-18."""
    return int(Decimal(number).scaleb(18))


def document(case: Published, *, dollars: bool = False) -> dict[str, Any]:
    """The case in lists, as the venue writes it, with parameters where they are not those of the lists' tests."""
    forwards = FLAT if dollars else FORWARDS
    spots, perpetuals = (
        (("2000", "28000"), ("2001", "28020")) if dollars else (("1500", "28000"), ("1505", "27990"))
    )
    amounts = {"Cash": "0", "Perps_ETH": "0", "Perps_BTC": "0", "wETH": "0", "wBTC": "0", "USDCValue": "1"}
    amounts |= {"ETHSpotPrice": spots[0], "BTCSpotPrice": spots[1], "ETHGlobalFundingIndex": "0"} | dict(
        case.amounts
    )
    expiries = [option[1] for option in case.options]

    def sure(what: str) -> list[int]:
        keys = [f"{what} {coin} {expiry}" for coin, expiry, *_ in case.options]
        return [integer(case.sure.get(key, case.sure.get(what, "1"))) for key in keys]

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
    results = {"HandIM": integer(case.initial), "HandMM": integer(case.maintenance)}
    parameters: dict[str, Any] = {"Parameters": {"srm": {}}} if dollars else {}
    return {"Scenario": scenario, **parameters, "Result": results}
