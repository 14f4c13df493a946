"""Markets, parameters and accounts for the tests of SPAN, and SPAN written down a second time."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import ceil
from typing import Any

from hypothesis import strategies as st

from zkmargin.margin.market import Market
from zkmargin.margin.market.quotes import Listing, assemble, future, option
from zkmargin.margin.models.span.tables import SpanTables
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.parameters.span import SpanParameters
from zkmargin.margin.snapshot.snapshot import Snapshot
from zkmargin.margin.units import Level

NOW = 1_767_254_400_000_000
"""1 January 2026, 08:00 UTC."""
DAY = 86_400_000_000
MONTHS = {"2026-01-30": 29, "2026-03-27": 85, "2026-04-24": 113, "2026-06-26": 176}
INDICES = {"BTC": Decimal(88000), "ETH": Decimal("2984.15")}
METHODS = ("scan_range", "normal", "scan_range_cap")


@cache
def market() -> Market:
    """Two coins: perpetuals and futures of four months, linear and inverse, and a few options."""
    listings = []
    for coin, index in INDICES.items():
        for inverse, tag in ((True, ""), (False, "_USD")):
            perpetual = future(f"{coin}{tag}-PERPETUAL", coin, inverse=inverse, expiry=None)
            listings.append(Listing(perpetual, index, "row"))
            for day, days in MONTHS.items():
                name, expiry = f"{coin}{tag}-{day}", NOW + days * DAY
                price = (index * (1 + Decimal(days) / 9125)).quantize(Decimal("0.01"))
                made = future(name, coin, inverse=inverse, expiry=expiry)
                listings.append(Listing(made, price, "row"))
                if days > 120 or (inverse and days > 60):
                    continue
                strike = (index * Decimal("1.05")).quantize(Decimal(1))
                for call, premium in ((True, Decimal("0.05")), (False, Decimal("0.09"))):
                    title = f"{name}-{'C' if call else 'P'}"
                    held = option(title, coin, inverse=inverse, expiry=expiry, strike=strike, call=call)
                    mark = premium if inverse else premium * index
                    listings.append(Listing(held, mark, "row", Decimal("0.6"), price))
    return assemble("two coins", NOW, INDICES, listings)


def snapshot(section: Mapping[str, Any] | None = None) -> Snapshot:
    """The market's snapshot under a section of parameters."""
    document = {} if section is None else {"span": section}
    return Snapshot.build(market(), parse_parameters(document, "test"), domain=64)


def commodity(name: str, **changes: Any) -> dict[str, Any]:
    """A combined commodity with two tiers, calendar spreads, a delivery month and a minimum."""
    return {
        "name": name,
        "price_scan_range": "15%",
        "volatility_scan_range": "25%",
        "tiers": [
            {"name": "near", "last": "2026-03"},
            {"name": "far", "first": "2026-04"},
        ],
        "intra_spreads": [
            {"priority": 2, "charge": "120.5", "legs": [leg("near", "A"), leg("near", "B")]},
            {"priority": 1, "charge": "1%", "legs": [leg("near", "A"), leg("far", "B", "1.5")]},
        ],
        "delivery": [{"period": "2026-01", "spread_charge": "10", "outright_charge": "25"}],
        "short_option_minimum": "2%",
        **changes,
    }


def leg(tier: str, side: str, ratio: str = "1") -> dict[str, str]:
    """A leg of a calendar spread."""
    return {"tier": tier, "side": side, "ratio": ratio}


def inter(priority: int, rate: str, *legs: tuple[str, str | None, str, str]) -> dict[str, Any]:
    """A weighted spread over commodities; legs are commodity, tier, side and ratio."""
    keys = ("commodity", "tier", "side", "ratio")
    return {
        "priority": priority,
        "credit_rate": rate,
        "legs": [dict(zip(keys, made, strict=True)) for made in legs],
    }


def section(method: str = "scan_range", **changes: Any) -> dict[str, Any]:
    """Two commodities with everything, and credits between them."""
    spreads = [
        inter(1, "0.5", ("BTC", "near", "A", "1"), ("ETH", "near", "B", "30")),
        inter(2, "0.25", ("BTC", "far", "A", "1"), ("ETH", "far", "A", "10"), ("ETH", "near", "B", "30")),
    ]
    # 0.001 of a coin, so that small accounts have a net delta, too.
    common: dict[str, Any] = {"price_risk": method, "delta_rounding": "0.001", **changes}
    return {
        "commodities": [commodity("BTC", **common), commodity("ETH", **common)],
        "inter_spreads": spreads,
    }


