"""Parameters at the edge of what is admissible: found by asking the pydantic types of a section for their limits.

A section is walked number by number. What a number may be is told by the limits in its type; candidates are its
largest and least value, and one of as many decimals as are accepted near each. Rules that tie several numbers (an
initial rate not below that of maintenance, tiers that rise) are not known here: a candidate that breaks one is
refused by the section, and skipped.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any, get_args

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from zkmargin.margin.arithmetic.decimals import canonical_decimal
from zkmargin.margin.errors import InputError
from zkmargin.margin.parameters.document import Parameters, parse_parameters
from zkmargin.margin.parameters.span import Size
from zkmargin.margin.units import LEVELS

Path = tuple[str | int, ...]
Limits = tuple[Decimal | None, Decimal | None]
"""The least and the largest value, where there are any."""

FINEST = 20
"""No number is read with more decimals."""
_THIRD = Decimal("0.33333333333333333333")


def numbers(value: Any, metadata: Sequence[Any] = (), path: Path = ()) -> Iterator[tuple[Path, Limits]]:
    """Every number of a section with its limits: in the order of its fields; of a sequence the first and the last."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from numbers(getattr(value, name), _metadata(field), (*path, name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from numbers(item, metadata, (*path, key))
    elif isinstance(value, tuple):
        for place in sorted({0, len(value) - 1}) if value else ():
            yield from numbers(value[place], metadata, (*path, place))
    elif isinstance(value, Decimal | Fraction | Size) or (
        isinstance(value, int) and not isinstance(value, bool)
    ):
        yield path, _limits(metadata)


def _metadata(found: Any) -> tuple[Any, ...]:
    """What annotations say of a field, or of what it holds, however deep."""
    own = tuple(found.metadata) if isinstance(found, FieldInfo) else ()
    inner = found.annotation if isinstance(found, FieldInfo) else found
    extras = tuple(getattr(inner, "__metadata__", ()))
    parts = [part for part in get_args(inner) if not isinstance(part, str)]
    return (*own, *extras, *(each for part in parts for each in _metadata(part)))


def _limits(metadata: Sequence[Any]) -> Limits:
    least: Decimal | None = None
    most: Decimal | None = None
    for each in metadata:
        for found in getattr(each, "metadata", (each,)) if isinstance(each, FieldInfo) else (each,):
            if isinstance(found, annotated_types.Ge | annotated_types.Gt):
                bound = Decimal(str(found.ge if isinstance(found, annotated_types.Ge) else found.gt))
                least = bound if least is None else max(least, bound)
            if isinstance(found, annotated_types.Le | annotated_types.Lt):
                bound = Decimal(str(found.le if isinstance(found, annotated_types.Le) else found.lt))
                most = bound if most is None else min(most, bound)
    return least, most


def groups(value: Any, limits: Limits) -> Iterator[list[str]]:
    """Lists of candidates; of each list the first that the section accepts is the one to try."""
    if isinstance(value, Size):
        yield from (["0"], ["1000000000"], ["100000000000%"])
        yield [f"{str(_THIRD)[: 2 + digits]}%" for digits in range(FINEST - 2, 0, -1)]
        yield [f"33333333.{'3' * digits}" for digits in range(FINEST, 0, -1)]
    elif isinstance(value, Fraction):
        yield from (
            ["0.000000001"],
            ["0.999999999"],
            ["333333333/1000000000"],
            ["999999936/999999937"],
            ["1/3"],
        )
    elif isinstance(value, int):
        yield from ([str(limit)] for limit in limits if limit is not None)
    else:
        least, most = limits
        with localcontext(prec=60):
            fine = [Decimal(1).scaleb(-digits) for digits in range(FINEST, 0, -1)]
            for limit, inwards in ((least, 1), (most, -1)):
                if limit is not None:
                    yield [canonical_decimal(limit)]
                    yield [canonical_decimal(limit + inwards * step) for step in fine]
            if least is not None and most is not None:
                third = least + (most - least) * _THIRD
                yield [canonical_decimal(third.quantize(step)) for step in fine]


@dataclass(frozen=True)
class Number:
    """One number of a section, with lists of candidates."""

    path: Path
    groups: tuple[list[str], ...]


def section_numbers(document: Mapping[str, Any], section: str) -> list[Number]:
    """All numbers of one section; where there is one for each level, that of initial stands for both."""
    parameters = parse_parameters(dict(document), "test")
    field = Parameters.model_fields.get(section)
    found = numbers(getattr(parameters, section), () if field is None else _metadata(field))
    return [
        Number((section, *path), tuple(groups(_at(parameters, (section, *path)), limits)))
        for path, limits in found
        if path[-1] not in LEVELS[1:]
    ]


def extremes(document: Mapping[str, Any], section: str) -> Iterator[tuple[str, Parameters]]:
    """Parameters with one number of a section at an extreme, with what was changed, in words."""
    parameters = parse_parameters(dict(document), "test")
    for number in section_numbers(document, section):
        for group in number.groups:
            if (changed := _first(document, parameters, number.path, group)) is not None:
                yield f"{'.'.join(map(str, number.path))} = {changed[0]}", changed[1]


def together(document: Mapping[str, Any], section: str, kind: int) -> Parameters:
    """Parameters with every number of a section at one kind of extreme that it has, how many cells there are apart."""
    parameters = parse_parameters(dict(document), "test")
    for number in section_numbers(document, section):
        if kind < len(number.groups) and number.path[-1] != "cells":
            changed = _first(document, parameters, number.path, number.groups[kind])
            if changed is not None:
                parameters = changed[1]
                document = {**document, section: parameters.document()[section]}
    return parameters


def _first(
    document: Mapping[str, Any], parameters: Parameters, path: Path, group: Sequence[str]
) -> tuple[str, Parameters] | None:
    for written in group:
        found = _changed(document, parameters, path, written)
        if found is not None:
            return written, found
    return None


def _changed(
    document: Mapping[str, Any], parameters: Parameters, path: Path, written: str
) -> Parameters | None:
    fields: dict[str, Any] = {str(path[0]): parameters.document()[str(path[0])]}
    paths = [path, *((*path[:-1], level) for level in LEVELS[1:] if path[-1] == LEVELS[0])]
    number: Any = int(written) if isinstance(_at(parameters, path), int) else written
    for each in paths:
        place: Any = fields
        for key in each[:-1]:
            place = place[key]
        if each[-1] in (place if isinstance(place, dict) else range(len(place))):
            place[each[-1]] = number
    try:
        return parse_parameters({**document, **fields}, "test")
    except InputError:
        return None


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = getattr(value, str(key)) if isinstance(value, BaseModel) else value[key]
    return value
