"""PMRM 2 as direct sums in floating point: from a case's document to its margins, position by position.

Written from the rules, without a word of the product: expiry by expiry the value in a cell, the sign of
that value choosing the static discount, and what the venue adds around it.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import erfc, exp, log, sqrt
from typing import Any

YEAR = 365 * 86400


@dataclass(frozen=True)
class Margins:
    """What a case comes to."""

    initial: float
    maintenance: float
    cells: tuple[float, ...]
    basis: float


def number(part: Mapping[str, Any], key: str) -> float:
    return float(part[key])


def margins(case: Mapping[str, Any]) -> Margins:
    """Excess over initial and maintenance margin, profit in every cell, and the basis contingency (negative)."""
    scenario, rules = case["Scenario"], case["Parameters"]
    spot, stable = number(scenario, "SpotPrice"), number(scenario, "StablePrice")
    other, margin = rules["OtherContingency"], rules["Margin"]
    perps, spot_confidence = number(scenario, "NumPerps"), number(scenario, "SpotConfidence")
    held_confidence = min(spot_confidence, number(scenario, "PerpConfidence")) if perps else spot_confidence

    def unsure(confidence: float) -> float:
        low = confidence < number(other, "CONF_THRESHOLD")
        return (1 - confidence) * number(other, "CONF_MARGIN") if low else 0.0

    expiries = _expiries(scenario)
    cells = tuple(_cell(scenario, rules, cell, expiries, stable) for cell in rules["Scenarios"])
    value = sum(number(scenario, key) for key in ("Cash", "UnrealisedPerpPNL", "UnrealisedFunding"))
    maintenance = abs(perps) * spot * number(other, "MM_PERP_PERCENT")
    initial = abs(perps) * spot * (number(other, "IM_PERP_PERCENT") + unsure(held_confidence))
    basis = 0.0
    for expiry, options in expiries.items():
        feed = _feed(scenario, expiry)
        now = _worth(options, feed, rules, expiry, 1.0, "None")
        value += now
        basis += _basis(options, feed, rules, expiry, now)
        naked = _naked(options)
        maintenance += naked * spot * number(other, "MM_OPTION_PERCENT")
        confidence = min(held_confidence, *_confidences(feed))
        size = sum(abs(amount) for amount in options.values())
        initial += naked * spot * number(other, "IM_OPTION_PERCENT") + size * spot * unsure(confidence)
    for coin in scenario["Collaterals"]:
        worth = number(coin, "Amount") * number(coin, "Price") / stable
        value += worth
        maintenance += worth * number(coin, "MMHaircut")
        confidence = min(spot_confidence, number(coin, "Confidence"))
        initial += worth * (number(coin, "IMHaircut") + unsure(confidence))
    worst = min(basis, *cells)
    peg = max(0.0, number(other, "PEG_LOSS_THRESHOLD") - stable) * number(other, "PEG_LOSS_FACTOR")
    return Margins(
        value + worst * (number(margin, "IM_LOSS_FACTOR") + peg) - initial - maintenance,
        value + worst * number(margin, "MM_LOSS_FACTOR") - maintenance,
        cells,
        basis,
    )


def black76(forward: float, strike: float, vol: float, years: float, call: bool) -> float:
    """Undiscounted; once expired or without volatility what exercise gives."""
    s = vol * sqrt(years)
    if s == 0 or forward == 0:
        return max(0.0, forward - strike if call else strike - forward)
    d1 = log(forward / strike) / s + s / 2
    sign = 1 if call else -1

    def below(x: float) -> float:
        return erfc(-sign * x / sqrt(2)) / 2

    return sign * (forward * below(d1) - strike * below(d1 - s))


Options = Mapping[tuple[float, bool, float], float]


def _expiries(scenario: Mapping[str, Any]) -> Mapping[int, Options]:
    """Amounts by strike, side and volatility, expiry by expiry."""
    found: dict[int, dict[tuple[float, bool, float], float]] = defaultdict(lambda: defaultdict(float))
    for option in scenario["Options"]:
        key = number(option, "Strike"), bool(option["IsCall"]), number(option, "MarkVol")
        found[int(option["Expiry"])][key] += number(option, "Amount")
    return found


def _feed(scenario: Mapping[str, Any], expiry: int) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(f for f in scenario["OptionFeeds"] if int(f["FeedExpiry"]) == expiry)
    return found


def _confidences(feed: Mapping[str, Any]) -> list[float]:
    vols = feed["OptionVolConfidences"]
    listed = vols if isinstance(vols, list) else [vols]
    return [float(x) for x in (feed["ForwardConfidence"], feed["RateConfidence"], *listed)]


def _naked(options: Options) -> float:
    by_strike: dict[float, float] = defaultdict(float)
    for (strike, _, _), amount in options.items():
        by_strike[strike] += amount
    return sum(max(0.0, -net) for net in by_strike.values())


def _cell(
    scenario: Mapping[str, Any],
    rules: Mapping[str, Any],
    cell: Mapping[str, Any],
    expiries: Mapping[int, Options],
    stable: float,
) -> float:
    shock, damping, move = (
        number(cell, "SpotShock"),
        number(cell, "DampeningFactor"),
        cell["VolShockDirection"],
    )
    total = number(scenario, "NumPerps") * number(scenario, "PerpPrice") * (shock - 1)
    for coin in scenario["Collaterals"]:
        if coin["IsRiskCancelling"]:
            total += number(coin, "Amount") * number(coin, "Price") / stable * (shock - 1)
    skew = move in ("LINEAR", "ABS")
    for expiry, options in expiries.items():
        feed = _feed(scenario, expiry)
        now = _worth(options, feed, rules, expiry, 1.0, "None")
        then = _worth(options, feed, rules, expiry, 1.0 if skew else shock, move)
        change = then * _discount(rules["Margin"], feed, expiry, owed=then < 0) - now
        total += -abs(change) if skew else change
    return total * damping


def _discount(margin: Mapping[str, Any], feed: Mapping[str, Any], expiry: int, *, owed: bool) -> float:
    years, rate = max(expiry, 0) / YEAR, max(number(feed, "Rate"), 0.0)
    if not owed:
        exponent = rate * number(margin, "LONG_RATE_MULTSCALE") + number(margin, "LONG_RATE_ADDSCALE")
        return number(margin, "BASE_STATIC_DISCOUNT") * exp(-years * exponent)
    exponent = rate * number(margin, "SHORT_RATE_MULTSCALE") + number(margin, "SHORT_RATE_ADDSCALE")
    return min(exp(rate * years), number(margin, "BASE_STATIC_DISCOUNT_NEG") * exp(years * exponent))


def _basis(
    options: Options, feed: Mapping[str, Any], rules: Mapping[str, Any], expiry: int, now: float
) -> float:
    basis = rules["BasisContingency"]
    moves = (number(basis, "SCENARIO_SPOT_UP"), number(basis, "SCENARIO_SPOT_DOWN"))
    worst = min(0.0, *(_worth(options, feed, rules, expiry, move, "None") - now for move in moves))
    years = max(expiry, 0) / YEAR
    return worst * (number(basis, "BASIS_CONT_ADD_FACTOR") + number(basis, "BASIS_CONT_MULT_FACTOR") * years)


def _worth(
    options: Options, feed: Mapping[str, Any], rules: Mapping[str, Any], expiry: int, shock: float, move: str
) -> float:
    """An expiry's value in a cell, discounted at its rate and by nothing else."""
    seconds, forward = max(expiry, 0), number(feed, "Forward")
    fixed = forward * max(0.0, 1 - seconds / 1800)
    moved = (forward - fixed) * shock + fixed
    years = seconds / YEAR
    discount = exp(-max(number(feed, "Rate"), 0.0) * years)
    total = 0.0
    for (strike, call, vol), amount in options.items():
        shocked = _volatility(rules, vol, strike, forward, seconds, move)
        total += amount * discount * black76(moved, strike, shocked, years, call)
    return total


