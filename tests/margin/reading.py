"""The models as docs/margin.md and docs/models state them, read once more in plain floating point.

Nothing of the product's arithmetic is used: of a snapshot only what the market said, the parameters' numbers, and, for
joint scenarios, the published moves.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
