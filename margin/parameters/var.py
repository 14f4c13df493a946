"""The section `var`: value at risk over joint scenarios."""

from fractions import Fraction

from zkmargin.margin.parameters.joint import Confidences, ScenarioSection


class ValueAtRisk(ScenarioSection):
    """The section `var`."""

    confidence: Confidences = Confidences(initial=Fraction(99, 100), maintenance=Fraction(39, 40))
