"""Decisions about an account: what to trade, withdraw, hedge or move so that margin holds, at the least cost.

The programs that are solved here are made of the rows that are proven (`zkmargin.circuits`), and whatever a program
says is confirmed by the exact engine before it is told.
"""

from zkmargin.planning.costs import Book, CostModel
from zkmargin.planning.plan import Band, Limits, Plan, plan_hedge, plan_liquidation, plan_release
from zkmargin.planning.questions.available import Available, available
from zkmargin.planning.questions.whatif import WhatIf, rank, whatif
from zkmargin.planning.trades import Trade, after, parse_trade

__all__ = [
    "Available",
    "Band",
    "Book",
    "CostModel",
    "Limits",
    "Plan",
    "Trade",
    "WhatIf",
    "after",
    "available",
    "parse_trade",
    "plan_hedge",
    "plan_liquidation",
    "plan_release",
    "rank",
    "whatif",
]
