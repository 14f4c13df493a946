"""Tables of rates per position, without netting."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from zkmargin.margin.tables.charges import CollateralCharge, add_haircuts, check_collaterals, check_length
from zkmargin.margin.tables.schema import STRICT, AmountColumn
from zkmargin.margin.units import LEVELS, ByLevel


@dataclass(frozen=True)
class RateTables:
    """Margin by public rates per position, without netting.

    requirement(level) = sum_i long_i * max(q_i, 0) + short_i * max(-q_i, 0) + sum of collateral charges.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    long: ByLevel[AmountColumn]
    """(N,), each >= 0."""
    short: ByLevel[AmountColumn]
    """(N,), each >= 0."""
    collaterals: tuple[CollateralCharge, ...]

    def check(self, slots: int, where: str) -> None:
        """Raises InputError unless all shapes fit a universe of `slots` instruments."""
        for side in (self.long, self.short):
            for level in LEVELS:
                check_length(side[level], slots, where, "rates")
        check_collaterals(self.collaterals, slots, where)

    def weights(self) -> list[int]:
        """Per slot, at least what one lot can add to a requirement, in table entries."""
        sides = [side[level] for side in (self.long, self.short) for level in LEVELS]
        return add_haircuts([sum(map(int, rates)) for rates in zip(*sides, strict=True)], self.collaterals)
