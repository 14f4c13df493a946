"""The section `standard`: margin by rates per position."""

from zkmargin.margin.parameters.types import Rates, Strict, rates


class Standard(Strict):
    """Margin by rates per position, as venues ask of accounts without portfolio margin.

    Futures and perpetuals pay `future` of their notional, shares `share` of their value. A short option
    pays max(option - OTM/S, option_minimum) times S, with OTM = max(0, K - S) for a call and
    max(0, S - K) for a put; its mark is not charged again, because it already lowers the account value.
    """

    future: Rates = rates("0.02", "0.01")
    share: Rates = rates("0.5", "0.3")
    option: Rates = rates("0.15", "0.075")
    option_minimum: Rates = rates("0.1", "0.05")
