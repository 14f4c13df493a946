"""The models as docs/margin.md and docs/models state them, read once more in plain floating point.

Nothing of the product's arithmetic is used: of a snapshot only what the market said, the parameters' numbers, and, for
joint scenarios, the published moves.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, erf, exp, floor, log, pi, sqrt

from zkmargin.margin.snapshot.snapshot import Snapshot

DAY = 86400e6
YEAR = 365 * DAY
Rates = Mapping[str, float]


@dataclass(frozen=True)
class Item:
    """One slot: what it is, what the market said, and how much is held."""

    name: str
    kind: str
    coin: str
    inverse: bool
    years: float
    strike: float
    call: bool
    price: float
    vol: float
    forward: float
    held: float


class Account:
    """Quantities by slot, legs of entries in the balances."""

    def __init__(self, made: Snapshot, lots: Sequence[int]) -> None:
        self.index = {coin: float(price) for coin, price in made.inputs.indices.items()}
        self.items = []
        for i, quote, held in zip(made.universe.instruments, made.inputs.quotes, lots, strict=True):
            years = ((i.expiry or made.valuation_time) - made.valuation_time) / YEAR
            self.items.append(
                Item(
                    i.name, i.kind, i.underlying, i.inverse, years, float(i.strike or 0), bool(i.call),
                    float(quote.price), float(quote.volatility or 0), float(quote.forward or 0),
                    float(held * i.lot),
                )
            )  # fmt: skip

    def of(self, *kinds: str, coin: str | None = None) -> list[Item]:
        return [i for i in self.items if i.kind in kinds and coin in (None, i.coin)]

    @property
    def coins(self) -> list[str]:
        return sorted({i.coin for i in self.items if i.coin != "USD"})

    def notional(self, i: Item) -> float:
        """For one unit of quantity: the mark, or index / mark for one inverse dollar."""
        return self.index[i.coin] / i.price if i.inverse else i.price

    def worth(self, i: Item) -> float:
        """USD for one unit of quantity: what the slot alone is worth."""
        if i.kind == "balance":
            return 1.0 if i.coin == "USD" else self.index[i.coin]
        if i.inverse:
            return i.price * self.index[i.coin] if i.kind == "option" else -self.index[i.coin] / i.price
        return i.price

    def value(self) -> float:
        return sum(i.held * self.worth(i) for i in self.items)

    def equity(self, coin: str) -> float:
        """A coin's: its balance, less the dollars of inverse futures and perpetuals, in coins at their mark."""
        balance = sum(i.held * self.index[coin] for i in self.of("balance", coin=coin))
        owed = sum(i.held * self.notional(i) for i in self.of("future", "perpetual", coin=coin) if i.inverse)
        return balance - owed

    def haircuts(self, rate: Callable[[str], float], debt: Callable[[str], float]) -> float:
        equities = {coin: self.equity(coin) for coin in self.coins}
        return sum(rate(c) * max(0.0, e) + debt(c) * max(0.0, -e) for c, e in equities.items())

    def naked(self, rate: float) -> float:
        """On the spot price of what is short by strike, expiry and settlement currency."""
        groups: dict[tuple[object, ...], float] = defaultdict(float)
        for i in self.of("option"):
            groups[i.coin, i.inverse, i.years, i.strike] += i.held
        return sum(rate * self.index[str(key[0])] * max(0.0, -sum_) for key, sum_ in groups.items())


def normal(x: float) -> float:
    return (1 + erf(x / sqrt(2))) / 2


def black(i: Item, forward: float, vol: float, years: float | None = None) -> float:
    """Undiscounted; intrinsic where nothing is left to vary."""
    deviation = vol * sqrt(max(0.0, i.years if years is None else years))
    if deviation == 0:
        return max(0.0, forward - i.strike if i.call else i.strike - forward)
    d = log(forward / i.strike) / deviation + deviation / 2
    call = forward * normal(d) - i.strike * normal(d - deviation)
    return call if i.call else call - (forward - i.strike)


def delta(i: Item) -> float:
    deviation = i.vol * sqrt(i.years)
    up = normal(log(i.forward / i.strike) / deviation + deviation / 2)
    return up if i.call else up - 1


def vega(i: Item) -> float:
    deviation = i.vol * sqrt(i.years)
    d = log(i.forward / i.strike) / deviation + deviation / 2
    return i.forward * exp(-d * d / 2) / sqrt(2 * pi) * sqrt(i.years)


def net_exposure(a: Account, i: Item) -> float:
    """USD for one unit of quantity if its forward alone moves by all of itself."""
    if i.kind != "option":
        return a.notional(i)
    change = delta(i) * i.forward
    return (change - black(i, i.forward, i.vol)) * a.index[i.coin] / i.forward if i.inverse else change


# Rates ----------------------------------------------------------------------------------------------

STANDARD = {
    "initial": {"future": 0.02, "option": 0.15, "least": 0.1, "debt": 0.2, "BTC": 0.05, "ETH": 0.075},
    "maintenance": {"future": 0.01, "option": 0.075, "least": 0.05, "debt": 0.1, "BTC": 0.03, "ETH": 0.05},
}


def short_option(a: Account, i: Item, rates: Rates) -> float:
    spot = a.index[i.coin]
    out = max(0.0, i.strike - spot if i.call else spot - i.strike)
    return max(rates["option"] * spot - out, rates["least"] * spot)


