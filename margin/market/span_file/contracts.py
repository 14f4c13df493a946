"""The contracts of a SPAN file: futures and options with price, risk array and composite delta.

Quantities are contracts. A price in points becomes USD a contract by the contract value factor (cvf), and so do
strikes and the prices of underlying futures.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.instruments.instrument import Instrument
from zkmargin.margin.market.inputs import SMALLEST_VOLATILITY
from zkmargin.margin.market.left_out import LeftOut
from zkmargin.margin.market.quotes import Listing, future, option
from zkmargin.margin.market.span_file.xml_tree import Element
from zkmargin.margin.market.times import parse_time
from zkmargin.margin.parameters.span import SCENARIOS, RiskArray

CURRENCY = "USD"

# Contracts are settled at this hour of their settlement date, and valued an hour before it.
_SETTLED, _VALUED = "20:00", "19:00"
_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_MONTH = re.compile(r"(\d{4})(0[1-9]|1[0-2])(\d{2})?", re.ASCII)
_UNSAFE = re.compile(r"[^A-Za-z0-9._/:-]", re.ASCII)
_ONE = Decimal(1)
_FAR = Decimal(10)

# Product families: what options may be on without being a contract here, what is read, and what is not.
_PHYSICAL = ("phyPf", "equityPf", "eqtyPf", "stkPf")
_OPTIONS = {"oofPf": "OOF", "oopPf": "OOP", "ooePf": "OOE"}
_READ = frozenset((*_PHYSICAL, *_OPTIONS, "futPf"))
_KINDS = {
    "oocPf": "options on combinations",
    "cmbPf": "combinations",
    "fwdPf": "forwards",
    "debtPf": "debt securities",
    "swapPf": "swaps",
}
_POINTS, _CASH = ("0", "N", "false"), ("1", "Y", "true")
"""How a price may be quoted: in points, or as the cash value of a cabinet trade."""

# How a product family's contracts are valued: at once, as equities are, or day by day.
_PAID, _FUTURES_STYLE = "EQTY", "FUT"

_Key = tuple[bool, str, str, str]
"""Whether it is a future; exchange, product family and contract, by their codes in the file."""


@dataclass(frozen=True)
class Identity:
    """What names a contract.

    Attributes:
        exchange: its code.
        parts: product, contract month, and of an option strike and type.
        day: of settlement, yyyymmdd.
        family, code: of product family and contract.
    """

    exchange: str
    parts: tuple[str, ...]
    day: str
    family: str
    code: str

    @property
    def plain(self) -> str:
        """The name where nothing collides with it."""
        return "-".join(part for part in self.parts if part)


@dataclass(frozen=True)
class Contract:
    """One contract: as the market has it, and as SPAN does."""

    commodity: str
    listing: Listing
    array: RiskArray
    identity: Identity


@dataclass(frozen=True)
class Link:
    """A product family within a combined commodity; `scale` is of the deltas of contracts that have none."""

    commodity: str
    scale: Decimal


@dataclass
class Contracts:
    """What a reader of contracts knows of the file."""

    date: str
    """Business date, yyyymmdd."""
    rate: str
    """Which of the file's sets of rates is read."""
    links: Mapping[tuple[str, ...], Link]
    """By exchange, id of the product family and type, and by exchange, code and type; see `read_spn`."""
    wanted: frozenset[str]
    """Commodities that are asked for; all if empty."""
    gone: LeftOut
    prices: dict[_Key, tuple[Decimal, str]] = field(default_factory=dict)
    """Price in USD a contract, and contract month, of everything that an option may be on."""
    doubts: list[str] = field(default_factory=list)
    """Numbers that do not go together, one sentence each."""

    def of(self, exchange: Element) -> Iterator[Contract]:
        """All futures of an exchange, then all options on them, on physicals and on equities."""
        code = exchange.string("exch")
        for tag in _PHYSICAL:
            for family in exchange.all(tag):
                self._physicals(code, family)
        for family in exchange.all("futPf"):
            for contract in family.all("fut"):
                yield from self._read(code, family, contract, contract, "FUT")
        for tag, kind in _OPTIONS.items():
            for family in exchange.all(tag):
                for series in family.all("series"):
                    made = [
                        found
                        for contract in series.all("opt")
                        for found in self._read(code, family, series, contract, kind)
                    ]
                    self._doubt_strikes(series, made)
                    yield from made
        for family in exchange.children:
            if family.tag.endswith("Pf") and family.tag not in _READ:
                self._unread(code, family)

    def _read(
        self, code: str, family: Element, series: Element, contract: Element, kind: str
    ) -> Iterator[Contract]:
        """The contract if it is wanted and has not expired; one that cannot be used is left out."""
        name = _spoken(code, family, series, contract)
        with self.gone.entry(name, f"{contract.place} ({name})"):
            link = self._link(code, family, kind)
            if link is None:
                return
            if kind == "FUT":
                self._price(code, family, contract)
            if series.string("setlDate") < self.date:
                return
            make = self._future if kind == "FUT" else self._option
            made = make(code, family, series, contract, link)
            yield made

    def _link(self, exchange: str, family: Element, kind: str) -> Link | None:
        """The combined commodity of a product family; None if it is not wanted."""
        by_id = ("id", exchange, family.string("pfId"), kind)
        link = self.links.get(by_id) or self.links.get(("code", exchange, family.string("pfCode"), kind))
        if link is None:
            if self.wanted:
                return None
            raise family.fault(
                "pfCode", "no combined commodity links this product family; name what you need"
            )
        if family.string("currency", CURRENCY) != CURRENCY:
            raise family.fault("currency", f"money is counted in {CURRENCY}; leave this commodity out")
        return link

    def _physicals(self, code: str, family: Element) -> None:
        """Prices of what cannot be traded here, but options are on."""
        for contract in family.children:
            if contract.first("cId") is not None and contract.first("p") is not None:
                with self.gone.entry(_spoken(code, family, contract, contract)):
                    self._price(code, family, contract)

    def _price(self, code: str, family: Element, contract: Element) -> None:
        price = contract.number("p") * _factor(contract, family)
        key = family.tag == "futPf", code, family.string("pfId"), contract.string("cId")
        self.prices[key] = price, contract.string("pe", "")

    def _future(self, code: str, family: Element, series: Element, contract: Element, link: Link) -> Contract:
        month, identity = month_of(contract, "pe"), _identity(code, family, series, contract)
        price = contract.number("p") * _factor(contract, family)
        if price <= 0:
            raise _not_positive(contract, identity, "p", "a price")
        made = future(
            _name(contract, identity),
            link.commodity,
            inverse=False,
            expiry=settled(contract, "setlDate"),
            lot_exponent=0,
        )
        array = self._array(contract, month, link)
        return Contract(link.commodity, Listing(made, price, _place(contract, identity)), array, identity)

    def _option(self, code: str, family: Element, series: Element, contract: Element, link: Link) -> Contract:
        forward, month = self._underlying(code, family, series)
        identity, factor = _identity(code, family, series, contract), _factor(contract, series, family)
        side, strike = contract.string("o"), contract.number("k")
        if side not in ("C", "P"):
            raise contract.fault("o", "write C or P")
        if strike <= 0:
            raise _not_positive(contract, identity, "k", "a strike")
        if forward <= 0:
            remedy = f"{identity.plain} is on a price at or below zero, which is not modelled"
            raise InputError(contract.place, "undC", canonical_decimal(forward), remedy)
        made: Instrument = option(
            _name(contract, identity),
            link.commodity,
            inverse=False,
            expiry=settled(series, "setlDate"),
            strike=strike * factor,
            call=side == "C",
            lot_exponent=0,
        )
        if family.string("valueMeth", _PAID) == _FUTURES_STYLE:
            made = replace(made, premium="futures-style")
        # An option that nobody quotes a volatility for has one all the same, the least there is.
        volatility = contract.number("v", Decimal(0)) or series.number("v", Decimal(0)) or SMALLEST_VOLATILITY
        price = self._premium(family, contract, identity, factor)
        place = _place(contract, identity)
        listing = Listing(made, price, place, max(volatility, SMALLEST_VOLATILITY), forward)
        # The delta of an option on a physical counts in the option's own month.
        period = month or month_of(series, "pe")
        return Contract(link.commodity, listing, self._array(contract, period, link), identity)

    def _underlying(self, code: str, family: Element, series: Element) -> tuple[Decimal, str]:
        """Price in USD a contract of what an option is on, and its month; no month for a physical."""
        under = series.need("undC")
        key = (under.string("exch", code), under.string("pfId"), under.string("cId"))
        # Codes may count for each kind of product by itself.
        kinds = (True, False) if family.tag == "oofPf" else (False, True)
        found = [self.prices[future, *key] for future in kinds if (future, *key) in self.prices]
        if not found:
            raise InputError(
                under.place, "undC", Finding("/".join(key)), "the file has no such future or price"
            )
        price, month = found[0]
        return price, month_of_text(month) or ""

    def _premium(self, family: Element, contract: Element, identity: Identity, factor: Decimal) -> Decimal:
        """USD a contract: by the contract value factor, but as it stands where it is a cabinet value.

        Source: CME Group, SPAN file layout: price quotation method (pq), standard cabinet option value (cab).
        """
        quoted = contract.string("pq", "0") or "0"
        if quoted not in _POINTS + _CASH:
            raise contract.fault(
                "pq", "an unknown way to quote the price: 0 is in points, 1 a cabinet value in cash"
            )
        price = contract.number("p")
        if price < 0:
            raise _not_positive(contract, identity, "p", "a price")
        if quoted in _CASH:
            return price or family.number("cab", Decimal(0))
        stated = contract.number("val", Decimal(0))
        if price and stated > 0 and not Decimal("0.5") <= price * factor / stated <= 2:
            self.doubts.append(
                f"{identity.plain} has a value (val) of {canonical_decimal(stated)}, and p times cvf is "
                f"{canonical_decimal(price * factor)}"
            )
        return price * factor

    def _doubt_strikes(self, series: Element, made: Sequence[Contract]) -> None:
        """Note a series whose strikes all lie far from the price that they are on: one of them is in another unit."""
        near = [
            (contract, Decimal(contract.listing.instrument.strike or 0) / contract.listing.forward)
            for contract in made
            if contract.listing.forward
        ]
        if near and all(not 1 / _FAR <= ratio <= _FAR for _, ratio in near):
            contract, _ = min(near, key=lambda pair: max(pair[1], 1 / pair[1]))
            self.doubts.append(
                f"the strikes of {'-'.join(contract.identity.parts[:2])} are far from the price that they are on: "
                f"{contract.listing.instrument.strike} against "
                f"{canonical_decimal(contract.listing.forward or Decimal(0))} USD a contract, line {series.line}"
            )

    def _array(self, contract: Element, month: str, link: Link) -> RiskArray:
        """The risk array of the chosen rate, and the delta in units of the combined commodity."""
        arrays = [ra for ra in contract.all("ra") if ra.string("r", self.rate) == self.rate]
        if not arrays:
            others = ", ".join(dict.fromkeys(ra.string("r", self.rate) for ra in contract.all("ra")))
            remedy = f"the contract has no risk array of rate {self.rate}"
            remedy += f"; it has {others}, choose with --rate" if others else ", and none at all"
            raise InputError(contract.place, "ra", Finding("missing"), remedy)
        values = [a.value for a in arrays[0].all("a")]
        if len(values) != SCENARIOS:
            found = Finding(f"{len(values)} values")
            raise InputError(arrays[0].place, "a", found, f"a risk array has {SCENARIOS}")
        delta = arrays[0].number("d") * contract.number("sc", link.scale)
        return RiskArray(losses=tuple(values), delta=delta, period=month)

    def _unread(self, code: str, family: Element) -> None:
        """Leave out all contracts of a product family of a kind that is not read."""
        families = {key[:3] for key in self.links}
        places = {("id", code, family.string("pfId", "")), ("code", code, family.string("pfCode", ""))}
        if self.wanted and not families & places:
            return
        kind = _KINDS.get(family.tag, f"contracts of the kind {family.tag}")
        remedy = f"{kind} ({family.tag}) are not read: only futures, and options on futures, physicals and equities"
        for series in (family, *family.all("series")):
            for contract in series.children:
                if contract.first("cId") is None or contract.tag == "undC":
                    continue
                name = _spoken(code, family, series if series is not family else contract, contract)
                error = InputError(f"{contract.place} ({name})", family.tag, Finding("found"), remedy)
                self.gone.add(name, error)


