"""Published results of Derive's first portfolio margin risk manager (PMRM), with what the accounts held.

Two sets: accounts on ETH at 1,500 USD with a smile, and accounts at 2,000 USD with a flat volatility of 50 %,
whose results are printed in whole dollars, cut towards zero. Numbers of derivexyz/v2-core, test/risk-managers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

UNIT = 10**18

VOLATILITIES = {
    (500400, 1): "3.603538277664962048",
    (500400, 500): "1.653152366370104064",
    (500400, 900): "1.328657463897111040",
    (500400, 1200): "1.138939398828297472",
    (500400, 1500): "1.047884494084986240",
    (500400, 2500): "1.326538658030860032",
    (500400, 2700): "1.364990899660472832",
    (1191600, 1500): "1.047554809415723648",
    (1191600, 2700): "1.364612791185947904",
    (1191600, 2950): "1.407606763626377984",
    (900, 1500): "1.048124566815733120",
}
"""By seconds to expiry and strike."""

FORWARDS = {
    900: ("0.01", "1500.001498288419766272", "1101.666666666666754048", "375.000374572104941568"),
    500400: ("0.03", "1500.833279310993817600", "0", "1500.833279310993817600"),
    1191600: ("0.05", "1501.985045187195830272", "0", "1501.985045187195830272"),
    2487600: ("0.04", "1504.146989085687808000", "0", "1504.146989085687808000"),
    7758000: ("0.1", "1512.971000787409567744", "0", "1512.971000787409567744"),
}
"""By seconds to expiry: the rate, the forward, what is fixed of it and what still moves."""

LARGE = """
1191600 1600 c -3 1.081048412239005184
500400 4800 c -3 1.624361247821863424
7758000 4400 p 1 1.584405720806435328
900 2300 c 1 1.283925438991429120
900 4800 c -1 1.624591380140235520
7758000 1200 p 1 1.144561774965308544
500400 1600 c 5 1.081482216317601280
900 2900 p -1 1.400043082070291712
900 1200 p -3 1.138552060953866880
7758000 3700 p 1 1.508884353397713152
7758000 1600 c -1 1.076946882275319424
900 3900 c 5 1.536002173036551168
900 2700 p 5 1.365264078859387136
900 5000 p -3 1.641449540030406400
7758000 1000 p -1 1.267221436484928256
2487600 1400 p 5 1.041659241854383488
900 3500 p -3 1.487763002948945408
2487600 4400 c -3 1.586892983259962880
2487600 1600 p 5 1.080236019562821504
500400 1200 c 5 1.138939398828297472
2487600 5000 c 1 1.640315242477901056
500400 4600 c -20 1.606595828047296768
500400 3100 c -20 1.431496024043739648
500400 5000 c 5 1.641221757810627584
500400 5000 p -1 1.641221757810627584
1191600 3300 c -20 1.460263628725004032
900 1400 p 1 1.040710473518362496
7758000 3900 c -20 1.532219430053102336
1191600 2900 p -3 1.399407566479993088
2487600 2500 c 1 1.325420899566138112
"""


@dataclass(frozen=True)
class Published:
    """One account: options as (seconds to expiry, strike, "c" or "p", amount, volatility)."""

    name: str
    options: Sequence[tuple[int, str, str, str, str]]
    initial: str
    maintenance: str
    scenario: Mapping[str, str] = field(default_factory=dict)
    """Amounts, prices and confidences that are not those of the others."""
    feeds: Mapping[str, str] = field(default_factory=dict)
    """Confidences of all expiries, by the key of their list."""


def near(*held: tuple[int, str, int], expiry: int = 500400) -> list[tuple[int, str, str, str, str]]:
    return [(expiry, str(k), side, str(n), VOLATILITIES[expiry, k]) for k, side, n in held]


def _large() -> list[tuple[int, str, str, str, str]]:
    rows = (line.split() for line in LARGE.split("\n") if line)
    return [(int(expiry), strike, side, amount, vol) for expiry, strike, side, amount, vol in rows]


LONG = near((1500, "c", 1))
VERIFIED = (
    Published("1", near((1500, "c", -1)), "-368.487619761755586560", "-301.768534860364300288"),
    Published("2", near((1200, "c", 1)), "14.004464630197813248", "81.329742280758886400"),
    Published("3", near((500, "c", 1), (900, "c", -1)), "332.344238458856734720", "347.943066330574028800"),
    Published("4", LONG, "-398.511886412749881344", "0.230453187667771392", {"SpotConfidence": "0.5"}),
    Published("5", LONG, "-698.511886412749881344", "0.230453187667771392", {"SpotConfidence": "0.1"}),
    Published("6", LONG, "-23.511886412749881344", "0.230453187667771392", {"SpotConfidence": "0.8"}),
    Published(
        "7",
        LONG,
        "-23.511886412749881344",
        "0.230453187667771392",
        {"SpotConfidence": "0.8", "PerpConfidence": "0.3"},
    ),
    Published(
        "8",
        LONG,
        "-473.511886412749881344",
        "0.230453187667771392",
        feeds={"OptionVolConfidences": "0.4", "ForwardConfidences": "0.4", "RateConfidences": "0.4"},
    ),
    Published(
        "9",
        LONG,
        "-698.511886412749881344",
        "0.230453187667771392",
        feeds={"OptionVolConfidences": "0.1", "ForwardConfidences": "0.4", "RateConfidences": "0.4"},
    ),
    Published("10", LONG, "-23.511886412749881344", "0.230453187667771392"),
    Published(
        "11", LONG, "-548.511886412749881344", "0.230453187667771392", feeds={"RateConfidences": "0.3"}
    ),
    Published("12", LONG, "-36.174467532972621824", "0.230453187667771392", {"StablePrice": "0.9"}),
    Published(
        "13",
        near((1, "c", 1), (1500, "c", -1), (1500, "p", 1), (2700, "c", 1), (2700, "p", -1))
        + near(
            (2950, "p", 1),
            (1500, "c", -1),
            (1500, "p", 1),
            (2700, "c", 1),
            (2700, "p", -1),
            expiry=1191600,
        ),
        "500.576852329245048832",
        "511.778253874672418816",
    ),
    Published(
        "14", near((1500, "c", -1)), "1114.746715016503492608", "1185.334799584450347008", {"Base": "1"}
    ),
    Published(
        "15", near((1500, "c", 1), (1500, "p", -1)), "-291.829210154649976832", "-224.291712585655207936"
    ),
    Published("16", [], "-332.475000000000032768", "-255.75", {"Perps": "1"}),
    Published(
        "17",
        [],
        "732.524999999999967232",
        "809.25",
        {"Perps": "1", "Cash": "1000", "UnrealizedPerpPNL": "55", "UnrealizedFunding": "10"},
    ),
    Published("18", near((1500, "c", -1), expiry=900), "-62.717997469736271872", "-48.246077388932464663"),
    Published(
        "19",
        _large(),
        "-63945.423031228061188096",
        "-25539.348818812994846720",
        {"Cash": "10000", "Perps": "420", "Base": "69", "UnrealizedPerpPNL": "2100"},
    ),
    Published("20", near((1500, "c", -1), (1500, "p", 1), (2500, "c", 1), (2500, "p", -1)), "-1000", "-1000"),
    Published(
        "21",
        near((1500, "c", 1), (1500, "p", -1), (2500, "c", -1), (2500, "p", 1)),
        "931.673090765353254912",
        "947.440839050271735808",
    ),
)

FLAT = {
    "20230104": (288000, "2000.91345"),
    "20230111": (892800, "2002.83305"),
    "20230118": (1497600, "2004.7545"),
    "20230227": (4953600, "2015.7696"),
}
"""Seconds to expiry (8:00 UTC, from the first of January) and the forward."""


def flat(*held: tuple[str, str, str, str]) -> list[tuple[int, str, str, str, str]]:
    return [(FLAT[day][0], strike, side, amount, "0.5") for day, strike, side, amount in held]


def vertical(side: str, bought: str, sold: str) -> list[tuple[int, str, str, str, str]]:
    return flat(("20230111", bought, side, "1"), ("20230111", sold, side, "-1"))


IN_DOLLARS = (
    Published("short ITM call", flat(("20230118", "1400", "c", "-1")), "-1021", "-925"),
    Published("short ITM put", flat(("20230118", "3000", "p", "-1.5")), "-2118", "-1973"),
    Published("long ATM put", flat(("20230118", "2000", "p", "1")), "-23", "1"),
    Published("long ATM call", flat(("20230118", "2000", "c", "1")), "-26", "0"),
    Published("long OTM call", flat(("20230118", "2700", "c", "1")), "0", "0"),
    Published("short OTM put", flat(("20230118", "1700", "p", "-1")), "-168", "-131"),
    Published("long ITM call spread", vertical("c", "500", "700"), "160", "169"),
    Published("long OTM call spread", vertical("c", "3500", "3700"), "-26", "-20"),
    Published("short ITM call spread", vertical("c", "700", "500"), "-226", "-220"),
    Published("short OTM call spread", vertical("c", "3700", "3500"), "-26", "-20"),
    Published("long ITM put spread", vertical("p", "3900", "3500"), "346", "358"),
    Published("long OTM put spread", vertical("p", "900", "800"), "-26", "-20"),
    Published("short ATM put spread", vertical("p", "1900", "2200"), "-360", "-319"),
    Published("short OTM put spread", vertical("p", "1600", "1900"), "-270", "-213"),
    Published("long box", vertical("c", "1000", "2000") + vertical("p", "2000", "1000"), "930", "946"),
    Published("short box", vertical("c", "2000", "1000") + vertical("p", "1000", "2000"), "-1000", "-1000"),
)


def integer(number: str) -> int:
    """An integer of 10^-18."""
    return int(Decimal(number).scaleb(18))


def document(case: Published, *, dollars: bool = False) -> dict[str, Any]:
    """The case in lists, as the venue writes it; accounts with results in dollars are at 2,000 USD."""
    feeds = (
        {seconds: ("0.02", forward, "0", forward) for seconds, forward in FLAT.values()}
        if dollars
        else FORWARDS
    )
    spot, perpetual = ("2000", "2001") if dollars else ("1500", "1505")
    count, expiries = len(case.options), [option[0] for option in case.options]
    sure = {"OptionVolConfidences": "1", "ForwardConfidences": "1", "RateConfidences": "1"} | dict(case.feeds)
    amounts = {"Cash": "0", "Perps": "0", "Base": "0", "SpotPrice": spot, "SpotConfidence": "1"}
    amounts |= {"PerpPrice": perpetual, "PerpConfidence": "1", "StablePrice": "1"}
    amounts |= {"UnrealizedPerpPNL": "0", "UnrealizedFunding": "0"} | dict(case.scenario)
    scenario: dict[str, Any] = {key: integer(value) for key, value in amounts.items()}
    scenario |= {
        "OptionExpiries": expiries,
        "OptionStrikes": [integer(strike) for _, strike, _, _, _ in case.options],
        "OptionIsCall": [int(side == "c") for _, _, side, _, _ in case.options],
        "OptionAmounts": [integer(amount) for _, _, _, amount, _ in case.options],
        "OptionVols": [integer(vol) for _, _, _, _, vol in case.options],
        "FeedExpiries": expiries,
        "Rates": [integer(feeds[expiry][0]) for expiry in expiries],
        "Forwards": [integer(feeds[expiry][1]) for expiry in expiries],
        "ForwardsFixed": [integer(feeds[expiry][2]) for expiry in expiries],
        "ForwardsVariable": [integer(feeds[expiry][3]) for expiry in expiries],
    }
    scenario |= {key: [integer(value)] * count for key, value in sure.items()}
    results = {"InitialMarginHand": integer(case.initial), "MaintenanceMarginHand": integer(case.maintenance)}
    return {"Scenario": scenario, "Result": results}
