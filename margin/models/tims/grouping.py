"""Which underlyings form a class, over which range it is moved, and how groups nest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.instruments.instrument import Security
from zkmargin.margin.models.tims.tables import POINTS, TimsClass, TimsGroup
from zkmargin.margin.parameters.tims import Class, Range, TimsParameters

WHERE = "parameters, section tims"


@dataclass(frozen=True)
class Grouping:
    """Classes and groups in the order of their numbers."""

    classes: tuple[TimsClass, ...]
    groups: tuple[TimsGroup, ...]
    class_of: Mapping[str, int]
    """By underlying."""


def grouping(kinds: Mapping[str, Security], parameters: TimsParameters) -> Grouping:
    """The classes and groups of a market; `kinds` says what every underlying is.

    Raises InputError naming the class or group: for an underlying that the market has no price of or that
    two classes list, a class without range, an unknown or doubly placed member, and a cycle of groups.
    """
    members = _classes(kinds, parameters)
    classes = tuple(
        TimsClass(name, valuation_points(_range(name, found, kinds, parameters)))
        for name, found in members.items()
    )
    class_of = {
        underlying: number
        for number, found in enumerate(members.values())
        for underlying in found.underlyings
    }
    return Grouping(classes, _groups(list(members), parameters), class_of)


def valuation_points(found: Range) -> tuple[str, ...]:
    """Ten equidistant points, five down and five up; today's price is none of them.

    >>> valuation_points(Range(down="0.15", up="0.15"))
    ('-0.15', '-0.12', '-0.09', '-0.06', '-0.03', '0.03', '0.06', '0.09', '0.12', '0.15')
    """
    side = POINTS // 2
    falls = [-found.down * Decimal(k) / side for k in range(side, 0, -1)]
    rises = [found.up * Decimal(k) / side for k in range(1, side + 1)]
    return tuple(canonical_decimal(move) for move in (*falls, *rises))


def _classes(kinds: Mapping[str, Security], parameters: TimsParameters) -> dict[str, Class]:
    """All classes by name: those that are given, then the underlyings that none of them lists."""
    listed: dict[str, str] = {}
    for name, found in parameters.classes.items():
        for underlying in found.underlyings:
            if underlying not in kinds:
                remedy = "the market has no price of it; add its row to the market, or leave it out"
                raise InputError(WHERE, f"class {name}", underlying, remedy)
            if underlying in listed:
                remedy = f"class {listed[underlying]} lists it already; keep it in one"
                raise InputError(WHERE, f"class {name}", underlying, remedy)
            listed[underlying] = name
    alone = {name: Class(underlyings=(name,)) for name in kinds if name not in listed}
    for name in alone:
        if name in parameters.classes:
            remedy = f"it does not list {name}, which is then a class by this name; rename it or list it"
            raise InputError(WHERE, "class", name, remedy)
    return {**parameters.classes, **alone}


def _range(name: str, found: Class, kinds: Mapping[str, Security], parameters: TimsParameters) -> Range:
    if isinstance(found.range, Range):
        return found.range
    named = {found.range} if found.range else {kinds[underlying] for underlying in found.underlyings}
    if len(named) > 1:
        remedy = "its underlyings are of several kinds; give it a range, or name the kind whose range it has"
        raise InputError(WHERE, f"range of class {name}", ", ".join(sorted(named)), remedy)
    return parameters.ranges[named.pop()]


def _groups(classes: Sequence[str], parameters: TimsParameters) -> tuple[TimsGroup, ...]:
    """The groups, every one after its members."""
    _check_members(classes, parameters)
    order = _ordered(parameters)
    number = {name: node for node, name in enumerate((*classes, *order))}
    return tuple(
        TimsGroup(
            name,
            tuple(number[member] for member in parameters.groups[name].members),
            Fraction(parameters.groups[name].offset).as_integer_ratio(),
        )
        for name in order
    )


def _check_members(classes: Sequence[str], parameters: TimsParameters) -> None:
    placed: dict[str, str] = {}
    for name, group in parameters.groups.items():
        if name in classes:
            raise InputError(WHERE, "group", name, "a class has this name; rename the group")
        for member in group.members:
            if member not in classes and member not in parameters.groups:
                raise InputError(WHERE, f"group {name}", member, "unknown; name a class or another group")
            if member in placed:
                remedy = f"group {placed[member]} has it already; keep it in one"
                raise InputError(WHERE, f"group {name}", member, remedy)
            placed[member] = name


def _ordered(parameters: TimsParameters) -> tuple[str, ...]:
    """The groups' names, members first; InputError if a group is, over others, its own member."""
    order: list[str] = []
    for start in parameters.groups:
        _visit(start, parameters, order, ())
    return tuple(order)


def _visit(name: str, parameters: TimsParameters, order: list[str], path: tuple[str, ...]) -> None:
    if name in path:
        cycle = " in ".join((name, *reversed(path[path.index(name) :])))
        raise InputError(WHERE, f"group {name}", cycle, "a cycle of groups; break it")
    if name in parameters.groups and name not in order:
        for member in parameters.groups[name].members:
            _visit(member, parameters, order, (*path, name))
        order.append(name)
