"""Interfaces of a model's tables."""

from typing import Protocol, runtime_checkable

from zkmargin.margin.tables.grid import Cell
from zkmargin.margin.tables.schema import Column, Matrix


class Tables(Protocol):
    """What a snapshot holds of a model: a frozen dataclass over the types of `forms`."""

    def check(self, slots: int, where: str) -> None:
        """Raises InputError unless all shapes fit a universe of `slots` instruments."""

    def weights(self) -> list[int]:
        """Per slot, at least what one lot can add to a requirement, in table entries."""


@runtime_checkable
class ScenarioTables(Protocol):
    """Tables whose units lose what the worst of some cells takes: a report shows them cell by cell."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The scenarios, the same for all units."""

    @property
    def unit_of(self) -> Column:
        """(N,): index into the units, -1 for slots without risk."""

    @property
    def risk(self) -> Matrix:
        """(S, N): change of value of one long contract."""
