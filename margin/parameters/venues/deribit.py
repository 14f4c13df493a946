"""Parameters of a portfolio margin like Deribit's, with the numbers its interface has published.

In brackets stands the name there (`model_params` of private/pme/simulate: `currency_pair` and `currency`). The venue
has one set of numbers for each coin, and changes them: `PUBLISHED` says when and where each set was read.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from zkmargin.margin.parameters.types import (
    Factor,
    FloorDays,
    LossRates,
    Number,
    Rate,
    Rates,
    Shock,
    Strict,
    rates,
)

TailMove = Annotated[Shock, Field(ge=Decimal("-0.999"))]
"""What pays in coin loses without end as the price falls to nothing."""

_Dampener = Annotated[Number, Field(ge=0, le=10**9)]


class Scales(Strict):
    """The numbers that differ from coin to coin."""

    price_range: Annotated[Number, Field(ge=Decimal("0.001"), le=Decimal("0.99"))] = Decimal("0.16")
    """[price_range]"""
    volatility_up: Factor = Decimal("0.5")
    """[volatility_range_up]"""
    volatility_down: Rate = Decimal("0.25")
    """[volatility_range_down]"""
    volatility_minimum: Factor = Decimal("0.5")
    """[min_volatility_for_shock_up]"""
    short_power: Rate = Decimal("0.3")
    """[short_term_vega_power]"""
    long_power: Rate = Decimal("0.13")
    """[long_term_vega_power]"""
    tail_factor: Rate = Decimal(1)
    """A tail's profit or loss counts tail_factor * price_range / |move| times [extended_table_factor]."""
    delta_shock: Rate = Decimal("0.1")
    """The greatest further move that a delta is asked for [max_delta_shock]."""
    delta_increment: Annotated[Number, Field(ge=0, le=1)] = Decimal("0.00005")
    """The further move for every coin of delta above the threshold [m_inc]."""
    delta_threshold: Annotated[Number, Field(gt=0, le=10**11)] = Decimal(20_000_000)
    """USD of delta that are asked for no further move [delta_total_liq_shock_threshold]."""
    dampener: _Dampener = Decimal(100_000)
    """USD that a tail may lose before it counts, times |move| / price_range - 1 [extended_dampener]."""
    annual_move: Rate = Decimal("0.075")
    """The roll shock of an expiry a year away [annualised_move_risk]."""
    least_move: Rate = Decimal("0.01")
    """The least roll shock of any expiry, and that of perpetuals [min_annualised_move]."""


class CoinScales(Scales):
    """The numbers of one coin, for what settles in it."""

    source: Annotated[str, Field(max_length=200)] = ""
    """Where and when they were read."""


class UsdScales(Strict):
    """What is another number where a contract settles in USD."""

    dampener: _Dampener = Decimal(25_000)
    annual_move: Rate = Decimal("0.1")
    least_move: Rate = Decimal("0.01")


PUBLISHED: Mapping[str, Mapping[str, str]] = {
    "BTC": {
        "source": "Deribit API, private/pme/simulate, the documentation's example of 2024-06-17",
    },
    "ETH": {
        "price_range": "0.18",
        "volatility_up": "0.4",
        "delta_increment": "0.000004",
        "dampener": "200000",
        "annual_move": "0.05",
        "least_move": "0.005",
        "source": "Deribit API, private/pme/simulate, an answer of 2026-02-15",
    },
}
"""What differs from the defaults of `Scales`, which are those of BTC."""

_STATED = "stated in the parameters"


class Deribit(Scales):
    """Nine price moves with three volatility moves, damped tails, delta and roll shocks; see
    `zkmargin.margin.models.grid.deribit` for what each number does.

    A number of `Scales` that is stated here counts for all coins, one in `coins.COIN` for that coin.
    """

    collateral: Literal["segregated", "cross"] = "segregated"
    """Segregated [S:PM]: every settlement currency is margined by itself, and covers its own requirement; coin balances
    do not move. Cross [X:PM]: the equity in a coin is a position like any other, and USD value counts as one."""
    buckets: Annotated[int, Field(ge=1, le=10)] = 4
    """Price moves on either side, evenly spaced up to the range [buckets_count]."""
    floor_days: FloorDays = Decimal(1)
    tail_moves: Annotated[tuple[TailMove, ...], Field(max_length=40)] = tuple(
        Decimal(percent).scaleb(-2) for percent in (-66, -33, 50, 100, 200, 300, 400, 500)
    )
    gain_offset: Rate = Decimal(0)
    """Cross: how much of the gain in one settlement currency pays losses in another, of the same coin [pnl_offset]."""
    loss_factor: LossRates = LossRates(initial=Decimal(1), maintenance=Decimal("0.8"))
    """At most 12 decimal places [mm_factor]."""
    haircut: Rates = rates("0", "0")
    """On the equity of every coin."""
    usd: UsdScales = UsdScales()
    coins: Mapping[str, CoinScales] = {}

    @model_validator(mode="before")
    @classmethod
    def _every_coin(cls, document: Any) -> Any:
        """Each coin's numbers in full: what was published, then what is stated for all, then for the coin."""
        if not isinstance(document, Mapping):
            return document
        stated = {name: document[name] for name in Scales.model_fields if name in document}
        given = document.get("coins", {})
        if isinstance(given, Mapping):
            coins = {name: _coin(name, stated, given.get(name, {})) for name in sorted({*PUBLISHED, *given})}
            document = {**document, "coins": coins}
        if isinstance(usd := document.get("usd", {}), Mapping):
            shared = {name: stated[name] for name in UsdScales.model_fields if name in stated}
            document = {**document, "usd": {**shared, **usd}}
        return document

    @model_validator(mode="after")
    def _tails_move(self) -> Self:
        if Decimal(0) in self.tail_moves:
            raise ValueError("tail_moves: a move of 0 is no tail; leave it out")
        return self

    def of(self, coin: str) -> Scales:
        """The numbers of a coin."""
        return self.coins.get(coin, self)


def _coin(name: str, stated: Mapping[str, Any], own: Any) -> Any:
    if not isinstance(own, Mapping):
        return own
    changed = {"source": _STATED} if stated or own else {}
    return {**PUBLISHED.get(name, {}), **stated, **changed, **own}
