"""Value at risk: the loss that joint scenarios of all underlyings exceed only as often as is agreed.

Of N equally likely losses it is the (k+1)-th largest, k = floor(N (1 - confidence)).
"""

from collections.abc import Sequence
from fractions import Fraction

from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.models.model import Model
from zkmargin.margin.parameters.var import ValueAtRisk
from zkmargin.margin.scenarios.requirement import scenario_requirement
from zkmargin.margin.scenarios.tables import JointTables, needs, section_tables
from zkmargin.margin.tables.assessment import Assessment
from zkmargin.margin.units import Level
from zkmargin.margin.valuation.basis import Basis

NAME = "var"
NEEDS = needs(NAME)


def tables(basis: Basis) -> JointTables | None:
    """Scenarios from the section, or by default from the history; None if there is neither."""
    return section_tables(basis, NAME, ValueAtRisk())


def requirement(
    tables: JointTables, universe: Universe, scale: Sequence[int], lots: Sequence[int], level: Level
) -> Assessment:
    """max(0, value at risk), contingencies and haircuts."""
    return scenario_requirement(
        tables,
        universe,
        scale,
        lots,
        level,
        measure=lambda found: Fraction(found.quantile),
        title="value at risk",
    )


MODEL = Model(name=NAME, tables_type=JointTables, tables=tables, requirement=requirement, needs=NEEDS)
