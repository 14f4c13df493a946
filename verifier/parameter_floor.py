"""The least parameters that a policy takes: a part of a parameter file, each number of which is a floor."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from zkmargin.margin.arithmetic.decimals import canonical_decimal, parse_decimal
from zkmargin.margin.errors import InputError

Minimum = Mapping[str, Any]
"""Sections and names as in a parameter file; leaves are decimals, truth values, text, and lists of these."""


def normalised(minimum: Mapping[str, Any]) -> dict[str, Any]:
    """The minimum with every number as a canonical decimal. Raises ValueError for what is no parameter."""
    return {name: _normal(value, name) for name, value in minimum.items()}


def shortfall(minimum: Any, found: Any, path: str = "") -> str | None:
    """Where a snapshot's parameters are below the minimum, in words; None if nowhere.

    Args:
        minimum: as `normalised` returns it.
        found: the document of the snapshot's parameters.
        path: of both, for the words.
    """
    if isinstance(minimum, Mapping):
        for name, value in minimum.items():
            place = f"{path}.{name}" if path else name
            if not isinstance(found, Mapping) or name not in found:
                return f"{place} is not among the snapshot's parameters"
            short = shortfall(value, found[name], place)
            if short:
                return short
        return None
    if isinstance(minimum, list):
        missing = [value for value in minimum if value not in _listed(found)]
        return f"{path} lacks {', '.join(map(str, missing))}" if missing else None
    least, has = _number(minimum), _number(found)
    if least is None or has is None:
        return None if minimum == found else f"{path} is {found}, not {minimum}"
    return None if has >= least else f"{path} is {has}, below {least}"


def _normal(value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _normal(part, f"{path}.{name}") for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(part, path) for part in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal | str):
        number = _number(value)
        return value if number is None else canonical_decimal(number)
    raise ValueError(f"{path}: write numbers, text, true or false, or lists of these")


def _listed(found: Any) -> list[Any]:
    return [_normal(value, "") for value in found] if isinstance(found, list | tuple) else []


def _number(value: Any) -> Decimal | None:
    """The number, if it is one."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        return parse_decimal(value, "policy", "minimum")
    except InputError:
        return None
