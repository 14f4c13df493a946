"""Parameters of a portfolio margin like Binance's: the unified maintenance margin ratio over notional brackets.

Sources: [A] *What Is the Unified Account Maintenance Margin Ratio (uniMMR)* (help centre, 6 February 2025: equity,
the brackets' formula, loans, and the levels of the ratio); [B] the interface's leverageBracket, whose
`maintMarginRatio` and `notionalFloor` the brackets are. Brackets change: look them up, and state them.
"""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from zkmargin.margin.parameters.types import Number, Rate, Rates, Strict, at_most, rates
from zkmargin.margin.parameters.venues.okx import RoundLossFactors


class Bracket(Strict):
    """From `above` USD of a contract's notional on, every further dollar is charged `rate`."""

    above: Annotated[Number, Field(ge=0, le=10**12)]
    """[notionalFloor]"""
    rate: Annotated[Rate, at_most(5)]
    """[maintMarginRatio]"""


Brackets = Annotated[tuple[Bracket, ...], Field(min_length=1, max_length=20)]


def _brackets(*pairs: tuple[int, str]) -> tuple[Bracket, ...]:
    return tuple(Bracket(above=Decimal(above), rate=Decimal(rate)) for above, rate in pairs)


_MAJOR = _brackets(
    (0, "0.004"), (50_000, "0.005"), (600_000, "0.0065"), (3_000_000, "0.01"), (12_000_000, "0.02"),
    (70_000_000, "0.025"), (100_000_000, "0.05"), (230_000_000, "0.1"), (480_000_000, "0.125"),
    (600_000_000, "0.15"), (800_000_000, "0.25"), (1_200_000_000, "0.5"),
)  # fmt: skip
_OTHER = _brackets(
    (0, "0.01"), (50_000, "0.025"), (600_000, "0.05"), (1_600_000, "0.1"), (4_000_000, "0.125"), (8_000_000, "0.25"),
)  # fmt: skip


class Binance(Strict):
    """uniMMR = adjusted equity / sum of maintenance margins, at least a level [A]; see
    `zkmargin.margin.models.grid.binance`.
    """

    brackets: Mapping[str, Brackets] = {"BTC": _MAJOR, "ETH": _MAJOR}
    """By coin, of futures and perpetuals on it [B: BTCUSDT]."""
    other_brackets: Brackets = _OTHER
    """Of coins that `brackets` does not list."""
    loan: Rates = rates("0.2", "0.1")
    """On what is borrowed: at maintenance that of three times leverage [A: 10 %]."""
    ratio: RoundLossFactors = RoundLossFactors(initial=Decimal("1.5"), maintenance=Decimal("1.05"))
    """uniMMR that the account must reach: to trade freely, and not to be liquidated [A: 150 %, 105 %]."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        for name, found in (*self.brackets.items(), ("other_brackets", self.other_brackets)):
            rising = all(a.above < b.above and a.rate < b.rate for a, b in pairwise(found))
            if found[0].above or not rising:
                raise ValueError(f"brackets: those of {name} start at 0, and rise from one to the next")
        return self