def _identity(code: str, family: Element, series: Element, contract: Element) -> Identity:
    product, month = family.string("pfCode"), series.string("pe")
    parts: tuple[str, ...] = (product, month)
    if contract.first("k") is not None:
        parts += (f"{contract.number('k').normalize():f}", contract.string("o", ""))
    parts = tuple(_UNSAFE.sub("_", part) for part in parts)
    day = series.string("setlDate", "")
    codes = (
        _UNSAFE.sub("_", found) for found in (code, family.string("pfId", ""), contract.string("cId", ""))
    )
    exchange, family_code, contract_code = codes
    return Identity(exchange, parts, day, family_code, contract_code)


def _spoken(code: str, family: Element, series: Element, contract: Element) -> str:
    """What to call a contract in messages, whatever it lacks."""
    parts = [family.string("pfCode", ""), series.string("pe", "")]
    parts += [contract.string(tag, "") for tag in ("k", "o")]
    return (
        _UNSAFE.sub("_", "-".join(part for part in parts if part)) or f"{code}:{contract.string('cId', '')}"
    )


def _place(contract: Element, identity: Identity) -> str:
    """File, line and contract: a file may be all in one line."""
    return f"{contract.place} ({identity.plain})"


def _not_positive(contract: Element, identity: Identity, tag: str, what: str) -> InputError:
    remedy = f"{what} of {identity.plain} at or below zero is not modelled: Black-76 values positive prices"
    return InputError(_place(contract, identity), tag, contract.string(tag), remedy)