_ratios = st.sampled_from(["1", "2", "3", "0.5", "1.5"])
_sizes = st.sampled_from(["0", "75.25", "0.7%", "2%"])
_sides = st.sampled_from([("A", "B"), ("B", "A"), ("A", "B", "B"), ("A", "A", "B")])


@st.composite
def sections(draw: st.DrawFn) -> dict[str, Any]:
    """Random commodities, tiers, spreads, delivery months and methods."""
    days = list(MONTHS)
    commodities = []
    for name in INDICES:
        cuts = sorted(draw(st.sets(st.integers(1, len(days) - 1), max_size=2)))
        edges = [0, *cuts, len(days)]
        tiers = [
            {"name": f"tier {k}", "first": days[a] if k else None, "last": days[b - 1]}
            for k, (a, b) in enumerate(pairwise(edges))
        ]
        names = [tier["name"] for tier in tiers]
        intra = []
        for priority in range(draw(st.integers(0, 3))):
            sides = draw(_sides)
            legs, used = [], set()
            for side in sides:
                place = draw(st.sampled_from(names))
                if (place, side) not in used:
                    used.add((place, side))
                    legs.append(leg(str(place), side, draw(_ratios)))
            intra.append({"priority": 4 - priority, "charge": draw(_sizes), "legs": legs})
        delivery = draw(st.lists(st.sampled_from(["2026-01", "2026-04-24"]), unique=True, max_size=2))
        commodities.append(
            commodity(
                name,
                price_scan_range=draw(st.sampled_from(["9%", "22%", "300"])),
                volatility_scan_range=draw(st.sampled_from(["0.1", "30%"])),
                extreme_multiple=draw(st.sampled_from(["2", "3"])),
                tiers=tiers,
                intra_spreads=intra,
                delivery=[
                    {"period": period, "spread_charge": draw(_sizes), "outright_charge": draw(_sizes)}
                    for period in delivery
                ],
                short_option_minimum=draw(_sizes),
                short_option_method=draw(st.sampled_from(["gross", "max"])),
                cap_option_value=draw(st.booleans()),
                price_risk=draw(st.sampled_from(METHODS)),
                delta_rounding=draw(st.sampled_from(["0.001", "1"])),
                ratio={"initial": draw(st.sampled_from(["1", "1.1", "1.25"])), "maintenance": "1"},
            )
        )
    spreads: list[dict[str, Any]] = []
    for priority in range(draw(st.integers(0, 3))):
        first, second = draw(st.permutations(list(INDICES)))
        legs_across = []
        for name, side in ((first, "A"), (second, "B")):
            held = next(c["tiers"] for c in commodities if c["name"] == name)
            tier = draw(st.sampled_from([t["name"] for t in held]))
            legs_across.append((name, tier, side, draw(_ratios)))
        spread = inter(priority + 1, draw(st.sampled_from(["0.5", "0.75", "1"])), *legs_across)
        if draw(st.integers(0, 3)) == 0:
            del spread["credit_rate"]
            spread["flat_credit"] = draw(st.sampled_from(["10", "333.33"]))
        spreads.append(spread)
    return {"commodities": commodities, "inter_spreads": spreads}


def accounts(made: Snapshot, most: int = 60) -> st.SearchStrategy[list[int]]:
    """Accounts of up to 60 positions, worth from a fraction of a coin to many coins each."""
    instruments = made.universe.instruments
    positions = st.dictionaries(
        st.integers(0, len(instruments) - 1),
        st.tuples(st.integers(-40, 40), st.integers(-2, 2)),
        max_size=min(most, len(instruments)),
    )

    def vector(held: dict[int, tuple[int, int]]) -> list[int]:
        lots = [0] * len(instruments)
        for slot, (number, power) in held.items():
            i = instruments[slot]
            worth = 10000 if i.inverse and i.kind != "option" else 1
            lots[slot] = int(Fraction(number) * Fraction(10) ** (power - i.lot_exponent) * worth)
            lots[slot] = max(-i.bound, min(i.bound, lots[slot]))
        return lots

    return positions.map(vector)


