"""The interface of a margin model: how its tables are derived, and what it requires of an account."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.tables.assessment import Assessment
from zkmargin.margin.tables.interfaces import Tables
from zkmargin.margin.units import Level
from zkmargin.margin.valuation.basis import Basis

Requirement = Callable[[Any, Universe, Sequence[int], Sequence[int], Level], Assessment]
"""(tables, universe, scale, lots, level) -> the requirement with its reasons.

`scale` (N,) converts table entries times lots to money units; `lots` (N,) are the account's quantities by slot.
"""


@dataclass(frozen=True)
class Model:
    """One margin model; each module of `zkmargin.margin.models` defines one as `MODEL`.

    Attributes:
        name: As in `--model`, in snapshots and in statements.
        tables_type: The dataclass of its tables, see `zkmargin.margin.tables.interfaces.Tables`.
        tables: Derives the tables from a market; None where market and parameters lack what the model needs.
            Raises InputError if a number is out of range.
        requirement: Computes the requirement of an account from the tables.
        needs: What a snapshot must be built with, as an instruction; None for models that every market has.
        note: What every report must say that the model does not see.
    """

    name: str
    tables_type: type[Any]
    tables: Callable[[Basis], Tables | None]
    requirement: Requirement
    needs: str | None = None
    note: str | None = None
