"""Parameters that differ from others in one place: numbers, lists, other sections."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from zkmargin.margin.parameters.document import GRID_PRESETS, Parameters
from zkmargin.verifier.floors.sections import default_section, pricing_sections, section

Path = tuple[str | int, ...]

_WORDS = ("coin", "usd", "account", "group", "gross", "max", "scan_range", "normal", "up", "none", "down")

TRAPS: Mapping[str, dict[str, Any]] = {
    "a share of the shocks": {"grid": {"currencies": {"ETH": "0"}}},
    "a coin of its own": {"haircuts": {"ETH": {"initial": "0", "maintenance": "0"}}},
    "every other coin": {
        "default_haircut": {"initial": "0", "maintenance": "0"},
        "haircuts": {"BTC": {"initial": "0.05", "maintenance": "0.03"}},
    },
    "okx in place": {"okx": {}},
    "okx, weak": {"okx": {"spot_shocks": ["0"], "extreme_moves": [], "future_cost": "0", "option_cost": "0"}},
    "deribit in place": {"deribit": {}},
    "pmrm2 in place": {"pmrm2": {}},
    **{f"{name} in place": {name: {}} for name in ("pmrm1", "bybit", "binance", "srm")},
    "a debt of its own": {"debts": {"ETH": {"initial": "0", "maintenance": "0"}}},
    "every other debt": {"default_debt": {"initial": "0", "maintenance": "0"}},
    "a higher debt": {"default_debt": {"initial": "0.5", "maintenance": "0.4"}},
    "a debt that counts once": {"collateral": {"ETH": {"liability": {"initial": "1", "maintenance": "1"}}}},
    "another collateral": {
        "pmrm2": {
            "collaterals": {"ETH": {"haircut": {"maintenance": "0", "addition": "0"}, "cancels": "BTC"}}
        }
    },
    "a coin that nothing moves": {
        "pmrm2": {"collaterals": {"ETH": {"haircut": {"maintenance": "0", "addition": "0"}}}}
    },
}


def written(parameters: Parameters, model: str) -> dict[str, Any]:
    """Everything that prices the model, as a parameter file says it."""
    document = {}
    whole = parameters.model_dump(mode="json")
    for name in pricing_sections(model, parameters):
        value = section(parameters, name)
        if value is not None:
            document[name] = whole[name] if name in whole else _left_out(getattr(parameters, name))
        elif (default := default_section(name)) is not None:
            document[name] = default.model_dump(mode="json")
    return document


def _left_out(value: Any) -> Any:
    """What the document leaves out, as it is at its default."""
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else {}


def leaves(document: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that is no object, by where it stands; lists also as a whole."""
    if isinstance(document, Mapping):
        for name, part in document.items():
            yield from leaves(part, (*path, name))
        return
    yield path, document
    if isinstance(document, list):
        for number, part in enumerate(document):
            yield from leaves(part, (*path, number))


def others(value: Any) -> Iterator[Any]:
    """Values in place of one."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value - 1, value + 1, value * 2)
    elif isinstance(value, list):
        yield from (part for part in (value[1:], value[:-1], [*value[:1], *value[2:]]) if part != value)
        yield from ([*value, between] for between in _between(value))
    elif (number := _number(value)) is not None:
        parts = (Decimal(0), number / 2, number * 2, number + Decimal("0.01"), number - Decimal("0.01"))
        yield from (format(part, "f") for part in parts if part != number)
    elif value is None:
        yield "0.5"
    elif isinstance(value, str):
        yield from (word for word in _WORDS if word != value)


def replaced(document: Any, path: Path, value: Any) -> Any:
    """The document with another value in one place."""
    made = copy.deepcopy(document)
    place = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return made


def variants(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The document with one value changed, and what was changed."""
    for path, value in leaves(document):
        for other in others(value):
            yield f"{'.'.join(map(str, path))}: {value} -> {other}", replaced(document, path, other)
    for name, trap in TRAPS.items():
        yield name, {**document, **trap}
        if not set(trap) & {*GRID_PRESETS, "srm"}:
            yield f"{name}, within", _within(document, trap)


def _within(document: Any, trap: Any) -> Any:
    if not (isinstance(document, Mapping) and isinstance(trap, Mapping)):
        return copy.deepcopy(trap)
    return {**document, **{name: _within(document.get(name), value) for name, value in trap.items()}}


def _between(value: list[Any]) -> list[Any]:
    numbers = [number for part in value if (number := _number(part)) is not None]
    return [format((numbers[0] + numbers[1]) / 2, "f")] if len(numbers) > 1 else []


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(value) if isinstance(value, str) and "/" not in value else None
    except ArithmeticError:
        return None
