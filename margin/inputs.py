"""What a snapshot rests on: the prices, volatilities and forwards of the market, in canonical decimals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Quote:
    """The market's numbers for one slot, as canonical decimals; None where the kind of instrument has none."""

    price: str
    """Mark price: coin per coin for inverse options, USD otherwise; for balances the index."""
    volatility: str | None = None
    """Implied volatility, a fraction a year; options only."""
    forward: str | None = None
    """Forward price of the option's expiry in USD; options only."""


@dataclass(frozen=True)
class Inputs:
    """All numbers of the market that tables follow from, beside time, universe and parameters."""

    source: str
    """Where the numbers come from, for people."""
    indices: Mapping[str, str]
    """Index price of each underlying in USD."""
    quotes: tuple[Quote, ...]
    """One per slot."""

    def document(self) -> dict[str, Any]:
        """The fields for the canonical encoding."""
        quotes = [[q.price, q.volatility, q.forward] for q in self.quotes]
        return {"source": self.source, "indices": dict(self.indices), "quotes": quotes}