def _volatility(
    rules: Mapping[str, Any], vol: float, strike: float, forward: float, seconds: int, move: str
) -> float:
    if move == "None":
        return vol
    if move in ("LINEAR", "ABS"):
        return vol * max(0.0, 1 + _tilt(rules["SkewShock"], log(strike / forward), seconds, move))
    shock, days = rules["VolShock"], seconds / 86400
    power = number(shock, "SHORTTERMPOWER" if days <= 30 else "LONGTERMPOWER")
    m: float = (30 / max(days, number(shock, "DTE_FLOOR"))) ** power
    if move == "Up":
        return max(vol * (1 + number(shock, "VOLRANGEUP") * m), number(shock, "MIN_VOL_EVAL_SHOCKED"))
    return vol * max(0.0, 1 - number(shock, "VOLRANGEDOWN") * m)


def _tilt(skew: Mapping[str, Any], k: float, seconds: int, move: str) -> float:
    root, name = sqrt(seconds / YEAR), "LINEAR" if move == "LINEAR" else "ABS"
    cap = number(skew, f"{name}_SCALE_CAP") + number(skew, f"{name}_CBASE") * root
    level = number(skew, "VOL_PARAM_STATIC") + root * number(skew, "VOL_PARAM_SCALE")
    width = max(number(skew, "MIN_K_STAR"), root * number(skew, "MIN_WIDTH_SCALE") * level)
    moneyness = k if move == "LINEAR" else abs(k)
    slope = moneyness * cap / width
    return min(cap, slope) if moneyness >= 0 else max(-cap, slope)