def _factor(*elements: Element) -> Decimal:
    """The contract value factor: the contract's own, else that of its series or family, else one."""
    return next((e.number("cvf") for e in elements if e.first("cvf") is not None), _ONE)


def _name(contract: Element, identity: Identity) -> str:
    name = identity.plain
    if not name or not name[0].isalnum():
        raise contract.fault("cId", f"the contract cannot be named {name!r}")
    return name


def month_of_text(text: str) -> str | None:
    """A contract month or day as parameters write it; None for what is neither, as 00000000 of a physical."""
    found = _MONTH.fullmatch(text)
    return None if found is None else "-".join(part for part in found.groups() if part and part != "00")


def month_of(element: Element, tag: str) -> str:
    """A contract month (yyyymm, or yyyymm00) or day (yyyymmdd) as parameters write it."""
    found = month_of_text(element.string(tag))
    if found is None:
        raise element.fault(tag, "write a contract month such as 202603, or a day such as 20260320")
    return found


def settled(element: Element, tag: str) -> int:
    """The moment of settlement on a date (yyyymmdd), in unix microseconds."""
    return _moment(element, tag, _SETTLED)


def valued(element: Element, tag: str) -> int:
    """The moment of valuation on a date (yyyymmdd), in unix microseconds."""
    return _moment(element, tag, _VALUED)


def _moment(element: Element, tag: str, hour: str) -> int:
    found = _DAY.fullmatch(element.string(tag))
    if found is None:
        raise element.fault(tag, "write a date such as 20260320")
    return parse_time(f"{'-'.join(found.groups())}T{hour}:00Z", element.place, tag)
