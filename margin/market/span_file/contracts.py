"""The contracts of a SPAN file: futures and options with price, risk array and composite delta.

Quantities are contracts. A price in points becomes USD a contract by the contract value factor (cvf), and so do
strikes and the prices of underlying futures.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.instruments.instrument import Instrument
from zkmargin.margin.market.inputs import SMALLEST_VOLATILITY
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

# How a product family's contracts are valued: at once, as equities are, or day by day.
_PAID, _FUTURES_STYLE = "EQTY", "FUT"

_Key = tuple[str, str, str]
"""Exchange, product family and contract, by their codes in the file."""


@dataclass(frozen=True)
class Contract:
    """One contract: as the market has it, and as SPAN does."""

    commodity: str
    listing: Listing
    array: RiskArray


@dataclass
class Contracts:
    """What a reader of contracts knows of the file."""

    date: str
    """Business date, yyyymmdd."""
    rate: str
    """Which of the file's sets of rates is read."""
    commodity_of: Mapping[tuple[str, str, str], str]
    """Combined commodity by exchange, product family code and type."""
    wanted: frozenset[str]
    futures: dict[_Key, tuple[Decimal, str]] = field(default_factory=dict)
    """Price in USD a contract and contract month of every future read."""

    def of(self, exchange: Element) -> Iterator[Contract]:
        """All futures of an exchange, then all options on them."""
        code = exchange.string("exch")
        for family in exchange.all("futPf"):
            name = self._commodity(code, family, "FUT")
            for contract in family.all("fut") if name else ():
                yield from self._future(code, family, contract, name)
        for family in exchange.all("oofPf"):
            name = self._commodity(code, family, "OOF")
            for series in family.all("series") if name else ():
                for contract in series.all("opt"):
                    yield from self._option(code, family, series, contract, name)

    def _commodity(self, exchange: str, family: Element, kind: str) -> str:
        """The combined commodity of a product family; empty if it is not wanted."""
        key = (exchange, family.string("pfCode"), kind)
        name = self.commodity_of.get(key)
        if name is None:
            if self.wanted:
                return ""
            raise family.fault(
                "pfCode", "no combined commodity links this product family; name what you need"
            )
        if self.wanted and name not in self.wanted:
            return ""
        if family.string("currency", CURRENCY) != CURRENCY:
            raise family.fault("currency", f"money is counted in {CURRENCY}; leave this commodity out")
        return name

    def _future(self, code: str, family: Element, contract: Element, name: str) -> Iterator[Contract]:
        month = month_of(contract, "pe")
        price = contract.number("p") * _factor(contract, family)
        self.futures[code, family.string("pfId"), contract.string("cId")] = price, month
        expiry = contract.string("setlDate")
        if expiry < self.date:
            return
        title = _name(contract, family.string("pfCode"), contract.string("pe"))
        made = future(title, name, inverse=False, expiry=settled(contract, "setlDate"), lot_exponent=0)
        yield Contract(name, Listing(made, price, contract.place), self._array(contract, month))

    def _option(
        self, code: str, family: Element, series: Element, contract: Element, name: str
    ) -> Iterator[Contract]:
        expiry = series.string("setlDate")
        if expiry < self.date:
            return
        under = series.need("undC")
        key = (under.string("exch", code), under.string("pfId"), under.string("cId"))
        if key not in self.futures:
            raise InputError(under.place, "undC", Finding("/".join(key)), "the file has no such future")
        forward, month = self.futures[key]
        factor = _factor(contract, series, family)
        side = contract.string("o")
        if side not in ("C", "P"):
            raise contract.fault("o", "write C or P")
        strike = contract.number("k")
        if strike <= 0:
            raise contract.fault("k", "write a strike greater than zero")
        title = _name(contract, family.string("pfCode"), series.string("pe"), f"{strike.normalize():f}", side)
        made: Instrument = option(
            title,
            name,
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
        price = contract.number("p") * factor
        listing = Listing(made, price, contract.place, max(volatility, SMALLEST_VOLATILITY), forward)
        yield Contract(name, listing, self._array(contract, month))

    def _array(self, contract: Element, month: str) -> RiskArray:
        """The risk array of the chosen rate, and the delta in units of the combined commodity."""
        arrays = [ra for ra in contract.all("ra") if ra.string("r", self.rate) == self.rate]
        if not arrays:
            remedy = f"the contract has no risk array of rate {self.rate}; choose another rate"
            raise InputError(contract.place, "ra", Finding("missing"), remedy)
        values = [a.value for a in arrays[0].all("a")]
        if len(values) != SCENARIOS:
            found = Finding(f"{len(values)} values")
            raise InputError(arrays[0].place, "a", found, f"a risk array has {SCENARIOS}")
        delta = arrays[0].number("d") * contract.number("sc", _ONE)
        return RiskArray(losses=tuple(values), delta=delta, period=month)


def _factor(*elements: Element) -> Decimal:
    """The contract value factor: the contract's own, else that of its series or family, else one."""
    return next((e.number("cvf") for e in elements if e.first("cvf") is not None), _ONE)


def _name(contract: Element, *parts: str) -> str:
    name = _UNSAFE.sub("_", "-".join(part for part in parts if part))
    if not name or not name[0].isalnum():
        raise contract.fault("cId", f"the contract cannot be named {name!r}")
    return name


def month_of(element: Element, tag: str) -> str:
    """A contract month (yyyymm, or yyyymm00) or day (yyyymmdd) as parameters write it."""
    found = _MONTH.fullmatch(element.string(tag))
    if found is None:
        raise element.fault(tag, "write a contract month such as 202603, or a day such as 20260320")
    return "-".join(part for part in found.groups() if part and part != "00")


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
