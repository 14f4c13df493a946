"""Requirements that exchanges and textbooks have printed, computed again."""

import math
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from tests.margin.span_cases import DAY, NOW, inter, leg
from zkmargin.margin.account.holdings import Holdings, Position
from zkmargin.margin.account.requirement import Requirement, requirement
from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.instruments.instrument import Security
from zkmargin.margin.market.history import PriceHistory
from zkmargin.margin.market.quotes import Listing, assemble, security_future, security_option, share
from zkmargin.margin.market.span_file.read import read_spn
from zkmargin.margin.parameters.document import Parameters, parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot

SPN = Path(__file__).parents[1] / "fixtures/span/small.spn"


def ask(made: Snapshot, held: Mapping[str, int], model: str) -> Requirement:
    rows = [Position(name, Decimal(quantity)) for name, quantity in held.items()]
    return requirement(made, Holdings.of(rows, made).vector(made), model=model)


def usd(found: Requirement) -> Fraction:
    return Fraction(found.requirement) / int(10**found.money_decimals)


# SPAN -----------------------------------------------------------------------------------------------


def grains(span: Mapping[str, Any], *contracts: tuple[str, str, int]) -> Snapshot:
    """A snapshot of futures, 5,000 bushels each: name, commodity and days to expiry."""
    listings = [
        Listing(
            security_future(name, underlying, "broad-index", expiry=NOW + days * DAY, multiplier=5000),
            Decimal(5),
            "row",
        )
        for name, underlying, days in contracts
    ]
    underlyings = {underlying: Decimal(5) for _, underlying, _ in contracts}
    market = assemble("grains", NOW, underlyings, listings)
    return Snapshot.build(market, parse_parameters({"span": span}, "test"), domain=64)


def bare(name: str, price_scan_range: str, **more: Any) -> dict[str, Any]:
    """A commodity whose extremes are milder than its range."""
    return {
        "name": name,
        "price_scan_range": price_scan_range,
        "volatility_scan_range": "0",
        "extreme_multiple": "1",
        "extreme_cover": "0.35",
        "ratio": {"initial": "1", "maintenance": "1"},
        **more,
    }


def test_cme_s_example_of_an_inter_commodity_spread() -> None:
    """CME Group, "Margin spread calculations": corn at 1,750 USD a contract against soybeans at 2,500, two to one,
    credited 55 %: 6,000 USD outright, 3,300 of credit, 2,700 to post.
    """
    made = grains(
        {
            "commodities": [bare("CORN", "0.35"), bare("SOY", "0.5")],
            "inter_spreads": [inter(1, "0.55", ("CORN", None, "A", "2"), ("SOY", None, "B", "1"))],
        },
        ("CORN-M", "CORN", 100),
        ("SOY-M", "SOY", 100),
    )
    found = ask(made, {"CORN-M": 2, "SOY-M": -1}, "span")
    money = 10**found.money_decimals
    assert sum(Fraction(unit.loss) / money for unit in found.assessment.units) == 6000
    assert sum(Fraction(charge.amount) / money for charge in found.assessment.charges) == -3300
    assert usd(found) == 2700


@pytest.mark.parametrize(("long", "short", "expected"), [(2, 3, 200), (2, 4, 300), (3, 4, 250)])
def test_cme_s_example_of_calendar_spreads(long: int, short: int, expected: int) -> None:
    """The same page: three months at 500, 500 and 750 USD, charges of 200, 50 and nothing between them: the
    difference of the outright rates, and the charge.
    """
    months = {2: ("2026-02", 43), 3: ("2026-03", 75), 4: ("2026-04", 105)}
    tiers = [
        {"name": f"month {n}", "first": month, "last": month, "price_scan_range": "0.15" if n == 4 else "0.1"}
        for n, (month, _) in months.items()
    ]
    # A charge is for each unit of the underlying, of which a contract has 5,000.
    charges = [("0.04", 2, 3), ("0.01", 2, 4), ("0", 3, 4)]
    spreads = [
        {"priority": n, "charge": charge, "legs": [leg(f"month {a}", "A"), leg(f"month {b}", "B")]}
        for n, (charge, a, b) in enumerate(charges, 1)
    ]
    commodity = bare("X", "0.1", tiers=tiers, intra_spreads=spreads)
    contracts = [(f"X-{n}", "X", days) for n, (_, days) in months.items()]
    made = grains({"commodities": [commodity]}, *contracts)
    assert usd(ask(made, {f"X-{long}": 1, f"X-{short}": -1}, "span")) == expected


FUTURE = (0, 0, 3330, 3330, -3330, -3330, 6670, 6670, -6670, -6670, 10000, 10000, -10000, -10000, 7000, -7000)
CALL = (460, -610, 2640, 1730, -1270, -2340, 5210, 4540, -2540, -3430, 8060, 7640, -3380, -3990, 3130, -1500)


