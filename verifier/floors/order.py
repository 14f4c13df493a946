"""How parameters compare: which numbers ask no less of any account as they grow, and which as they shrink.

A number may only be listed here if the requirement of every account follows it, long or short, hedged or not, up to
the rounding of tables (a quantum of money for each contract). A wider volatility move is not listed: an account that
loses most at a small move asks less under a large one. What is not listed must be equal.
"""

from __future__ import annotations

from enum import Enum


class Order(Enum):
    """How what is found must compare with what is asked."""

    AT_LEAST = "at least"
    AT_MOST = "at most"
    CONTAINS = "contains"
    EQUAL = "equal"


_AT_LEAST = (
    # Losses are multiplied by factors, dampings and shares of a shock; rates multiply sizes.
    "grid.tail_damping",
    "grid.loss_factor",
    "grid.perpetual",
    "grid.naked_short",
    "standard.future",
    "standard.share",
    "standard.option",
    "standard.option_minimum",
    "okx.extreme_damping",
    "okx.annual_move",
    "okx.future_cost",
    "okx.option_cost",
    "okx.loss_factor",
    "deribit.tail_factor",
    "deribit.delta_shock",
    "deribit.annual_move",
    "deribit.least_move",
    "deribit.loss_factor",
    "deribit.haircut",
    "pmrm2.basis.addition",
    "pmrm2.basis.multiplier",
    "pmrm2.loss_factor",
    "pmrm2.peg.threshold",
    "pmrm2.peg.factor",
    "pmrm2.confidence.threshold",
    "pmrm2.confidence.margin",
    "pmrm2.perpetual",
    "pmrm2.naked_short",
    # The mean beyond a quantile, and the quantile, rise with it.
    "es.confidence",
    "es.perpetual",
    "es.naked_short",
    "var.confidence",
    "var.perpetual",
    "var.naked_short",
    "tims.minimum",
    "tims.factor",
    # A norm is multiplied by them.
    "correlation.horizon",
    "correlation.multiplier",
    "correlation.undiversified",
    "correlation.perpetual",
    "correlation.naked_short",
    # A debt's charge is the rate times its size. Rates by coin, in `debts`, must be equal: a coin that is listed there
    # is no longer charged by default.
    "default_debt",
    "collateral.*.volatility.observed",
    "collateral.*.volatility.most",
    "collateral.*.liquidity.reference",
    "collateral.*.liquidity.most",
    "collateral.*.liability",
)

_AT_MOST = (
    "deribit.dampener",
    "deribit.gain_offset",
    "deribit.delta_threshold",
    "collateral.*.volatility.reference",
    "collateral.*.liquidity.observed",
)

_CONTAINS = (
    # The worst over more scenarios is no less, and more steps of a rising charge neither.
    "grid.spot_shocks",
    "grid.tail_shocks",
    "okx.spot_shocks",
    "okx.extreme_moves",
    "okx.steps",
    "deribit.tail_moves",
    "pmrm2.scenarios",
)

ORDERS = {
    **dict.fromkeys(_AT_LEAST, Order.AT_LEAST),
    **dict.fromkeys(_AT_MOST, Order.AT_MOST),
    **dict.fromkeys(_CONTAINS, Order.CONTAINS),
}
"""By the path of a key; `*` stands for a coin."""


def order_of(path: tuple[str, ...]) -> Order:
    """How the value at a path compares."""
    name = ".".join(path if path[0] != "collateral" else ("collateral", "*", *path[2:]))
    return ORDERS.get(name, Order.EQUAL)
