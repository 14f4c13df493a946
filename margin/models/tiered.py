"""Tiered margin: cross margin for accounts below a value, portfolio margin from it on.

The value is the account's own, before any haircut; both levels may have a value of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from numpy.typing import NDArray
from pydantic import ConfigDict

from zkmargin.margin.errors import UnprovableError
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.models import cross, grid
from zkmargin.margin.models.model import Model
from zkmargin.margin.parameters.tiered import Tiered
from zkmargin.margin.tables.assessment import Assessment, Charge
from zkmargin.margin.tables.bounds import LARGEST_MONEY
from zkmargin.margin.tables.charges import check_length
from zkmargin.margin.tables.grid import Cell, GridTables
from zkmargin.margin.tables.rates import RateTables
from zkmargin.margin.tables.schema import STRICT, Amount, Column
from zkmargin.margin.units import LEVELS, ByLevel, Level
from zkmargin.margin.valuation.basis import Basis
from zkmargin.margin.valuation.position_rates import requirement as rate_requirement

NAME = "tiered"
NEEDS = 'tiered needs a section tiered in the parameters, such as {"tiered": {"threshold": "100000"}}'


@dataclass(frozen=True)
class TieredTables:
    """requirement(level) = that of `grid` if the account value is at least the threshold, that of `cross` if not.

    The account value is the sum of q_i * marks_i * scale_i.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    threshold: ByLevel[Amount]
    """Quanta."""
    marks: Column
    """(N,): those of the snapshot."""
    cross: RateTables
    grid: GridTables

    def check(self, slots: int, where: str) -> None:
        """Raises InputError unless all shapes fit a universe of `slots` instruments."""
        check_length(self.marks, slots, where, "marks")
        self.cross.check(slots, f"{where}, cross")
        self.grid.check(slots, f"{where}, grid")

    def weights(self) -> list[int]:
        """Per slot, at least what one lot can add to a requirement, in table entries."""
        return list(map(max, self.cross.weights(), self.grid.weights()))

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The scenarios of portfolio margin."""
        return self.grid.cells

    @property
    def unit_of(self) -> NDArray[Any]:
        """(N,): index into the units of portfolio margin, -1 for slots without risk."""
        return self.grid.unit_of

    @property
    def risk(self) -> NDArray[Any]:
        """(S, N): change of value of one long contract."""
        return self.grid.risk

    def account_value(self, scale: Sequence[int], lots: Sequence[int]) -> int:
        """In money units."""
        entries = zip(lots, self.marks.tolist(), scale, strict=True)
        return sum(held * mark * factor for held, mark, factor in entries if held)

    def smallest(self, universe: Universe, level: Level) -> int:
        """The threshold in money units."""
        return int(self.threshold[level] * 10**universe.finest)


def tables(basis: Basis) -> TieredTables | None:
    """The tables of both models with the threshold; None if the parameters have no section for it."""
    section: Tiered | None = basis.parameters.section(NAME)
    if section is None:
        return None
    threshold = {level: int(section.threshold.at(level) * basis.quanta) for level in LEVELS}
    if threshold["initial"] * 10**basis.universe.finest >= LARGEST_MONEY:
        remedy = "is too large in units of the finest lot of the universe; lower it, or leave out fine lots"
        raise UnprovableError("parameters, tiered", "threshold", section.threshold.initial, remedy)
    return TieredTables(threshold, basis.marks, cross.tables(basis), grid.tables(basis))


def requirement(
    tables: TieredTables, universe: Universe, scale: Sequence[int], lots: Sequence[int], level: Level
) -> Assessment:
    """The requirement of the tier that the account is in; exact, in money units."""
    low = rate_requirement(tables.cross, universe, scale, lots, level)
    high = grid.requirement(tables.grid, universe, scale, lots, level)
    reached = tables.account_value(scale, lots) >= tables.smallest(universe, level)
    considered = (
        Charge("cross", "below the threshold", low.amount),
        Charge("portfolio", "at the threshold and above", high.amount),
    )
    return replace(high if reached else low, considered=considered)


MODEL = Model(name=NAME, tables_type=TieredTables, tables=tables, requirement=requirement, needs=NEEDS)
