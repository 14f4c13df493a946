"""The least parameters that a policy takes: a set of parameters whose requirement no snapshot may fall below.

A policy writes down parts of a parameter file; what it leaves out of them has its default. A snapshot is taken if every
number that prices the model asks at least as much of every account: see `zkmargin.verifier.floors.order`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import BaseModel

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import Finding, InputError
from zkmargin.margin.parameters.document import Parameters, parse_parameters
from zkmargin.margin.parameters.types import Contingency
from zkmargin.margin.units import Level
from zkmargin.verifier.floors.order import Order, order_of
from zkmargin.verifier.floors.sections import (
    HAIRCUTS,
    default_section,
    is_graded,
    possible_sections,
    pricing_sections,
    scan_section,
    section,
)

Minimum = Mapping[str, Any]
"""Sections and names as in a parameter file; leaves are decimals, truth values, text, and lists of these."""

_DEFAULTS_WHERE_MISSING = ("es", "var", "tims")
"""Models that price by the defaults of their section where a snapshot has none, whatever the market."""


def normalised(minimum: Mapping[str, Any]) -> dict[str, Any]:
    """The minimum with every decimal in its canonical form. Raises ValueError for what is no parameter."""
    return {name: _normal(value, name) for name, value in minimum.items()}


def least_parameters(model: str, minimum: Minimum) -> Parameters:
    """The parameters that a minimum stands for: what it says, and the defaults for all it leaves out.

    Args:
        model: the name of the model that they are for.
        minimum: as `normalised` returns it.

    Raises:
        InputError: a section does not price the model or another stands in its place, or a key is unknown or out of
            range.
    """
    where = f"the minimum of {model}"
    for name in minimum:
        if name not in possible_sections(model):
            remedy = f"does not price {model}; its sections are {', '.join(possible_sections(model))}"
            raise InputError(where, name, minimum[name], remedy)
    document = {}
    for name, value in minimum.items():
        default = default_section(name)
        document[name] = value if default is None else _merged(_written(default), value)
    least = parse_parameters(document, where)
    _check_named(model, minimum, least, where)
    if model == "tiered" and least.section(model) is None:
        remedy = "has no defaults; state the section in the minimum, or pin the parameters"
        raise InputError(where, model, Finding("missing"), remedy)
    return least


def shortfall(
    least: Parameters,
    found: Parameters,
    model: str,
    coins: Collection[str],
    levels: Collection[Level],
) -> str | None:
    """Where a snapshot's parameters may ask less of an account than the least ones, in words; None if nowhere.

    Args:
        least: as `least_parameters` returns them.
        found: the snapshot's.
        model: the name of the model that they price.
        coins: all that positions of the snapshot's universe can be paid in.
        levels: at which margins.
    """
    return next(_shortfalls(least, found, model, coins, levels), None)


def _shortfalls(
    least: Parameters, found: Parameters, model: str, coins: Collection[str], levels: Collection[Level]
) -> Iterator[str]:
    scan, wanted = scan_section(found), scan_section(least)
    if {scan, wanted} & set(pricing_sections(model, found)) and scan != wanted:
        yield f"the section {scan} prices {model} in place of {wanted}, which the minimum is for"
        return
    for name in pricing_sections(model, found):
        if name in HAIRCUTS:
            continue
        asked, has = section(least, name), section(found, name)
        if asked is None and has is None:
            continue
        asked = default_section(name) if asked is None else asked
        if has is None and name in _DEFAULTS_WHERE_MISSING:
            has = default_section(name)
        if has is None or asked is None:
            lacking = "the snapshot's parameters" if has is None else "the minimum"
            yield f"{name} is not among {lacking}"
            return
        yield from _short((name,), asked, has, levels)
    if "haircuts" in pricing_sections(model, found):
        yield from _short_haircuts(least, found, model, coins, levels)


def _short(path: tuple[str, ...], asked: Any, has: Any, levels: Collection[Level]) -> Iterator[str]:
    """What is below in a part of the parameters."""
    name, order = ".".join(path), order_of(path)
    if path == ("grid", "currencies"):
        yield from _short_shares(asked, has)
    elif path == ("pmrm2", "collaterals"):
        yield from _short_collaterals(asked, has, levels)
    elif order is Order.CONTAINS:
        missing = [value for value in asked if value not in has]
        if missing:
            yield f"{name} lacks {', '.join(map(_shown, missing))}"
    elif not (isinstance(asked, BaseModel) and type(asked) is type(has)):
        yield from _compared(name, order, asked, has)
    elif isinstance(asked, Contingency) and isinstance(has, Contingency):
        for level in levels:
            yield from _compared(f"{name} at {level}", order, asked.at(level), has.at(level))
    elif is_graded(asked):
        for level in levels:
            yield from _compared(f"{name}.{level}", order, getattr(asked, level), getattr(has, level))
    else:
        for field in type(asked).model_fields:
            yield from _short((*path, field), getattr(asked, field), getattr(has, field), levels)


def _compared(name: str, order: Order, asked: Any, has: Any) -> Iterator[str]:
    numbers = isinstance(asked, Decimal | Fraction | int) and isinstance(has, Decimal | Fraction | int)
    if order is Order.AT_LEAST and numbers:
        if has < asked:
            yield f"{name} is {_shown(has)}, below {_shown(asked)}"
    elif order is Order.AT_MOST and numbers:
        if has > asked:
            yield f"{name} is {_shown(has)}, above {_shown(asked)}"
    elif has != asked:
        yield f"{name} is {_shown(has)}, not {_shown(asked)}"


def _short_shares(asked: Mapping[str, Decimal], has: Mapping[str, Decimal]) -> Iterator[str]:
    """Of the shocks: a coin that is not listed moves by all of them."""
    for coin, share in has.items():
        yield from _compared(f"grid.currencies.{coin}", Order.AT_LEAST, asked.get(coin, Decimal(1)), share)


def _short_collaterals(
    asked: Mapping[str, Any], has: Mapping[str, Any], levels: Collection[Level]
) -> Iterator[str]:
    """Of the rules of PMRM 2: a coin that is listed follows other prices, and other feeds count for it."""
    for coin in sorted({*asked, *has}):
        name = f"pmrm2.collaterals.{coin}"
        if coin not in has or coin not in asked:
            lacking = "the snapshot's parameters" if coin not in has else "the minimum"
            yield f"{name} is not among {lacking}"
        else:
            for level in levels:
                rates = (asked[coin].haircut.at(level), has[coin].haircut.at(level))
                yield from _compared(f"{name}.haircut at {level}", Order.AT_LEAST, *rates)
            yield from _compared(f"{name}.cancels", Order.EQUAL, asked[coin].cancels, has[coin].cancels)


def _short_haircuts(
    least: Parameters, found: Parameters, model: str, coins: Collection[str], levels: Collection[Level]
) -> Iterator[str]:
    """On every coin: as it counts, whether by its own key or as one of those that are not listed."""
    elsewhere = found.pmrm2.collaterals if found.pmrm2 is not None and model == "grid" else {}
    for coin in sorted(set(coins) - set(elsewhere)):
        name = f"haircuts.{coin}" if coin in found.haircuts else f"default_haircut (for {coin})"
        for level in levels:
            rates = (least.haircut(coin).at(level), found.haircut(coin).at(level))
            yield from _compared(f"{name}.{level}", Order.AT_LEAST, *rates)
        rules = least.collateral.get(coin)
        if rules is not None and coin not in found.collateral:
            yield f"collateral.{coin} is not among the snapshot's parameters"
        elif rules is not None:
            yield from _short(("collateral", coin), rules, found.collateral[coin], levels)


def _check_named(model: str, minimum: Minimum, least: Parameters, where: str) -> None:
    """Raises InputError for a section that is named and does not count beside another."""
    scan, used = scan_section(least), pricing_sections(model, least)
    for name in minimum:
        if name not in used:
            stands = "deribit.haircut" if name in HAIRCUTS else scan
            raise InputError(where, name, minimum[name], f"{stands} stands in its place; state that alone")
    if scan == "pmrm2" and least.pmrm2 is not None and model == "grid":
        for coin in minimum.get("haircuts", {}):
            if coin in least.pmrm2.collaterals:
                remedy = f"pmrm2.collaterals.{coin} stands in its place; state that alone"
                raise InputError(where, f"haircuts.{coin}", minimum["haircuts"][coin], remedy)


def _written(value: Any) -> Any:
    """A section as a parameter file has it."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return {name: _written(part) for name, part in value.items()} if isinstance(value, Mapping) else value


def _merged(default: Any, given: Any) -> Any:
    """What is given, and for keys that it leaves out the default."""
    if not (isinstance(default, Mapping) and isinstance(given, Mapping)):
        return given
    return {**default, **{name: _merged(default.get(name), value) for name, value in given.items()}}


def _shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return canonical_decimal(value)
    if isinstance(value, BaseModel):
        return str(value.model_dump(mode="json"))
    return str(value)


def _normal(value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _normal(part, f"{path}.{name}") for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(part, path) for part in value]
    if isinstance(value, Decimal) and value.is_finite():
        return canonical_decimal(value)
    if isinstance(value, bool | int | str):
        return value
    raise ValueError(f"{path}: write numbers, text, true or false, or lists of these")
