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
    # A loan at Binance is charged at a rate of its own, unless a liability stands in its place: see `section`.
    debts = DEBTS if scan in ("deribit", "okx", "bybit") else ("debts",) if scan == "binance" else ()
    # Nor does the ratio there have a rule for short options: they are charged as `standard` says.
    return (scan, *haircuts, *debts, *(("standard",) if scan == "binance" else ()))


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
    """The sections that a minimum of a model can state, whichever rules its snapshot follows.

    Not `standard` for binance, whose snapshots must reach its defaults. Not `srm`: a snapshot with `standard` would be
    compared with the defaults of that alone. Pins take it.
    """
    found = pricing_sections(model, Parameters())
    scans = [part for name in GRID_PRESETS for part in _of_grid(name)] if "grid" in found else []
    scans = [part for part in scans if part != "standard"]
    return tuple(dict.fromkeys((*found, *scans)))


def section(parameters: Parameters, name: str) -> Any:
    """A section by its name: a model's own, a venue's, or a general one; None where it was not given.

    `debts` are those that count: a coin's liability stands in place of its rate, and may be the lesser.
    """
    if name == "debts":
        owed = {coin: rules.liability for coin, rules in parameters.collateral.items()}
        return {**parameters.debts, **{coin: rates for coin, rates in owed.items() if rates is not None}}
    return getattr(parameters, name) if name in Parameters.model_fields else parameters.section(name)


def default_section(name: str) -> Any:
    """What a section says where nothing of it is written down; None for one that has no defaults."""
    if name == "srm":
        return None  # no minimum is for it, and its defaults must not stand in for one of `standard`
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
