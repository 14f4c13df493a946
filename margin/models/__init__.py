"""Margin models: every module of this package is one, and is found by being here."""

import importlib
import pkgutil
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol, cast

from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.tables.assessment import Assessment
from zkmargin.margin.units import Level
from zkmargin.margin.valuation.basis import Basis


class Model(Protocol):
    """What a module of this package provides.

    Where `tables` may be None it also has `NEEDS`: what a snapshot must be built with, as an instruction; and `NOTE`
    where every report must say what the model does not see.
    """

    NAME: str
    TABLES: type[Any]
    """The dataclass of its tables: see `zkmargin.margin.tables.grid.Tables`."""

    def tables(self, basis: Basis) -> Any:
        """The tables of a market, or None where market and parameters lack what the model needs.

        Raises InputError if a number is out of range.
        """

    def requirement(
        self, tables: Any, universe: Universe, scale: Sequence[int], lots: Sequence[int], level: Level
    ) -> Assessment:
        """What an account must hold, with the reasons."""


@cache
def models() -> Mapping[str, Model]:
    """All models by name, in alphabetical order."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    )
    return MappingProxyType({module.NAME: cast(Model, module) for module in modules})


def lacking(name: str, present: Collection[str]) -> str:
    """What to do where a snapshot lacks a model: what it has, and what the model needs to be there."""
    if name not in models():
        return f"no model has this name; the snapshot has {', '.join(sorted(present))}"
    return f"the snapshot has {', '.join(sorted(present))}; {needs(name)}"


def needs(name: str) -> str:
    """What a snapshot must be built with to have a model, as an instruction."""
    return str(getattr(models()[name], "NEEDS", f"build the snapshot with what {name} needs"))