@pytest.mark.parametrize(
    ("futures", "calls", "expected"), [(1, 0, 10000), (0, 1, 3990), (1, -1, 6620), (-1, 0, 10000)]
)
def test_the_textbook_s_covered_write(futures: int, calls: int, expected: int, tmp_path: Path) -> None:
    """L. McMillan, Options as a Strategic Investment, chapter 34: the arrays of an S&P 500 future and of its December
    410 call; 10,000 USD for the future, 3,990 for the call, 6,620 for the future with the call sold against it.
    """
    document = ET.parse(SPN)
    for owner, gains in (("fut", FUTURE), ("opt", CALL)):
        array = document.find(f".//{owner}/ra")
        assert array is not None
        for value, gain in zip(array.findall("a"), gains, strict=True):
            value.text = str(-gain)
    path = tmp_path / "textbook.spn"
    document.write(path)
    read = read_spn(path, commodities=["SP"])
    made = Snapshot.build(read.market, Parameters.model_validate({"span": read.parameters}), domain=64)
    found = ask(made, {"SP-202603": futures, "SPO-202603-2825-C": calls}, "span")
    (unit,) = found.assessment.units
    assert Fraction(unit.loss) / 10**found.money_decimals == expected


# TIMS -----------------------------------------------------------------------------------------------

YEARS = 57 / 365
"""From late February to the options' expiry in April 2007."""
RATE = 0.0525
SHARES = {95: (4.53, 1.02), 100: (1.68, 3.18), 105: (0.40, None)}
INDEX = {1450: (27.57, 18.72), 1460: (21.66, 22.55), 1500: (5.96, None)}
"""Prices of calls and puts by strike, as the table has them."""


def implied(price: float, forward: float, strike: float, rate: float, *, call: bool) -> float:
    """The volatility at which Black's formula gives the price."""

    def excess(volatility: float) -> float:
        deviation = volatility * math.sqrt(YEARS)
        upper = math.log(forward / strike) / deviation + deviation / 2
        sign = 1 if call else -1
        value = sign * (forward * norm.cdf(sign * upper) - strike * norm.cdf(sign * (upper - deviation)))
        return float(math.exp(-rate * YEARS) * value - price)

    return float(brentq(excess, 0.01, 3))


def chain(
    name: str,
    security: Security,
    strikes: Mapping[int, Any],
    calls: tuple[float, float],
    puts: tuple[float, float],
) -> list[Listing]:
    """The options of one underlying; forward and rate of its calls and of its puts."""
    found = []
    for strike, marks in strikes.items():
        for mark, call in zip(marks, (True, False), strict=True):
            if mark is None:
                continue
            option = security_option(
                f"{name}-{strike}-{'C' if call else 'P'}",
                name,
                security,
                expiry=NOW + 57 * DAY,
                strike=Decimal(strike),
                call=call,
                multiplier=100,
            )
            forward, rate = calls if call else puts
            volatility = implied(mark, forward, strike, rate, call=call)
            numbers = (round(Decimal(number), 9) for number in (volatility, forward, rate))
            found.append(Listing(option, Decimal(str(mark)), "row", *numbers))
    return found


@pytest.fixture(scope="module")
def exchange() -> Snapshot:
    """Forwards are those on which calls and puts of the table agree.

    Puts on shares can be exercised early, so that a deep one is worth what exercise brings; a European put is worth
    as much where nothing is earned on the strike.
    """
    index = (1459.0, 0.04)
    listings = [
        Listing(share("IBM", "equity"), Decimal("97.73"), "row"),
        Listing(share("SPY", "etf"), Decimal("145.3"), "row"),
        *chain("IBM", "equity", SHARES, (98.488, RATE), (97.73, 0.0)),
        *chain("SPX", "large-broad-index", INDEX, index, index),
    ]
    indices = {"IBM": Decimal("97.73"), "SPY": Decimal("145.3"), "SPX": Decimal("1451.19")}
    section = {"classes": {"LARGE": {"underlyings": ["SPX", "SPY"], "range": "large-broad-index"}}}
    market = assemble("exchange", NOW, indices, listings)
    return Snapshot.build(market, parse_parameters({"tims": section}, "test"), domain=64)


