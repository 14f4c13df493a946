"""Expected shortfall: the mean loss over the worst joint scenarios of all underlyings.

Basel Committee, Minimum capital requirements for market risk (MAR33), uses it at 97.5 %; as a minimum over a
threshold it is due to R. T. Rockafellar and S. Uryasev, Optimization of conditional value-at-risk (2000).
"""

from collections.abc import Sequence

from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.models.model import Model
from zkmargin.margin.parameters.es import Shortfall
from zkmargin.margin.scenarios.requirement import scenario_requirement
from zkmargin.margin.scenarios.tables import JointTables, needs, section_tables
from zkmargin.margin.tables.assessment import Assessment
from zkmargin.margin.units import Level
from zkmargin.margin.valuation.basis import Basis

NAME = "es"
NEEDS = needs(NAME)


def tables(basis: Basis) -> JointTables | None:
    """Scenarios from the section, or by default from the history; None if there is neither."""
    return section_tables(basis, NAME, Shortfall())


def requirement(
    tables: JointTables, universe: Universe, scale: Sequence[int], lots: Sequence[int], level: Level
) -> Assessment:
    """max(0, expected shortfall), contingencies and haircuts."""
    return scenario_requirement(
        tables, universe, scale, lots, level, measure=lambda found: found.mean, title="expected shortfall"
    )


MODEL = Model(name=NAME, tables_type=JointTables, tables=tables, requirement=requirement, needs=NEEDS)
