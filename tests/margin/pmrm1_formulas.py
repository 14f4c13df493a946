"""PMRM as direct sums in floating point, from a case in lists to its margins under the published parameters.

Written from the contracts' rules, without a word of the product.
"""

from collections import defaultdict
from collections.abc import Mapping
from math import exp
from typing import Any

from tests.margin.pmrm2_formulas import YEAR, black76

UNIT = 10**18
MOVES = [(spot / 100, shock) for spot in (115, 110, 105, 100, 95, 90, 85) for shock in (1, 0, -1)]


def margins(scenario: Mapping[str, Any]) -> tuple[float, float]:
    """Excess over initial and maintenance margin."""
    spot, stable = scenario["SpotPrice"] / UNIT, scenario["StablePrice"] / UNIT
    perps, base = scenario["Perps"] / UNIT, scenario["Base"] / UNIT
    sure = scenario["SpotConfidence"] / UNIT
    if perps:
        sure = min(sure, scenario["PerpConfidence"] / UNIT)
    gains = ("UnrealizedPerpPNL", "UnrealizedFunding") if perps else ()
    value = sum(scenario[key] for key in ("Cash", *gains)) / UNIT + base * spot / stable
    static = (abs(perps) + base) * 0.02 * spot
    unsure = _unsure(sure) * (abs(perps) + base) * spot
    losses, basis = [0.0] * len(MOVES), 0.0
    for place, (shock, _) in enumerate(MOVES):
        losses[place] += (shock - 1) * (perps * scenario["PerpPrice"] / UNIT + base * spot / stable)
    for seconds, rows in _expiries(scenario).items():
        now = _worth(scenario, rows, 1.0, 0)
        value += now
        rate = max(0.0, scenario["Rates"][rows[0]] / UNIT)
        discount = 0.95 * exp(-seconds / YEAR * (4 * rate + 0.05))
        for place, (shock, direction) in enumerate(MOVES):
            then = _worth(scenario, rows, shock, direction)
            losses[place] += then * (discount if then > 0 else 1.0) - now
        worse = min(_worth(scenario, rows, shock, 0) - now for shock in (1.05, 0.95))
        basis += min(0.0, worse) * (0.25 + 0.01 * seconds / YEAR)
        static += _naked(scenario, rows) * 0.01 * spot
        keys = ("ForwardConfidences", "RateConfidences", "OptionVolConfidences")
        least = min(sure, *(scenario[key][row] / UNIT for key in keys for row in rows))
        unsure += _unsure(least) * sum(abs(scenario["OptionAmounts"][row]) for row in rows) / UNIT * spot
    worst = min(basis, *losses) - static
    return value + worst * (1.3 + 2 * max(0.0, 0.98 - stable)) - unsure, value + worst


def _unsure(confidence: float) -> float:
    return (1 - confidence) * 0.5 if confidence < 0.6 else 0.0


def _expiries(scenario: Mapping[str, Any]) -> Mapping[int, list[int]]:
    rows: dict[int, list[int]] = defaultdict(list)
    for row, seconds in enumerate(scenario["OptionExpiries"]):
        rows[seconds].append(row)
    return rows


def _worth(scenario: Mapping[str, Any], rows: list[int], shock: float, direction: int) -> float:
    """The value of an expiry, undiscounted; its volatilities go up, down or nowhere."""
    total = 0.0
    for row in rows:
        seconds = scenario["OptionExpiries"][row]
        m = (30 * 86400 / max(seconds, 86400)) ** (0.3 if seconds <= 30 * 86400 else 0.13)
        factor = {1: 1 + 0.45 * m, 0: 1.0, -1: max(0.0, 1 - 0.3 * m)}[direction]
        forward = (scenario["ForwardsFixed"][row] + scenario["ForwardsVariable"][row] * shock) / UNIT
        strike, vol = scenario["OptionStrikes"][row] / UNIT, scenario["OptionVols"][row] / UNIT
        call = bool(scenario["OptionIsCall"][row])
        total += (
            scenario["OptionAmounts"][row]
            / UNIT
            * black76(forward, strike, vol * factor, seconds / YEAR, call)
        )
    return total


def _naked(scenario: Mapping[str, Any], rows: list[int]) -> float:
    net: dict[int, int] = defaultdict(int)
    for row in rows:
        net[scenario["OptionStrikes"][row]] += scenario["OptionAmounts"][row]
    return sum(max(0, -amount) for amount in net.values()) / UNIT
