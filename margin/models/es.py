"""Expected shortfall: the mean loss over the worst joint scenarios of all underlyings.

Basel Committee, Minimum capital requirements for market risk (MAR33), uses it at 97.5 %; as a minimum over a
threshold it is due to R. T. Rockafellar and S. Uryasev, Optimization of conditional value-at-risk (2000).
"""

from collections.abc import Sequence
from fractions import Fraction

from zkmargin.margin.assessment import Assessment
from zkmargin.margin.basis import Basis
from zkmargin.margin.scenarios.parameters import Confidences, ScenarioSection
from zkmargin.margin.scenarios.requirement import scenario_requirement
from zkmargin.margin.scenarios.tables import JointTables, needs, section_tables
from zkmargin.margin.tables import Level
from zkmargin.margin.universe import Universe

__all__ = ["NAME", "NEEDS", "PARAMETERS", "TABLES", "Shortfall", "requirement", "tables"]

NAME = "es"
NEEDS = needs(NAME)
TABLES = JointTables


class Shortfall(ScenarioSection):
    """The section `es`."""

    confidence: Confidences = Confidences(initial=Fraction(39, 40), maintenance=Fraction(19, 20))


PARAMETERS = Shortfall


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
