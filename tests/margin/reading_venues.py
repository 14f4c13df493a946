"""The rules of venues as docs/models/grid.md states them, read once more in plain floating point."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from tests.margin.reading import (
    STANDARD,
    Account,
    Item,
    black,
    delta,
    in_dollars,
    moved,
    net_exposure,
    short_option,
    term,
    vega,
)

# Deribit --------------------------------------------------------------------------------------------

SCALES = {
    "BTC": {"r": 0.16, "up": 0.5, "m": 0.00005, "damp": 100000, "annual": 0.075, "least": 0.01},
    "ETH": {"r": 0.18, "up": 0.4, "m": 0.000004, "damp": 200000, "annual": 0.05, "least": 0.005},
}
DOLLARS = {"damp": 25000, "annual": 0.1, "least": 0.01}
TAILS = (-0.66, -0.33, 0.5, 1, 2, 3, 4, 5)


def deribit_cell(a: Account, i: Item, x: float, vol: float, tail: bool, r: float, cross: bool) -> float:
    """USD for one unit of quantity, tails in part."""
    k = min(1.0, r / abs(x)) if tail else 1.0
    if cross:
        return k * in_dollars(a, i, x, vol)
    if i.kind == "balance":
        return 0.0
    if not i.inverse:
        return k * in_dollars(a, i, x, vol)
    index = a.index[i.coin]
    if i.kind == "option":
        there = i.forward * (1 + x)
        coins = black(i, there, vol) / there - black(i, i.forward, i.vol) / i.forward
    else:
        coins = x / (1 + x) / i.price
    edge = 1 + (r if x > 0 else -r)
    return index * coins * (k * (1 + x) / edge if tail else 1.0)


def deribit_delta(a: Account, i: Item, cross: bool) -> float:
    if not cross:
        return 0.0 if i.kind == "balance" else net_exposure(a, i)
    if i.kind == "balance":
        return a.index[i.coin]
    if i.kind == "option":
        return delta(i) * i.forward * (a.index[i.coin] / i.forward if i.inverse else 1.0)
    return 0.0 if i.inverse else i.price


def deribit(a: Account, level: str, *, cross: bool = False, offset: float = 0.0) -> float:
    factor = 1.0 if level == "initial" else 0.8
    asked: dict[str, float] = defaultdict(float)
    for coin in a.coins:
        scales, index = SCALES[coin], a.index[coin]
        r = scales["r"]
        cells = [(r * k / 4, move, False) for k in range(-4, 5) for move in ("up", "none", "down")]
        cells += [(x, "up", True) for x in TAILS]
        own = [i for i in a.items if i.coin == coin]
        parts = {coin: own} if cross else {
            coin: [i for i in own if i.kind == "balance" or i.inverse],
            "USD": [i for i in own if i.kind != "balance" and not i.inverse],
        }  # fmt: skip
        for currency, items in parts.items():
            rules = DOLLARS if currency == "USD" else scales
            worst = 0.0
            for x, move, tail in cells:
                gains: dict[bool, float] = defaultdict(float)
                for i in items:
                    if i.held:
                        vol = (
                            moved(i.vol, term(i), move, scales["up"], 0.25, 0.5) if i.kind == "option" else 0
                        )
                        settles_in_coin = i.inverse or i.kind == "balance"
                        gains[settles_in_coin] += i.held * deribit_cell(a, i, x, vol, tail, r, cross)
                several = cross and len({i.inverse for i in items if i.kind != "balance"}) > 1
                profit = sum(g * offset if several and g > 0 else g for g in gains.values())
                if tail:
                    price = (1 + (r if x > 0 else -r)) if currency != "USD" and not cross else 1.0
                    profit = (
                        min(0.0, profit + rules["damp"] * (abs(x) / r - 1) / price) if profit < 0 else profit
                    )
                worst = max(worst, -profit)
            d = abs(sum(i.held * deribit_delta(a, i, cross) for i in items))
            shock = min(scales["m"] * max(0.0, d - 20e6) / index, 0.1) * d
            expiries: dict[float, float] = defaultdict(float)
            for i in items:
                if i.kind != "balance":
                    expiries[i.years if i.kind != "perpetual" else 0.0] += i.held * net_exposure(a, i)
            roll = sum(max(rules["least"], rules["annual"] * years) * abs(x) for years, x in expiries.items())
            asked[currency] += factor * (worst + shock + roll)
    total = sum(asked.values())
    if cross:
        return total
    debts = a.haircuts(lambda _: 0.0, lambda _: STANDARD[level]["debt"])
    equity: dict[str, float] = defaultdict(float)
    for i in a.items:
        equity[i.coin if i.inverse or i.kind == "balance" else "USD"] += i.held * a.worth(i)
    excess, least = a.value() - total - debts, min(equity[c] - asked[c] for c in asked)
    return a.value() - (excess if least >= 0 else min(excess, least))


# OKX, Bybit, Binance --------------------------------------------------------------------------------


def line(points: Sequence[tuple[float, float]], x: float) -> float:
    if x <= points[0][0]:
        return points[0][1]
    for (a, low), (b, high) in pairwise(points):
        if x <= b:
            return low + (high - low) * (x - a) / (b - a)
    return points[-1][1]


def hedged(sides: Sequence[float]) -> float:
    return min(sum(max(0.0, s) for s in sides), sum(max(0.0, -s) for s in sides))


def steps(amount: float, points: Sequence[tuple[float, float]]) -> float:
    """Each rate on its own part."""
    edges = [*(start for start, _ in points[1:]), float("inf")]
    parts = zip(points, edges, strict=True)
    return sum(rate * max(0.0, min(amount, end) - start) for (start, rate), end in parts)


MULTIPLIERS = ((0.0, 1.0), (250e3, 2.0), (500e3, 4.0), (1e6, 6.0), (2e6, 8.0), (3e6, 10.0), (4e6, 12.0))


def okx(a: Account, level: str) -> float:
    total = 0.0
    for coin in a.coins:
        own = [i for i in a.items if i.coin == coin and i.held]
        worst = 0.0
        shares = {i.name: line(((0, 0.5), (30, 0.35), (60, 0.25)), i.years * 365) for i in own}
        points = {i.name: line(((0, 0.3), (30, 0.25), (60, 0.2)), i.years * 365) for i in own}
        for k in range(-3, 4):
            for kind, sign in (("", 0), ("share", 1), ("share", -1), ("point", 1), ("point", -1)):
                profit = 0.0
                for i in own:
                    vol = i.vol
                    if kind == "share":
                        vol = i.vol * max(0.0, 1 + sign * shares[i.name])
                    elif kind == "point":
                        vol = max(0.0, i.vol + sign * points[i.name])
                    profit += i.held * in_dollars(a, i, k / 25, vol)
                worst = max(worst, -profit)
        for x in (-0.24, 0.24):
            worst = max(worst, -sum(i.held * in_dollars(a, i, x, i.vol) for i in own) / 2)
        decay = 0.0
        for i in own:
            if i.kind == "option":
                change = black(i, i.forward, i.vol, i.years - 1 / 365) - black(i, i.forward, i.vol)
                decay += i.held * change * (a.index[coin] / i.forward if i.inverse else 1.0)
        worst = max(worst, -decay)
        vegas: dict[float, float] = defaultdict(float)
        forwards: dict[float, float] = defaultdict(float)
        sides: dict[bool, float] = defaultdict(float)
        closing = 0.0
        for i in own:
            if i.kind == "balance":
                continue
            if i.kind == "option":
                vegas[i.years] += i.held * in_dollars(a, i, 0.0, i.vol * (1 + shares[i.name]))
                cost = 0.0003 * a.index[coin]
                closing += abs(i.held) * (min(cost, a.worth(i)) if i.held > 0 else cost)
            else:
                closing += abs(i.held) * 0.0005 * a.notional(i)
            sides[i.inverse] += i.held * net_exposure(a, i)
            if i.kind != "perpetual":
                forwards[i.years] += i.held * net_exposure(a, i)
        added = 0.2 * hedged(list(vegas.values()))
        added += sum(abs(x) * 0.05 * years for years, x in forwards.items())
        added += 0.01 * abs(sum(x * years for years, x in forwards.items()))
        added += steps(hedged(list(sides.values())), ((0.0, 0.0075), (1e6, 0.0175), (5e6, 0.025)))
        total += max(worst + added, steps(closing, MULTIPLIERS))
    rates = STANDARD[level]
    return (1.3 if level == "initial" else 1.0) * total + a.haircuts(
        rates.__getitem__, lambda _: rates["debt"]
    )


def bybit(a: Account, level: str) -> float:
    factor = 1.2 if level == "initial" else 1.0
    total = 0.0
    for coin in a.coins:
        own = [i for i in a.items if i.coin == coin]
        worst = 0.0
        for k in range(-5, 6):
            for move in ("up", "none", "down"):
                profit = 0.0
                for i in own:
                    if i.held:
                        vol = moved(i.vol, term(i), move, 0.35, 0.3, 0.0) if i.kind == "option" else 0
                        profit += i.held * in_dollars(a, i, k / 50, vol)
                worst = max(worst, -profit)
        contracts = [i for i in own if i.kind != "balance"]
        deltas = {i.name: i.held * net_exposure(a, i) for i in contracts}
        vegas = {
            i.name: i.held * vega(i) * (a.index[coin] / i.forward if i.inverse else 1.0)
            for i in contracts
            if i.kind == "option"
        }
        for exposures, rate in ((vegas, 0.0003 * 365), (deltas, 0.45)):
            ends = sorted({i.years for i in contracts if i.name in exposures})
            for near, far in pairwise(ends):
                legs = [
                    sum(
                        exposures[i.name]
                        for i in contracts
                        if i.name in exposures and (i.years <= near) == side
                    )
                    for side in (True, False)
                ]
                total += rate * (far - near) * hedged(legs)
        sides = [sum(deltas[i.name] for i in contracts if i.inverse == side) for side in (True, False)]
        total += worst + 0.005 * hedged(sides)
    total += sum(abs(i.held) * 0.005 * a.notional(i) for i in a.of("future", "perpetual")) + a.naked(0.005)
    rates = STANDARD[level]
    return factor * total + a.haircuts(rates.__getitem__, lambda _: rates["debt"])


BRACKETS = (
    (0.0, 0.004), (50e3, 0.005), (600e3, 0.0065), (3e6, 0.01), (12e6, 0.02), (70e6, 0.025), (100e6, 0.05),
    (230e6, 0.1), (480e6, 0.125), (600e6, 0.15), (800e6, 0.25), (1200e6, 0.5),
)  # fmt: skip


def binance(a: Account, level: str) -> float:
    rates = STANDARD[level]
    margin = sum(steps(abs(i.held) * a.notional(i), BRACKETS) for i in a.of("future", "perpetual"))
    options = sum(-i.held * short_option(a, i, rates) for i in a.of("option") if i.held < 0)
    ratio = 1.5 if level == "initial" else 1.05
    return ratio * margin + options + a.haircuts(rates.__getitem__, lambda _: rates["debt"])
