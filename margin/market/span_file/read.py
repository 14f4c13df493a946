"""SPAN risk parameter files in XML (.spn), as clearing houses publish them: a market, and parameters of the model.

Element names are the published ones: spanFile / pointInTime / clearingOrg with ccDef (combined commodities: tiers,
dSpread, spotRate, pfLink), interSpreads, and exchange (product families with fut, series and opt). Prices, risk
arrays and composite deltas are taken as they are; nothing is valued again.

What a margin depends on and this model lacks is refused by name, or left out where that is asked for (`spn_rules`):
scanning-based, super and inter-clearing spreads, charges per month and spread. Contracts that cannot be used are left
out by name: those of other kinds, without a risk array, with prices or strikes at or below zero, in other currencies.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.files.notes import note
from zkmargin.margin.files.validation import input_error
from zkmargin.margin.instruments.instrument import CASH, Instrument
from zkmargin.margin.market.inputs import Inputs, Quote, check_quote
from zkmargin.margin.market.left_out import LeftOut
from zkmargin.margin.market.quotes import BALANCE_BOUND, CASH_LOT, Market
from zkmargin.margin.market.span_file.contracts import CURRENCY, Contract, Contracts, Link, month_of, valued
from zkmargin.margin.market.span_file.names import named
from zkmargin.margin.market.span_file.part import chosen_clearing, chosen_point
from zkmargin.margin.market.span_file.rules import Rules, check_rules
from zkmargin.margin.market.span_file.xml_tree import Element, read_xml
from zkmargin.margin.parameters.span import SpanParameters

_PRICE_RISK = {"NORMAL": "normal", "SCANRANGE": "scan_range", "SCANRANGE_CAP": "scan_range_cap"}
_MINIMUM = {"GROSS": "gross", "MAX": "max"}
# What keeps a commodity from being counted at all, as against a rule that would be passed over.
_UNCOUNTED = frozenset(("currency", "riskExponent", "scanRate"))
MOST_DOUBTS = 5
"""Notes on numbers that do not go together; the first ones are enough."""
_FLAT, _WEIGHTED = ("F", "FLAT"), ("W", "WPR", "P")


@dataclass(frozen=True)
class SpanFile:
    """What a file says: prices now, and the parameters of SPAN with all risk arrays."""

    market: Market
    parameters: SpanParameters


def read_spn(
    path: Path,
    *,
    commodities: Iterable[str] = (),
    rate: int = 1,
    clearing_org: str | None = None,
    point: int | None = None,
    leave_out: Iterable[str] = (),
    strict: bool = False,
) -> SpanFile:
    """A SPAN file, or a zip archive of one.

    Args:
        path: the file.
        commodities: codes of the combined commodities to read; all by default.
        rate: which of the file's sets of rates is read (element r).
        clearing_org: code of the clearing organisation, where the file has several.
        point: number of the point in time, the first being 1, where the file has several.
        leave_out: elements of rules that are not modelled, to go on without.
        strict: whether a contract that cannot be used is refused, in place of being left out.

    Raises:
        InputError: names file, line and element of what is missing, malformed or not modelled.
    """
    root = read_xml(path)
    if root.tag != "spanFile":
        raise InputError(root.place, "document", root.tag, "a SPAN file begins with the element spanFile")
    wanted = frozenset(commodities)
    moment = chosen_point(root, point)
    clearing = chosen_clearing(moment, clearing_org, wanted)
    time = valued(moment, "date")
    found = [cc for cc in clearing.all("ccDef") if not wanted or cc.string("cc") in wanted]
    gone = LeftOut(path.name, path, strict=strict)
    links: dict[tuple[str, ...], Link] = {}
    for cc in found:
        for link in cc.all("pfLink"):
            made = Link(cc.string("cc"), link.number("sc", Decimal(1)))
            exchange, kind = link.string("exch"), link.string("pfType")
            links["code", exchange, link.string("pfCode"), kind] = made
            if identity := link.string("pfId", ""):
                links["id", exchange, identity, kind] = made
    reader = Contracts(moment.string("date"), str(rate), links, wanted, gone)
    contracts = [contract for exchange in clearing.all("exchange") for contract in reader.of(exchange)]
    documents = _commodities(found, contracts, str(rate), clearing, wanted=wanted, gone=gone)
    listed = [cc for cc in found if cc.string("cc") in documents]
    contracts = [contract for contract in contracts if contract.commodity in documents]
    rules = Rules(frozenset(leave_out))
    check_rules(clearing, listed, rules)
    market, contracts = _market(path, time, contracts, gone, rules)
    held = {contract.commodity for contract in contracts}
    for doubt in reader.doubts[:MOST_DOUBTS]:
        note(str(path), doubt)
    document = {
        "commodities": [documents[name] for name in documents if name in held],
        "inter_spreads": _inter_spreads(clearing, frozenset(held), str(rate)),
        "arrays": {contract.listing.instrument.name: contract.array for contract in contracts},
    }
    try:
        return SpanFile(market, SpanParameters.model_validate(document))
    except ValidationError as error:
        raise input_error(str(path), error) from None


def _commodities(
    found: Sequence[Element],
    contracts: Sequence[Contract],
    rate: str,
    clearing: Element,
    *,
    wanted: frozenset[str],
    gone: LeftOut,
) -> dict[str, dict[str, Any]]:
    """The parameters of every commodity that has contracts, by its code.

    One whose amounts cannot be counted is left out with its contracts, unless it is asked for by name.
    """
    documents: dict[str, dict[str, Any]] = {}
    for cc in found:
        name = cc.string("cc")
        own = [contract for contract in contracts if contract.commodity == name]
        if not own:
            continue
        try:
            documents[name] = _commodity(cc, rate, clearing)
        except InputError as error:
            if name in wanted or error.field not in _UNCOUNTED:
                raise
            for contract in own:
                gone.add(contract.listing.instrument.name, error)
    if not documents:
        raise gone.first or InputError(
            found[0].where, "exchange", Finding("no contract"), "it lists nothing that has not expired"
        )
    return documents


def _market(
    path: Path, time: int, contracts: Sequence[Contract], gone: LeftOut, rules: Rules
) -> tuple[Market, list[Contract]]:
    """Cash and all contracts under their names; the nearest future prices its commodity, or what its options are on."""
    ordered = sorted(contracts, key=lambda contract: _order(contract.listing.instrument))
    indices: dict[str, str] = {}
    for contract in ordered:
        listing = contract.listing
        price = listing.price if listing.instrument.kind == "future" else listing.forward or Decimal(0)
        # Futures come first.
        indices.setdefault(contract.commodity, canonical_decimal(price))
    cash = Instrument(CASH, "balance", CASH, CASH, False, None, None, None, CASH_LOT, 0, BALANCE_BOUND)
    quotes, kept = [Quote("1")], []
    for contract in named(ordered):
        listing = contract.listing
        with gone.entry(listing.instrument.name, listing.where):
            volatility = None if listing.volatility is None else canonical_decimal(listing.volatility)
            forward = None if listing.forward is None else canonical_decimal(listing.forward)
            quote = Quote(canonical_decimal(listing.price), volatility, forward)
            check_quote(listing.where, listing.instrument, quote, indices, time)
            quotes.append(quote)
            kept.append(contract)
    if not kept and gone.first is not None:
        raise gone.first
    gone.tell()
    rules.check_used()
    names = {CASH, *(contract.listing.instrument.name for contract in kept)}
    left = {name: reason for name, reason in gone.document().items() if name not in names}
    held = {contract.commodity for contract in kept}
    prices = {name: price for name, price in indices.items() if name in held}
    inputs = Inputs(path.name, prices, tuple(quotes), left_out=left, without=rules.without)
    for sentence in rules.without:
        note(str(path), sentence)
    return Market(time, (cash, *(contract.listing.instrument for contract in kept)), inputs), kept


def _order(x: Instrument) -> tuple[bool, str, int, Decimal, bool, str]:
    return x.kind == "option", x.underlying, x.expiry or 0, Decimal(x.strike or 0), not x.call, x.name


def _commodity(cc: Element, rate: str, clearing: Element) -> dict[str, Any]:
    """A ccDef as a combined commodity of the parameters."""
    name = cc.string("cc")
    if cc.string("currency", CURRENCY) != CURRENCY:
        raise cc.fault("currency", f"money is counted in {CURRENCY}; leave {name} out")
    if cc.number("riskExponent", Decimal(0)):
        raise cc.fault("riskExponent", f"risk arrays with an exponent are not modelled; leave {name} out")
    scan = _scan_rate(cc, rate, clearing)
    return {
        "name": name,
        "price_scan_range": scan.number("priceScan"),
        "volatility_scan_range": scan.number("volScan", Decimal(0)),
        "tiers": [
            *_tiers(cc, "intraTiers", "intra"),
            *_tiers(cc, "interTiers", "inter"),
            *_minimum_tiers(cc, rate),
        ],
        "intra_spreads": [_intra_spread(spread, rate) for spread in cc.all("dSpread")],
        "delivery": [
            {
                "period": month_of(spot, "pe"),
                "spread_charge": spot.number("sprd"),
                "outright_charge": spot.number("outr"),
            }
            for spot in cc.all("spotRate")
            if spot.string("r", rate) == rate
        ],
        "short_option_method": _choice(cc, "somMeth", _MINIMUM, "GROSS"),
        "cap_option_value": cc.string("capAnov", "0") in ("1", "Y", "true"),
        "price_risk": _choice(cc, "wfprMeth", _PRICE_RISK, "NORMAL"),
        "ratio": {"initial": 1, "maintenance": 1},
    }


def _scan_rate(cc: Element, rate: str, clearing: Element) -> Element:
    """The scan ranges of a commodity: of its first scanning tier, or of its first future."""
    codes = {link.string("pfCode") for link in cc.all("pfLink")}
    families = [f for f in clearing.all("exchange", "futPf") if f.string("pfCode") in codes]
    rates = cc.all("scanTiers", "tier", "scanRate") + cc.all("rateTiers", "tier", "scanRate")
    rates += [scan for family in families for scan in family.all("fut", "scanRate")]
    for found in rates:
        if found.string("r", rate) == rate:
            return found
    remedy = f"combined commodity {cc.string('cc')} has no scan range of rate {rate}"
    raise InputError(cc.place, "scanRate", Finding("missing"), remedy)


def _tiers(cc: Element, group: str, prefix: str) -> list[dict[str, Any]]:
    """Tiers by number; a start or end that is missing leaves the range open."""
    return [
        {
            "name": f"{prefix} {tier.string('tn')}",
            "first": month_of(tier, "sPe") if tier.first("sPe") else None,
            "last": month_of(tier, "ePe") if tier.first("ePe") else None,
        }
        for tier in cc.all(group, "tier")
    ]


def _minimum_tiers(cc: Element, rate: str) -> list[dict[str, Any]]:
    tiers = _tiers(cc, "somTiers", "som")
    for tier, element in zip(tiers, cc.all("somTiers", "tier"), strict=True):
        tier["short_option_minimum"] = _rate(element, rate)
    return tiers


def _rate(element: Element, rate: str) -> Decimal:
    for found in element.all("rate"):
        if found.string("r", rate) == rate:
            return found.number("val")
    raise InputError(element.place, "rate", Finding("missing"), f"{element.tag} has no rate {rate}")


def _intra_spread(spread: Element, rate: str) -> dict[str, Any]:
    method = spread.string("chargeMeth", _FLAT[0])
    if method not in _FLAT:
        raise spread.fault("chargeMeth", "only flat charges of calendar spreads are modelled")
    legs = [
        {"tier": f"intra {leg.string('tn')}", "side": leg.string("rs"), "ratio": leg.number("i", Decimal(1))}
        for leg in spread.all("tLeg")
    ]
    legs += [
        {"period": month_of(leg, "pe"), "side": leg.string("rs"), "ratio": leg.number("i", Decimal(1))}
        for leg in spread.all("pLeg")
    ]
    return {"priority": int(spread.number("spread")), "charge": _rate(spread, rate), "legs": legs}


def _inter_spreads(clearing: Element, held: frozenset[str], rate: str) -> list[dict[str, Any]]:
    """Spreads between commodities that are all read; the others cannot form."""
    spreads = []
    for spread in clearing.all("interSpreads", "dSpread"):
        legs = [leg for leg in spread.children if leg.first("cc") is not None]
        if not {leg.string("cc") for leg in legs} <= held:
            continue
        for leg in legs:
            if leg.tag != "tLeg":
                raise InputError(
                    leg.place, leg.tag, Finding("found"), "legs of inter-commodity spreads are tiers"
                )
        spreads.append(_inter_spread(spread, rate))
    return spreads


def _inter_spread(spread: Element, rate: str) -> dict[str, Any]:
    """A credit as a fraction, or in percent where it is above one; a flat rate is negative where it credits."""
    method, value = spread.string("chargeMeth", _WEIGHTED[0]), _rate(spread, rate)
    legs = [
        {
            "commodity": leg.string("cc"),
            "tier": None if leg.number("tn", Decimal(0)) == 0 else f"inter {leg.string('tn')}",
            "side": leg.string("rs"),
            "ratio": leg.number("i", Decimal(1)),
        }
        for leg in spread.all("tLeg")
    ]
    document: dict[str, Any] = {"priority": int(spread.number("spread")), "legs": legs}
    if method in _WEIGHTED:
        document["credit_rate"] = value if value <= 1 else value / 100
    elif method in _FLAT:
        document["flat_credit"] = -value
    else:
        raise spread.fault("chargeMeth", "only flat and weighted rates are modelled")
    return document


def _choice(element: Element, tag: str, choices: Mapping[str, str], default: str) -> str:
    found = element.string(tag, default) or default
    if found not in choices:
        raise element.fault(tag, f"unknown; SPAN has {', '.join(choices)}")
    return choices[found]
