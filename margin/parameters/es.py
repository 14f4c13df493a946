"""The section `es`: expected shortfall over joint scenarios."""

from fractions import Fraction

from zkmargin.margin.parameters.joint import Confidences, ScenarioSection


class Shortfall(ScenarioSection):
    """The section `es`."""

    confidence: Confidences = Confidences(initial=Fraction(39, 40), maintenance=Fraction(19, 20))
