"""TIMS: portfolio margin of securities accounts, as FINRA Rule 4210(g) and the Options Clearing Corporation
have it.

Each class is moved to ten equidistant points of its range, 15 % either way for an equity or a narrow index,
10 % for a broad index, 8 % down and 6 % up for a broad index of high capitalisation; today's price is no
point, and volatilities stay. Within a class gains and losses net in full; within a group, a part of the
gains of one class offsets the losses of another at the same point. The account needs the sum of the greatest
losses, and at least 0.375 times the multiplier for each contract.
"""

from zkmargin.margin.models.model import Model
from zkmargin.margin.models.tims.engine import requirement, tables
from zkmargin.margin.models.tims.tables import TimsTables

NAME = "tims"
NEEDS = "tims needs a market of securities alone (--securities FILE)"


MODEL = Model(name=NAME, tables_type=TimsTables, tables=tables, requirement=requirement, needs=NEEDS)
