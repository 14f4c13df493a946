"""Margin models by name. To add one, write a module that defines `MODEL` and list it here."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from types import MappingProxyType

from zkmargin.margin.models import correlation, cross, es, grid, isolated, span, tiered, tims, var
from zkmargin.margin.models.model import Model

__all__ = ["MODELS", "Model", "lacking", "needs"]

MODELS: Mapping[str, Model] = MappingProxyType(
    {
        module.MODEL.name: module.MODEL
        for module in (correlation, cross, es, grid, isolated, span, tiered, tims, var)
    }
)
"""All models by name, in alphabetical order."""


def lacking(name: str, present: Collection[str]) -> str:
    """Why a snapshot lacks a model, and how to build one that has it; `present` are the snapshot's models."""
    if name not in MODELS:
        close = get_close_matches(name, MODELS, n=1, cutoff=0.5)
        meant = f"; did you mean {close[0]}?" if close else ""
        return f"no model has this name; the snapshot has {', '.join(sorted(present))}{meant}"
    return f"the snapshot has {', '.join(sorted(present))}; {needs(name)}"


def needs(name: str) -> str:
    """What a snapshot must be built with to have a model, as an instruction."""
    return MODELS[name].needs or f"build the snapshot with what {name} needs"
