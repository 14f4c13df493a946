"""SRM as direct sums in floating point, from a case in lists to its margins.

Written from the contract's rules, without a word of the product: expiry by expiry the better of the isolated margin and
of the least payoff at zero and at every strike that is held.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.margin.pmrm2_formulas import YEAR, black76

UNIT = 10**18


@dataclass(frozen=True)
class Held:
    strike: float
    call: bool
    amount: float
    mark: float


def margins(scenario: Mapping[str, Any]) -> tuple[float, float]:
    """Net margin at initial and maintenance level, cash included, by the published parameters."""
    return _margin(scenario, initial=True), _margin(scenario, initial=False)


def _margin(scenario: Mapping[str, Any], *, initial: bool) -> float:
    cash, stable = scenario["Cash"] / UNIT, scenario["USDCValue"] / UNIT
    total = cash
    depeg = max(0.0, 0.98 - stable) * 1.2 if initial else 0.0
    for place, coin in enumerate(("ETH", "BTC")):
        spot = scenario[f"{coin}SpotPrice"] / UNIT
        sure, perpetual_sure = (x / UNIT for x in scenario["SpotPerpConfidences"][place])
        perps, price = scenario[f"Perps_{coin}"] / UNIT, scenario["PerpPrice"][place] / UNIT
        total -= abs(perps) * price * (0.065 if initial else 0.05)
        total -= abs(perps) * spot * (depeg + _unsure(min(sure, perpetual_sure), initial))
        if perps:
            total += perps * (price - scenario.get(f"LastEntry{coin}", scenario["PerpPrice"][place]) / UNIT)
        base = scenario[f"w{coin}"] / UNIT * spot
        total += base * (0.8 - _unsure(sure, initial))
        for rows in _expiries(scenario, coin).values():
            forward = scenario["Forwards"][rows[0]] / UNIT
            held = [_held(scenario, row) for row in rows if scenario["OptionAmounts"][row]]
            total += _expiry(held, spot, forward, initial=initial)
            least = min(sure, *(scenario[k][r] / UNIT for k in CONFIDENCES for r in rows))
            short = sum(max(0.0, -option.amount) for option in held)
            total -= short * spot * (depeg + _unsure(least, initial))
    return float(total)


CONFIDENCES = ("OptionVolConfidences", "ForwardConfidences")


def _unsure(confidence: float, initial: bool) -> float:
    return (1 - confidence) * 0.4 if initial and confidence < 0.4 else 0.0


def _expiries(scenario: Mapping[str, Any], coin: str) -> Mapping[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for row, name in enumerate(scenario["OptionUnderlying"]):
        if name == coin:
            found[scenario["OptionExpiries"][row]].append(row)
    return found


def _held(scenario: Mapping[str, Any], row: int) -> Held:
    strike, call = scenario["OptionStrikes"][row] / UNIT, bool(scenario["OptionIsCall"][row])
    years, vol = scenario["OptionExpiries"][row] / YEAR, scenario["OptionVols"][row] / UNIT
    mark = black76(scenario["Forwards"][row] / UNIT, strike, vol, years, call)
    return Held(strike, call, scenario["OptionAmounts"][row] / UNIT, mark)


def _expiry(held: list[Held], spot: float, forward: float, *, initial: bool) -> float:
    isolated = sum(_isolated(option, spot, initial=initial) for option in held)
    prices = [0.0, *(option.strike for option in held)]
    least = min(min(0.0, sum(_payoff(option, price) for option in held)) for price in prices)
    calls = sum(option.amount for option in held if option.call)
    least += min(0.0, calls) * forward * (1.2 if initial else 1.1)
    return max(isolated, least)


def _payoff(option: Held, price: float) -> float:
    gain = price - option.strike if option.call else option.strike - price
    return option.amount * max(0.0, gain)


def _isolated(option: Held, spot: float, *, initial: bool) -> float:
    if option.amount > 0:
        return 0.0
    out = max(0.0, option.strike - spot if option.call else spot - option.strike)
    of_spot = max(0.15 * spot - out, 0.1 * spot)
    worth = option.amount * option.mark
    if option.call:
        return worth + option.amount * (of_spot if initial else 0.075 * spot)
    maintenance = worth + min(0.075 * spot * option.amount, 0.075 * worth)
    return min(of_spot * option.amount + worth, 1.05 * maintenance) if initial else maintenance
