"""What the rows of SPAN can square: credits on price risk multiply it by deltas, and a product takes two squares."""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

import numpy as np

from zkmargin.margin.arithmetic.decimals import ceil_div
from zkmargin.margin.errors import UnprovableError
from zkmargin.margin.instruments.universe import Universe
from zkmargin.margin.models.span.tables import CommodityTable, SpanTables

LARGEST_SQUARED = 1 << 121


def check_squares(universe: Universe, tables: SpanTables) -> None:
    """Raises UnprovableError, naming a commodity, if an account within its bounds has more than can be squared."""
    held = [i.bound * scale for i, scale in zip(universe.instruments, universe.scale, strict=True)]
    largest = np.abs(tables.risk).max(axis=0).tolist()
    for number, table in enumerate(tables.commodities):
        rates = [
            leg.ratio * Fraction(*spread.rate)
            for spread in tables.spreads
            for leg in spread.legs
            if leg.commodity == number and spread.rate[0]
        ]
        if table.price_risk == "scan_range" or not rates:
            continue
        slots = (tables.unit_of == number).nonzero()[0].tolist()
        risk = 2 * sum(held[slot] * largest[slot] for slot in slots)
        delta = _reach(table, held)
        weighted = 2 * ceil_div(delta * sum(rates, Fraction(0)) * lcm(*(rate.denominator for rate in rates)))
        # Rows are as wide as whole limbs, up to n times what they must hold.
        if universe.domain * (risk + max(delta, weighted)) >= LARGEST_SQUARED:
            remedy = (
                "holdings within their bounds are too large to square; lower the bounds, or set scan_range"
            )
            raise UnprovableError(
                f"model span, commodity {table.name}", "price_risk", table.price_risk, remedy
            )


def _reach(table: CommodityTable, held: Sequence[int]) -> int:
    """The largest sum of deltas, in delta units."""
    return sum(
        held[slot] * abs(delta)
        for period in table.periods
        for slot, delta in zip(period.slots, period.deltas, strict=True)
    )
