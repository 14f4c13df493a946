"""Which sections of the parameters price a model: all others may say what they like."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from zkmargin.margin.parameters.document import PRESETS, Parameters, section_types

HAIRCUTS = ("haircuts", "default_haircut", "collateral")

_BY_RATES = ("cross", "isolated")


def scan_section(parameters: Parameters) -> str:
    """The section that the model grid follows: a venue's rules, or its own."""
    return next((name for name in PRESETS if getattr(parameters, name) is not None), "grid")


def pricing_sections(model: str, parameters: Parameters) -> tuple[str, ...]:
    """The sections that price a model under these parameters, whether they are written down or left at defaults."""
    scan = scan_section(parameters)
    if model == "grid":
        return (scan, *(() if scan == "deribit" else HAIRCUTS))
    if model in _BY_RATES:
        return ("standard", *HAIRCUTS)
    if model == "tiered":
        return ("tiered", scan, "standard", *HAIRCUTS)
    return (model, *(() if model == "tims" else HAIRCUTS))


def possible_sections(model: str) -> tuple[str, ...]:
    """The sections that can price a model, whichever rules its snapshot follows."""
    found = pricing_sections(model, Parameters())
    return tuple(part for name in found for part in (("grid", *PRESETS) if name == "grid" else (name,)))


def section(parameters: Parameters, name: str) -> Any:
    """A section by its name: a model's own, a venue's, or a general one; None where it was not given."""
    return getattr(parameters, name) if name in Parameters.model_fields else parameters.section(name)


def default_section(name: str) -> Any:
    """What a section says where nothing of it is written down; None for one that has no defaults."""
    if name in PRESETS:
        return PRESETS[name]()
    if name in Parameters.model_fields:
        return getattr(Parameters(), name)
    kind = section_types()[name]
    required = any(field.is_required() for field in kind.model_fields.values())
    return None if required else kind()


def is_graded(value: object) -> bool:
    """Whether a part of the parameters has a number for each level."""
    return isinstance(value, BaseModel) and {"initial", "maintenance"} <= set(type(value).model_fields)
