"""Which sections of the parameters price a model: all others may say what they like."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from zkmargin.margin.parameters.document import GRID_PRESETS, PRESETS, SECTIONS, Parameters

HAIRCUTS = ("haircuts", "default_haircut", "collateral")
DEBTS = ("debts", "default_debt")


def scan_section(parameters: Parameters) -> str:
    """The section that the model grid follows: a venue's rules, or its own."""
    return next((name for name in GRID_PRESETS if getattr(parameters, name) is not None), "grid")


def _of_grid(scan: str) -> tuple[str, ...]:
    """The sections of the model grid under the rules `scan`."""
    haircuts = () if scan == "deribit" else HAIRCUTS
    return (scan, *haircuts, *(DEBTS if scan in ("deribit", "okx", "bybit") else ()))


def _of_isolated(parameters: Parameters) -> tuple[str, ...]:
    return ("srm",) if parameters.srm is not None else ("standard", *HAIRCUTS, *DEBTS)


def pricing_sections(model: str, parameters: Parameters) -> tuple[str, ...]:
    """The sections that price a model under these parameters, whether they are written down or left at defaults."""
    if model == "grid":
        return _of_grid(scan_section(parameters))
    if model == "isolated":
        return _of_isolated(parameters)
    if model == "cross":
        return ("standard", *HAIRCUTS, *DEBTS)
    if model == "tiered":
        parts = ("tiered", *_of_grid(scan_section(parameters)), "standard", *HAIRCUTS, *DEBTS)
        return tuple(dict.fromkeys(parts))
    return (model, *(() if model == "tims" else HAIRCUTS))


def possible_sections(model: str) -> tuple[str, ...]:
    """The sections that can price a model, whichever rules its snapshot follows."""
    found = pricing_sections(model, Parameters())
    scans = [part for name in GRID_PRESETS for part in _of_grid(name)] if "grid" in found else []
    managers = ["srm"] if model == "isolated" else []
    return tuple(dict.fromkeys((*found, *scans, *managers)))


def section(parameters: Parameters, name: str) -> Any:
    """A section by its name: a model's own, a venue's, or a general one; None where it was not given."""
    return getattr(parameters, name) if name in Parameters.model_fields else parameters.section(name)


def default_section(name: str) -> Any:
    """What a section says where nothing of it is written down; None for one that has no defaults."""
    if name in PRESETS:
        return PRESETS[name]()
    if name in Parameters.model_fields:
        return getattr(Parameters(), name)
    kind = SECTIONS[name]
    required = any(field.is_required() for field in kind.model_fields.values())
    return None if required else kind()


def is_graded(value: object) -> bool:
    """Whether a part of the parameters has a number for each level."""
    return isinstance(value, BaseModel) and {"initial", "maintenance"} <= set(type(value).model_fields)
