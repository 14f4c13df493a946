"""Markets of shares, ETFs and indices with what is listed on them, invented for tests."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from zkmargin.margin.instruments.instrument import Instrument, Security
from zkmargin.margin.market.quotes import Listing, Market, assemble, security_future, security_option, share
from zkmargin.margin.parameters.document import parse_parameters
from zkmargin.margin.snapshot.snapshot import Snapshot

NOW = 1_767_254_400_000_000
DAY = 86_400_000_000
RATE = Decimal("0.04")

SHARE: Mapping[str, str] = {
    "instrument": "ACME", "type": "share", "underlying": "ACME", "kind": "equity",
    "time_utc": "2026-01-01T08:00:00Z", "expiry_utc": "", "strike": "", "multiplier": "", "price": "75",
    "volatility": "", "rate": "", "dividend_yield": "",
}  # fmt: skip
CALL = {
    **SHARE, "instrument": "ACME-20260220-80-C", "type": "call", "expiry_utc": "2026-02-20T21:00:00Z",
    "strike": "80", "multiplier": "100", "price": "1.85", "volatility": "0.32", "rate": "0.04",
    "dividend_yield": "0.012",
}  # fmt: skip
PUT = {**CALL, "instrument": "ACME-20260220-80-P", "type": "put", "price": "6.4"}
INDEX = {
    **SHARE,
    "instrument": "BIG",
    "type": "index",
    "underlying": "BIG",
    "kind": "large-broad-index",
    "price": "6800",
}
FUTURE = {
    **INDEX, "instrument": "BIG-20260320", "type": "future", "expiry_utc": "2026-03-20T13:30:00Z",
    "multiplier": "50", "price": "6850.25",
}  # fmt: skip
ROWS = (SHARE, CALL, PUT, INDEX, FUTURE)


def write(path: Path, *rows: Mapping[str, str]) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@dataclass(frozen=True)
class Option:
    """What is listed on an underlying; the price is invented like everything else."""

    strike: Decimal
    call: bool
    days: int = 49
    price: Decimal = Decimal("2.5")
    volatility: Decimal = Decimal("0.3")
    multiplier: int = 100


@dataclass(frozen=True)
class Underlying:
    name: str
    security: Security
    price: Decimal
    options: tuple[Option, ...] = ()
    future: bool = False


def market(*underlyings: Underlying) -> Market:
    """Forwards are at the price: neither carry nor dividends."""
    listings = [listing for underlying in underlyings for listing in _listings(underlying)]
    return assemble("invented", NOW, {u.name: u.price for u in underlyings}, listings)


def _listings(u: Underlying) -> list[Listing]:
    found: list[Listing] = []
    if u.security in ("equity", "etf"):
        found.append(Listing(share(u.name, u.security), u.price, "row"))
    if u.future:
        made = security_future(f"{u.name}-F", u.name, u.security, expiry=NOW + 80 * DAY, multiplier=50)
        found.append(Listing(made, u.price + 1, "row"))
    for number, o in enumerate(u.options):
        found.append(Listing(_option(u, o, number), o.price, "row", o.volatility, u.price, RATE))
    return found


def _option(u: Underlying, o: Option, number: int) -> Instrument:
    return security_option(
        f"{u.name}-{number}",
        u.name,
        u.security,
        expiry=NOW + o.days * DAY,
        strike=o.strike,
        call=o.call,
        multiplier=o.multiplier,
    )


def snapshot(made: Market, section: Mapping[str, Any] | None = None, domain: int = 64) -> Snapshot:
    """A snapshot with a section of TIMS parameters."""
    document = {} if section is None else {"tims": dict(section)}
    return Snapshot.build(made, parse_parameters(document, "parameters"), domain=domain)


def _ladder(name: str, security: Security, price: int, count: int, *, future: bool = False) -> Underlying:
    options = tuple(
        Option(
            strike=Decimal(price * (85 + 5 * (number // 2 % 7))) / 100,
            call=number % 2 == 0,
            days=14 + 35 * (number // 14),
            price=Decimal(3 + number) * price / 400,
            volatility=Decimal(20 + number) / 100,
        )
        for number in range(count)
    )
    return Underlying(name, security, Decimal(price), options, future)


@cache
def wide_market(options: int = 13) -> Market:
    """Four underlyings of different kinds, with calls and puts on each: 60 instruments and cash."""
    return market(
        _ladder("ACME", "equity", 75, options),
        _ladder("BOLT", "equity", 210, options),
        _ladder("BIG", "large-broad-index", 6800, options, future=True),
        _ladder("SMALL", "broad-index", 2400, options, future=True),
        Underlying("FUND", "etf", Decimal(680)),
    )


FLAT: Mapping[str, Any] = {}
NESTED: Mapping[str, Any] = {
    "classes": {"LARGE": {"underlyings": ["BIG", "FUND"], "range": "large-broad-index"}},
    "groups": {
        "broad": {"members": ["LARGE", "SMALL"], "offset": "0.9"},
        "all": {"members": ["ACME", "broad"], "offset": "0.35"},
    },
    "factor": {"initial": "1.2", "maintenance": "1"},
}
BY_NODE: Mapping[str, Any] = {**NESTED, "minimum_scope": "group", "minimum": "0.5"}
THIRDS: Mapping[str, Any] = {
    "groups": {
        "shares": {"members": ["ACME", "BOLT"], "offset": "0.333333"},
        "and small": {"members": ["shares", "SMALL"], "offset": "0.333333"},
        "all": {"members": ["and small", "BIG", "FUND"], "offset": "0.777777"},
    },
    "factor": {"initial": "1.333333333333", "maintenance": "1"},
}
"""Gains that do not divide: what counts of them is rounded."""
SECTIONS = {"flat": FLAT, "nested": NESTED, "nested, minimum by node": BY_NODE, "thirds": THIRDS}


@st.composite
def sections(draw: st.DrawFn) -> dict[str, Any]:
    """Any parameters for the wide market: classes, a tree of groups, offsets, minimum and factors."""
    names = ["ACME", "BOLT", "BIG", "SMALL", "FUND"]
    classes: dict[str, Any] = {}
    if draw(st.booleans()):
        taken = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
        percent = st.integers(1, 60).map(lambda number: str(Decimal(number) / 100))
        classes["ONE"] = {"underlyings": taken, "range": {"down": draw(percent), "up": draw(percent)}}
        names = ["ONE", *(name for name in names if name not in taken)]
    groups: dict[str, Any] = {}
    for number in range(draw(st.integers(0, 3))):
        members = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
        offset = draw(st.sampled_from(["0", "0.25", "0.333333", "0.9", "1"]))
        groups[f"group {number}"] = {"members": members, "offset": offset}
        names = [f"group {number}", *(name for name in names if name not in members)]
    initial = draw(st.sampled_from(["1", "1.25", "1.333333333333"]))
    return {
        "classes": classes,
        "groups": groups,
        "minimum": draw(st.sampled_from(["0", "0.375", "9.5"])),
        "minimum_scope": draw(st.sampled_from(["account", "group"])),
        "factor": {"initial": initial, "maintenance": draw(st.sampled_from(["0.75", "1"]))},
    }


def accounts(made: Snapshot, most: int = 60) -> st.SearchStrategy[list[int]]:
    """Cash and up to `most` positions, hedged or not, of few or of many contracts."""
    count = len(made.universe)
    cash = made.universe.slot("USD")
    size = st.one_of(st.integers(-20, 20), st.integers(-(10**6), 10**6))
    held = st.dictionaries(st.integers(0, count - 1), size, max_size=most)
    return st.builds(
        lambda positions, money: [money if slot == cash else positions.get(slot, 0) for slot in range(count)],
        held,
        st.integers(-(10**13), 10**13),
    )