PUBLISHED: Sequence[tuple[str, Mapping[str, int], int]] = (
    ("short call", {"IBM-100-C": -100}, 115_429),
    ("short put", {"IBM-100-P": -100}, 137_527),
    ("covered call", {"IBM": 10_000, "IBM-100-C": -100}, 129_804),
    ("protective put", {"IBM": 10_000, "IBM-95-P": 100}, 37_538),
    ("synthetic long", {"IBM-100-C": 100, "IBM-100-P": -100}, 154_313),
    ("risk reversal", {"IBM-95-P": 100, "IBM-105-C": -100}, 91_118),
    ("collar", {"IBM": 10_000, "IBM-95-P": 100, "IBM-105-C": -100}, 33_522),
    ("long vertical call spread", {"IBM-95-C": 100, "IBM-105-C": -100}, 40_881),
    ("long straddle", {"IBM-100-P": 100, "IBM-100-C": 100}, 7_500),
    ("short index call", {"SPX-1460-C": -100}, 654_514),
    ("short index put", {"SPX-1460-P": -100}, 948_203),
    ("covered index call", {"SPY": 100_000, "SPX-1460-C": -100}, 948_342),
    ("protective index put", {"SPY": 100_000, "SPX-1450-P": 100}, 272_402),
    ("synthetic long index", {"SPX-1460-C": 100, "SPX-1460-P": -100}, 1_162_261),
    ("index risk reversal", {"SPX-1450-P": 100, "SPX-1500-C": -100}, 625_592),
    ("index collar", {"SPY": 100_000, "SPX-1450-P": 100, "SPX-1500-C": -100}, 212_909),
    ("long vertical index call spread", {"SPX-1450-C": 100, "SPX-1500-C": -100}, 210_984),
    ("long index straddle", {"SPX-1450-P": 100, "SPX-1450-C": 100}, 7_500),
)


@pytest.mark.parametrize(
    ("held", "expected"), [case[1:] for case in PUBLISHED], ids=[c[0] for c in PUBLISHED]
)
def test_the_exchange_s_table_of_portfolio_margin(
    exchange: Snapshot, held: Mapping[str, int], expected: int
) -> None:
    """Chicago Board Options Exchange, "Margin Requirement Examples for Sample Options-based Positions" (2007).

    The table has prices, not volatilities: these, the rate and the day are found from it, hence one percent.
    """
    assert float(usd(ask(exchange, held, "tims"))) == pytest.approx(expected, rel=0.01)


# Joint scenarios and covariance ---------------------------------------------------------------------

RANKED = (1082.969, 715.512, 687.720, 661.221, 602.968, 546.540, 492.764, 470.092, 458.177)
"""The greatest of 500 losses, in thousands of USD."""


@pytest.mark.parametrize(("model", "expected"), [("var", 602_968), ("es", 786_855.5)])
def test_the_textbook_s_historical_simulation(model: str, expected: float) -> None:
    """J. Hull, Options, Futures, and Other Derivatives, chapter "Value at risk and expected shortfall": 500 scenarios
    of a portfolio of 10 million USD. Of one percent, five losses, the fifth is its value at risk, and the mean of the
    four beyond that its expected shortfall: four scenarios lie in the tail, 0.8 percent.
    """
    moves = [Decimal(str(-loss)) / 10_000 for loss in RANKED]
    moves = [*moves, *(Decimal(k % 7) / 1000 for k in range(500 - len(moves)))]
    closes = [Decimal(1)]
    for move in moves:
        closes.append(round(closes[-1] * (1 + move), 18))
    first = date(2026, 1, 1) - timedelta(days=len(closes))
    history = PriceHistory(first, {"FUND": tuple(canonical_decimal(close) for close in closes)})
    listed = [Listing(share("FUND", "etf"), Decimal(1000), "row")]
    market = assemble("fund", NOW, {"FUND": Decimal(1000)}, listed)
    parameters = parse_parameters({model: {"confidence": "0.992", "cells": 500}}, "test")
    made = Snapshot.build(market, parameters, domain=64, history=history)
    assert float(usd(ask(made, {"FUND": 10_000}, model))) == pytest.approx(expected, abs=0.01)


def test_the_textbook_s_two_shares() -> None:
    """The same book, "The two-asset case": 10 million USD in one share that moves by 2 % a day and 5 million in one
    that moves by 1 %, correlated by 0.3: 2.33 standard deviations over ten days are 1,622,657 USD; of the shares by
    themselves 1,473,621 and 368,405.
    """
    deviations = {"MSFT": Decimal("0.02"), "ATT": Decimal("0.01")}
    section = {
        "source": "given",
        "coins": list(deviations),
        "volatilities": [str(round(daily * Decimal(365).sqrt(), 12)) for daily in deviations.values()],
        "correlation": [["1", "0.3"], ["0.3", "1"]],
        "horizon": {"initial": 10, "maintenance": 10},
        "multiplier": {"initial": "2.33", "maintenance": "2.33"},
        "undiversified": {"initial": "0", "maintenance": "0"},
    }
    listings = [Listing(share(name, "equity"), Decimal(1), "row") for name in deviations]
    market = assemble("two shares", NOW, dict.fromkeys(deviations, Decimal(1)), listings)
    made = Snapshot.build(market, parse_parameters({"correlation": section}, "test"), domain=64)
    both = {"MSFT": 10**7, "ATT": 5 * 10**6}
    assert float(usd(ask(made, both, "correlation"))) == pytest.approx(1_622_657, abs=1)
    for name, expected in (("MSFT", 1_473_621), ("ATT", 368_405)):
        assert float(usd(ask(made, {name: both[name]}, "correlation"))) == pytest.approx(expected, abs=1)
