"""Correlation margin: the loss of an account's delta exposures under a covariance matrix, variance-covariance
value at risk, beside a stress in which no exposure offsets another.

It sees delta only. What an option gains or loses by curvature, volatility or time is not in it; a charge on
naked short options stands in for that.
"""

from zkmargin.margin.models.correlation.engine import requirement, tables
from zkmargin.margin.models.correlation.tables import CorrelationTables
from zkmargin.margin.models.model import Model

NAME = "correlation"
NEEDS = (
    "correlation needs a price history (--history FILE) or a section correlation with source = given "
    "in the parameters"
)
NOTE = (
    "correlation sees delta only: what options gain or lose by curvature, volatility or time is not in this "
    "requirement"
)


MODEL = Model(
    name=NAME, tables_type=CorrelationTables, tables=tables, requirement=requirement, needs=NEEDS, note=NOTE
)
