"""The rules of a SPAN file that this model lacks: refused by name, or left out on request and said so.

A margin that passes a rule over is a wrong number. A rule counts only where it can apply: a spread whose required legs
are not all read cannot form. What is asked for with `leave_out` becomes a sentence that the snapshot carries.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.market.span_file.xml_tree import Element

SCANNING, SUPER, INTER_CLEARING = ("hSpread", "sSpread"), "superSpread", "clearSpread"

# Children of a clearing organisation that hold no rule of a margin, or that are read elsewhere.
_KNOWN = frozenset(
    (
        "ec",
        "name",
        "isContractScale",
        "isNetMargin",
        "finalizeMeth",
        "oopDeltaMeth",
        "capAnov",
        "lookAheadDays",
        "lookAheadYears",
        "daysPerYear",
        "curConv",
        "pbRateDef",
        "pointDef",
        "zeroCurve",
        "exchange",
        "ccDef",
        "superSpreads",
        "interSpreads",
        "interClearSpreads",
        "group",
        "limitOptionValue",
        "custUseLov",
        "hvarMarginParams",
        "cdsMarginParams",
    )
)
# Children of a combined commodity that are read, or that say nothing about an amount.
_KNOWN_OF_COMMODITY = frozenset(
    (
        "cc",
        "name",
        "group",
        "currency",
        "riskExponent",
        "capAnov",
        "procMeth",
        "wfprMeth",
        "spotMeth",
        "somMeth",
        "cmbMeth",
        "marginMeth",
        "custUseLov",
        "pfLink",
        "adjRate",
        "intraTiers",
        "interTiers",
        "somTiers",
        "rateTiers",
        "scanTiers",
        "dSpread",
        "spotRate",
        "alias",
        "isSpot",
        "priceDl",
        "description",
    )
)
_MARGINED = ("", "SPAN", "NORMAL")


@dataclass
class _Passed:
    """A kind of rule that was left out: the first of them, and how many."""

    rule: str
    about: str
    line: int
    count: int = 1


@dataclass
class Rules:
    """What is done about rules that are not modelled.

    Attributes:
        leave_out: elements that the user wants left out.
    """

    leave_out: frozenset[str]
    _passed: dict[str, _Passed] = field(default_factory=dict)

    def lacks(self, element: Element, rule: str, commodities: Iterable[str]) -> None:
        """Leave a rule out if that is asked for; else raise InputError naming the element and the line."""
        about = " and ".join(dict.fromkeys(commodities))
        if element.tag not in self.leave_out:
            remedy = (
                f"{rule} of {about} are not modelled; choose other commodities with --commodity, or go on without them "
                f"with --leave-out {element.tag}"
            )
            raise InputError(element.place, element.tag, Finding("found"), remedy)
        if element.tag in self._passed:
            self._passed[element.tag].count += 1
        else:
            self._passed[element.tag] = _Passed(rule, about, element.line)

    @property
    def without(self) -> tuple[str, ...]:
        """A sentence for each kind of rule that was left out."""
        return tuple(
            f"{passed.rule} ({tag}) are left out: {passed.count}, the first of {passed.about} in line {passed.line}"
            for tag, passed in sorted(self._passed.items())
        )

    def check_used(self) -> None:
        """Raises InputError if something is to be left out that the commodities that are read do not have."""
        for tag in sorted(self.leave_out - set(self._passed)):
            remedy = "nothing of the commodities that are read has such a rule; take the option away"
            raise InputError("command line", "--leave-out", tag, remedy)


def check_rules(clearing: Element, listed: Collection[Element], rules: Rules) -> None:
    """Find every rule that applies to the commodities and is not modelled.

    Args:
        clearing: the clearing organisation.
        listed: the combined commodities that are read.
        rules: what is to be done about them.

    Raises:
        InputError: a rule is not modelled, and not to be left out.
    """
    held = frozenset(cc.string("cc") for cc in listed)
    for spread, element, rule in _spreads(clearing):
        if _can_form(spread, held):
            rules.lacks(element, rule, _commodities(spread))
    for spread in _all_named(clearing, (INTER_CLEARING,)):
        home = [leg.string("cc", "") for leg in spread.all("homeLeg")]
        if held.intersection(home):
            rules.lacks(spread, "inter-clearing spreads", home)
    for child in clearing.children:
        touched = held.intersection(_commodities(child))
        if child.tag not in _KNOWN and child.tag != SUPER and touched:
            rules.lacks(child, f"rules of the kind {child.tag}", sorted(touched))
    for cc in listed:
        _check_commodity(cc, clearing, held, rules)


def _spreads(clearing: Element) -> Iterator[tuple[Element, Element, str]]:
    """Every spread that is not modelled, with the element to name and what it is called."""
    for spread in (child for group in clearing.all("superSpreads") for child in group.children):
        yield spread, _as(spread, "superSpreads"), "super-inter-commodity spreads"
    for spread in clearing.all(SUPER):
        yield spread, spread, "super-inter-commodity spreads"
    for spread in (child for group in clearing.all("interSpreads") for child in group.children):
        if spread.tag in SCANNING:
            yield spread, spread, "scanning-based spreads"
        elif spread.tag == SUPER:
            yield spread, spread, "super-inter-commodity spreads"
        elif spread.tag != "dSpread":
            yield spread, spread, f"spreads of the kind {spread.tag}"


def _check_commodity(cc: Element, clearing: Element, held: frozenset[str], rules: Rules) -> None:
    """The rules within one combined commodity."""
    name = cc.string("cc")
    tiers = cc.first("scanTiers") or cc.first("rateTiers")
    ranges = {scan.string("priceScan", "") for scan in (tiers.all("tier", "scanRate") if tiers else ())}
    credited = any(
        name in _commodities(spread)
        for spread in clearing.all("interSpreads", "dSpread")
        if _can_form(spread, held)
    )
    if tiers and len(ranges) > 1 and credited and cc.string("wfprMeth", "").startswith("SCANRANGE"):
        # The credit of a spread is a share of the scan range, and there are several.
        rules.lacks(tiers, "credits by the scan ranges of several tiers", [name])
    method = cc.string("marginMeth", "")
    if method not in _MARGINED:
        rules.lacks(_child(cc, "marginMeth"), f"margins by the method {method}", [name])
    for child in cc.children:
        if child.tag not in _KNOWN_OF_COMMODITY:
            rules.lacks(child, f"rules of the kind {child.tag}", [name])


def _can_form(spread: Element, held: frozenset[str]) -> bool:
    """Whether accounts that hold these commodities alone can have the spread.

    All required legs must be held, and two commodities at least; a leg that does not say so is required.
    """
    legs = [leg for leg in spread.children if leg.first("cc") is not None]
    if not legs:
        return True
    required = {leg.string("cc") for leg in legs if leg.string("isRequired", "1") not in ("0", "N", "false")}
    reached = held.intersection(leg.string("cc") for leg in legs)
    return required <= held and len(reached) >= min(2, len({leg.string("cc") for leg in legs}))


def _commodities(element: Element) -> list[str]:
    """The codes of all commodities that are named within an element."""
    return list(dict.fromkeys(cc.text for cc in _all_named(element, ("cc",))))


def _all_named(element: Element, tags: Collection[str]) -> Iterator[Element]:
    """All descendants with one of these tags."""
    for child in element.children:
        if child.tag in tags:
            yield child
        yield from _all_named(child, tags)


def _child(element: Element, tag: str) -> Element:
    found = element.first(tag)
    return element if found is None else found


def _as(element: Element, tag: str) -> Element:
    """The element under the name of the group that it is in."""
    return Element(tag, element.where, element.line, element.parts, element.children)