# SPAN once more, from the parameters: period by period, without pools and in fractions ------------------


def brute_force(made: Snapshot, lots: list[int], level: Level) -> Fraction:
    """The requirement in USD but for haircuts, from parameters, risk arrays and deltas by period."""
    parameters: SpanParameters = made.parameters.section("span")
    tables = made.models["span"]
    assert isinstance(tables, SpanTables)
    money = 10**made.money_decimals
    books = {}
    for number, commodity in enumerate(parameters.commodities):
        books[commodity.name] = _Book(made, tables, number, commodity, lots)
    for book in books.values():
        book.calendar_spreads()
    credits: dict[str, Fraction] = dict.fromkeys(books, Fraction(0))
    weights: dict[str, Fraction] = dict.fromkeys(books, Fraction(0))
    for spread in sorted(parameters.inter_spreads, key=lambda s: s.priority):
        for long_side in ("A", "B"):
            pools = []
            for made_leg in spread.legs:
                book = books[made_leg.commodity]
                sign = 1 if made_leg.side == long_side else -1
                pools.append((book, made_leg.tier, sign, Fraction(made_leg.ratio)))
            count = min(max(Fraction(0), sign * book.net(tier)) / ratio for book, tier, sign, ratio in pools)
            unit = _unit([ratio for *_, ratio in pools])
            count = count // (unit / money) * (unit / money)
            for book, tier, sign, ratio in pools:
                book.taken[tier] = book.taken.get(tier, Fraction(0)) + sign * ratio * count
                if spread.credit_rate is not None:
                    weight = ratio * Fraction(spread.credit_rate)
                    weights[book.name] += weight * count
                    # By scan range, too, what a step gives is cut after six decimals.
                    by_range = Fraction(weight * unit * book.scan_range() * 10**6 // 1, 10**6)
                    credits[book.name] += by_range / unit * count if book.by_range() else 0
            for name in {made_leg.commodity for made_leg in spread.legs}:
                if spread.flat_credit is not None:
                    shared = len({made_leg.commodity for made_leg in spread.legs})
                    # What a step gives is cut after six decimals.
                    per_step = Fraction(spread.flat_credit) * unit / shared
                    share = Fraction(per_step * 10**6 // 1, 10**6) / unit
                    credits[name] += share * count
    total = Fraction(0)
    for name, book in books.items():
        # What a commodity is asked for is rounded up to a money unit.
        total += Fraction(ceil(book.requirement(credits[name], weights[name], level, money) * money), money)
    return total


def _unit(ratios: list[Fraction]) -> Fraction:
    """The spreads that one whole step forms: the least for which all legs are whole."""
    unit = Fraction(1)
    while any((ratio * unit).denominator > 1 for ratio in ratios):
        unit += 1
    for divisor in range(60, 1, -1):
        if all((ratio * unit / divisor).denominator == 1 for ratio in ratios):
            return unit / divisor
    return unit


class _Book:
    """One commodity of an account: deltas in units of the underlying by period."""

    def __init__(self, made: Snapshot, tables: SpanTables, number: int, commodity: Any, lots: list[int]):
        self.made, self.commodity, self.name, self.lots = made, commodity, commodity.name, lots
        self.money = 10**made.money_decimals
        self.index = Fraction(made.inputs.indices[commodity.underlying])
        self.own = [s for s in range(len(lots)) if tables.unit_of[s] == number]
        self.losses = [
            -Fraction(sum(lots[s] * made.scale[s] * int(row[s]) for s in self.own), self.money)
            for row in tables.risk
        ]
        self.deltas: dict[str, Fraction] = {}
        for period in tables.commodities[number].periods:
            pairs = zip(period.slots, period.deltas, strict=True)
            amount = sum(lots[s] * made.scale[s] * delta for s, delta in pairs)
            self.deltas[period.label] = Fraction(amount, self.money)
        self.total = sum(self.deltas.values(), Fraction(0))
        self.left = dict(self.deltas)
        self.charge = Fraction(0)
        self.taken: dict[str | None, Fraction] = {}

    def by_range(self) -> bool:
        return bool(self.commodity.price_risk == "scan_range")

    def scan_range(self) -> Fraction:
        return Fraction(self.commodity.price_scan_range.of(self.index) * 10**6 // 1, 10**6)

    def periods(self, tier_name: str | None) -> list[str]:
        tier = next((t for t in self.commodity.tiers if t.name == tier_name), None)
        held = []
        for period in sorted(self.deltas, key=lambda p: (p != "spot", p)):
            if tier is None:
                held.append(period)
            elif period == "spot":
                held += [period] if tier.first is None else []
            elif (tier.first or "0")[:10] <= period and (
                tier.last is None or period <= tier.last or period.startswith(tier.last)
            ):
                held.append(period)
        return held

    def calendar_spreads(self) -> None:
        for spread in sorted(self.commodity.intra_spreads, key=lambda s: s.priority):
            for long_side in ("A", "B"):
                self._spread(spread, long_side)
        for delivery in self.commodity.delivery:
            for period, delta in self.deltas.items():
                if period.startswith(delivery.period):
                    rest = abs(self.left[period])
                    self.charge += (abs(delta) - rest) * _up(delivery.spread_charge.of(self.index))
                    self.charge += rest * _up(delivery.outright_charge.of(self.index))

    def _spread(self, spread: Any, long_side: str) -> None:
        ratios = [Fraction(made_leg.ratio) for made_leg in spread.legs]
        signs = [1 if made_leg.side == long_side else -1 for made_leg in spread.legs]
        places = [self.periods(made_leg.tier) for made_leg in spread.legs]
        available = [
            sum(max(Fraction(0), sign * self.left[p]) for p in held)
            for sign, held in zip(signs, places, strict=True)
        ]
        unit = _unit(ratios)
        count = min(amount / ratio for amount, ratio in zip(available, ratios, strict=True))
        count = count // (unit / self.money) * (unit / self.money)
        for ratio, sign, held in zip(ratios, signs, places, strict=True):
            due = ratio * count
            for period in held:
                part = min(due, max(Fraction(0), sign * self.left[period]))
                self.left[period] -= sign * part
                due -= part
            assert due == 0
        self.charge += count * _up(spread.charge.of(self.index) * unit) / unit

    def net(self, tier: str | None) -> Fraction:
        return sum((self.left[p] for p in self.periods(tier)), Fraction(0)) - self.taken.get(
            tier, Fraction(0)
        )

    def requirement(self, flat: Fraction, weight: Fraction, level: Level, money: int) -> Fraction:
        worst = max(self.losses)
        scan = max(Fraction(0), worst)
        risk = scan + self.charge - flat - self._credit(weight, worst, money)
        amount = Fraction(self.commodity.ratio.at(level)) * max(risk, self._minimum(), Fraction(0))
        if self.commodity.cap_option_value:
            marks = self.made.marks.tolist()
            kinds = self.made.universe.instruments
            value = sum(
                self.lots[s] * self.made.scale[s] * marks[s] for s in self.own if kinds[s].kind == "option"
            )
            amount = max(amount, Fraction(value, money))
        return amount

    def _credit(self, weight: Fraction, worst: Fraction, money: int) -> Fraction:
        if self.by_range():
            return Fraction(0)
        step = Fraction(self.commodity.delta_rounding)
        steps = (abs(self.total) / step + Fraction(1, 2)) // 1
        if steps == 0 or worst < 0:
            return Fraction(0)
        active = self.losses.index(worst)
        pair = active if active > 13 else active ^ 1
        price_risk = (self.losses[active] + self.losses[pair] - self.losses[0] - self.losses[1]) / 2
        each = max(Fraction(0), Fraction(price_risk * money / steps // 1, money))
        if self.commodity.price_risk == "scan_range_cap":
            each = min(each, Fraction(self.scan_range() * step * money // 1, money))
        return Fraction(each / step * weight * money // 1, money)

    def _minimum(self) -> Fraction:
        rate = self.commodity.short_option_minimum.of(self.index)
        shorts = {True: Fraction(0), False: Fraction(0)}
        for slot in self.own:
            i = self.made.universe.instruments[slot]
            if i.kind == "option" and self.lots[slot] < 0:
                shorts[bool(i.call)] += -self.lots[slot] * Fraction(i.lot)
        charges = [_up(rate) * amount for amount in shorts.values()]
        return max(charges) if self.commodity.short_option_method == "max" else sum(charges, Fraction(0))


def _up(charge: Fraction) -> Fraction:
    return -Fraction(-charge * 10**6 // 1, 10**6)