def by_rates(a: Account, level: str, *, isolated: bool) -> float:
    rates = STANDARD[level]
    futures = sum(abs(i.held) * rates["future"] * a.notional(i) for i in a.of("future", "perpetual"))
    options = 0.0
    for i in a.of("option"):
        if i.held < 0:
            options -= i.held * short_option(a, i, rates)
        elif isolated:
            options += i.held * a.worth(i)
    return futures + options + a.haircuts(rates.__getitem__, lambda _: rates["debt"])


# The grid -------------------------------------------------------------------------------------------


def term(i: Item) -> float:
    days = max(i.years * 365, 1.0)
    return float((30 / days) ** (0.3 if days <= 30 else 0.13))


def moved(vol: float, m: float, move: str, up: float, down: float, least: float) -> float:
    if move == "up":
        return max(vol * (1 + up * m), least)
    return vol * max(0.0, 1 - down * m) if move == "down" else vol


def in_dollars(a: Account, i: Item, x: float, vol: float) -> float:
    """The change in value of one unit of quantity: everything moves by one factor."""
    if i.kind == "balance":
        return 0.0 if i.coin == "USD" else a.index[i.coin] * x
    if i.kind != "option":
        return 0.0 if i.inverse else i.price * x
    change = black(i, i.forward * (1 + x), vol) - black(i, i.forward, i.vol)
    return change * a.index[i.coin] / i.forward if i.inverse else change


def grid(a: Account, level: str) -> float:
    cells = [(k / 25, move, 1.0) for k in range(-4, 5) for move in ("up", "none", "down")]
    cells += [(x, "up", min(1.0, 0.2 * 0.16 / abs(x))) for x in (-0.66, -0.33, 0.5, 1, 2, 3)]
    loss = 0.0
    for coin in a.coins:
        profits = []
        for x, move, damping in cells:
            profit = 0.0
            for i in a.items:
                if i.coin == coin and i.held:
                    vol = moved(i.vol, term(i), move, 0.5, 0.275, 0.5) if i.kind == "option" else 0
                    profit += i.held * in_dollars(a, i, x, vol)
            profits.append(profit * damping)
        loss += max(0.0, -min(profits))
    rates = STANDARD[level]
    perpetuals = 0.02 if level == "initial" else 0.01
    charges = sum(abs(i.held) * perpetuals * a.notional(i) for i in a.of("perpetual"))
    charges += a.naked(0.01 if level == "initial" else 0.005)
    charges += a.haircuts(rates.__getitem__, lambda _: 0.0)
    return (1.0 if level == "initial" else 0.8) * loss + charges


def tiered(a: Account, level: str, threshold: float) -> float:
    return grid(a, level) if a.value() >= threshold else by_rates(a, level, isolated=False)


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


# Joint scenarios ------------------------------------------------------------------------------------


def losses(a: Account, moves: Sequence[Mapping[str, float]]) -> list[float]:
    return [-sum(i.held * in_dollars(a, i, m.get(i.coin, 0.0), i.vol) for i in a.items) for m in moves]


def shortfall(a: Account, level: str, moves: Sequence[Mapping[str, float]]) -> float:
    """The mean of the worst S (1 - confidence) losses, fractions included."""
    found = sorted(losses(a, moves), reverse=True)
    weight = len(found) * (0.025 if level == "initial" else 0.05)
    whole = floor(weight + 1e-9)
    tail = sum(found[:whole]) + (weight - whole) * found[min(whole, ceil(weight))]
    return max(0.0, tail / weight) + a.haircuts(STANDARD[level].__getitem__, lambda _: 0.0)


def at_risk(a: Account, level: str, moves: Sequence[Mapping[str, float]]) -> float:
    """The (k + 1)-th largest loss, k = floor(S (1 - confidence))."""
    found = sorted(losses(a, moves), reverse=True)
    k = floor(len(found) * (0.01 if level == "initial" else 0.025) + 1e-9)
    return max(0.0, found[k]) + a.haircuts(STANDARD[level].__getitem__, lambda _: 0.0)


def correlation(a: Account, level: str, covariance: Sequence[Sequence[float]], coins: Sequence[str]) -> float:
    """m standard deviations over h days of the delta exposures, or the stress without offsets."""
    m, days, alone = (3.0, 2.0, 1.0) if level == "initial" else (2.33, 1.0, 0.75)
    x = []
    for coin in coins:
        exposure = sum(i.held * a.index[coin] for i in a.of("balance", coin=coin))
        for i in a.of("future", "perpetual", coin=coin):
            exposure += 0.0 if i.inverse else i.held * i.price
        for i in a.of("option", coin=coin):
            change = delta(i) * i.forward * (a.index[coin] / i.forward if i.inverse else 1.0)
            exposure += i.held * change
        x.append(exposure)
    variance = sum(x[i] * covariance[i][j] * x[j] for i in range(len(x)) for j in range(len(x)))
    stress = sum(alone * sqrt(covariance[i][i] * days) * abs(x[i]) for i in range(len(x)))
    loss = max(m * sqrt(days * variance), stress)
    return (
        loss
        + a.naked(0.02 if level == "initial" else 0.006)
        + a.haircuts(STANDARD[level].__getitem__, lambda _: 0.0)
    )
